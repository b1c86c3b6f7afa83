"""What stays of Tune's files: nothing but what workers said as they failed."""

from pathlib import Path

from tic_sweep.launch.scratch import clear, keep_failure, last_failure

TWICE = """Failure # 1 (occurred at x)
ValueError: old
Failure # 2 (occurred at y)
Traceback
  ValueError: new
"""


def test_the_last_failure_is_kept_whole(tmp_path: Path) -> None:
    """Each failure is told once, as it comes, with its trial; Tune's text repeats the earlier ones."""
    keep_failure(tmp_path, "k1", TWICE.partition("Failure # 2")[0])
    keep_failure(tmp_path, "k1", TWICE)
    log = (tmp_path / "failures.log").read_text()

    assert "Traceback\n  ValueError: new" == last_failure(TWICE)
    assert (1, 1, 2) == (log.count("ValueError: old"), log.count("ValueError: new"), log.count(" trial k1\n"))


def test_a_log_that_cannot_be_written_costs_the_log_alone(tmp_path: Path) -> None:
    """Nothing is raised into Tune for it."""
    keep_failure(tmp_path / "missing", "k1", TWICE)

    assert [] == list(tmp_path.iterdir())


def test_folders_of_sessions_go_and_logs_stay(tmp_path: Path) -> None:
    """Those of killed sessions, too."""
    for name in ("session-1", "session-12"):
        (tmp_path / name / "trial").mkdir(parents=True)
    for name in ("ray.log", "failures.log"):
        (tmp_path / name).touch()
    clear(tmp_path)

    assert ["failures.log", "ray.log"] == sorted(path.name for path in tmp_path.iterdir())
