"""What a disk has spoilt is known, down to the byte, and so are the trials whose rows it held."""

import random
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from store.store_rows import abandoned, epoch_row, epochs_in, new_folder, trial_row

from analysis import open_results
from tic_sweep.config import TrialConfig
from tic_sweep.launch.trainable import report_from_dict, report_to_dict
from tic_sweep.records import FisherRow, Report
from tic_sweep.store import (
    ResultsFolder,
    ResultsWriter,
    blocks_told,
    compact,
    find_damage,
    last_epochs,
    scan,
    trials_touched,
    trials_with_holes,
)  # fmt: skip
from tic_sweep.store.seal import MARK, is_intact
from tic_sweep.store.segments import write_segment

pytestmark = pytest.mark.filterwarnings("ignore::tic_sweep.store.DamagedFileWarning")
CUTS = {
    "empty": lambda _: 0,
    "inside the magic word": lambda _: 2,
    "behind the magic word": lambda _: 4,
    "inside the data": lambda size: size // 3,
    "inside the footer": lambda size: size - 100,
    "inside the length of the footer": lambda size: size - 6,
    "inside the last magic word": lambda size: size - 2,
    "last byte": lambda size: size - 1,
}


def one_after_the_other(path: Path, *, trials: str = "abc", epochs: int = 2) -> ResultsFolder:
    """Return a folder of trials that ran one after the other, a segment per flush, which follows each epoch."""
    folder = new_folder(path)
    with ResultsWriter(folder) as writer:
        for key in trials:
            writer.add(trial_row(key, "planned"), TrialConfig(seed=ord(key)))
        writer.flush()
        for key in trials:
            writer.add(trial_row(key, "running"), TrialConfig(seed=ord(key)))
            for epoch in range(epochs):
                writer.add(epoch_row(key, epoch, ic=1.5))
                writer.flush()
            writer.add(trial_row(key, epochs_done=epochs - 1), TrialConfig(seed=ord(key)))
            writer.flush()
    return folder


def touched(folder: ResultsFolder) -> str:
    """Return the trials that may have lost rows, by damage alone."""
    return "".join(sorted(trials_touched(folder, find_damage(folder))))


def test_a_healthy_folder_has_no_damage(tmp_path: Path) -> None:
    """Nothing is found, before and after compaction."""
    folder = one_after_the_other(tmp_path / "r")

    assert ([], frozenset()) == (find_damage(folder), trials_with_holes(folder))
    compact(folder)
    assert ([], frozenset()) == (find_damage(folder), trials_with_holes(folder))


@pytest.mark.parametrize("cut", CUTS.values(), ids=CUTS)
def test_a_segment_cut_short_is_damage_and_names_its_trial(tmp_path: Path, cut: Callable[[int], int]) -> None:
    """Wherever a file ends too early; only trials at work before the next row are touched, none of the others."""
    folder = one_after_the_other(tmp_path / "r", trials="abcd")
    path = folder.segments("epochs")[3]  # the second epoch of b
    content = path.read_bytes()
    path.write_bytes(content[: cut(len(content))])

    assert [("epochs", path)] == [(damage.table, damage.path) for damage in find_damage(folder)]
    assert "bc" == touched(folder)  # c had started when the next row came
    assert {"b"} == trials_with_holes(folder)


def test_no_spoilt_byte_is_taken_for_a_number(tmp_path: Path) -> None:
    """Of bits flipped at random places, none is missed unless all rows are the same."""
    folder = one_after_the_other(tmp_path / "r", epochs=3)
    compact(folder)
    path, expected = folder.segments("epochs")[0], scan(folder, "epochs").collect()
    content, draw, found = bytearray(path.read_bytes()), random.Random(7), 0  # noqa: S311 - places to spoil
    for _ in range(150):
        place, bit = draw.randrange(len(content)), 1 << draw.randrange(8)
        content[place] ^= bit
        path.write_bytes(content)
        content[place] ^= bit
        if find_damage(folder):
            found += 1
        else:
            assert expected.equals(scan(folder, "epochs").collect()), f"byte {place}, bit {bit}"

    assert found > 140


