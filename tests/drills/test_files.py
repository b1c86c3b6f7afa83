"""Files of a killed sweep are cut short or spoilt; what they held is computed again, and said."""

import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from drills.harness import Drill, Sweep, write_sweep

pytestmark = pytest.mark.slow
SLOWLY = ("--in-process", "--checkpoint-seconds", "0")


def cut(content: bytes) -> bytes:
    """Return the first two thirds."""
    return content[: 2 * len(content) // 3]


def flipped(content: bytes) -> bytes:
    """Return it with one bit changed, in the middle."""
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 4]) + content[middle + 1 :]


def empty(_content: bytes) -> bytes:
    """Return nothing."""
    return b""


FILES = {
    "checkpoint": "checkpoints/*.pt",
    "segment of epochs": "tables/epochs/*.parquet",
    "segment of Fisher traces": "tables/fisher/*.parquet",
    "segment of horizons": "tables/horizons/*.parquet",
    "segment of trials": "tables/trials/*.parquet",
}


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Sweep:
    """Return a sweep that was stopped, resumed and killed: a trial had ended, one was at work, and the rest waited.

    What was told before the stop is in Parquet, and what was told after it in the journal.
    """
    folder = tmp_path_factory.mktemp("killed")
    sweep = Sweep(write_sweep(folder), folder / "r")
    for command, more, signum in (
        (("run", str(sweep.file), "--results", str(sweep.place)), 75, signal.SIGTERM),
        (("resume", str(sweep.place)), 10, signal.SIGKILL),
    ):
        with sweep.started(*command, *SLOWLY) as process:
            sweep.await_epochs(more, process)
            assert process.poll() is None
            process.send_signal(signum)
            process.wait()
    assert {"finished", "running", "planned"} == set(sweep.table("trials")["status"])
    assert all(list(sweep.place.glob(pattern)) for pattern in FILES.values())
    return sweep


@pytest.mark.parametrize(("spoil", "which"), [(cut, -1), (flipped, 0), (empty, -2)], ids=["cut", "spoilt", "emptied"])
@pytest.mark.parametrize("pattern", FILES.values(), ids=FILES)
def test_a_spoilt_file(
    killed: Sweep, undisturbed: Path, tmp_path: Path, pattern: str, spoil: Callable[[bytes], bytes], which: int
) -> None:
    """The resume says which file it was, keeps it under another name, and ends as if nothing had been."""
    drill = Drill(f"{next(name for name, p in FILES.items() if p == pattern)} cut short, emptied or spoilt")
    shutil.copytree(killed.place, tmp_path / "r")
    sweep = Sweep(killed.file, tmp_path / "r")
    files = sorted(sweep.place.glob(pattern), key=lambda path: path.stat().st_mtime)
    which = max(which, -len(files))
    content = spoil(files[which].read_bytes())
    files[which].write_bytes(content)
    said = sweep.resume("--in-process")
    drill.times += 1
    drill.seconds.append(said.seconds)
    waited = pattern.startswith("checkpoints") and which != -1  # an ended trial's checkpoint is not looked at

    assert 0 == said.code, said
    assert waited or files[which].name in said.err
    assert waited or content == files[which].with_name(f"{files[which].name}.damaged").read_bytes()
    drill.compare(undisturbed, sweep.place)
    drill.end()


def test_a_spoilt_journal(killed: Sweep, undisturbed: Path, tmp_path: Path) -> None:
    """A line of the journal that cannot be read costs the trials that were at work then an attempt, and no row."""
    drill = Drill("journal spoilt in the middle, and cut short")
    for spoil in (flipped_line, cut):
        place = tmp_path / spoil.__name__
        shutil.copytree(killed.place, place)
        sweep = Sweep(killed.file, place)
        (journal,) = (place / "journal").iterdir()
        journal.write_bytes(spoil(journal.read_bytes()))
        said = sweep.resume("--in-process")
        drill.times += 1
        drill.seconds.append(said.seconds)
        assert 0 == said.code, said
        drill.compare(undisturbed, place)
    drill.end()


def flipped_line(content: bytes) -> bytes:
    """Return lines of which the middle one is no JSON any more."""
    lines = content.split(b"\n")
    lines[len(lines) // 2] = lines[len(lines) // 2].replace(b"{", b"[", 1)
    return b"\n".join(lines)


def test_neither_clocks_nor_the_order_of_files_matter(killed: Sweep, undisturbed: Path, tmp_path: Path) -> None:
    """A clock that goes back by days between sessions, files copied in another order and dated at random."""
    drill = Drill("clock set back, files in another order")
    files = sorted((path for path in killed.place.rglob("*") if path.is_file()), reverse=True)
    for path in drill.draw.sample(files, len(files)):
        copy = tmp_path / "r" / path.relative_to(killed.place)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, copy)
        moment = drill.draw.uniform(0, 2e9)
        os.utime(copy, (moment, moment))
    (tmp_path / "sitecustomize.py").write_text(
        "import time\nreal = time.time\ntime.time = lambda: real() - 3 * 86400\n", encoding="utf-8"
    )
    sweep = Sweep(killed.file, tmp_path / "r")
    sweep.extra["PYTHONPATH"] = os.pathsep.join([str(tmp_path), sweep.environment["PYTHONPATH"]])
    said = sweep.resume("--in-process")
    drill.times += 1
    drill.seconds.append(said.seconds)

    assert (0, "") == (said.code, said.err)
    drill.compare(undisturbed, sweep.place)
    drill.end()


def test_a_home_that_cannot_be_written(sweep: Sweep, undisturbed: Path) -> None:
    """Nothing of a run needs it."""
    drill = Drill("home folder that cannot be written")
    sweep.extra["HOME"] = "/proc/nowhere"
    said = sweep.run("--in-process")
    drill.times += 1
    drill.seconds.append(said.seconds)

    assert (0, "") == (said.code, said.err)
    drill.compare(undisturbed, sweep.place)
    drill.end()
