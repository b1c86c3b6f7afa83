"""`tune-lr` as a user meets it: an answer, the same one when asked again, and one line for nonsense."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from launch.launch_fakes import LearningTraining, rows

from analysis import open_results
from analysis.races import answers
from tic_sweep.cli import main
from tic_sweep.launch.options import Options
from tic_sweep.store import Manifest, ResultsFolder
from tic_sweep.tune import Question, tune_learning_rate
from tic_sweep.tune.learning_rate import race

SMALL = (
    "--epochs", "4", "--rates", "4", "--set", "data.train_samples=100", "--set", "data.validation_samples=50",
    "--set", "fisher.samples=8", "--set", "data.test_samples=50", "--timesteps", "2", "--in-process", "--wandb", "off",
)  # fmt: skip
LITTLE: dict[str, Any] = {
    "epochs": 4, "rates": 4, "timesteps": 2,
    "changes": {
        "data.train_samples": 100, "data.validation_samples": 50, "data.test_samples": 50, "fisher.samples": 8,
    },
}  # fmt: skip
"""The same as a question in Python."""


def call(*arguments: str) -> int:
    """Run the command line in this process and return its exit code."""
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    return int(ended.value.code or 0)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Let trials be stand-ins whose accuracy grows with the rate, in an empty folder."""
    from tic_sweep.launch import in_process

    real = in_process.run_in_process
    monkeypatch.setattr(in_process, "run_in_process", lambda *a, **k: real(*a, **k, training=LearningTraining))
    monkeypatch.chdir(tmp_path)


@pytest.mark.usefixtures("quick")
def test_it_answers_with_evidence(capsys: pytest.CaptureFixture[str]) -> None:
    """The rate, the price, a table of the rates, a figure and a report."""
    code = call("tune-lr", *SMALL, "--policy", "accuracy")
    out, err = capsys.readouterr()
    told = " ".join(out.split())

    assert (0, "") == (code, err)
    assert "Recommended learning rate: 3.0;" in told
    assert "of the 32 of the full grid" in told
    assert "recommended" in out
    place = Path("results/tune_lr-digits-small_conv")
    assert (place / "figures" / "race.png").exists()
    assert "Which learning rate?" in (place / "report.html").read_text(encoding="utf-8")


@pytest.mark.usefixtures("quick")
def test_json_is_all_there_is_on_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    """A script reads the answer, the range around it, what it cost and where the evidence lies."""
    assert 0 == call("tune-lr", *SMALL, "--policy", "accuracy", "--json")
    told = json.loads(capsys.readouterr().out)

    assert (3.0, True, 32) == (told["learning_rate"], told["complete"], told["grid_epochs"])
    assert told["low"] <= 3.0 <= told["high"]
    assert told["epochs"] <= 0.35 * 32 + 1
    assert Path(told["figure"]).exists()
    assert Path(told["report"]).exists()


@pytest.mark.usefixtures("quick")
def test_asked_again_it_trains_nothing_and_answers_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    """By the same command, and by resuming its results."""
    answers = []
    for again in (("tune-lr", *SMALL, "--policy", "accuracy", "--json"),) * 2:
        assert 0 == call(*again)
        answers.append(json.loads(capsys.readouterr().out))
    epochs = rows(Path("results/tune_lr-digits-small_conv"), "epochs").height
    assert 0 == call("resume", "results/tune_lr-digits-small_conv")
    answers.append(json.loads(capsys.readouterr().out))

    assert answers[0] == answers[1] == answers[2]
    assert epochs == rows(Path("results/tune_lr-digits-small_conv"), "epochs").height


@pytest.mark.usefixtures("quick")
def test_a_bare_command_is_resumed_as_what_it_was(capsys: pytest.CaptureFixture[str]) -> None:
    """Without any option: the same answer, with its evidence, and no word of an option that there is not."""
    tune_learning_rate(Question(), options=Options(in_process=True, wandb="off"), results=Path("r"))
    path = ResultsFolder.open(Path("r")).manifest
    replace(Manifest.load(path), command="tic-sweep tune-lr").save(path)
    Path("r/figures/race.png").unlink()
    capsys.readouterr()

    assert 0 == call("resume", "r", "--in-process", "--wandb", "off")
    out = capsys.readouterr().out
    assert "Evidence: r/figures/race.png" in out
    assert "recommended" in out
    assert "--rerun" not in out
    assert Path("r/figures/race.png").exists()


