"""A race told again from the store: the policy that was, what it recommends, what it cost, and how it is shown."""

from pathlib import Path
from typing import Any

import pytest

from analysis import Results, open_results
from analysis.figures.catalogue import chosen_figures
from analysis.figures.writing import write_figures
from analysis.plot_races import plot_race
from analysis.race_texts import race_finding, race_texts, spent_text, stopping_text
from analysis.races import answers, as_good_range, race_curves, race_of, race_trials, told
from analysis.report import write_report
from analysis.tables import finding
from tic_sweep.config import TrialConfig, replaced, trial_key
from tic_sweep.racing import Look, StoppingCost
from tic_sweep.records import EpochRow, TrialRow
from tic_sweep.store import Manifest, ResultsFolder, ResultsWriter

Ran = tuple[float, str, tuple[float, ...]]
"""Rate, status, and validation accuracy by epoch from 0 on."""
RACE: tuple[Ran, ...] = (
    (0.3, "finished", (0.1, 0.5, 0.7, 0.9, 0.9)), (0.1, "stopped", (0.1, 0.2)), (1.0, "stopped", (0.1, 0.4, 0.6)),
    (3.0, "diverged", (0.1,)),
)  # fmt: skip


def raced(
    path: Path, trials: tuple[Ran, ...] = RACE, *, timesteps: tuple[int, ...] = (8,), proposals: int = 0,
    ic: tuple[float, ...] = (5.0,) * 5, scheduler: str = "asha", holdout: float = 0.0,
) -> Results:  # fmt: skip
    """Write a raced sweep, trial after trial: an epoch takes 2 s, a Fisher measurement 1 s; return its results."""
    folder = ResultsFolder.create(path)
    configs = [
        (replaced(TrialConfig(timesteps=t), {"optimiser.lr": lr, "optimiser.epochs": 4}), status, values)
        for t in timesteps
        for lr, status, values in trials
    ]
    order = [trial_key(config) for config, *_ in configs]
    race: dict[str, Any] = {"budget": 1.0, "holdout": holdout, "grace": 0.25, "order": order}
    varied = ("optimiser.lr", *(("timesteps",) if len(timesteps) > 1 else ()))
    Manifest(
        sweep="demo", scale="laptop", question="Which rate?", varied=varied, scheduler=scheduler, race=race,
        samples=proposals, searcher="tpe" if proposals else "random",
    ).save(folder.manifest)  # fmt: skip
    with ResultsWriter(folder) as writer:
        for config, status, values in configs:
            key = trial_key(config)
            for epoch, accuracy in enumerate(values):
                writer.add(
                    EpochRow(
                        key=key, epoch=epoch, val_loss=1.0, val_acc=accuracy, ic=ic[epoch], ic_se=0.1,
                        train_seconds=2.0 if epoch else 0.0, eval_seconds=0.0, fisher_seconds=1.0,
                    )
                )  # fmt: skip
            reason = "" if status == "finished" else f"{status} at {len(values) - 1}"
            row = TrialRow(key=key, sweep="demo", scale="laptop", status=status, reason=reason)
            writer.add(row, config)
    return open_results(path)


def test_a_policy_hears_what_was_told_in_its_order(tmp_path: Path) -> None:
    """Reports and bad ends, as they came; a finished or stopped trial's end says nothing that its reports do not."""
    results = raced(tmp_path / "r")
    heard = list(told(results.epochs, results.trials))
    keys = results.manifests[0].race["order"]

    assert [keys[0]] * 5 + [keys[1]] * 2 + [keys[2]] * 3 + [keys[3]] * 2 == [key for key, _ in heard]
    assert "diverged" == heard[-1][1]
    assert Look(epoch=1, ic=5.0, ic_se=0.1, val_acc=0.5, val_loss=1.0) == heard[1][1]


def test_the_policy_is_as_it_was(tmp_path: Path) -> None:
    """It has every look of every trial, and knows which one diverged."""
    race = race_of(raced(tmp_path / "r"))

    assert [4, 1, 2, 0] == [entrant.epoch for entrant in race.entrants.values()]
    assert ["", "", "", "diverged"] == [entrant.left for entrant in race.entrants.values()]


def test_what_it_comes_to(tmp_path: Path) -> None:
    """0.3 got furthest; 7 of 16 epochs, and 11 measurements of half an epoch's time each."""
    (answer,) = answers(raced(tmp_path / "r"))
    spent = answer.spent

    assert 0.3 == answer.recommendation.rate
    assert (7, 11 * 1.0 / 2.0, 16) == (spent.epochs, spent.fisher, spent.grid)
    assert (7 + 5.5) / 16 == spent.share
    low, high = as_good_range(answer)
    assert low <= 0.3 <= high


