"""Fabricated trials of networks with delays, with known accuracies, synapses and turnover, to test the analysis."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

from tic_sweep.config import TrialConfig, replaced, trial_key
from tic_sweep.records import DelayRow, EpochRow, Row, SequenceRow, SynapseRow

Trial: TypeAlias = tuple[TrialConfig, dict[str, Any], list[Row]]
Synapse: TypeAlias = tuple[int, int, int, float]
"""Neuron, input, whole delay, weight."""
DELAYED = ("delays.learn", "delays.rule", "delays.sparsity")
SMALL: dict[str, Any] = {
    "task": "sequences", "timesteps": 16, "sequences.channels": 8, "delays.hidden": 4, "delays.max_delay": 4,
    "optimiser.epochs": 2, "fisher.every": 0,
}  # fmt: skip
"""Four hidden neurons with 8 inputs and delays 0..4, and 8 classes: 32 synapses in each layer."""
POSSIBLE = 32


def delays_trial(
    changes: Mapping[str, Any], accuracy: float | Mapping[str, float], *,
    synapses: Mapping[int, Iterable[Synapse]] | None = None, gap: float = 0.1, shift: float = 1.0, seconds: float = 1.0,
    **values: Any,
) -> Trial:  # fmt: skip
    """Return a trial of two epochs for `write_rows`.

    Args:
        changes: of its config; ``learn`` and ``rule`` and ``sparsity`` stand for fields of ``delays``.
        accuracy: on test sequences under each protocol, or the same under all.
        synapses: of the hidden layer, by epoch.
        gap: what rounding takes from the validation accuracy at epoch 1; half of it at epoch 2.
        shift: mean shift of the delays at epoch 2; half of it at epoch 1.
        seconds: of an epoch.
        values: of the trial's row.
    """
    short = {"learn", "rule", "sparsity"}
    own = {f"delays.{name}" if name in short else name: value for name, value in changes.items()}
    config = replaced(TrialConfig(), SMALL | own)
    key, learn, rewired = trial_key(config), config.delays.learn, config.delays.rule != "static"
    by = (
        accuracy if isinstance(accuracy, Mapping) else dict.fromkeys(("best validation", "last", "published"), accuracy)
    )
    active = max(1, round(POSSIBLE * (1 - config.delays.sparsity)))
    rows: list[Row] = []
    for epoch in (0, 1, 2):
        validation = 0.1 + 0.2 * epoch
        spread = validation + (gap / epoch if epoch else 0.0)
        rows += [
            EpochRow(
                key=key, epoch=epoch, val_loss=1.0, val_acc=validation, train_seconds=seconds * (epoch > 0),
                eval_seconds=0.1, fisher_seconds=0.0, ic=3.0 - epoch / 2, ic_se=0.1,
            ),
            SequenceRow(
                key=key, epoch=epoch, test_acc=(0.1, by["published"], by["last"])[epoch], test_loss=1.0,
                soft_val_acc=spread if learn else None, firing_rate=0.1, sigma=1.0 if learn else None,
                position_lr=0.1 if learn and epoch else None,
            ),
        ]  # fmt: skip
        for layer in ("hidden", "output"):
            turned = active // 4 if rewired and epoch else 0
            rows.append(
                DelayRow(
                    key=key, epoch=epoch, layer=layer, possible=POSSIBLE, active=active, grown=turned, pruned=turned,
                    survived=active - turned * epoch, overlap=1.0 - 0.25 * epoch * rewired, delay_mean=2.0,
                    shift=shift * epoch / 2 if learn else 0.0, delay_entropy=2.0, excitatory=0.5,
                    empty=1 if layer == "output" else 0, operations=active * 16,
                )
            )  # fmt: skip
    rows += [
        SynapseRow(
            key=key, epoch=epoch, layer="hidden", neuron=neuron, input=source, delay=delay, delay_real=float(delay),
            weight=weight,
        )
        for epoch, listed in (synapses or {}).items()
        for neuron, source, delay, weight in listed
    ]  # fmt: skip
    told = {
        "test_acc": by["last"], "best_test_acc": by["best validation"], "best_val_acc": 0.5, "val_acc": 0.5,
        "wall_seconds": 10 * seconds, "device": "cpu", "host": "a",
    }  # fmt: skip
    return config, told | values, rows


def variants_of(
    gains: Mapping[float, tuple[float, float, float]], base: float = 0.5, seeds: Sequence[int] = (0, 1, 2),
    scatter: Sequence[float] = (0.0, 0.0, 0.0),
) -> list[Trial]:  # fmt: skip
    """Return all four variants at each sparsity.

    Args:
        gains: by sparsity, what is added to ``base`` by learnt structure, by learnt delays, and by both together.
        base: accuracy with everything fixed.
        seeds: of each setting.
        scatter: what each seed adds to every gain; the base is the same for all seeds.
    """
    found = []
    for sparsity, (structure, delays, both) in gains.items():
        added = {(False, "static"): None, (True, "static"): delays} | (
            {(False, "deepr"): structure, (True, "deepr"): both} if sparsity else {}
        )
        for (learn, rule), gain in added.items():
            for seed, noise in zip(seeds, scatter, strict=False):
                changes = {"learn": learn, "rule": rule, "sparsity": sparsity, "seed": seed}
                found.append(delays_trial(changes, base if gain is None else base + gain + noise))
    return found


def ridge(neurons: Iterable[int], signs: Sequence[int] = (1,) * 8) -> list[Synapse]:
    """Return a synapse with each input along a smooth ridge, delay i // 2 at input i, of some signs."""
    return [(neuron, i, i // 2, sign * (1 + 0.1 * i)) for neuron in neurons for i, sign in enumerate(signs)]


CHECKERED, HALVES = (1, -1) * 4, (1,) * 4 + (-1,) * 4
"""Signs that change from input to input, and signs that change once."""
