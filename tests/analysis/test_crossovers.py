"""The sparsity from which learnt structure is ahead: by hand, and honest where there is none."""

from math import inf
from pathlib import Path

import polars as pl
import pytest
from store.fabricated import write_rows
from store.fabricated_delays import DELAYED, variants_of

from analysis import open_results
from analysis.crossovers import NONE, THROUGHOUT, crossover_place, structure_crossovers


@pytest.mark.parametrize(
    ("gains", "place"),
    [
        ((-1.0, 1.0, 2.0), 1.5),
        ((-3.0, 1.0, 2.0), 1.75),
        ((0.0, 1.0, 2.0), 1.0),
        ((1.0, -1.0, 2.0), 2 + 1 / 3),
        ((-1.0, 2.0, -1.0), 1 + 1 / 3),
        ((1.0, 2.0, 3.0), THROUGHOUT),
        ((-1.0, 0.0, -2.0), NONE),
        ((2.0,), THROUGHOUT),
    ],
)
def test_the_place_is_where_the_line_crosses_zero_before_the_largest_gain(
    gains: tuple[float, ...], place: float
) -> None:
    """Places 1, 2, 3; what comes beyond the largest gain, where all are at chance, is not asked."""
    assert place == pytest.approx(crossover_place(gains, (1.0, 2.0, 3.0)[: len(gains)]))


def found(path: Path, gains: dict[float, float], scatter: tuple[float, ...] = (0.0, 0.0, 0.0)) -> dict[str, object]:
    """Return the crossover with fixed delays by the first protocol, of gains by sparsity."""
    trials = variants_of({sparsity: (gain, 0.0, gain) for sparsity, gain in gains.items()}, scatter=scatter)
    write_rows(path / "r", trials, varied=DELAYED)
    table = structure_crossovers(open_results(path / "r"))
    return table.filter(pl.col("protocol") == "best validation", pl.col("delays") == "fixed").row(0, named=True)


def test_crossover_lies_on_the_axis_of_halvings(tmp_path: Path) -> None:
    """-5 at 0.5 and +5 at 0.75: half way between one and two halvings, 1 - 2^-1.5."""
    row = found(tmp_path, {0.5: -0.05, 0.75: 0.05, 0.875: 0.1})

    assert ("crossover", pytest.approx(1 - 2**-1.5), 1.0) == (row["found"], row["crossover"], row["share"])
    assert (3, 0.5, 0.875) == (row["n"], row["densest"], row["sparsest"])
    assert (row["crossover"], row["crossover"]) == (pytest.approx(row["low"]), pytest.approx(row["high"]))


def test_scatter_over_seeds_widens_the_interval(tmp_path: Path) -> None:
    """Seeds that cross earlier and later than the mean lie within it, the same at every call."""
    row = found(tmp_path / "a", {0.5: -0.05, 0.75: 0.05}, scatter=(-0.03, 0.0, 0.03))
    again = found(tmp_path / "b", {0.5: -0.05, 0.75: 0.05}, scatter=(-0.03, 0.0, 0.03))

    assert (pytest.approx(1 - 2**-1.2), pytest.approx(1 - 2**-1.8)) == (row["low"], row["high"])
    assert row == again


def test_none_and_throughout_are_answers(tmp_path: Path) -> None:
    """Nowhere ahead has no place; ahead at the densest point has none either, and both say so."""
    never, always = found(tmp_path / "a", {0.5: -0.1, 0.75: 0.0}), found(tmp_path / "b", {0.5: 0.1, 0.75: 0.2})

    assert ("none", None, 0.0, None) == (never["found"], never["crossover"], never["share"], never["high"])
    assert ("throughout", None, 1.0, 1.0) == (
        always["found"], always["crossover"], always["share"], always["share_throughout"],
    )  # fmt: skip


def test_dense_networks_have_no_structure_to_learn(tmp_path: Path) -> None:
    """Sparsity 0 is no point of the curve: its gain would be zero by definition."""
    assert 0.5 == found(tmp_path, {0.0: 0.0, 0.5: 0.1, 0.75: 0.2})["densest"]


def test_a_single_seed_says_nothing(tmp_path: Path) -> None:
    """There is no interval without a second one, and no place is told."""
    trials = variants_of({0.5: (-0.1, 0.0, 0.0), 0.75: (0.1, 0.0, 0.0)}, seeds=(0,))
    write_rows(tmp_path / "r", trials, varied=DELAYED)
    row = structure_crossovers(open_results(tmp_path / "r")).row(0, named=True)

    assert (1, None, None) == (row["n"], row["found"], row["crossover"])
    assert inf == NONE
