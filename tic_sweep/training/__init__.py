"""Training of one trial: configs in, reports and an outcome out; knows no sweep, disk table or network service."""

from tic_sweep.training.allocator import keep_freed_memory as keep_freed_memory
from tic_sweep.training.attempt import resolve_device as resolve_device
from tic_sweep.training.checkpoint import DamagedCheckpointError as DamagedCheckpointError
from tic_sweep.training.checkpoint import epoch_in as epoch_in
from tic_sweep.training.checkpoint import load_checkpoint as load_checkpoint
from tic_sweep.training.checkpoint import save_checkpoint as save_checkpoint
from tic_sweep.training.checkpoint import weights_digest as weights_digest
from tic_sweep.training.pack import Pack as Pack
from tic_sweep.training.pack import Told as Told
from tic_sweep.training.pack import may_be_recorded as may_be_recorded
from tic_sweep.training.phases import is_due as is_due
from tic_sweep.training.probe import seconds_per_image as seconds_per_image
from tic_sweep.training.probe import seconds_per_sequence as seconds_per_sequence
from tic_sweep.training.sequences import SequenceTraining as SequenceTraining
from tic_sweep.training.start import start_trial as start_trial
from tic_sweep.training.start import toy_seconds as toy_seconds
from tic_sweep.training.start import try_trial as try_trial
from tic_sweep.training.toy import ToyTraining as ToyTraining
from tic_sweep.training.trainer import SecondChance as SecondChance
from tic_sweep.training.trainer import Trainer as Trainer
from tic_sweep.training.trial import Training as Training
