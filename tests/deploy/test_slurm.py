"""The SLURM script, run with stand-ins for SLURM and Ray: what it starts, when it queues again, what it leaves."""

import os
import shutil
import stat
import subprocess
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from tic_sweep.cli import cli

SCRIPT = Path(__file__).parents[2] / "deploy" / "slurm.sbatch"
FAKES = {
    "scontrol": 'echo "scontrol $*" >> "$LOG"; [ "$1" = show ] && printf "n1\\nn2\\n"; exit 0',
    "squeue": 'date --date=@"$FAKE_END" +%Y-%m-%dT%H:%M:%S',
    "srun": """
        case "$*" in
            *"hostname --ip-address"*) echo "10.0.0.1 fe80::1"; exit 0 ;;
        esac
        echo "srun $*" >> "$LOG"; echo "SRUN_CPUS_PER_TASK=$SRUN_CPUS_PER_TASK" >> "$LOG"
        stat -c %a "$RAY_AUTH_TOKEN_PATH" > "$LOG.mode"; cp "$RAY_AUTH_TOKEN_PATH" "$LOG.token"
        while [ "$1" != -- ]; do shift; done; shift
        "$@"
        exit 9  # another node ended worse
        """,
    "tic-sweep": 'echo "tic-sweep $*" >> "$LOG"; exit "$FAKE_CODE"',
}


def submitted(folder: Path, code: int, **environment: str) -> tuple[subprocess.CompletedProcess[str], list[str]]:
    """Run the script as SLURM would; return how it ended and what it called."""
    tools = folder / ".venv" / "bin"
    tools.mkdir(parents=True, exist_ok=True)
    for name, text in FAKES.items():
        (tools / name).write_text(f"#!/bin/bash\n{text}\n")
        (tools / name).chmod(0o755)
    log = folder / "log"
    log.unlink(missing_ok=True)
    known = {"PATH": os.environ["PATH"], "HOME": str(folder / "home"), "LOG": str(log), "FAKE_CODE": str(code)}
    slurm = {"SLURM_JOB_ID": "4711", "SLURM_JOB_NODELIST": "n[1-2]", "SLURM_JOB_NUM_NODES": "2",
             "SLURM_CPUS_PER_TASK": "48"}  # fmt: skip
    end = {"SLURM_JOB_END_TIME": str(int(time.time()) + 3600)}
    (folder / "home").mkdir(exist_ok=True)
    done = subprocess.run(
        ["bash", str(SCRIPT)], cwd=folder, env=known | slurm | end | environment, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    return done, log.read_text().splitlines() if log.exists() else []


def command(calls: list[str]) -> list[str]:
    """Return the words of the sweep that was run."""
    (line,) = [call for call in calls if call.startswith("tic-sweep ")]
    return line.split()


def test_it_is_a_script() -> None:
    """Bash, and shellcheck where there is one, find nothing wrong with it."""
    for tool in (["bash", "-n"], ["shellcheck"]):
        if shutil.which(tool[0]):
            checked = subprocess.run([*tool, str(SCRIPT)], capture_output=True, text=True, check=False)
            assert (0, "") == (checked.returncode, checked.stdout)


def test_a_sweep_that_is_done(tmp_path: Path) -> None:
    """Ray is started on exactly the job's nodes, at a port of its own, and the sweep on the head joins it."""
    done, calls = submitted(tmp_path, 0, SWEEP="tic", STORAGE="s3://bucket/x", GPUS_PER_TRIAL="0.5")
    words = command(calls)
    (run,) = [call for call in calls if call.startswith("srun ")]

    assert (0, "") == (done.returncode, done.stderr)
    assert "ray symmetric-run --address 10.0.0.1:24711 --min-nodes 2 -- bash -c" in run
    assert ["run", "tic"] == words[1:3]
    given = dict(zip(words[3::2], words[4::2], strict=True))
    assert ("10.0.0.1:24711", "s3://bucket/x", "0.5") == tuple(
        given[name] for name in ("--address", "--storage", "--gpus-per-trial")
    )
    assert str(tmp_path / "results" / "tic-paper") == given["--results"]
    assert 3600 - 300 - 60 < int(given["--stop-after"]) <= 3600 - 300
    assert not [call for call in calls if "requeue" in call]


def test_every_node_gets_the_cpus_of_the_job(tmp_path: Path) -> None:
    """What sbatch was told, be it another number than the script's: srun does not take it over by itself."""
    _, calls = submitted(tmp_path, 0)

    assert "SRUN_CPUS_PER_TASK=48" in calls


def test_what_it_gives_is_understood(tmp_path: Path) -> None:
    """Every option it passes exists, with a value that is accepted."""
    words = command(submitted(tmp_path, 0)[1])

    assert "learning_rate" == cli.commands["run"].make_context("run", words[2:]).params["sweep"]
    assert 0 == CliRunner().invoke(cli, ["run", "--help"]).exit_code


@pytest.mark.parametrize(("code", "queued"), [(0, False), (142, True), (1, False), (2, False)])
def test_a_job_whose_time_is_up_is_queued_again(tmp_path: Path, code: int, queued: bool) -> None:  # noqa: FBT001
    """And no other; the job ends with the sweep's own code, not with that of a node that ended worse."""
    done, calls = submitted(tmp_path, code)

    assert code == done.returncode
    assert queued == ("scontrol requeue 4711" in calls)


def test_the_token_is_the_users_and_the_jobs(tmp_path: Path) -> None:
    """Long, new each time, readable by nobody else, in no command line, and gone when the job is."""
    tokens = set()
    for _ in range(2):
        done, calls = submitted(tmp_path, 1)
        token = (tmp_path / "log.token").read_text()
        tokens.add(token)
        assert token not in done.stdout + done.stderr + "".join(calls)
        assert "600" == (tmp_path / "log.mode").read_text().strip()

    folder = tmp_path / "home" / ".tic_sweep"
    assert [2, [64, 64]] == [len(tokens), [len(token) for token in tokens]]
    assert (0o700, []) == (stat.S_IMODE(folder.stat().st_mode), list(folder.iterdir()))


def test_the_end_is_asked_for_where_slurm_does_not_say(tmp_path: Path) -> None:
    """Older versions set no variable for it."""
    _, calls = submitted(tmp_path, 0, SLURM_JOB_END_TIME="", FAKE_END=str(int(time.time()) + 7200))
    words = command(calls)

    assert 7200 - 300 - 60 < int(words[words.index("--stop-after") + 1]) <= 7200 - 300


def test_a_job_that_is_too_short_is_told_so(tmp_path: Path) -> None:
    """Nothing is started that could not end in order."""
    done, calls = submitted(tmp_path, 0, SLURM_JOB_END_TIME=str(int(time.time()) + 100))

    assert 2 == done.returncode
    assert "less than 300 seconds are left" in done.stderr
    assert not [call for call in calls if call.startswith(("srun", "tic-sweep"))]
