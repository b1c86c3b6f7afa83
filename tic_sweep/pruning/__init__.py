"""Magnitude pruning: which weights a network has left."""

from tic_sweep.pruning.masks import Masks as Masks
from tic_sweep.pruning.masks import count_remaining as count_remaining
from tic_sweep.pruning.masks import keep_largest as keep_largest
from tic_sweep.pruning.masks import mask_gradients as mask_gradients
from tic_sweep.pruning.masks import mask_weights as mask_weights
from tic_sweep.pruning.masks import prunable_weights as prunable_weights
from tic_sweep.pruning.masks import remaining_after as remaining_after
