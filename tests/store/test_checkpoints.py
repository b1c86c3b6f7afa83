"""Checkpoints in an object store: whole or not there, each folder's in a place of its own, no secret told."""

import pickle
import socket
from pathlib import Path

import pytest
from store.object_store import KEY, SECRET, ask_for_permission, client_of, environment_of, running_server, stored_under

from tic_sweep.errors import StoreError
from tic_sweep.store.checkpoints import ObjectCheckpoints, is_below, own_place


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, server: str) -> None:
    """Let the client find the server, in which the bucket is."""
    for name, value in environment_of(server).items():
        monkeypatch.setenv(name, value)
    client_of(server)


def test_a_checkpoint_comes_back_as_it_went(tmp_path: Path, server: str) -> None:
    """By another client than the one that stored it, the newest of its name; what is forgotten is gone."""
    sent, received = tmp_path / "sent", tmp_path / "received"
    here = ObjectCheckpoints("s3://science/kept/a sweep")
    there = pickle.loads(pickle.dumps(here))  # noqa: S301 - how it crosses to a worker
    for content in (b"first", b"x" * 12_000_000):
        sent.write_bytes(content)
        here.keep("k", sent)
    there.fetch("k", received)

    assert b"x" * 12_000_000 == received.read_bytes()
    assert ["a sweep/k.pt"] == list(stored_under(server, "kept"))
    there.forget("k")
    there.forget("k")
    assert {} == stored_under(server, "kept")


def test_what_is_not_there_leaves_no_file(tmp_path: Path) -> None:
    """A trial without a checkpoint begins at its beginning."""
    ObjectCheckpoints("s3://science/empty").fetch("k", tmp_path / "received")

    assert not (tmp_path / "received").exists()


def test_a_check_leaves_nothing_behind(server: str) -> None:
    """What it writes is removed again."""
    ObjectCheckpoints("s3://science/checked").check()

    assert {} == stored_under(server, "checked")


def test_places_are_ones_own_and_are_known_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two folders never share one; a region stays in the URL; a path is absolute."""
    url = "s3://science/kept?region=eu-west-1"
    first, second = own_place(url, "tic-paper"), own_place(url, "tic-paper")
    monkeypatch.chdir(tmp_path)
    folder = own_place("kept", "tic-paper")

    assert first != second
    assert first.startswith("s3://science/kept/tic-paper-")
    assert first.endswith("?region=eu-west-1")
    assert (True, True, False, False) == tuple(
        is_below(first, one) for one in (url, "s3://science/kept/", "s3://science/other", "kept")
    )
    assert folder.startswith(f"{tmp_path}/kept/tic-paper-")
    assert (True, False) == (is_below(folder, Path("kept")), is_below(folder, url))


@pytest.mark.parametrize(
    "url",
    [
        f"s3://{KEY}:{SECRET}@science/x",
        f"s3://science/x?secret_key={SECRET}",
        f"s3://science/x?endpoint_override=http://{KEY}:{SECRET}@host:1",
    ],
)
def test_a_secret_in_a_url_is_refused_and_not_repeated(url: str) -> None:
    """Credentials come from the environment."""
    with pytest.raises(StoreError, match="credentials come from the environment") as raised:
        ObjectCheckpoints(url)

    assert SECRET not in str(raised.value)


def test_a_store_that_refuses_is_one_line_without_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody there, no such bucket, no permission: each is said at once, with a remedy."""
    with running_server() as strict:
        monkeypatch.setenv("AWS_ENDPOINT_URL", strict)
        with pytest.raises(
            StoreError, match=r"s3://nowhere-at-all/x cannot be written; there is no such bucket"
        ) as one:
            ObjectCheckpoints("s3://nowhere-at-all/x").check()
        client_of(strict)
        ask_for_permission(strict)
        with pytest.raises(StoreError, match=r"cannot be written; .*credentials") as two:
            ObjectCheckpoints("s3://science/x").check()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{free.getsockname()[1]}")
    with pytest.raises(StoreError, match="nobody answers") as three:
        ObjectCheckpoints("s3://science/x").check()

    for raised in (one, two, three):
        assert "\n" not in str(raised.value)
        assert not [secret for secret in (KEY, SECRET) if secret in str(raised.value)]
