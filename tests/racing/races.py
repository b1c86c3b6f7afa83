"""Runners and curves small enough to check by hand."""

from collections.abc import Callable, Sequence

from tic_sweep.racing import Look, Runner
from tic_sweep.racing.replay import Curve

EPOCHS = 8
T = 8


def runner(rate: float, seed: int = 0, *, stratum: str = "a", epochs: int = EPOCHS, validation: int = 0) -> Runner:
    """Return a trial whose key says what it is."""
    return Runner(
        key=f"{stratum}/{rate:g}/{seed}", stratum=stratum, rate=rate, seed=seed, epochs=epochs, timesteps=T,
        validation=validation,
    )  # fmt: skip


def curve(
    rate: float, seed: int = 0, *, acc: Callable[[int], float | None] | float = 0.5,
    ic: Sequence[float | None] = (), status: str = "finished", stratum: str = "a", epochs: int = EPOCHS,
    validation: int = 0,
) -> Curve:  # fmt: skip
    """Return a record with a report after every epoch, 0 included; ``acc`` is of an epoch, ``ic`` from epoch 0 on."""
    looks = tuple(
        Look(
            epoch=epoch,
            val_acc=acc(epoch) if callable(acc) else acc,
            ic=ic[epoch] if epoch < len(ic) else None,
        )
        for epoch in range(epochs + 1)
    )
    return Curve(runner(rate, seed, stratum=stratum, epochs=epochs, validation=validation), looks, status)


def turning(epoch: int, high: float = 5.0, low: float = 1.5, epochs: int = EPOCHS) -> list[float | None]:
    """Return centroids that fall from one report to the next."""
    return [high if e < epoch else low for e in range(epochs + 1)]


def looks(ic: Sequence[float | None], se: float | None = None) -> list[Look]:
    """Return reports of a centroid, epoch by epoch from 0."""
    return [Look(epoch=e, ic=c, ic_se=se) for e, c in enumerate(ic)]
