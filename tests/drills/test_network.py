"""Two machines, in as far as one can be two: a node in a network of its own, whose cable is pulled."""

import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from drills.harness import Drill, Sweep, said_by, wait_until

pytestmark = [pytest.mark.ray, pytest.mark.slow]
RAY = str(Path(sys.executable).with_name("ray"))
HERE, THERE, PORT = "10.213.77.1", "10.213.77.2", "6399"


def ip(*words: str) -> None:
    """Run iproute2's ``ip``."""
    subprocess.run(["ip", *words], check=True, capture_output=True)


class Cable:
    """A network with one machine in it, and the cable to ours."""

    def __init__(self, name: str) -> None:
        self.network, self.end, self._other = name, f"{name}a", f"{name}b"

    def lay(self) -> None:
        """Set up the network and its two addresses."""
        ip("netns", "add", self.network)
        ip("link", "add", self.end, "type", "veth", "peer", "name", self._other, "netns", self.network)
        ip("addr", "add", f"{HERE}/24", "dev", self.end)
        ip("-n", self.network, "addr", "add", f"{THERE}/24", "dev", self._other)
        for words in (("link", "set", self.end, "up"), ("-n", self.network, "link", "set", self._other, "up"),
                      ("-n", self.network, "link", "set", "lo", "up")):  # fmt: skip
            ip(*words)

    def remove(self) -> None:
        """Remove what there is of it."""
        subprocess.run(["ip", "netns", "del", self.network], capture_output=True, check=False)

    def pull(self) -> None:
        """Let nothing through, in either direction; connections are not told."""
        ip("link", "set", self.end, "down")

    def plug_in(self) -> None:
        """Let everything through again."""
        ip("link", "set", self.end, "up")


@pytest.fixture
def cable() -> Iterator[Cable]:
    """Return a cable to a network of its own."""
    laid = Cable(f"tic{os.getpid() % 10**6}")
    try:
        laid.lay()
    except (OSError, subprocess.CalledProcessError):
        laid.remove()
        pytest.skip("setting up a network takes iproute2 and rights that this process lacks")
    try:
        yield laid
    finally:
        laid.remove()


@contextmanager
def node(sweep: Sweep, *options: str, network: str = "", reached: bool = False) -> Iterator[None]:
    """Start a node of Ray with one CPU, in another network if one is named, and end it with the context.

    With ``reached`` wait until the head can be reached.
    """
    where = ["ip", "netns", "exec", network] if network else []
    with subprocess.Popen(
        [*where, RAY, "start", "--block", "--num-cpus", "1", "--disable-usage-stats", *options],
        env=sweep.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    ) as process:  # fmt: skip
        try:
            if reached:
                wait_until(is_reached)
            yield
        finally:
            process.kill()
            sweep.clear()


def is_reached() -> bool:
    """Tell whether the head answers."""
    with suppress(OSError), socket.create_connection((HERE, int(PORT)), timeout=1):
        return True
    return False


def works_in(sweep: Sweep, network: str) -> bool:
    """Tell whether a worker of the sweep is in a network."""
    theirs, found = Path(f"/run/netns/{network}").stat().st_ino, []
    for pid in sweep.workers():
        with suppress(OSError):  # it has ended meanwhile
            found.append(Path(f"/proc/{pid}/ns/net").stat().st_ino)
    return theirs in found


def reports(sweep: Sweep) -> dict[str, int]:
    """Return how many epochs each trial has told."""
    return dict(sweep.table("epochs").group_by("key").len().iter_rows())


def test_a_cable_is_pulled(cable: Cable, long_sweep: Sweep, undisturbed_long: Path) -> None:
    """For 4 s nothing is lost but time; for longer the node counts as dead, and its trial goes on here.

    The cluster asks for a token, and speaks over addresses that are no loopback.
    """
    shortly, for_good = Drill("network to a node cut for 4 s"), Drill("network to a node cut until it counts as dead")
    sweep = long_sweep
    sweep.extra |= {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
    head = ("--head", "--node-ip-address", HERE, "--port", PORT, "--include-dashboard", "false")
    far = ("--address", f"{HERE}:{PORT}", "--node-ip-address", THERE)
    command = ("run", str(sweep.file), "--results", str(sweep.place), "--checkpoint-seconds", "0")
    with (
        node(sweep, *head, reached=True),
        node(sweep, *far, network=cable.network),
        sweep.started(*command, "--address", f"{HERE}:{PORT}") as process,
    ):
        wait_until(lambda: process.poll() is not None or 2 == len(reports(sweep)))
        assert works_in(sweep, cable.network)
        sweep.await_epochs(shortly.draw.randint(5, 10), process)
        cable.pull()
        time.sleep(1)
        before = reports(sweep)
        time.sleep(3)
        (there,) = (key for key, told in reports(sweep).items() if told == before[key])
        cable.plug_in()
        shortly.times += 1
        plugged = time.monotonic()
        wait_until(lambda: process.poll() is not None or reports(sweep)[there] > before[there] + 2)
        shortly.seconds.append(time.monotonic() - plugged)
        assert {1} == set(sweep.table("trials")["attempt"])
        assert {"running"} == set(sweep.table("trials")["status"])
        cable.pull()
        for_good.times += 1
        pulled = time.monotonic()
        wait_until(lambda: process.poll() is not None or 2 in sweep.table("trials")["attempt"])
        for_good.seconds.append(time.monotonic() - pulled)
        cable.plug_in()
        said = said_by(process)

    assert 0 == said.code, said
    assert [there] == sweep.table("trials").filter(attempt=2)["key"].to_list()
    for drill in (shortly, for_good):
        drill.compare(undisturbed_long, sweep.place)
        drill.end()
