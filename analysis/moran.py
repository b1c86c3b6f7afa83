"""Moran's I of receptive fields: are neighbouring entries of a field alike? Shapes: M fields of H x W cells.

    I = (n / S0) · Σ_ij w_ij z_i z_j / Σ_i z_i²,   z = x - mean(x),   S0 = Σ_ij w_ij,   n = H·W

over all cells, those without a synapse (zeros) included. Neighbours are the four that share an edge (``rook``) or the
eight around a cell (``queen``); weights are 1 for each pair (``binary``) or 1 / number of a cell's neighbours
(``row``), which differ at the field's edge. Without structure I has the mean -1 / (n - 1). A field of one value has no
I: NaN.

A field of an untrained network is as good a null as any, if there are such; two others need none:

    values   the field's own non-zero values, shuffled among the cells that have one: delays and inputs stay
    grid     all cells of the field, shuffled
"""

from dataclasses import dataclass

import numpy as np
from scipy.stats import false_discovery_control

CONTIGUITIES: tuple[str, ...] = ("queen", "rook")
WEIGHTS: tuple[str, ...] = ("binary", "row")
NULLS: tuple[str, ...] = ("values", "grid")
FLOATS_AT_A_TIME = 4_000_000


def morans_i(fields_MHW: np.ndarray, *, contiguity: str = "queen", weights: str = "binary") -> np.ndarray:
    """Return I of each field [..., H, W], float64 [...]; NaN for a field of one value.

    Raises:
        ValueError: for an unknown name, or fields of a single cell.
    """
    height, width = fields_MHW.shape[-2:]
    degree_HW = _degrees(height, width, contiguity, weights)
    share_HW = 1 / degree_HW if weights == "row" else np.ones_like(degree_HW)
    z_MHW = fields_MHW - fields_MHW.mean((-2, -1), keepdims=True, dtype=np.float64)
    summed_M = (z_MHW * share_HW * _neighbour_sum(z_MHW, contiguity)).sum((-2, -1))
    scale = degree_HW.size / (degree_HW * share_HW).sum()
    constant_M = np.ptp(fields_MHW, axis=(-2, -1)) == 0
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(constant_M, np.nan, scale * summed_M / np.square(z_MHW).sum((-2, -1)))


def permuted_i(
    fields_MHW: np.ndarray,
    generator: np.random.Generator,
    *,
    permutations: int = 999,
    null: str = "values",
    contiguity: str = "queen",
    weights: str = "binary",
) -> np.ndarray:
    """Return I of each field under random permutations, float64 [permutations, M]; NaN for a field of one value.

    Fields are mostly zeros, and I is worked out from the pairs of their other cells alone. Under ``grid`` all fields
    meet the same permutations of the cells: each field's I is distributed as it should be, while those of two fields
    depend on each other.

    Raises:
        ValueError: for an unknown name, or fields of a single cell.
    """
    if null not in NULLS:
        raise ValueError(f"null must be one of {', '.join(NULLS)}, got {null!r}.")
    fields_MC = fields_MHW.reshape(len(fields_MHW), -1).astype(np.float64)
    height, width = fields_MHW.shape[-2:]
    grid = _Grid(height, width, contiguity, weights)
    cells_MK = np.argsort(fields_MC == 0, axis=1, kind="stable")[
        :, : max(1, int((fields_MC != 0).sum(1).max(initial=0)))
    ]
    values_MK = np.take_along_axis(fields_MC, cells_MK, axis=1)
    draw = _values_shuffled if null == "values" else _cells_shuffled
    cross_PM = draw(grid, cells_MK, values_MK, permutations, generator)
    spread_M = np.square(values_MK).sum(1) - grid.cells * np.square(values_MK.sum(1) / grid.cells)
    constant_M = np.ptp(fields_MC, axis=1) == 0
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(constant_M, np.nan, grid.cells / grid.total * cross_PM / spread_M)


