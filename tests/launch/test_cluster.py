"""A Ray of our own: for this user and this machine alone, and wherever the home folder lies."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tic_sweep.errors import ResourceError
from tic_sweep.launch.joining import check_joinable, token_is_here

LOOK = """
import stat
from pathlib import Path

from tic_sweep.launch.cluster import ray_cluster
from tic_sweep.launch.options import Options

with ray_cluster(Options(cpus=1)) as nodes:
    import os, psutil, ray  # psutil comes with ray

    assert ["x"] == ray.get([ray.remote(lambda: "x").remote()])
    mode = stat.S_IMODE(Path(os.environ["RAY_AUTH_TOKEN_PATH"]).stat().st_mode)
    print(len(nodes), os.environ["RAY_AUTH_MODE"], oct(mode))
    me = psutil.Process()
    for process in (me, *me.children(recursive=True)):
        for connection in process.net_connections("inet"):
            if connection.status == psutil.CONN_LISTEN:
                print(connection.laddr.ip)
"""


@pytest.mark.slow
@pytest.mark.ray
def test_our_own_ray_listens_here_alone(tmp_path: Path) -> None:
    """Every port is at the loopback address, the token is this user's alone, and no home folder is needed."""
    (tmp_path / "file").write_text("")
    code = [sys.executable, "-W", "ignore", "-c", LOOK]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
    environment |= {"HOME": str(tmp_path / "file" / "home")}
    done = subprocess.run(code, env=environment, capture_output=True, text=True, timeout=300, check=False)
    first, *addresses = done.stdout.splitlines()

    assert (0, "") == (done.returncode, done.stderr)
    assert "1 token 0o600" == first
    assert len(addresses) > 3
    assert {"127.0.0.1"} == {address.removeprefix("::ffff:") for address in addresses}


def test_no_token_at_all_is_said_before_ray_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ray would take the process with it."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("RAY_AUTH_MODE", "token")
    monkeypatch.delenv("RAY_AUTH_TOKEN", raising=False)
    monkeypatch.setenv("RAY_AUTH_TOKEN_PATH", str(tmp_path / "gone"))

    with pytest.raises(ResourceError, match="there is no token: set RAY_AUTH_TOKEN_PATH"):
        check_joinable("auto")


def test_a_token_is_found_where_ray_looks_for_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the home folder, in the file that is named, in the environment; a file that is named and gone counts."""
    for name in ("RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    seen = [token_is_here()]
    (tmp_path / ".ray").mkdir()
    (tmp_path / ".ray" / "auth_token").write_text("a token")
    seen.append(token_is_here())
    monkeypatch.setenv("RAY_AUTH_TOKEN_PATH", str(tmp_path / "gone"))
    seen.append(token_is_here())
    monkeypatch.setenv("RAY_AUTH_TOKEN", "another")
    seen.append(token_is_here())

    assert [False, True, False, True] == seen


@pytest.mark.parametrize("address", ["user:secret@head:6379", "secret@head:1"])
def test_what_may_be_a_secret_in_an_address_is_not_repeated(address: str) -> None:
    """It is no address."""
    with pytest.raises(ResourceError, match="must be auto or host:port") as raised:
        check_joinable(address)

    assert "secret" not in str(raised.value)
