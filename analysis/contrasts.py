"""What results say of one setting against another: the evidence for `analysis.claims_settings`."""

from collections.abc import Iterator, Sequence
from typing import Any

import polars as pl

from analysis.evidence import (
    early_shares,
    of_the_paper,
    over_settings,
    share_over_seeds,
    spread_evenly,
    too_few,
    well_trained,
)
from analysis.fields import label_of, text_of
from analysis.intervals import Interval, equivalence, least, student
from analysis.layers import shallow_and_deep
from analysis.results import Results
from analysis.settings import by_seed, contexts_of, differences, reference_of, trial_measures
from analysis.variants import LEARNING_RATE, at_best_rates
from analysis.verdicts import Evidence

TIMESTEPS, TAU, WEIGHT_DECAY = "timesteps", "neuron.tau", "optimiser.weight_decay"
DATA, NETWORK, SPLIT = "data.name", "model.name", "fisher.split"
SAME = 0.1
"""Margin of ic_rel: centroids that differ by less than a tenth of the way from t = 1 to T lie at the same place."""


def later_with_more_timesteps(results: Results) -> list[Evidence]:
    """Return by how many epochs the longest T turns later than the shortest, per context."""
    return [
        _turn_difference(where, rows, TIMESTEPS, max(values), min(values))
        for where, values, rows in compared(of_the_paper(results), TIMESTEPS)
    ]


def alexnet_turns_first(results: Results) -> list[Evidence]:
    """Return by how many epochs ResNet19 turns later than AlexNet, per context with both."""
    return [
        _turn_difference(where, rows, NETWORK, "resnet19", "alexnet")
        for where, values, rows in compared(of_the_paper(results), NETWORK)
        if {"resnet19", "alexnet"} <= set(values)
    ]


def alexnet_ends_higher(results: Results) -> list[Evidence]:
    """Return the final ic_rel of AlexNet less that of ResNet34, or of ResNet19 where there is no ResNet34."""
    found = []
    for where, values, rows in compared(of_the_paper(results), NETWORK):
        others = [name for name in ("resnet34", "resnet19") if name in values]
        if "alexnet" in values and others:
            found.append(_paired(differences(rows, NETWORK, "alexnet", others[0], "ic_rel_final"), where,
                                 f"alexnet against {others[0]}"))  # fmt: skip
    return found


def largest_tau_keeps_information_late(results: Results) -> list[Evidence]:
    """Return the final IC at the largest time constant less the mean over the others, seed by seed, per context."""
    found = []
    for where, values, rows in compared(of_the_paper(results), TAU):
        *others, largest = values
        own = by_seed(rows, TAU, largest, "ic_final")
        rest = [by_seed(rows, TAU, value, "ic_final") for value in others]
        seeds = sorted(own.keys() & set.intersection(*(set(ic) for ic in rest)))
        gains = [own[seed] - sum(ic[seed] for ic in rest) / len(rest) for seed in seeds]
        found.append(_paired(gains, where, f"τ = {text_of(largest)} against {', '.join(map(text_of, others))}"))
    return found


def weight_decay_changes_nothing(results: Results) -> list[Evidence]:
    """Return the difference in final ic_rel to the paper's weight decay, per context and value; 90 % intervals."""
    found = []
    for where, values, rows in compared(of_the_paper(results), WEIGHT_DECAY):
        reference = reference_of(WEIGHT_DECAY, values)
        for value in [value for value in values if value != reference]:
            place = ", ".join(filter(None, (where, label_of({WEIGHT_DECAY: value}))))
            gains = differences(rows, WEIGHT_DECAY, value, reference, "ic_rel_final")
            found.append(_equivalent(gains, place, f"against {text_of(reference)}"))
    return found


def least_fall_of_data_sets(results: Results) -> list[Evidence]:
    """Return how far IC falls back to 1 on the data set where it falls least, each at its own best learning rate."""
    found = []
    for where, values, rows in compared(of_the_paper(results), DATA, own_rates=True):
        falls = {name: list(by_seed(rows, DATA, name, "depth").values()) for name in values}
        n = min(map(len, falls.values()))
        lowest = least(list(falls.values()))
        told = ", ".join(f"{name} {sum(depths) / len(depths):.2f}" for name, depths in falls.items() if depths)
        few = ", ".join(name for name, depths in falls.items() if len(depths) < 2)  # noqa: PLR2004
        found.append(
            Evidence(
                interval=Interval(lowest.value, max(lowest.low, 0.0), min(lowest.high, 1.0)) if lowest else None,
                n=n, where=where, detail=told, missing="" if lowest else f"fewer than two seeds with IC on {few}",
            )
        )  # fmt: skip
    return found