def p_above(observed_M: np.ndarray, null_PM: np.ndarray) -> np.ndarray:
    """Return the one-sided p-value of each I, (1 + #{null >= I}) / (1 + P); NaN where I is.

    Args:
        observed_M: I of each field, [M].
        null_PM: [P, M], or [P] to compare all fields with (those of an untrained network); NaNs in [P] are left out.
    """
    if null_PM.ndim == 1:
        null_PM = null_PM[~np.isnan(null_PM)][:, None]
    # Equal permutations differ in the last digits by the order of their sums.
    as_large_M = (null_PM >= observed_M - 1e-12).sum(0)
    return np.where(np.isnan(observed_M), np.nan, (1 + as_large_M) / (1 + len(null_PM)))


def discovered(p_M: np.ndarray, rate: float = 0.05) -> np.ndarray:
    """Return which p-values stand out at a false discovery rate (Benjamini and Hochberg 1995), bool [M]; NaN never."""
    known_M = ~np.isnan(p_M)
    found_M = np.zeros(p_M.shape, dtype=bool)
    if known_M.any():
        found_M[known_M] = false_discovery_control(p_M[known_M], method="bh") <= rate
    return found_M


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldStructure:
    """Moran's I of a layer's receptive fields, and what the nulls say of it.

    Arrays are [M], NaN for a field without an I. ``i_values`` and ``i_grid`` [P, M] are I under the permutations;
    ``p_untrained`` is None without an untrained network. ``empty`` counts fields without any synapse, which are left
    out of ``mean`` and of every count.
    """

    i: np.ndarray
    i_values: np.ndarray
    i_grid: np.ndarray
    p_values: np.ndarray
    p_grid: np.ndarray
    p_untrained: np.ndarray | None
    empty: int
    contiguity: str
    weights: str

    @property
    def mean(self) -> float:
        """Mean I over the fields that have one; NaN if there is none."""
        return float(np.nanmean(self.i)) if (~np.isnan(self.i)).any() else float("nan")

    @property
    def best(self) -> int | None:
        """Index of the field with the largest I; None if there is none."""
        return int(np.nanargmax(self.i)) if (~np.isnan(self.i)).any() else None

    def band(self, null: str = "values", share: float = 0.95) -> float:
        """Return the quantile of I under a null, over all fields and permutations; NaN if no field has an I."""
        drawn = self.i_values if null == "values" else self.i_grid
        known = drawn[~np.isnan(drawn)]
        return float(np.quantile(known, share)) if known.size else float("nan")


def field_structure(
    fields_MHW: np.ndarray,
    generator: np.random.Generator,
    *,
    untrained_MHW: np.ndarray | None = None,
    permutations: int = 999,
    contiguity: str = "queen",
    weights: str = "binary",
) -> FieldStructure:
    """Measure fields [M, H, W] (neurons x inputs x delays) against all three nulls.

    Raises:
        ValueError: for an unknown name, or fields of a single cell.
    """
    choice = {"contiguity": contiguity, "weights": weights}
    i_M = morans_i(fields_MHW, **choice)
    values_PM, grid_PM = (
        permuted_i(fields_MHW, generator, permutations=permutations, null=null, **choice) for null in NULLS
    )
    before = None if untrained_MHW is None else morans_i(untrained_MHW, **choice)
    return FieldStructure(
        i=i_M,
        i_values=values_PM,
        i_grid=grid_PM,
        p_values=p_above(i_M, values_PM),
        p_grid=p_above(i_M, grid_PM),
        p_untrained=None if before is None else p_above(i_M, before),
        empty=int((fields_MHW == 0).all((-2, -1)).sum()),
        **choice,
    )