def spoil(path: Path) -> None:
    """Flip a bit of the data of a segment, where Parquet does not notice."""
    content = bytearray(path.read_bytes())
    content[len(content) // 3] ^= 1
    path.write_bytes(content)


def test_a_spoilt_segment_is_a_problem_of_the_results(tmp_path: Path) -> None:
    """A reader who asks is told, even if every row can be read."""
    folder = one_after_the_other(tmp_path / "r")
    path = folder.segments("epochs")[4]
    content = bytearray(path.read_bytes())
    content[content.index(MARK) + len(MARK)] ^= 1
    path.write_bytes(content)

    assert 6 == len(epochs_in(folder))
    assert (path.name, 1) in open_results(folder.root).problems.select("file", "count").rows()


def test_a_file_of_an_older_version_is_read_whole(tmp_path: Path) -> None:
    """It has no seal: what can be decoded counts as whole, what cannot does not."""
    folder = one_after_the_other(tmp_path / "r")
    path = folder.segments("epochs")[1]
    pl.read_parquet(path).write_parquet(path)
    unsealed, damage = is_intact(path), find_damage(folder)
    path.write_bytes(path.read_bytes()[:-30])

    assert (None, []) == (unsealed, damage)
    assert [path] == [damage.path for damage in find_damage(folder)]


def test_damage_of_a_compacted_table_touches_every_trial_that_had_begun(tmp_path: Path) -> None:
    """Its one file held all rows; trials still planned have none to lose."""
    folder = one_after_the_other(tmp_path / "r")
    with ResultsWriter(folder) as writer:
        writer.add(trial_row("z", "planned"), TrialConfig(seed=99))
    compact(folder)
    spoil(folder.segments("epochs")[0])

    assert "abc" == touched(folder)


def test_a_table_with_damage_is_not_compacted(tmp_path: Path) -> None:
    """What was lost shows in the segments around it; those of other tables become one."""
    folder = one_after_the_other(tmp_path / "r")
    spoil(folder.segments("epochs")[3])
    removed = compact(folder)

    assert (0, True) == (removed["epochs"], removed["trials"] > 0)
    assert "b" <= touched(folder)


def test_lost_rows_of_trials_and_summaries_touch_no_rows(tmp_path: Path) -> None:
    """What state a trial is in shows by itself."""
    folder = one_after_the_other(tmp_path / "r")
    folder.segments("trials")[-1].write_bytes(b"")

    assert ("", ["trials"]) == (touched(folder), [damage.table for damage in find_damage(folder)])


def test_a_spoilt_line_of_a_journal_is_damage(tmp_path: Path) -> None:
    """The trials of those seconds are touched; a torn last line is none."""
    folder = one_after_the_other(tmp_path / "r")
    with ResultsWriter(folder) as writer:
        writer.add(trial_row("c", "running"), TrialConfig(seed=99))
        writer.add(epoch_row("c", 0))
        writer.add(epoch_row("c", 1))
        journal = folder.journals()[0]
        content = journal.read_bytes()
    for table in ("trials", "epochs"):
        folder.segments(table)[-1].unlink()
    lines = content.split(b"\n")

    journal.write_bytes(content[:-20])
    assert [] == find_damage(folder)
    journal.write_bytes(b"\n".join([lines[0], lines[1][:-9] + b"x", *lines[2:]]))
    assert ([journal], "c") == ([damage.path for damage in find_damage(folder)], touched(folder))


@pytest.mark.parametrize("lacking", [0, 1, 2])
def test_a_hole_in_a_trials_epochs_is_seen(tmp_path: Path, lacking: int) -> None:
    """The first, a middle, or the last one, however they went missing; trials that tell no epochs have no holes."""
    folder = new_folder(tmp_path / "r")
    with ResultsWriter(folder) as writer:
        for key, missing in (("a", lacking), ("b", None), ("toy", range(3))):
            done = 0 if key == "toy" else 2
            writer.add(trial_row(key, epochs_done=done), TrialConfig(seed=ord(key[0])))
            for epoch in range(3):
                if missing is None or (epoch != missing and missing != range(3)):
                    writer.add(epoch_row(key, epoch))

    assert {"a"} == trials_with_holes(folder)


def test_what_is_set_aside_is_read_no_more(tmp_path: Path) -> None:
    """Its bytes stay, under a name that no reader takes for a segment."""
    folder = one_after_the_other(tmp_path / "r")
    path = folder.segments("epochs")[3]
    path.write_bytes(b"oh")
    (damage,) = find_damage(folder)
    damage.set_aside()

    assert [] == find_damage(folder)
    assert b"oh" == path.with_name(f"{path.name}.damaged").read_bytes()
    assert 5 == len(epochs_in(folder))


def test_a_journal_cut_anywhere_keeps_whole_reports(tmp_path: Path) -> None:
    """Where there is an epoch's row there are all other rows of its report, as they come from a worker, too."""
    folder = new_folder(tmp_path / "r")
    told = [Report(epoch=epoch_row("a", epoch), rows=fisher_rows(epoch)) for epoch in range(3)]
    with ResultsWriter(folder) as writer:
        writer.add(trial_row("a", "running"), TrialConfig(seed=1))
        for report in told:
            writer.add_blocks(blocks_told(report_from_dict(report_to_dict(report))))
        whole, journal = last_epochs(folder), folder.journals()[0]
        content = journal.read_bytes()
        seen = set[int]()
        ends = [i for i, byte in enumerate(content) if byte == ord("\n")]
        for size in sorted({*range(0, len(content), 11), *(end + by for end in ends for by in (-1, 0, 1, 2))}):
            journal.write_bytes(content[:size])
            last = last_epochs(folder).get("a", -1)
            seen.add(last)
            rows = scan(folder, "fisher").filter(pl.col("epoch") <= last).collect()
            assert 2 * (last + 1) == rows.height, size

    assert {"a": 2} == whole
    assert {-1, 0, 1, 2} == seen


def test_the_epochs_segment_is_written_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the session that told the rows and by the next, which finds its journal: a power cut leaves whole reports."""
    order: dict[str, list[str]] = {"writer": [], "recover": []}
    for module, met in order.items():

        def noted(path: Path, frame: pl.DataFrame, met: list[str] = met) -> None:
            met.append(path.parent.name)
            write_segment(path, frame)

        monkeypatch.setattr(f"tic_sweep.store.{module}.write_segment", noted)
    told = Report(epoch=epoch_row("a", 0), rows=fisher_rows(0))
    folder = new_folder(tmp_path / "r")
    abandoned(folder, lambda writer: writer.add_blocks(blocks_told(told)))  # which lets the writer flush, too
    ResultsWriter(folder).close()

    assert {"writer": ["fisher", "epochs"], "recover": ["fisher", "epochs"]} == order


def fisher_rows(epoch: int) -> list[FisherRow]:
    """Return an epoch's Fisher rows at two horizons."""
    return [
        FisherRow(key="a", epoch=epoch, level="model", part="", t=t, fisher_trace=1.0, fisher_se=0.1) for t in (1, 2)
    ]