def resnet34_concentrates(results: Results) -> list[Evidence]:
    """Return the share of Σ I_t at t ≤ 0.3 T after training in ResNet34, per context at its best learning rate."""
    first = pl.max_horizontal((0.3 * pl.col(TIMESTEPS)).round(), pl.lit(1.0))
    deep = results.where(pl.col(NETWORK) == "resnet34")
    return over_settings([
        share_over_seeds(early_shares(part, first), where, spread_evenly(part, first))
        for where, part in well_trained(of_the_paper(deep))
    ])


def shallow_later_than_deep(results: Results) -> list[Evidence]:
    """Return the mean IC of the shallower half of the blocks less that of the deeper half, after training."""
    found = []
    for where, part in well_trained(of_the_paper(results)):
        halves = shallow_and_deep(part).drop_nulls("difference").collect()
        if halves.is_empty():
            continue
        shallow, deep, blocks = (halves[name].mean() for name in ("shallow", "deep", "blocks"))
        gains = halves["difference"].to_list()
        interval = student(gains)
        found.append(
            Evidence(
                interval=interval, n=len(gains), where=where,
                detail=f"mean IC {shallow:.2f} in the shallower, {deep:.2f} in the deeper half of {blocks:.0f} blocks",
                missing="" if interval else too_few(len(gains), "seeds"),
            )
        )  # fmt: skip
    return over_settings(found)


def same_place_on_held_out_images(results: Results) -> list[Evidence]:
    """Return the final ic_rel on validation images less that on training images, per context; 90 % intervals."""
    return [
        _equivalent(differences(rows, SPLIT, "validation", "train", "ic_rel_final"), where, "")
        for where, _, rows in compared(of_the_paper(results, "train", "validation"), SPLIT)
    ]


def compared(paper: Results, field: str, *, own_rates: bool = False) -> Iterator[tuple[str, list[Any], pl.DataFrame]]:
    """Yield, per context in which a field has several values: where it is, these values, and its `trial_measures`.

    Where learning rates vary too, the trials are those at the rate that is best on validation images: one rate for
    all values, so that nothing else differs, or with ``own_rates`` the best of each. A search that draws several
    fields at once has no two trials that differ in one alone, and yields nothing.
    """
    if drawn_together(paper, field):
        return
    for setting, part in paper.parts(contexts_of(paper, field, LEARNING_RATE)):
        values = part.trials.select(pl.col(field).unique().sort()).collect()[field].drop_nulls().to_list()
        if len(values) < 2:  # noqa: PLR2004
            continue
        best = at_best_rates(part, field) if own_rates else at_best_rates(part)
        rates = best.trials.select(pl.col(LEARNING_RATE).unique()).collect()[LEARNING_RATE].to_list()
        told = {LEARNING_RATE: rates[0]} if LEARNING_RATE in paper.varied and len(rates) == 1 else {}
        yield label_of(setting | told), values, trial_measures(best, field).collect()


def drawn_together(paper: Results, field: str) -> bool:
    """Tell whether results are a search's and other fields were drawn besides this one."""
    searched = any(manifest.samples for manifest in paper.manifests)
    others = [path for path in paper.varied if path != field]
    counts = paper.trials.select(pl.col(path).n_unique() for path in others).collect() if others else None
    return searched and counts is not None and any(count > 1 for count in counts.row(0))


def _turn_difference(where: str, rows: pl.DataFrame, field: str, value: Any, reference: Any) -> Evidence:
    """Return by how many epochs a value turns later than another, within the epochs that all trials have reached."""
    measured = rows.drop_nulls("turn")
    turned = {one: measured.filter(pl.col(field) == one)["turned"].to_list() for one in (value, reference)}
    gains = differences(rows, field, value, reference, "turn")
    counts = [f"{sum(found)} of {len(found)} at {label_of({field: one})}" for one, found in turned.items()]
    horizon = measured["horizon"].max()
    if gains and not any(map(any, turned.values())):
        missing = f"no seed has turned by epoch {horizon}, neither at {text_of(value)} nor at {text_of(reference)}"
        return Evidence(interval=None, n=len(gains), where=where, counted="paired seeds", missing=missing)
    censored = "" if all(map(all, turned.values())) else ", the others count as turning there"
    return _paired(gains, where, f"by epoch {horizon} turned {' and '.join(counts)}{censored}")


def _paired(gains: Sequence[float], where: str, detail: str) -> Evidence:
    interval = student(gains)
    return Evidence(
        interval=interval, n=len(gains), where=where, counted="paired seeds", detail=detail,
        missing="" if interval else too_few(len(gains), "paired seeds"),
    )  # fmt: skip


def _equivalent(gains: Sequence[float], where: str, detail: str) -> Evidence:
    tested = equivalence(gains, SAME)
    told = "; ".join(filter(None, (detail, f"TOST p = {tested.p:.2g}"))) if tested else ""
    return Evidence(
        interval=tested.interval if tested else None, n=len(gains), where=where, counted="paired seeds", detail=told,
        missing="" if tested else too_few(len(gains), "paired seeds"),
    )  # fmt: skip
