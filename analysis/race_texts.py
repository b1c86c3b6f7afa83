"""What a race for the learning rate comes to, in words: the finding, and how the rates stand as a table."""

from collections.abc import Mapping, Sequence
from typing import Any

from analysis.fields import label_of, text_of
from analysis.races import Answer, answers, as_good_range, is_raced, race_of, race_trials
from analysis.results import Results
from analysis.sections import Texts
from tic_sweep.racing import Standing, StoppingCost, stratum_of
from tic_sweep.store import stored_config
from tic_sweep.sweep import RATE

NOTE = (
    "Epochs are those of the seed that got furthest. A rate turned at the mean transition of its seeds, where all are "
    "seen to have turned; one that was stopped before is censored there: it may have turned later. Accuracies of rates "
    "that got differently far do not compare."
)

FEW = 20
"""Held-out trials below which it is said that they are few: of 20 that all ended lower, 14 % may still be higher."""


def race_finding(results: Results) -> str:
    """Return which learning rate the race recommends, and what it and its stopping cost; a line per stratum."""
    told = {_stratum(answer): _told(answer) for answer in answers(results)}
    if results.manifests[0].race.get("holdout"):  # else nothing was held out, and telling the race again is spared
        race = race_of(results)
        told = {stratum: f"{text}{stopping_text(race.stopping_cost(stratum))}" for stratum, text in told.items()}
    return "\n".join(told.values())


def _stratum(answer: Answer) -> str:
    return stratum_of(stored_config(answer.part.trials.head(1).collect().row(0, named=True)))


def stopping_text(cost: StoppingCost) -> str:
    """Return, as a further sentence, how trials ended that would have been stopped; nothing if none was held out."""
    if not cost.trials or cost.missed is None:
        return ""
    trials = f"{cost.trials} held-out trial{'s' * (cost.trials > 1)} that would have been stopped"
    above = f"{cost.better or 'none'} ended above the recommended rate's mean validation accuracy"
    by = f", by {100 * cost.missed:.1f} points at most" if cost.better else ""
    little = "; so few say little of what stopping costs" if cost.trials < FEW else ""
    return f" Of {trials} {above}{by}{little}."


def _told(answer: Answer) -> str:
    where = f"{label_of(answer.setting)}: " if answer.setting else ""
    found, spent = answer.recommendation, answer.spent
    if found.rate is None:
        return f"{where}No learning rate can be recommended yet: {found.why}."
    text = f"{where}Recommended learning rate: {text_of(found.rate)}; {found.why}. {_as_good(answer)}"
    if answer.edge:
        text += f" It is the {answer.edge} rate tried: one beyond it may be better."
    return f"{text} {spent_text(spent.epochs, spent.fisher, spent.grid)}"


def _as_good(answer: Answer) -> str:
    low, high = as_good_range(answer)
    told_apart = answer.recommendation.told_apart
    if not answer.as_good:
        none = "Of those that got at least half as far no other is as good."
        return none if told_apart else "No other got half as far, and with one seed of each nothing tells rates apart."
    others = ", ".join(text_of(rate) for rate in answer.as_good)
    inside = "" if low == high else f"; that is every rate tried from {text_of(low)} to {text_of(high)}"
    if not told_apart:
        return f"With one seed of each nothing tells it apart from {others}{inside}."
    return f"As good, as far as the data at hand can tell: {others}{inside}."


def spent_text(epochs: int, fisher: float, grid: int) -> str:
    """Return what was spent: ``68 epochs were trained, 28 % of the 240 of the full grid; ...``."""
    share = f"{epochs / grid:.0%}" if grid else "none"
    text = f"{epochs} epochs were trained, {share.replace('%', ' %')} of the {grid} of the full grid"
    if fisher >= 0.5:  # noqa: PLR2004 - what rounds to no epoch is not told
        whole = f"{(epochs + fisher) / grid:.0%}".replace("%", " %") if grid else "none"
        text += f"; Fisher measurements took the time of {fisher:.0f} more, {whole} together"
    return f"{text}."


def race_texts(results: Results) -> Texts | None:
    """Return how the rates stand: a row per stratum and rate, the best first."""
    if not is_raced(results):
        return None
    rows, contexts = [], ()
    trials = race_trials(results)
    for answer in answers(results):
        contexts = tuple(answer.setting)
        own = trials.join(answer.part.trials.select("key").collect(), on="key", how="semi")
        for standing in answer.recommendation.standings:
            ended = own.filter(own[RATE] == standing.rate).to_dicts()
            rows.append([*(text_of(value) for value in answer.setting.values()), *_row(standing, answer, ended)])
    heads = ["learning rate", "", "seeds run", "epochs", "turned at", "validation accuracy", "why no further"]
    return Texts(
        caption="How the rates stand, best first",
        heads=[*contexts, *heads],
        rows=rows,
        numbers=len(contexts) + 2,
        words=[len(contexts) + 6],
        note=NOTE,
    )


def _row(standing: Standing, answer: Answer, ended: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the cells of a rate."""
    found = answer.recommendation
    mark = "recommended" if standing.rate == found.rate else "as good" if standing.rate in answer.as_good else ""
    furthest = max(ended, key=lambda row: row["epochs"])
    return [
        text_of(standing.rate), mark, str(standing.seeds), f"{standing.epochs} of {furthest['planned']}",
        turned_text(standing), "–" if standing.val_acc is None else f"{standing.val_acc:.1%}".replace("%", " %"),
        furthest["reason"] or furthest["status"].replace("_", " "),
    ]  # fmt: skip


def turned_text(standing: Standing) -> str:
    """Return when a rate turned, or after which epoch it would have had to."""
    return f"later than {standing.epochs}" if standing.turned is None else f"{standing.turned:.1f}"
