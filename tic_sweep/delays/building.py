"""From a trial's config to its network with delays, the rule its synapses follow, and the spread of its delays."""

from tic_sweep.config import TrialConfig
from tic_sweep.delays.network import DelayNetwork
from tic_sweep.delays.rewiring import Rewiring
from tic_sweep.delays.sigma import SigmaSchedule
from tic_sweep.streams import stream


def build_network(config: TrialConfig) -> DelayNetwork:
    """Return the untrained network of a trial of task ``sequences``.

    Its weights and delays depend on shapes and seed alone, so that trials that differ in rule, sparsity or in whether
    delays are learnt start from the same.
    """
    chosen, delays = config.sequences, config.delays
    return DelayNetwork(
        chosen.inputs,
        delays.hidden,
        chosen.classes,
        delays.max_delay,
        neuron=config.neuron,
        order=delays.order,
        readout_tau=delays.readout_tau or None,
        dropout=delays.dropout,
        interpolation=delays.interpolation,
        backend=delays.backend,
        learn_delays=delays.learn,
        generator=stream(config.seed, "init"),
    )


def rewiring_of(config: TrialConfig, steps: int) -> Rewiring | None:
    """Return the rule of a trial whose training takes ``steps`` steps; None for a dense network, which needs none."""
    delays = config.delays
    if not delays.sparsity:
        return None
    return Rewiring(
        rule=delays.rule,
        density=1 - delays.sparsity,
        budget=delays.budget,
        regrow=delays.regrow,
        signs=delays.signs,
        every=delays.rewire_every,
        share=delays.exchange_share,
        last_step=max(1, round(delays.exchange_until * steps)),
        temperature=delays.temperature,
    )


def sigma_schedule(config: TrialConfig) -> SigmaSchedule:
    """Return the spread of a trial's delays over its epochs; by default the published one."""
    delays, epochs = config.delays, config.optimiser.epochs
    half = (delays.max_delay + 1) // 2
    return SigmaSchedule(start=delays.sigma_start or half, epochs=int(delays.sigma_share * epochs))