def test_only_what_got_half_as_far_is_called_as_good(tmp_path: Path) -> None:
    """Of equal rates the one that went half the way counts, the one that was given up at once does not."""
    same = (0.1, 0.2, 0.3, 0.4, 0.5)
    (answer,) = answers(
        raced(tmp_path / "r", ((0.3, "finished", same), (1.0, "stopped", same[:3]), (0.1, "stopped", same[:2])))
    )

    assert {1.0, 0.1} == set(answer.recommendation.as_good)
    assert ((1.0,), (0.3, 1.0)) == (answer.as_good, as_good_range(answer))


@pytest.mark.parametrize(
    ("ic", "text"),
    [
        ((5.0,) * 5, "As good, as far as the data at hand can tell: 1.0; that is every rate tried from 0.3"),
        ((5.0, 1.5, 1.5, 1.5, 1.5), "With one seed of each nothing tells it apart from 1.0; that is every rate tried"),
    ],
)
def test_with_one_seed_it_is_said_what_tells_rates_apart(tmp_path: Path, ic: tuple[float, ...], text: str) -> None:
    """The validation images, as long as accuracy alone decides; nothing once a rate has turned."""
    same = (0.1, 0.2, 0.3, 0.4, 0.5)
    trials = ((0.3, "finished", same), (1.0, "stopped", same[:4]))

    assert text in race_finding(raced(tmp_path / "r", trials, ic=ic, scheduler="hybrid"))


@pytest.mark.parametrize(("best", "edge"), [(0.1, "lowest"), (0.3, ""), (1.0, "highest")])
def test_a_best_rate_at_the_edge_is_called_so(tmp_path: Path, best: float, edge: str) -> None:
    """The question should be asked again with a wider range."""
    trials = tuple((rate, "finished", (0.1, 0.9 if rate == best else 0.2)) for rate in (0.1, 0.3, 1.0))
    results = raced(tmp_path / "r", trials)

    assert (best, edge) == (answers(results)[0].recommendation.rate, answers(results)[0].edge)
    assert bool(edge) == (f"the {edge or 'no'} rate tried" in race_finding(results))


def test_a_search_is_held_against_all_it_may_propose(tmp_path: Path) -> None:
    """Four of eight were proposed: the full grid is 32 epochs. The highest draw is no edge of the range."""
    same = (0.1, 0.2, 0.3, 0.4, 0.5)
    (answer,) = answers(raced(tmp_path / "r", (*RACE[:3], (2.0, "finished", (0.1, *[0.95] * 4))), proposals=8))
    of_two = answers(raced(tmp_path / "s", ((0.3, "finished", same),), timesteps=(4, 8), proposals=4))

    assert (2.0, "", 32) == (answer.recommendation.rate, answer.edge, answer.spent.grid)
    assert [8, 8] == [one.spent.grid for one in of_two]


def test_each_stratum_has_its_answer(tmp_path: Path) -> None:
    """Rates are compared within a T, and the finding has a line for each."""
    results = raced(tmp_path / "r", timesteps=(4, 8))

    assert [{"timesteps": 4}, {"timesteps": 8}] == [answer.setting for answer in answers(results)]
    assert 2 == len(race_finding(results).splitlines())
    assert finding(results) == race_finding(results)


def test_trials_by_how_far_they_got(tmp_path: Path) -> None:
    """With what ended them."""
    table = race_trials(raced(tmp_path / "r"))

    assert [(0.3, 4, 4, 0.9), (1.0, 2, 4, 0.6), (0.1, 1, 4, 0.2), (3.0, 0, 4, 0.1)] == table.select(
        "optimiser.lr", "epochs", "planned", "val_acc"
    ).rows()
    assert ["", "stopped at 2", "stopped at 1", "diverged at 0"] == table["reason"].to_list()
    assert table["turned"].null_count() == 4


def test_curves_are_those_of_the_first_training(tmp_path: Path) -> None:
    """By rate, seed and epoch."""
    results = raced(tmp_path / "r")
    table = race_curves(results.epochs, results.trials).collect()

    assert [(0.1, 0), (0.1, 1), (0.3, 0)] == table.select("optimiser.lr", "epoch").rows()[:3]
    assert 11 == table.height


def test_the_finding_names_rate_and_price(tmp_path: Path) -> None:
    """In words, with what cannot be told from it."""
    text = race_finding(raced(tmp_path / "r"))

    assert text.startswith("Recommended learning rate: 0.3;")
    assert "7 epochs were trained, 44 % of the 16 of the full grid; Fisher measurements took the time of 6 more" in text