class _Grid:
    """The neighbourhood of a field's cells, numbered row by row."""

    def __init__(self, height: int, width: int, contiguity: str, weights: str) -> None:
        self.width, self.contiguity, self.cells = width, contiguity, height * width
        degree_HW = _degrees(height, width, contiguity, weights)
        share_HW = 1 / degree_HW if weights == "row" else np.ones_like(degree_HW)
        self._share_C = share_HW.ravel()
        self.total = float((degree_HW * share_HW).sum())
        # Σ_j w_ij + Σ_j w_ji of every cell, by which the mean enters.
        self._both_ways_C = (degree_HW * share_HW + _neighbour_sum(share_HW, contiguity)).ravel()

    def cross(self, cells_AK: np.ndarray, values_AMK: np.ndarray) -> np.ndarray:
        """Return Σ_ij w_ij z_i z_j [A, M] of fields that hold the values at the cells, and are zero elsewhere.

        With x = z + mean the sum over all cells is xᵀWx - mean·Σ_i x_i (w_i· + w_·i) + mean²·S0.
        """
        row_AK, column_AK = np.divmod(cells_AK, self.width)
        down_AKK = np.abs(row_AK[:, :, None] - row_AK[:, None])
        across_AKK = np.abs(column_AK[:, :, None] - column_AK[:, None])
        far_AKK = np.maximum(down_AKK, across_AKK) if self.contiguity == "queen" else down_AKK + across_AKK
        w_AKK = (far_AKK == 1) * self._share_C[cells_AK][:, :, None]
        mean_AM = values_AMK.sum(-1) / self.cells
        ends_AM = np.einsum("amk,ak->am", values_AMK, self._both_ways_C[cells_AK])
        pairs_AM = np.einsum("amk,amk->am", values_AMK @ w_AKK, values_AMK)
        return pairs_AM - mean_AM * ends_AM + np.square(mean_AM) * self.total


def _values_shuffled(
    grid: _Grid, cells_MK: np.ndarray, values_MK: np.ndarray, permutations: int, generator: np.random.Generator
) -> np.ndarray:
    """Return the cross products [P, M] of each field's values in random order at its own cells."""
    columns = []
    for cells_K, values_K in zip(cells_MK, values_MK, strict=True):
        count = int((values_K != 0).sum())
        drawn_PK = generator.permuted(np.broadcast_to(values_K[:count], (permutations, count)), axis=1)
        columns.append(grid.cross(cells_K[None, :count], drawn_PK[None])[0])
    return np.stack(columns, axis=1)


def _cells_shuffled(
    grid: _Grid, cells_MK: np.ndarray, values_MK: np.ndarray, permutations: int, generator: np.random.Generator
) -> np.ndarray:
    """Return the cross products [P, M] of each field's values at cells drawn without replacement."""
    at_a_time = max(1, FLOATS_AT_A_TIME // cells_MK.shape[1] ** 2)
    parts = []
    for first in range(0, permutations, at_a_time):
        count = min(at_a_time, permutations - first)
        order_PC = generator.permuted(np.broadcast_to(np.arange(grid.cells), (count, grid.cells)), axis=1)
        parts.append(
            grid.cross(order_PC[:, : cells_MK.shape[1]], np.broadcast_to(values_MK, (count, *values_MK.shape)))
        )
    return np.concatenate(parts)


def _neighbour_sum(x_MHW: np.ndarray, contiguity: str) -> np.ndarray:
    """Return the sum over each cell's neighbours, in the shape of ``x_MHW`` [..., H, W]."""
    padded = np.pad(x_MHW, [(0, 0)] * (x_MHW.ndim - 2) + [(1, 1), (1, 1)])
    height, width = x_MHW.shape[-2:]
    summed = np.zeros_like(x_MHW, dtype=np.float64)
    for down in range(3):
        for across in range(3):
            reach = abs(down - 1) + abs(across - 1)
            if reach == 1 or (reach == 2 and contiguity == "queen"):  # noqa: PLR2004 - a corner
                summed += padded[..., down : down + height, across : across + width]
    return summed


def _degrees(height: int, width: int, contiguity: str, weights: str) -> np.ndarray:
    """Return each cell's number of neighbours [H, W]."""
    for name, value, options in (("contiguity", contiguity, CONTIGUITIES), ("weights", weights, WEIGHTS)):
        if value not in options:
            raise ValueError(f"{name} must be one of {', '.join(options)}, got {value!r}.")
    if height * width < 2:  # noqa: PLR2004 - a cell needs a neighbour
        raise ValueError(f"fields must have at least two cells, got {height} x {width}.")
    return _neighbour_sum(np.ones((height, width)), contiguity)
