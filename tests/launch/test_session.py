"""Sessions on a real Ray and in this process: planned, skipped, repeated, compared."""

import dataclasses
import io
import json
import shutil
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from launch.launch_fakes import ADAPTIVE, FailingTraining, by_key, new_writer, rows, write_sweep
from rich.console import Console

import tic_sweep
from tic_sweep.data import load_data
from tic_sweep.errors import StoreError, UserError
from tic_sweep.launch.known import KnownTrials
from tic_sweep.launch.options import Options, Request
from tic_sweep.launch.provenance import provenance
from tic_sweep.launch.session import resume_sweep, run_sweep
from tic_sweep.store import Manifest, ResultsFolder, compact
from tic_sweep.store.journal import line_of

HERE = Options(in_process=True)
RAY = Options(cpus=2)
on_ray = [
    pytest.mark.ray,
    pytest.mark.usefixtures("ray_here"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # Ray leaves sockets to the garbage collector
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(scope="module")
def grid_here(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the results of the tiny 2 x 2 sweep, run in this process; a segment per table, however long it took."""
    folder = tmp_path_factory.mktemp("grid")
    told = "tic-sweep run /home/ada/tiny.py --storage s3://adas/bucket"
    run_sweep(Request(sweep=write_sweep(folder)), HERE, results=folder / "results", command=told)
    compact(ResultsFolder.open(folder / "results"))
    return folder / "results"


def digests(folder: Path) -> dict[str, object]:
    """Return the final weights of each trial, by their hash."""
    return by_key(folder, "weights_digest")


def numbers(folder: Path, table: str) -> list[tuple]:
    """Return all rows of a table that a session writes, but for its stamp and the time things took."""
    found = rows(folder, table)
    kept = [c for c in found.columns if not c.endswith("seconds") and c not in {"session", "seq"}]
    return sorted(found.select(kept).rows(), key=str)


def test_a_sweep_fills_its_folder(grid_here: Path) -> None:
    """Every trial is finished with its epochs and Fisher rows, and the manifest says what it is about."""
    trials = rows(grid_here, "trials")
    manifest = Manifest.load(ResultsFolder.open(grid_here).manifest)

    assert ([("finished", 1, 2)] * 4) == trials.select("status", "attempt", "epochs_done").rows()
    assert (4 * 3, 4 * 3 * 2) == (rows(grid_here, "epochs").height, rows(grid_here, "fisher").height)
    assert (("optimiser.lr",), (0, 1)) == (manifest.varied, manifest.seeds)
    assert 'SWEEP = Sweep(name="tiny"' in manifest.sweep_file_text
    (seen,) = set(trials.select("command", "circumstance", "device", "host").rows())
    assert ("tic-sweep run tiny.py --storage STORAGE", "cpu", socket.gethostname()) == (seen[0], *seen[2:])
    assert {"threads": 1, "precision": "float32"}.items() <= json.loads(seen[1]).items()
    assert all(trials["processor"]) or not Path("/proc/cpuinfo").exists()
    assert 4 == len(set(digests(grid_here).values()))


class TestOnRay:
    """The same, on a real Ray."""

    pytestmark = on_ray

    def test_ray_and_this_process_give_the_same_numbers(self, tmp_path: Path, grid_here: Path) -> None:
        """Rows and weights do not depend on the runner."""
        ended = run_sweep(Request(sweep=write_sweep(tmp_path)), RAY, results=tmp_path / "r")

        assert (4, 4, ()) == (ended.done, ended.total, ended.problems)
        assert digests(grid_here) == digests(tmp_path / "r")
        assert numbers(grid_here, "epochs") == numbers(tmp_path / "r", "epochs")
        assert numbers(grid_here, "fisher") == numbers(tmp_path / "r", "fisher")

    def test_a_diverging_trial_is_a_row_and_the_others_finish(self, tmp_path: Path) -> None:
        """It says why, and the sweep is complete."""
        sweep = write_sweep(tmp_path, 'space={"optimiser.lr": Grid((1e20, 0.1))}')
        ended = run_sweep(Request(sweep=sweep), RAY, results=tmp_path / "r")

        found = {row["optimiser.lr"]: row for row in rows(tmp_path / "r", "trials").to_dicts()}
        assert ("diverged", "finished") == (found[1e20]["status"], found[0.1]["status"])
        assert "loss is" in found[1e20]["reason"]
        assert (2, {"diverged": 1, "finished": 1}) == (ended.done, dict(ended.statuses))

    def test_an_adaptive_sweep_runs_and_grows(self, tmp_path: Path) -> None:
        """It proposes as many trials as asked, none twice, and more when more are asked for later."""
        sweep = write_sweep(tmp_path, ADAPTIVE)
        first = run_sweep(Request(sweep=sweep), RAY, results=tmp_path / "r")
        before = set(digests(tmp_path / "r"))
        second = run_sweep(Request(sweep=sweep, samples=4), RAY, results=tmp_path / "r")

        assert (3, 4) == (first.done, second.done)
        assert (3, 1) == (first.ran, second.ran)
        assert before < set(digests(tmp_path / "r"))
        assert set(rows(tmp_path / "r", "trials")["timesteps"].to_list()) <= {1, 2}


def test_what_has_ended_is_not_run_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second run runs nothing, another seed runs that alone, --rerun runs all anew, from nothing."""
    sweep, place = write_sweep(tmp_path), tmp_path / "r"
    run_sweep(Request(sweep=sweep, seeds=(0,)), HERE, results=place)
    before = digests(place)
    again = run_sweep(Request(sweep=sweep, seeds=(0,)), HERE, results=place)
    more = run_sweep(Request(sweep=sweep, seeds=(0, 1)), HERE, results=place)
    anew = run_sweep(Request(sweep=sweep, seeds=(0,)), dataclasses.replace(HERE, rerun=True), results=place)

    assert (0, 2, 2) == (again.ran, more.ran, anew.ran)
    assert [1, 1, 2, 2] == sorted(by_key(place, "attempt").values())
    assert before.items() <= digests(place).items()
    assert 4 * 3 == rows(place, "epochs").height
    assert 3 == rows(place, "epochs").filter(session=3).height / 2


@pytest.fixture
def newer(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], None]]:
    """Return what makes this process one of tic_sweep 9.9, until the test ends."""

    def become() -> None:
        monkeypatch.setattr("tic_sweep.__version__", "9.9")
        provenance.cache_clear()

    yield become
    provenance.cache_clear()


def test_who_goes_on_with_other_software_is_told(tmp_path: Path, newer: Callable[[], None]) -> None:
    """In a line, when trials have run with what this process does not have; the rows keep them apart."""
    place, told, before = tmp_path / "r", io.StringIO(), tic_sweep.__version__
    sweep, console = write_sweep(tmp_path), Console(file=told, width=80)
    run_sweep(Request(sweep=sweep, seeds=(0,)), HERE, results=place, console=console)
    said_first = told.getvalue()
    newer()
    run_sweep(Request(sweep=sweep, seeds=(0, 1)), HERE, results=place, console=console)

    assert "Trials here ran" not in said_first
    assert (
        f"Trials here ran with tic_sweep {before}; now it is tic_sweep 9.9. "
        "Columns version, git_commit and packages of the table trials tell them apart."
    ) in told.getvalue().splitlines()
    assert {before, "9.9"} == set(rows(place, "trials")["version"])
    assert ["9.9", before] == [software.version for software in KnownTrials.at(place).software]


def test_a_trial_whose_rows_are_lost_has_not_ended(tmp_path: Path, grid_here: Path) -> None:
    """It is computed again, from nothing, to the same rows and weights; the file is kept, and said to be damaged."""
    place = tmp_path / "r"
    shutil.copytree(grid_here, place)
    segment = ResultsFolder.open(place).segments("fisher")[0]
    segment.write_bytes(segment.read_bytes()[:-1])
    ended = resume_sweep(place, None, HERE)
    again = resume_sweep(place, None, HERE)

    assert ("finished", 4, 4, 0) == (*set(by_key(place, "status").values()), ended.done, ended.ran, again.ran)
    assert f"tables/fisher/{segment.name} was damaged, and is set aside." == ended.mended[0]
    assert "4 trials had lost rows, and were computed again." == ended.mended[1]
    assert () == ended.problems
    assert digests(grid_here) == digests(place)
    assert numbers(grid_here, "epochs") == numbers(place, "epochs")
    assert numbers(grid_here, "fisher") == numbers(place, "fisher")


def test_a_journal_with_a_wrong_number_is_set_aside(tmp_path: Path, grid_here: Path) -> None:
    """Its other lines are kept, the trials it told of are computed again, and the file is said to be damaged."""
    place = tmp_path / "r"
    shutil.copytree(grid_here, place)
    folder = ResultsFolder.open(place)
    journal = folder.journal_file(1, 9)
    lines = [line_of("fisher", row) for row in rows(place, "fisher").to_dicts()]
    journal.parent.mkdir(exist_ok=True)
    journal.write_bytes(b"".join(lines).replace(b'"t": 2', b'"t": 3', 1))
    for segment in folder.segments("fisher"):
        segment.unlink()
    ended = resume_sweep(place, None, HERE)
    again = resume_sweep(place, None, HERE)

    assert ("finished", 4, 0) == (*set(by_key(place, "status").values()), ended.ran, again.ran)
    assert "journal/000001-000009.jsonl was damaged, and is set aside." == ended.mended[0]
    assert "4 trials had lost rows, and were computed again." == ended.mended[1]
    assert journal.with_name("000001-000009.jsonl.damaged").exists()
    assert numbers(grid_here, "fisher") == numbers(place, "fisher")


def test_trials_of_which_no_row_is_left_are_planned_again(tmp_path: Path, grid_here: Path) -> None:
    """A resume asks the command that started the sweep; their checkpoints spare the work."""
    place, request = tmp_path / "r", Request(sweep=write_sweep(tmp_path))
    shutil.copytree(grid_here, place)
    for segment in ResultsFolder.open(place).segments("trials"):
        segment.write_bytes(b"")
    with pytest.raises(UserError, match="nothing says which trials were planned"):
        resume_sweep(place, None, HERE)
    ended = resume_sweep(place, request, HERE)

    assert (4, 4) == (ended.done, ended.ran)
    assert digests(grid_here) == digests(place)
    assert {1} == set(rows(place, "epochs")["session"])


def test_a_folder_that_is_being_written_is_refused_before_ray_starts(tmp_path: Path) -> None:
    """A second run says who writes there, and touches nothing."""
    with new_writer(tmp_path / "r"), pytest.raises(UserError, match="is being written by process"):
        run_sweep(Request(sweep=write_sweep(tmp_path)), RAY, results=tmp_path / "r")


def test_what_another_session_did_meanwhile_is_not_done_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While a session loads its data another one runs; the first refuses to go on from what it had read."""
    sweep, place = write_sweep(tmp_path), tmp_path / "r"
    load, others = load_data, iter([(0, 1)])

    def slowly(*given: object, **named: object) -> object:
        for seeds in others:  # the first time alone
            run_sweep(Request(sweep=sweep, seeds=seeds), Options(in_process=True), results=place)
        return load(*given, **named)

    monkeypatch.setattr("tic_sweep.launch.session.load_data", slowly)
    with pytest.raises(StoreError, match=r"another session has written to .*: give the command again"):
        run_sweep(Request(sweep=sweep, seeds=(0,)), Options(in_process=True), results=place)

    assert {1} == set(rows(place, "trials")["attempt"])
    assert [0, 1] == sorted(set(rows(place, "trials")["seed"]))
    assert (0, 1) == tuple(Manifest.load(place / "sweep.json").seeds)


def test_a_failing_trial_stops_a_debugging_run_with_its_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its row is written first, the trials before it are kept, and a resume runs the rest."""
    place = tmp_path / "r"
    sweep = write_sweep(tmp_path, 'space={"optimiser.lr": Grid((0.25, 0.5, 0.75))}')
    from tic_sweep.launch import in_process

    real = in_process.run_in_process
    monkeypatch.setattr(in_process, "run_in_process", lambda *a, **k: real(*a, **k, training=FailingTraining))
    with pytest.raises(ValueError, match="half is not a rate"):
        run_sweep(Request(sweep=sweep), HERE, results=place)
    before = [row[1] for row in rows(place, "trials").sort("optimiser.lr").select("key", "status").rows()]
    ended = resume_sweep(place, None, HERE)

    assert ["finished", "failed", "planned"] == before
    assert (1, {"finished": 2, "failed": 1}) == (ended.ran, dict(ended.statuses))


def test_another_sweep_is_not_mixed_in(tmp_path: Path, grid_here: Path) -> None:
    """A folder of another sweep is refused before anything is written to it."""
    path = Path(write_sweep(tmp_path))
    path.write_text(path.read_text().replace('name="tiny"', 'name="other"'))
    before = (grid_here / "sweep.json").read_bytes()

    with pytest.raises(UserError, match="holds the sweep tiny at scale laptop: give another folder with --results"):
        run_sweep(Request(sweep=str(path)), HERE, results=grid_here)
    assert before == (grid_here / "sweep.json").read_bytes()


def test_what_varied_stays_varied(tmp_path: Path) -> None:
    """A later run at another fixed value makes that field one that varies in the folder."""
    sweep, place = write_sweep(tmp_path), tmp_path / "r"
    for tau in (2.0, 3.0):
        changes = {"neuron.tau": tau, "optimiser.lr": 0.1, "optimiser.epochs": 0}
        run_sweep(Request(sweep=sweep, changes=changes, seeds=(0,)), HERE, results=place)
    manifest = json.loads((place / "sweep.json").read_text())

    assert ["neuron.tau"] == manifest["varied"]
    assert "neuron.tau" not in manifest["fixed"]
