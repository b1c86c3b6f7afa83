"""Synapses with delays that are learnt through gradients and through structure: layers, rewiring, the network."""

from tic_sweep.delays.backends import BACKENDS as BACKENDS
from tic_sweep.delays.backends import choose_backend as choose_backend
from tic_sweep.delays.backends import costs as costs
from tic_sweep.delays.budget import BUDGETS as BUDGETS
from tic_sweep.delays.budget import synapse_budget as synapse_budget
from tic_sweep.delays.kernel import INTERPOLATIONS as INTERPOLATIONS
from tic_sweep.delays.linear import DelayLinear as DelayLinear
from tic_sweep.delays.network import ORDERS as ORDERS
from tic_sweep.delays.network import DelayNetwork as DelayNetwork
from tic_sweep.delays.network import leaky_sum as leaky_sum
from tic_sweep.delays.neuron import PUBLISHED_NEURON as PUBLISHED_NEURON
from tic_sweep.delays.neuron import LateLIF as LateLIF
from tic_sweep.delays.parameters import positions_and_others as positions_and_others
from tic_sweep.delays.readout import READOUTS as READOUTS
from tic_sweep.delays.readout import delay_logits as delay_logits
from tic_sweep.delays.readout import weight_penalty as weight_penalty
from tic_sweep.delays.regrowth import REGROWTHS as REGROWTHS
from tic_sweep.delays.rewiring import RULES as RULES
from tic_sweep.delays.rewiring import SIGNS as SIGNS
from tic_sweep.delays.rewiring import Rewirer as Rewirer
from tic_sweep.delays.rewiring import Rewiring as Rewiring
from tic_sweep.delays.sigma import FINAL_SIGMA as FINAL_SIGMA
from tic_sweep.delays.sigma import SigmaSchedule as SigmaSchedule
from tic_sweep.delays.sigma import published_schedule as published_schedule
from tic_sweep.delays.turnover import LayerTurnover as LayerTurnover