def test_a_command_that_is_not_understood_is_quoted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A manifest that was written by hand may hold anything."""
    path = ResultsFolder.create(tmp_path / "r").manifest
    Manifest(sweep="x", scale="laptop", question="?", command="tic-sweep tune-lr 'x").save(path)

    assert 2 == call("resume", str(tmp_path / "r"))
    err = capsys.readouterr().err
    assert 1 == err.count("\n")
    assert "sweep.json: field 'command' is not understood (No closing quotation)" in err


@pytest.mark.usefixtures("quick")
def test_failed_trials_are_told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """As by `run`, on stderr, beside the answer and the exit code."""
    from tic_sweep.tune import learning_rate

    real = learning_rate.race
    monkeypatch.setattr(learning_rate, "race", lambda *a, **k: replace(real(*a, **k), statuses={"failed": 2}))

    assert 1 == call("tune-lr", *SMALL, "--policy", "accuracy", "--results", "r", "--json")
    out, err = capsys.readouterr()
    assert 3.0 == json.loads(out)["learning_rate"]
    assert "tic-sweep: 2 of 8 trials failed: tic-sweep status r tells why." == err.splitlines()[-1]


@pytest.mark.usefixtures("quick")
def test_a_search_proposes_the_rates(capsys: pytest.CaptureFixture[str]) -> None:
    """Up to as many as a grid would have trials, which is what the price is a share of; none of them is an edge."""
    assert 0 == call("tune-lr", *SMALL, "--searcher", "tpe", "--json")
    told = json.loads(capsys.readouterr().out)

    assert (32, "", True) == (told["grid_epochs"], told["edge"], told["told_apart"])
    assert 12 >= told["epochs"]
    assert 8 > sum(told["statuses"].values())
    assert 0.01 <= told["learning_rate"] <= 3.0
    assert told["statuses"]["stopped"] > 0


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--dataset", "mnits"), "--dataset must be one of digits,"),
        (("--low", "4"), "--low and --high must be rates with 0 < low < high, got 4.0 and 3.0"),
        (("--budget", "0"), "--budget must be percent"),
        (("--policy", "best"), "--policy must be one of"),
        (("--set", "optimiser.lr=0.1"), "--set optimiser.lr is what varies"),
        (("--seeds", "a"), "must be whole numbers separated by commas"),
    ],
)
def test_nonsense_is_one_line(words: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    """With exit code 2, and nothing made."""
    code = call("tune-lr", *words)
    out, err = capsys.readouterr()

    assert (2, "", 1) == (code, out, err.count("\n"))
    assert message in err
    assert not Path("results").exists()


OTHERS = {
    ("--tau", "3"): "holds a race with neuron.tau 2.0, asked for is 3.0: give another folder with --results.",
    ("--low", "0.1"): "holds a race with rates from 0.01, asked for is --low 0.1: give another folder",
    ("--low", "0.001", "--high", "0.1"): "holds a race with rates up to 3.0, asked for is --high 0.1: give another",
    ("--seeds", "1,2"): "holds a race with --seeds 0,1, asked for is 1,2: name those, too, or give another folder",
    ("--policy", "hybrid"): "holds a race with --policy accuracy, asked for is hybrid: give another folder",
    ("--searcher", "tpe", "--policy", "asha"): "holds a race with --searcher grid, asked for is tpe: give another",
}
"""Words that ask another question than the folder's own, and how they are refused."""


