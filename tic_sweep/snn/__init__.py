"""Spiking dynamics: pure functions over [T, N, ...]; no state is kept between calls."""

from tic_sweep.snn.coding import horizon_logits as horizon_logits
from tic_sweep.snn.coding import normalised as normalised
from tic_sweep.snn.coding import poisson_spikes as poisson_spikes
from tic_sweep.snn.fused import are_spikes as are_spikes
from tic_sweep.snn.fused import as_spikes as as_spikes
from tic_sweep.snn.fused import fused_lif as fused_lif
from tic_sweep.snn.fused import fused_norm_lif as fused_norm_lif
from tic_sweep.snn.fused import is_ordinary as is_ordinary
from tic_sweep.snn.fused import is_packable as is_packable
from tic_sweep.snn.fused import packed_conv as packed_conv
from tic_sweep.snn.kernels import choose as choose
from tic_sweep.snn.kernels import kernels_for as kernels_for
from tic_sweep.snn.kernels import running as running
from tic_sweep.snn.kernels import why_plain as why_plain
from tic_sweep.snn.neuron import lif as lif
from tic_sweep.snn.neuron import lif_jacobian as lif_jacobian
from tic_sweep.snn.neuron import lif_linearised as lif_linearised
from tic_sweep.snn.neuron import lif_step as lif_step
from tic_sweep.snn.norm import TimeNorm as TimeNorm
from tic_sweep.snn.surrogate import SURROGATE_DERIVATIVES as SURROGATE_DERIVATIVES
from tic_sweep.snn.surrogate import surrogate_derivative as surrogate_derivative
