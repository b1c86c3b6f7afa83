"""Shades are told apart by the eye, whatever the distances of the numbers they stand for."""

from analysis.colours import FEW, shades_of


def test_few_numbers_lie_evenly_apart() -> None:
    """Close numbers get the shades that distant ones would; equal ones share theirs."""
    assert shades_of((1, 2, 3, 4)) == shades_of((0.75, 4 / 3, 2.0, 400.0))
    assert 1 == len(set(shades_of((0.1, 0.1, 0.2, 0.3))[:2]))


def test_many_numbers_lie_by_their_size() -> None:
    """Along a scale of colours a number's place is its own."""
    numbers = [*range(FEW), 100]
    shades = shades_of(numbers)

    assert shades != shades_of(range(FEW + 1))
    assert shades[-1] == shades_of(range(FEW + 1))[-1]