@pytest.mark.usefixtures("quick")
def test_another_question_is_not_mixed_in(capsys: pytest.CaptureFixture[str]) -> None:
    """Nor is the old one answered in its place: it is refused in one line, and nothing is trained."""
    question = Question(policy="accuracy", **LITTLE)
    race(question, Options(in_process=True, wandb="off"), results=Path("r"))
    before = rows(Path("r"), "trials").height
    capsys.readouterr()

    for words, message in OTHERS.items():
        assert 2 == call("tune-lr", *SMALL, "--policy", "accuracy", "--results", "r", *words)
        out, err = capsys.readouterr()
        assert ("", 1) == (out, err.count("\n"))
        assert message in err
    assert before == rows(Path("r"), "trials").height


@pytest.mark.usefixtures("quick")
def test_a_policy_is_refused_by_its_own_name(capsys: pytest.CaptureFixture[str]) -> None:
    """Not by that of a field which follows from it and was never asked for."""
    race(Question(policy="asha", **LITTLE), Options(in_process=True, wandb="off"), results=Path("r"))
    capsys.readouterr()

    assert 2 == call("tune-lr", *SMALL, "--results", "r")
    assert "with --policy asha, asked for is hybrid" in capsys.readouterr().err


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(
    ("wider", "grid"),
    [({"rates": 6}, 64), ({"seeds": (0, 1, 2)}, 48), ({"low": 0.001, "high": 10.0}, 64), ({"budget": 100.0}, 32)],
)
def test_a_wider_question_goes_on_with_what_is_stored(wider: dict[str, Any], grid: int) -> None:
    """More rates, more seeds, a range around the stored one, or more epochs."""
    options = Options(in_process=True, wandb="off")
    race(Question(policy="accuracy", **LITTLE), options, results=Path("r"))
    before = rows(Path("r"), "epochs").select("key", "epoch").rows()
    race(Question(policy="accuracy", **(LITTLE | wider)), options, results=Path("r"))
    (answer,) = answers(open_results(Path("r")))

    assert (wider.get("high", 3.0), grid) == (answer.recommendation.rate, answer.spent.grid)
    assert set(before) < set(rows(Path("r"), "epochs").select("key", "epoch").rows())


@pytest.mark.usefixtures("quick")
def test_the_ends_of_a_range_may_have_been_rounded() -> None:
    """The same question is the same, although 0.0123456 was tried as 0.0123."""
    question = Question(policy="accuracy", **(LITTLE | {"low": 0.0123456, "high": 1.005}))
    ended = [race(question, Options(in_process=True, wandb="off"), results=Path("r")) for _ in range(2)]

    assert [8, 0] == [one.ran for one in ended]


@pytest.mark.usefixtures("quick")
def test_the_library_call_returns_the_answer() -> None:
    """With the question as a value."""
    question = Question(
        epochs=4, rates=4, timesteps=2, policy="accuracy", changes={"data.train_samples": 100}, budget=50
    )
    found = tune_learning_rate(question, options=Options(in_process=True, wandb="off"), results=Path("r"))

    assert (3.0, True, 32) == (found.rate, found.complete, found.grid_epochs)
    assert found.share == found.epochs / 32


@pytest.mark.usefixtures("quick")
def test_any_sweep_can_be_raced(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`run --scheduler` stops trials early, and the report says which rate to take."""
    words = ("--set", "fisher.every=0", "--seeds", "0", "--in-process", "--wandb", "off", "--results", "r")
    assert 0 == call("run", "quickstart", "--scheduler", "accuracy", "--holdout", "0", *words)

    assert "Recommended learning rate: 3.0" in " ".join(capsys.readouterr().out.split())
    assert {"finished", "stopped"} == set(rows(tmp_path / "r", "trials")["status"])
    assert 0 == call("plan", "quickstart", "--scheduler", "accuracy", "--budget", "0.3", "--no-cost")
    assert "Raced by accuracy: most trials end early, at most 30 % of" in " ".join(capsys.readouterr().out.split())
    assert 2 == call("run", "quickstart", "--scheduler", "hybrid", "--set", "fisher.every=0", "--seeds", "0")
    assert "looks at IC, which fisher.every 0 never measures" in capsys.readouterr().err
