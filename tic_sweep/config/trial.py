"""`TrialConfig`: the science of one trial, and nothing but the science.

Its defaults are the main paper's (Kim et al. 2023, Fig. 4 and the authors' code). Two rules keep a trial's identity
stable over the years: a default never changes, and a new field's default is what the code did before it existed.
"""

from dataclasses import dataclass, field

from tic_sweep.config.catalogue import DATASETS, SEQUENCES, TASKS
from tic_sweep.config.checks import check_idle, check_measured, check_sizes, check_times
from tic_sweep.config.delay_checks import check_delays, check_sequences
from tic_sweep.config.delays import DelaysConfig
from tic_sweep.config.fields import Section, choice, integer
from tic_sweep.config.measuring import FisherConfig, ProbesConfig
from tic_sweep.config.network import DataConfig, ModelConfig, NeuronConfig
from tic_sweep.config.sequences import SequencesConfig
from tic_sweep.config.toy import ToyConfig
from tic_sweep.config.training import LossConfig, OptimiserConfig, PruningConfig


@dataclass(frozen=True, kw_only=True)
class TrialConfig(Section):
    """One trial: its task, data, model, neuron, loss, optimiser, measurements, timesteps and seed.

    Everything here may change a number in the results, and nothing else may; what only changes speed or place is
    `Resources`.
    """

    data: DataConfig = field(default_factory=DataConfig)
    model: ModelConfig = field(default_factory=ModelConfig)
    neuron: NeuronConfig = field(default_factory=NeuronConfig)
    optimiser: OptimiserConfig = field(default_factory=OptimiserConfig)
    loss: LossConfig = field(default_factory=LossConfig)
    fisher: FisherConfig = field(default_factory=FisherConfig)
    probes: ProbesConfig = field(default_factory=ProbesConfig)
    pruning: PruningConfig = field(default_factory=PruningConfig)
    toy: ToyConfig = field(default_factory=ToyConfig)
    sequences: SequencesConfig = field(default_factory=SequencesConfig)
    delays: DelaysConfig = field(default_factory=DelaysConfig)
    task: str = choice("images", TASKS, "classify images or sequences, or train a block of toy problems")
    timesteps: int = integer(10, "simulation steps T per image or sequence", unit="timesteps", at_least=1, at_most=1000)
    seed: int = integer(0, "root of every random stream of the trial", at_least=0)

    def __post_init__(self) -> None:
        """Check each field, then what only holds between sections.

        Raises:
            ConfigError: naming the field, its value and what is accepted.
        """
        super().__post_init__()
        check_idle(self)
        if self.task == "images":
            check_sizes(self)
            check_measured(self)
            check_times(self)
        if self.task == "sequences":
            check_sequences(self)
            check_delays(self)

    @property
    def last_epoch(self) -> int:
        """Number of the last epoch: those of the first training, then those of every pruning cycle."""
        return self.optimiser.epochs + self.pruning.cycles * self.pruning.epochs

    @property
    def image_size(self) -> int:
        """Pixels a side after pooling."""
        return self.data.image_size or DATASETS[self.data.name].size

    @property
    def split_images(self) -> dict[str, int]:
        """Number of images in the train, validation and test splits."""
        spec, data = DATASETS[self.data.name], self.data
        validation = data.validation_samples or round(spec.train_images / 10)
        return {
            "train": data.train_samples or spec.train_images - validation,
            "validation": validation,
            "test": data.test_samples or spec.test_images,
        }

    @property
    def split_sequences(self) -> dict[str, int]:
        """Number of sequences in the train, validation and test splits; estimated where speakers are held out."""
        spec, chosen = SEQUENCES[self.sequences.name], self.sequences
        made_up = not spec.classes
        validation = chosen.validation_samples or spec.validation_sequences or round(spec.train_sequences / 10)
        if chosen.holds_out_groups:
            validation = round(spec.train_sequences * chosen.validation_groups / spec.groups)
        return {
            "train": chosen.train_samples or spec.train_sequences - (0 if made_up else validation),
            "validation": validation,
            "test": chosen.test_samples or spec.test_sequences,
        }
