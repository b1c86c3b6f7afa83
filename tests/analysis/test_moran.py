"""Moran's I: exact fields, the definition with a dense weight matrix, and nulls that behave like nulls."""

import itertools
from math import isnan, nan

import numpy as np
import pytest
from scipy.stats import kstest

from analysis.moran import CONTIGUITIES, NULLS, WEIGHTS, discovered, field_structure, morans_i, p_above, permuted_i

CHOICES = [{"contiguity": c, "weights": w} for c, w in itertools.product(CONTIGUITIES, WEIGHTS)]


def by_definition(field: np.ndarray, contiguity: str, weights: str) -> float:
    """Return I with the weight matrix written out, cell by cell."""
    cells = list(itertools.product(*map(range, field.shape)))
    w = np.zeros((len(cells), len(cells)))
    for (i, (a, b)), (j, (c, d)) in itertools.product(enumerate(cells), repeat=2):
        down, across = abs(a - c), abs(b - d)
        w[i, j] = (max(down, across) == 1) if contiguity == "queen" else (down + across == 1)
    if weights == "row":
        w /= w.sum(1, keepdims=True)
    z = field.ravel() - field.mean()
    return float(len(cells) / w.sum() * (z @ w @ z) / (z @ z))


def one_per_row(neurons: int = 6, inputs: int = 5, delays: int = 7, density: float = 0.8) -> np.ndarray:
    """Return fields as synapses make them: at most one value in each row."""
    drawn = np.random.default_rng(1)
    fields = np.zeros((neurons, inputs, delays))
    columns = drawn.integers(delays, size=(neurons, inputs))
    values = drawn.normal(size=(neurons, inputs)) * (drawn.random((neurons, inputs)) < density)
    np.put_along_axis(fields, columns[..., None], values[..., None], axis=2)
    return fields


def test_a_checkerboard_is_minus_one():
    """Every neighbour across an edge has the other sign."""
    board = np.indices((6, 8)).sum(0) % 2 * 2.0 - 1

    assert -1 == pytest.approx(float(morans_i(board, contiguity="rook")))


def test_two_half_planes_by_hand():
    """8 x 8, half -1 and half 1: 112 edges, of which 8 differ: (104 - 8) / 112."""
    halves = np.where(np.arange(8) < 4, -1.0, 1.0) * np.ones((8, 1))

    assert 96 / 112 == pytest.approx(float(morans_i(halves, contiguity="rook")))


def test_a_field_of_one_value_has_no_i():
    """Constant and empty fields are NaN, observed and permuted, and the others are not."""
    fields = np.stack([np.zeros((4, 4)), np.full((4, 4), 0.1), np.eye(4)])

    assert [True, True, False] == np.isnan(morans_i(fields)).tolist()
    for null in NULLS:
        permuted = permuted_i(fields, np.random.default_rng(0), permutations=5, null=null)
        assert [True, True, False] == np.isnan(permuted).all(0).tolist()
        assert not np.isnan(permuted[:, 2]).any()


@pytest.mark.parametrize("choice", CHOICES, ids=str)
def test_i_is_its_definition(choice: dict):
    """Against the dense weight matrix, on fields of noise and on sparse ones."""
    fields = np.concatenate([np.random.default_rng(0).normal(size=(3, 5, 7)), one_per_row()])

    assert [by_definition(field, **choice) for field in fields] == pytest.approx(morans_i(fields, **choice).tolist())


@pytest.mark.parametrize("choice", CHOICES, ids=str)
def test_permuted_i_is_that_of_a_permuted_field(choice: dict):
    """Shuffling the only three values of a field gives the I of one of its six orders, each about as often."""
    field = np.zeros((1, 4, 5))
    field[0, [0, 1, 3], [1, 2, 4]] = [1.0, -2.0, 5.0]
    orders = []
    for order in itertools.permutations([1.0, -2.0, 5.0]):
        other = np.zeros((4, 5))
        other[[0, 1, 3], [1, 2, 4]] = order
        orders.append(by_definition(other, **choice))

    drawn = permuted_i(field, np.random.default_rng(0), permutations=600, null="values", **choice)[:, 0]

    nearest = np.abs(drawn[:, None] - np.array(orders)).argmin(1)
    assert np.allclose(drawn, np.array(orders)[nearest])
    for value in set(np.round(orders, 9)):
        share = np.isclose(orders, value).mean()
        assert share == pytest.approx(np.isclose(drawn, value).mean(), abs=5 * (share * (1 - share) / 600) ** 0.5)


