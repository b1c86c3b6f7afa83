"""Spiking dynamics: pure functions over [T, N, ...]; no state is kept between calls."""

from tic_sweep.snn.coding import horizon_logits as horizon_logits
from tic_sweep.snn.coding import normalised as normalised
from tic_sweep.snn.coding import poisson_spikes as poisson_spikes
from tic_sweep.snn.neuron import lif as lif
from tic_sweep.snn.neuron import lif_jacobian as lif_jacobian
from tic_sweep.snn.neuron import lif_linearised as lif_linearised
from tic_sweep.snn.neuron import lif_step as lif_step
from tic_sweep.snn.norm import TimeNorm as TimeNorm
from tic_sweep.snn.surrogate import SURROGATE_DERIVATIVES as SURROGATE_DERIVATIVES
from tic_sweep.snn.surrogate import surrogate_derivative as surrogate_derivative
