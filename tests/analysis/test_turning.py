"""Transitions of many trials at once are those of the definition, number for number."""

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis import turning
from analysis.turning import REPORTS, TRANSITION, transitions_of
from tic_sweep.transition import find_transition

CURVE = pl.Struct({"epoch": pl.List(pl.Int64), "ic": pl.List(pl.Float64), "timesteps": pl.Int64})
Curve = tuple[list[int], list[float], int]


def defined(epochs: Sequence[int], ic: Sequence[float], timesteps: int) -> dict[str, Any]:
    """Return the definition's answer for one curve, and what is told of one with too few reports."""
    found = find_transition(epochs, ic, timesteps)
    answer = dataclasses.asdict(found) | {"turned": found.turned}
    if len(ic) >= REPORTS or not ic:
        return answer | ({} if ic else {"turned": None})
    top, last = max(ic), ic[-1]
    depth = (top - last) / (top - 1) if top > 1 else None
    return answer | {"turned": None, "ic_max": top, "ic_min": min(ic), "ic_final": last, "depth": depth}


def at_once(curves: Sequence[Curve]) -> list[dict[str, Any] | None]:
    """Return the same of all curves together."""
    rows = [{"epoch": e or None, "ic": c or None, "timesteps": t} for e, c, t in curves]
    return transitions_of(pl.Series("curve", rows, dtype=CURVE)).to_list()


@st.composite
def curves(draw: st.DrawFn) -> Curve:
    """Draw a curve: any values, a constant, or a fall from a plateau at some epoch that may come late or rebound."""
    timesteps = draw(st.integers(1, 8))
    epochs = sorted(draw(st.sets(st.integers(0, 40), max_size=14)))
    values = st.floats(1, timesteps)
    shape = draw(st.sampled_from(["any", "constant", "fall", "rebound", "coarse"]))
    if shape == "constant":
        return epochs, [draw(values)] * len(epochs), timesteps
    if shape == "coarse":  # few different values, so that many lie on the level itself
        return epochs, [float(draw(st.integers(1, timesteps))) for _ in epochs], timesteps
    ic = [draw(values) for _ in epochs]
    if shape != "any":
        turn = draw(st.integers(0, len(ic)))
        back = draw(st.integers(turn, len(ic))) if shape == "rebound" else len(ic)
        ic = [1 + (v - 1) * (0.1 if turn <= i < back else 1) for i, v in enumerate(ic)]
    return epochs, ic, timesteps


@settings(max_examples=300, deadline=None)
@given(st.lists(curves(), min_size=1, max_size=8), st.randoms())
def test_transitions_are_those_of_the_definition(drawn: list[Curve], random: Any) -> None:
    """However curves look, however many reports they have, in whatever order these come: equal to the last bit."""
    mixed = []
    for epochs, ic, timesteps in drawn:
        places = list(range(len(ic)))
        random.shuffle(places)
        mixed.append(([epochs[i] for i in places], [ic[i] for i in places], timesteps))

    assert [defined(*curve) for curve in drawn] == [
        found or dict.fromkeys(TRANSITION.to_schema()) for found in at_once(mixed)
    ]


def test_the_property_is_about_turned_curves_too() -> None:
    """Of curves as a sweep has them, hundreds turn, and all agree with the definition."""
    random = np.random.default_rng(0)
    drawn: list[Curve] = []
    for _ in range(500):
        epochs = np.flatnonzero(random.random(60) < 0.8)
        ic = 1.5 + 4 / (1 + np.exp((epochs - random.uniform(5, 90)) / 4)) + random.normal(0, 0.3, len(epochs))
        drawn.append((epochs.tolist(), ic.tolist(), 10))
    found = at_once(drawn)

    assert [defined(*curve) for curve in drawn] == found
    assert 200 < sum(row["turned"] for row in found if row is not None) < 400


def test_many_trials_are_worked_on_a_few_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a matrix would be too large the trials are taken in parts, and each keeps its place."""
    drawn: list[Curve] = [(list(range(5)), [4.0, 4.0, 4.0, 4.0 - i / 4, 4.0 - i / 4], 4) for i in range(12)]
    together = at_once(drawn)
    monkeypatch.setattr(turning, "AT_ONCE", 10)

    assert together == at_once(drawn)
    assert [None] * 6 + [3] * 6 == [row["epoch"] for row in together if row is not None]


def test_nothing_seen_is_nothing_known() -> None:
    """Trials without reports have nulls, alone or between others."""
    empty: Curve = ([], [], 8)
    falls: Curve = ([1, 2, 3, 4], [5.0, 5.0, 1.0, 1.0], 8)
    nothing = dict.fromkeys(TRANSITION.to_schema())

    assert [nothing] == [row or nothing for row in at_once([empty])]
    assert [None, 3, None] == [(row or nothing)["epoch"] for row in at_once([empty, falls, empty])]
    assert math.isclose(2.5, (at_once([falls])[0] or nothing)["interpolated"])
