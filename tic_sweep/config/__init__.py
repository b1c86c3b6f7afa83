"""Configs: a run is a value. `TrialConfig` is the science, `Resources` the circumstance."""

from tic_sweep.config.catalogue import DATASETS as DATASETS
from tic_sweep.config.catalogue import MODELS as MODELS
from tic_sweep.config.catalogue import SURROGATES as SURROGATES
from tic_sweep.config.catalogue import TASKS as TASKS
from tic_sweep.config.catalogue import DatasetSpec as DatasetSpec
from tic_sweep.config.fields import Rule as Rule
from tic_sweep.config.fields import Scalar as Scalar
from tic_sweep.config.fields import listed as listed
from tic_sweep.config.identity import check_path as check_path
from tic_sweep.config.identity import field_rules as field_rules
from tic_sweep.config.identity import flatten as flatten
from tic_sweep.config.identity import from_dict as from_dict
from tic_sweep.config.identity import replaced as replaced
from tic_sweep.config.identity import to_dict as to_dict
from tic_sweep.config.identity import trial_key as trial_key
from tic_sweep.config.measuring import FisherConfig as FisherConfig
from tic_sweep.config.measuring import ProbesConfig as ProbesConfig
from tic_sweep.config.network import DataConfig as DataConfig
from tic_sweep.config.network import ModelConfig as ModelConfig
from tic_sweep.config.network import NeuronConfig as NeuronConfig
from tic_sweep.config.resources import Resources as Resources
from tic_sweep.config.toy import ToyConfig as ToyConfig
from tic_sweep.config.training import LossConfig as LossConfig
from tic_sweep.config.training import OptimiserConfig as OptimiserConfig
from tic_sweep.config.training import PruningConfig as PruningConfig
from tic_sweep.config.trial import TrialConfig as TrialConfig
