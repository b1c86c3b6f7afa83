"""Networks by name."""

from tic_sweep.models.layers import LIF as LIF
from tic_sweep.models.layers import ResidualBlock as ResidualBlock
from tic_sweep.models.layers import SpikingConv as SpikingConv
from tic_sweep.models.layers import SpikingLinear as SpikingLinear
from tic_sweep.models.layers import over_time as over_time
from tic_sweep.models.network import SpikingNetwork as SpikingNetwork
from tic_sweep.models.network import build_model as build_model
