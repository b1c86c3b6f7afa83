"""Images and sequences: loaded once per node as plain arrays, then split and made ready by each trial."""

from tic_sweep.data.augmentation import augment as augment
from tic_sweep.data.augmentation import cut_windows as cut_windows
from tic_sweep.data.augmentation import draw_windows as draw_windows
from tic_sweep.data.batching import batches as batches
from tic_sweep.data.loading import MADE_UP as MADE_UP
from tic_sweep.data.loading import RawData as RawData
from tic_sweep.data.loading import data_name as data_name
from tic_sweep.data.loading import load_data as load_data
from tic_sweep.data.loading import load_images as load_images
from tic_sweep.data.raw import RawImages as RawImages
from tic_sweep.data.sequences import RawSequences as RawSequences
from tic_sweep.data.sequences import RawSpikeSets as RawSpikeSets
from tic_sweep.data.trial_data import Split as Split
from tic_sweep.data.trial_data import TrialData as TrialData
from tic_sweep.data.trial_data import prepare as prepare
from tic_sweep.data.trial_sequences import SequenceData as SequenceData
from tic_sweep.data.trial_sequences import SequenceSplit as SequenceSplit
from tic_sweep.data.trial_sequences import prepare_sequences as prepare_sequences