@pytest.mark.parametrize("choice", CHOICES, ids=str)
def test_grid_permutations_have_the_mean_and_variance_of_the_theory(choice: dict):
    """Under all permutations of the cells E[I] = -1/(n - 1), and a plain shuffle has the same spread."""
    field = one_per_row(1, 6, 8)
    shuffled = np.random.default_rng(0).permuted(np.broadcast_to(field.reshape(1, -1), (4000, 48)), axis=1)
    plain = morans_i(shuffled.reshape(-1, 6, 8), **choice)

    drawn = permuted_i(field, np.random.default_rng(1), permutations=4000, null="grid", **choice)[:, 0]

    error = plain.std() / 4000**0.5
    assert -1 / 47 == pytest.approx(drawn.mean(), abs=5 * error)
    assert plain.std() == pytest.approx(drawn.std(), rel=0.1)
    assert kstest(plain, drawn).pvalue > 1e-3


def test_p_values_by_hand():
    """Of four permuted I two are as large: (1 + 2) / (1 + 4); NaN has none; one null may serve all fields."""
    null = np.array([[0.1], [0.3], [0.2], [0.5]])

    assert [0.6] == p_above(np.array([0.3]), null).tolist()
    assert isnan(p_above(np.array([nan]), null)[0])
    assert [0.5, 0.75] == p_above(np.array([0.9, 0.2]), np.array([0.1, nan, 0.2, 1.0])).tolist()


def test_false_discoveries_are_controlled_by_hand():
    """Benjamini and Hochberg at 5 %: 0.01 <= 0.05/4·1, 0.02 <= 0.05/4·2, 0.04 > 0.05/4·3; NaN counts for nothing."""
    p = np.array([0.02, nan, 0.01, 0.04, 0.9])

    assert [True, False, True, False, False] == discovered(p).tolist()
    assert [False] == discovered(np.array([nan])).tolist()


def test_ridges_are_found_and_noise_is_not():
    """Forty fields of noise and four with a smooth ridge: these four stand out against both nulls, almost no other."""
    fields = one_per_row(44, 16, 17, density=1.0)
    for neuron in range(4):
        fields[neuron] = 0
        fields[neuron, np.arange(16), (np.arange(16) + neuron) % 17] = 1 + 0.5 * np.sin(np.arange(16) / 3)

    found = field_structure(fields, np.random.default_rng(0), permutations=499)

    assert discovered(found.p_grid)[:4].all()
    assert discovered(found.p_grid)[4:].sum() <= 4
    assert 0 < discovered(found.p_values)[:4].sum()
    assert discovered(found.p_values)[4:].sum() <= 3
    assert found.best in range(4)
    assert found.i[:4].min() > found.band("grid", 0.999)


def test_p_values_of_noise_are_even():
    """Under the null a p-value below 0.1 comes a tenth of the time (200 fields, five sd)."""
    found = field_structure(one_per_row(200, 8, 9, density=1.0), np.random.default_rng(0), permutations=199)

    for p in (found.p_values, found.p_grid):
        assert 0.1 == pytest.approx((p <= 0.1).mean(), abs=5 * (0.09 / 200) ** 0.5)


def test_empty_fields_are_counted_and_left_out_of_the_mean():
    """Two of four neurons have no synapse; the mean is that of the other two."""
    fields = np.concatenate([np.zeros((2, 5, 7)), one_per_row(2)])

    found = field_structure(fields, np.random.default_rng(0), untrained_MHW=one_per_row(5), permutations=19)

    assert 2 == found.empty
    assert float(morans_i(fields[2:]).mean()) == pytest.approx(found.mean)
    assert found.p_untrained is not None
    assert [True, True, False, False] == np.isnan(found.p_untrained).tolist()
    assert ("queen", "binary") == (found.contiguity, found.weights)


def test_a_layer_without_synapses_says_so():
    """Nothing to average, nothing best, nothing raised."""
    found = field_structure(np.zeros((3, 4, 4)), np.random.default_rng(0), permutations=9)

    assert (3, None) == (found.empty, found.best)
    assert isnan(found.mean)
    assert isnan(found.band())
    assert found.p_untrained is None


def test_nonsense_is_refused():
    """Names that do not exist, and fields too small to have neighbours."""
    for call, message in (
        (lambda: morans_i(np.eye(3), contiguity="bishop"), "contiguity must be one of queen, rook"),
        (lambda: morans_i(np.eye(3), weights="full"), "weights must be one of"),
        (lambda: morans_i(np.ones((1, 1))), "at least two cells"),
        (lambda: permuted_i(np.eye(3)[None], np.random.default_rng(0), null="none"), "null must be one of"),
    ):
        with pytest.raises(ValueError, match=message):
            call()