@pytest.mark.parametrize(("last", "share"), [(0.95, 1.0), (0.3, 1.0), (0.95, 0.0)])
def test_the_finding_says_how_those_ended_that_would_have_been_stopped(
    tmp_path: Path, last: float, share: float
) -> None:
    """ASHA would have stopped 0.1 at epoch 1; it was held out, and how it ended is told with how little that says."""
    ran_on = (0.1, "finished", (0.1, 0.2, 0.2, 0.2, last))
    text = race_finding(raced(tmp_path / "r", (RACE[0], (1.0, "finished", RACE[0][2]), ran_on), holdout=share))

    above = "1 ended above the recommended rate's mean validation accuracy, by 5.0 points at most"
    none = "none ended above the recommended rate's mean validation accuracy"
    told = f" Of 1 held-out trial that would have been stopped {above if last > 0.9 else none}; so few say little"
    assert text.endswith(f"{told} of what stopping costs.") == (share == 1.0)
    assert ("held-out" in text) == (share == 1.0)


@pytest.mark.parametrize(
    ("cost", "text"),
    [
        (StoppingCost(trials=0, better=0, missed=None), ""),
        (StoppingCost(trials=2, better=0, missed=None), ""),
        (
            StoppingCost(trials=30, better=2, missed=0.031),
            (
                " Of 30 held-out trials that would have been stopped 2 ended above the recommended rate's mean "
                "validation accuracy, by 3.1 points at most."
            ),
        ),
    ],
)
def test_stopping_in_words(cost: StoppingCost, text: str) -> None:
    """Nothing where nothing is known; only few are called few."""
    assert text == stopping_text(cost)


@pytest.mark.parametrize(
    ("spent", "text"),
    [
        ((30, 0.0, 120), "30 epochs were trained, 25 % of the 120 of the full grid."),
        ((30, 30.0, 120), "the 120 of the full grid; Fisher measurements took the time of 30 more, 50 % together."),
        ((0, 0.0, 0), "0 epochs were trained, none of the 0 of the full grid."),
    ],
)
def test_prices_in_words(spent: tuple[int, float, int], text: str) -> None:
    """Epochs first; what measuring cost is added, not hidden."""
    assert spent_text(*spent).endswith(text)


def test_a_race_without_reports_recommends_nothing(tmp_path: Path) -> None:
    """It says so."""
    results = raced(tmp_path / "r", tuple((rate, "planned", ()) for rate in (0.1, 0.3)))

    assert race_finding(results).startswith("No learning rate can be recommended yet")


def test_the_report_answers_the_question(tmp_path: Path) -> None:
    """With a section, its figure, and a row per rate that says why it went no further."""
    results = raced(tmp_path / "r")
    texts = race_texts(results)
    page = write_report(tmp_path / "r").read_text(encoding="utf-8")

    assert texts is not None
    assert ["0.3", "recommended", "1", "4 of 4", "later than 4", "90.0 %", "finished"] == list(texts.rows[0])
    assert "stopped at 2" in texts.rows[1]
    assert "Which learning rate?" in page


def test_a_line_per_trial_ends_where_it_was_stopped(tmp_path: Path) -> None:
    """The last point of a stopped trial is a cross, of a finished one a dot; others have no mark."""
    figure = plot_race(raced(tmp_path / "r"))
    accuracies = {trace.name: trace for trace in figure.data if trace.xaxis == "x2"}

    assert {"0.1", "0.3", "1.0", "3.0"} == accuracies.keys()
    assert ((0, 1), "x", (0, 9)) == tuple(
        map(_tupled, (accuracies["0.1"].x, accuracies["0.1"].marker.symbol, accuracies["0.1"].marker.size))
    )
    assert "circle" == accuracies["0.3"].marker.symbol
    assert (0,) == _tupled(accuracies["3.0"].marker.size)


def test_a_sweep_that_was_not_raced_shows_no_race(tmp_path: Path) -> None:
    """Neither figure nor table."""
    from store.fabricated import TURNING, write_sweep

    write_sweep(tmp_path / "r", [({"optimiser.lr": 0.3}, "finished", TURNING)])
    results = open_results(tmp_path / "r")

    assert (None, 0) == (race_texts(results), len(plot_race(results).data))
    assert [] == list(write_figures(results, tmp_path / "f", chosen_figures(["race"]), formats=("png",)))


def test_the_figure_for_print_says_what_its_marks_mean(tmp_path: Path) -> None:
    """One file, with a caption that names the recommended rate."""
    (written,) = write_figures(raced(tmp_path / "r"), tmp_path / "f", chosen_figures(["race"]), formats=("png",))

    assert ["race.png"] == [path.name for path in written.files]
    assert "the recommended rate's, 0.3" in written.caption


def _tupled(value: Any) -> Any:
    return value if isinstance(value, str) else tuple(value)
