"""Fabricated trials with chosen deficits, robustness, horizons, traces and losses, for `fabricated.write_rows`."""

from collections.abc import Mapping, Sequence
from typing import Any

from tic_sweep.config import TrialConfig, replaced, trial_key
from tic_sweep.records import DeficitRow, EpochRow, FisherRow, HorizonRow, RobustnessRow, Row

WINDOW = 3
STRENGTHS = {"gaussian": (0.0, 0.5), "blur": (1.0, 1.0), "fgsm": (0.0, 8 / 255), "pgd": (0.0, 8 / 255)}
"""Strength at multiple 0, and what a multiple of 1 adds."""
CLEAN = 0.9


def probed_trial(
    changes: dict[str, Any],
    *,
    deficits: Mapping[int, Sequence[float]] | None = None,
    robustness: Mapping[int, Mapping[str, Mapping[float, float]]] | None = None,
    horizons: Mapping[int, Sequence[float]] | None = None,
    traces: Mapping[int, Sequence[float]] | None = None,
    epochs: Mapping[int, Mapping[str, Any]] | None = None,
    **values: Any,
) -> tuple[TrialConfig, dict[str, Any], list[Row]]:
    """Return a trial of T = 4 unless changed.

    Args:
        changes: of the config, by dotted paths.
        deficits: accuracy with noise in the first, second, ... window, by epoch; the clean one is `CLEAN`.
        robustness: accuracy by multiple, corruption and epoch; the clean one is `CLEAN`.
        horizons: validation accuracy at t = 1, 2, ..., by epoch.
        traces: I_t at t = 1, 2, ..., by epoch.
        epochs: values of the epoch's row, by epoch.
        values: of the trial's row.
    """
    config = replaced(TrialConfig(timesteps=4), changes)
    key = trial_key(config)
    rows: list[Row] = []
    for epoch, own in (epochs or {}).items():
        rest = {"val_loss": 1.0, "val_acc": CLEAN, "train_seconds": 1.0, "eval_seconds": 0.1, "fisher_seconds": 0.0}
        rows.append(EpochRow(key=key, epoch=epoch, **{**rest, **own}))
    for epoch, accuracies in (horizons or {}).items():
        rows += [
            HorizonRow(key=key, epoch=epoch, t=t, val_loss=1.0, val_acc=accuracy)
            for t, accuracy in enumerate(accuracies, start=1)
        ]
    for epoch, trace in (traces or {}).items():
        rows += [
            FisherRow(key=key, epoch=epoch, level="model", part="", t=t, fisher_trace=value, fisher_se=0.0)
            for t, value in enumerate(trace, start=1)
        ]
    for epoch, accuracies in (deficits or {}).items():
        rows += [
            DeficitRow(
                key=key, epoch=epoch, first=first, last=first + WINDOW - 1, strength=0.5, acc=accuracy, loss=1.0,
                clean_acc=CLEAN, images=100,
            )
            for first, accuracy in enumerate(accuracies, start=1)
        ]  # fmt: skip
    for epoch, corruptions in (robustness or {}).items():
        rows += [
            RobustnessRow(
                key=key, epoch=epoch, corruption=corruption, multiple=multiple, acc=accuracy, loss=1.0, clean_acc=CLEAN,
                strength=STRENGTHS[corruption][0] + multiple * STRENGTHS[corruption][1], largest_change=0.1, images=100,
            )
            for corruption, accuracies in corruptions.items()
            for multiple, accuracy in accuracies.items()
        ]  # fmt: skip
    return config, {"val_acc": CLEAN} | values, rows


def alpha(value: float, seed: int = 0, **changes: Any) -> dict[str, Any]:
    """Return the config changes of a trial whose loss is held at a value; other paths with ``__`` for the dot."""
    others = {path.replace("__", "."): other for path, other in changes.items()}
    return {"loss.name": "alpha", "loss.alpha": value, "seed": seed} | others
