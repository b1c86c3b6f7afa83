"""What a sweep shows, as a sentence that claims no more than the trials do."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import polars as pl

from analysis.fields import label_of, name_of, text_of
from tic_sweep.records import BEGUN, ENDED, STATUSES

Row: TypeAlias = Mapping[str, Any]
LISTED = 4
"""Settings named one by one; more are counted."""
UNMEASURED = "The information centroid was not measured in any finished trial."


def finding_of(table: pl.DataFrame, settings: Sequence[str]) -> str:
    """Return the finding of a summary: which setting turned first and when, and which have not; a line per context."""
    *contexts, compared = settings
    measured = table.filter(pl.col("n_followed") > 0)
    if measured.is_empty():
        seen = bool(table["n_measured"].sum())
        empty = "The information centroid was measured at too few epochs to see it turn." if seen else UNMEASURED
        return without_measurements({status: int(table[f"n_{status}"].sum()) for status in STATUSES}, empty)
    if not contexts:
        return _upper(_compare(measured.to_dicts(), compared)) + "."
    return "\n".join(
        f"{_upper(label_of(dict(zip(contexts, values, strict=True))))}: {_compare(part.to_dicts(), compared)}."
        for values, part in measured.group_by(*contexts, maintain_order=True)
    )


def transition_text(row: Row) -> str:
    """Return a setting's transition epoch: ``3.7 ± 0.4``, a median if only most seeds turned, or ``none yet``.

    Where seeds were stopped early, and had not turned, it is known to lie ``after 6``, the epoch that all were seen at.
    """
    if row["transition_mean"] is not None:
        return with_spread(row["transition_mean"], row["transition_sd"])
    if row["transition_median"] is not None:
        return f"median {row['transition_median']:.1f}"
    if row["n_followed"] and row["n_stopped"]:
        return f"after {row['observed']}"
    return "none yet" if row["n_followed"] else "–"


def with_spread(mean: float | None, sd: float | None, digits: int = 1) -> str:
    """Return ``mean ± sd``, the mean alone for a single seed, or a dash."""
    if mean is None:
        return "–"
    return f"{mean:.{digits}f}" + (f" ± {sd:.{digits}f}" if sd is not None else "")


def _areas(rows: Sequence[Row], contexts: Sequence[str]) -> str:
    """Tell the areas of the named variants, the widest first, and their differences to the detached one's."""
    named = [row for row in rows if row["variant"] in {"detached", "full", "spatial"}] or list(rows)
    widest = sorted(named, key=lambda row: -row["area"])
    text = "solved over " + ", ".join(f"{row['area']:.2f} ({row['variant']})" for row in widest)
    text += f" decades of learning rates, {rows[0]['n']} problems each"
    compared = [
        f"{row['variant']} {row['difference']:+.2f} ({row['difference_low']:+.2f} to {row['difference_high']:+.2f})"
        for row in widest
        if row["difference"] is not None
    ]
    if compared:
        text += f"; against detached: {', '.join(compared)}".replace("-", "−")
    where = label_of({path: rows[0][path] for path in contexts})
    return _upper(f"{where}: {text}" if where else text) + "."


def _compare(rows: Sequence[Row], compared: str) -> str:
    turned = sorted((row for row in rows if _when(row) is not None), key=lambda row: _when(row) or 0.0)
    others = [row for row in rows if _when(row) is None]
    if not turned:
        who = f"{_subject(rows[0], compared)} has not" if len(rows) == 1 else f"no {name_of(compared)} has"
        return f"{who} turned by epoch {_last(rows)}{_some_seeds(others)}"
    first = turned[0]
    how = "turned at" if len(rows) == 1 else "turned first, at"
    text = f"{_subject(first, compared)} {how} {_epoch(first)} ({_seeds(first)})"
    if len(turned) > 1:
        text += f", {_order(first, turned[1])} {text_of(turned[1][compared])} at {_epoch(turned[1])}"
        text += _later(turned[2:], compared)
    if others:
        have = "has" if len(others) == 1 else "have"
        text += f"; {_listed(others, compared)} {have} not turned by epoch {_last(others)}{_some_seeds(others)}"
    return text


def _later(rows: Sequence[Row], compared: str) -> str:
    """Name the settings that turned besides the first two; of many, only how many and when the last."""
    if not rows:
        return ""
    if len(rows) > LISTED:
        return f"; {len(rows)} others turned by {_epoch(rows[-1])}"
    (own, *others) = ((text_of(row[compared]), _epoch(row)) for row in rows)
    return f"; {own[0]} turned at {own[1]}" + "".join(f", {name} at {epoch}" for name, epoch in others)


def _subject(row: Row, compared: str) -> str:
    return "the information centroid" if compared == "sweep" else label_of({compared: row[compared]})


def _epoch(row: Row) -> str:
    text = transition_text(row)
    return f"median epoch {text.removeprefix('median ')}" if text.startswith("median") else f"epoch {text}"


def _order(first: Row, second: Row) -> str:
    """Say whether one turned before the other by more than their spread over seeds; without a spread, only "then"."""
    spreads = first["transition_sd"], second["transition_sd"]
    if None in spreads:
        return "then"
    return "before" if (_when(first) or 0.0) + sum(spreads) < (_when(second) or 0.0) else "not clearly before"


def _some_seeds(rows: Sequence[Row]) -> str:
    """Mention seeds that turned in settings of which at most half did."""
    some = [f"{row['n_turned']} of {row['n_measured']}" for row in rows if row["n_turned"]]
    return f" (only {', '.join(some)} seeds did)" if some else ""


def _seeds(row: Row) -> str:
    return "one seed" if row["n_measured"] == 1 else f"{row['n_turned']} of {row['n_measured']} seeds"


def _when(row: Row) -> float | None:
    return row["transition_mean"] if row["transition_mean"] is not None else row["transition_median"]


def _last(rows: Sequence[Row]) -> int:
    return min(row["observed"] for row in rows)


def _listed(rows: Sequence[Row], compared: str) -> str:
    if len(rows) > LISTED:
        return f"{len(rows)} others"
    names = [text_of(row[compared]) for row in rows]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]


def toy_finding_of(table: pl.DataFrame, contexts: Sequence[str], counts: Mapping[str, int]) -> str:
    """Return the finding of a `toy_summary`: the variants' areas, and how they compare; a line per context."""
    known = table.drop_nulls("area")
    if known.is_empty():
        return without_measurements(counts, "No toy problem was tried at two learning rates or more.")
    rows = known.to_dicts()
    settings = list(dict.fromkeys(tuple(row[path] for path in contexts) for row in rows))
    lines = [
        _areas([row for row in rows if tuple(row[path] for path in contexts) == setting], contexts)
        for setting in settings[:LISTED]
    ]
    more = len(settings) - LISTED
    return "\n".join([*lines, f"{more} more settings are in the table."] if more > 0 else lines)


def without_measurements(counts: Mapping[str, int], empty: str = UNMEASURED) -> str:
    """Say why there is nothing to tell, from the number of trials by status; ``empty`` if some have finished."""
    if not any(counts.values()):
        return "No trial has started yet."
    if counts["finished"]:
        return empty
    counts = {status: counts[status] for status in ("planned", *BEGUN, *ENDED)}
    told = ", ".join(f"{count} {status.replace('_', ' ')}" for status, count in counts.items() if count)
    return f"No trial has finished yet: {told}."
