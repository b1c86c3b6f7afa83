"""Configs: every field is cast, checked, and refused by path and value."""

import dataclasses
import math
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tic_sweep.config import (
    DATASETS,
    MODELS,
    SEQUENCES,
    SURROGATES,
    DataConfig,
    NeuronConfig,
    OptimiserConfig,
    Resources,
    Rule,
    TrialConfig,
    field_rules,
    flatten,
    from_dict,
    listed,
    replaced,
    to_dict,
)
from tic_sweep.errors import ConfigError

RULES = field_rules()
NUMBERS = {path: rule for path, rule in RULES.items() if rule.type in (int, float)}
NAMES = {path: rule for path, rule in RULES.items() if rule.type is str and rule.items is None}
LISTS = {path: rule for path, rule in RULES.items() if rule.items is not None}


def refusal(path: str, value: object) -> str:
    """Return the one line with which a value is refused."""
    with pytest.raises(ConfigError) as refused:
        replaced(TrialConfig(), {path: value})
    assert "\n" not in str(refused.value)
    return str(refused.value)


def nonsense(rule: Rule) -> list[object]:
    """Return values that no field of this type, or not this one, accepts."""
    if rule.items is not None:
        return [None, {"a": 1}, math.nan, math.inf, 1 + 2j, True, "nothing", "1,", "1,,2", "1 2", "nan", [1, None], -1]
    wrong: list[object] = [None, [1], {"a": 1}, math.nan, math.inf, -math.inf, 1 + 2j, b"1", 10**400]
    wrong += {bool: [0, 1, "true"], str: ["nothing", 1, True]}.get(rule.type, ["1", "", True])
    wrong += [2.5, 1e30, 2**63] if rule.type is int else []
    wrong += [rule.above, rule.above - 1] if rule.above is not None else []
    wrong += [rule.at_least - 1] if rule.at_least is not None else []
    wrong += [rule.at_most + 1] if rule.at_most is not None else []
    return wrong


@pytest.mark.parametrize(("path", "value"), [(path, value) for path, rule in RULES.items() for value in nonsense(rule)])
def test_nonsense_is_refused(path: str, value: object) -> None:
    """A wrong type, NaN, an infinity or a value out of bounds is refused by path and value, with what is accepted."""
    assert refusal(path, value).startswith(f"{path} must be {RULES[path].accepted()}, got {value!r}.")


@pytest.mark.parametrize(("path", "rule"), NUMBERS.items())
def test_every_number_has_a_lower_bound(path: str, rule: Rule) -> None:
    """No quantity of a trial may be negative."""
    assert 0 <= min(bound for bound in (rule.above, rule.at_least) if bound is not None)


@pytest.mark.parametrize("path", RULES)
def test_every_field_says_what_it_is(path: str) -> None:
    """Each field has a meaning of one line, and a default that it accepts itself."""
    assert RULES[path].doc
    assert "\n" not in RULES[path].doc
    default = flatten(TrialConfig())[path]
    assert (default, RULES[path].type) == (RULES[path].cast(path, default), type(default))


@pytest.mark.parametrize(("path", "rule"), NAMES.items())
def test_every_name_is_one_of_a_few(path: str, rule: Rule) -> None:
    """A field that holds a name lists the names, its default first among equals."""
    assert flatten(TrialConfig())[path] in rule.options
    assert len(rule.options) > 1


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("1,20,40", "1,20,40"), ("40, 1,20", "1,20,40"), ("7,7", "7"), ((3, 1), "1,3"), ([2.0], "2"), (5, "5"),
        ("", ""), ([], ""), ("1e2", "100"),
    ],
)  # fmt: skip
def test_lists_are_kept_in_one_form(value: object, text: str) -> None:
    """However a list is written, the same numbers are one text, and so one trial."""
    config = replaced(TrialConfig(), {"probes.deficit_epochs": value})

    assert text == config.probes.deficit_epochs
    assert config == replaced(config, {"probes.deficit_epochs": config.probes.deficit_epochs})


@pytest.mark.parametrize(("text", "numbers"), [("", ()), ("0.5,1,2", (0.5, 1.0, 2.0)), ("3", (3.0,))])
def test_lists_are_read_as_numbers(text: str, numbers: tuple[float, ...]) -> None:
    """`listed` undoes what the field does."""
    config = replaced(TrialConfig(), {"probes.strengths": numbers})

    assert text == config.probes.strengths
    assert numbers == listed(text)


@pytest.mark.parametrize(
    ("path", "value", "accepted"),
    [
        ("probes.deficit_epochs", "1,2.5", "a list such as 1,20,40, each a whole number at least 0 epochs"),
        ("probes.strengths", "1,1001", "a list such as 1,20,40, each a finite number at least 0 and at most 1000"),
    ],
)
def test_refused_lists(path: str, value: str, accepted: str) -> None:
    """One number out of bounds refuses the list, with what each may be."""
    assert f"{path} must be {accepted}, got {value!r}." == refusal(path, value)


def test_options_are_the_catalogue() -> None:
    """Data sets, models and surrogates are those of the catalogue."""
    assert tuple(DATASETS) == RULES["data.name"].options
    assert tuple(MODELS) == RULES["model.name"].options
    assert tuple(SEQUENCES) == RULES["sequences.name"].options
    assert SURROGATES == RULES["neuron.surrogate"].options


@pytest.mark.parametrize("name", DATASETS)
def test_catalogue_agrees_with_itself(name: str) -> None:
    """A data set has one mean and one deviation per channel, inside the pixel range, and enough images for a split."""
    spec = DATASETS[name]

    assert spec.channels == len(spec.mean) == len(spec.std)
    assert all(0 < value < 1 for value in (*spec.mean, *spec.std))
    assert spec.train_images >= 10 * spec.classes
    assert TrialConfig(data=DataConfig(name=name)).image_size == spec.size


@pytest.mark.parametrize("value", [2, 2.0, Fraction(2)])
def test_numbers_are_cast(value: float) -> None:
    """Any kind of number given for a real one is stored as a float."""
    assert "2.0" == repr(NeuronConfig(tau=value).tau)


def test_whole_floats_are_cast() -> None:
    """A float without a fraction given for a whole number is stored as an int."""
    assert "8" == repr(replaced(TrialConfig(), {"timesteps": 8.0}).timesteps)


def test_negative_zero_is_zero() -> None:
    """The two zeros of floating point are one value."""
    assert "0.0" == repr(OptimiserConfig(weight_decay=-0.0).weight_decay)


def test_near_miss_of_a_name() -> None:
    """A misspelt name is refused with the nearest one."""
    assert refusal("data.name", "cifar").endswith("got 'cifar'. Did you mean 'cifar10'?")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"neuron": {"taus": 2}}, "neuron.taus is not a field of a trial. Did you mean 'neuron.tau'? "),
        ({"timestep": 4}, "timestep is not a field of a trial. Did you mean 'timesteps'? "),
        ({"xyzzy": 4}, "xyzzy is not a field of a trial. `tic-sweep fields`"),
        ({1: 4}, "1 is not a field of a trial. "),
        ({"neuron": 2}, "neuron must hold named fields, got 2."),
        ([], "a trial must hold named fields, got []."),
    ],
)
def test_unknown_fields(values: Any, message: str) -> None:
    """An unknown field, or a value where fields should be, is refused by its path, with a near miss if there is one."""
    with pytest.raises(ConfigError) as refused:
        from_dict(values)

    assert str(refused.value).startswith(message)


@pytest.mark.parametrize("path", ["tau", "neuron", "neuron.taus", "neuron.tau.x", ""])
def test_unknown_paths(path: str) -> None:
    """A path that names no single field is refused."""
    assert f"{path} is not a field of a trial." in refusal(path, 2)


def test_near_miss_of_a_path() -> None:
    """A misspelt path is refused with the nearest one."""
    assert "Did you mean 'neuron.tau'?" in refusal("neuron.taus", 2)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"data.name": "digits", "data.image_size": 9}, "data.image_size must be at most 8 pixels for digits"),
        (
            {"data.name": "digits", "data.train_samples": 1438},
            "data.train_samples must be at most 1437 for digits, got 1438",
        ),
        (
            {"data.name": "digits", "data.test_samples": 361},
            "data.test_samples must be at most 360 for digits, got 361",
        ),
        ({"data.name": "cifar100", "data.validation_samples": 99}, "at least one image per class (100), got 99"),
        (
            {"neuron.temporal_gradient": False, "neuron.reset_gradient": 0.5},
            "neuron.reset_gradient must be 0 when neuron.temporal_gradient is false",
        ),
        ({"loss.name": "cross_entropy", "loss.alpha": 0.1}, "loss.alpha has no effect on loss.name cross_entropy"),
        (
            {"optimiser.epochs": 40, "probes.deficit_epochs": "1,41"},
            "probes.deficit_epochs must be at most 40, the trial's last epoch, got '1,41'",
        ),
        (
            {"data.coding": "poisson", "probes.robustness_epochs": "1"},
            "probes.robustness_epochs must be empty for data.coding poisson",
        ),
        (
            {"timesteps": 4, "probes.deficit_epochs": "1", "probes.deficit_window": 5},
            "probes.deficit_window must be at most timesteps = 4, got 5",
        ),
        (
            {"data.test_samples": 100, "probes.test_images": 101},
            "probes.test_images must be at most the 100 images of the test split, got 101",
        ),
        (
            {"data.name": "digits", "fisher.samples": 100, "probes.test_images": 361},
            "probes.test_images must be at most the 360 images of the test split, got 361",
        ),
        (
            {"fisher.kind": "batch", "fisher.samples": 15},
            "fisher.samples must be at least 16, a batch, when fisher.kind is batch, got 15",
        ),
        ({"fisher.kind": "batch", "fisher.ic_se": 0.1}, "fisher.ic_se must be 0 when fisher.kind is batch"),
        (
            {"fisher.estimator": "signs", "fisher.samples": 15},
            "fisher.samples must be at least 16, a batch, when fisher.estimator is signs, got 15",
        ),
        ({"fisher.estimator": "signs", "fisher.ic_se": 0.1}, "fisher.ic_se must be 0 when fisher.estimator is signs"),
        ({"fisher.draws": 2}, "fisher.draws must be 1 when fisher.estimator is exact, got 2."),
        (
            {"fisher.kind": "batch", "fisher.estimator": "projections"},
            "fisher.estimator must be exact when fisher.kind is batch",
        ),
        (
            {"probes.strengths": "", "probes.robustness_epochs": "1"},
            "probes.strengths must name at least one multiple when probes.robustness_epochs is '1', got ''",
        ),
        ({"timesteps": 4, "pruning.timesteps": 5}, "pruning.timesteps must be at most timesteps = 4, got 5"),
        ({"pruning.suggest": True, "pruning.timesteps": 3}, "pruning.timesteps must be 0 when pruning.suggest is true"),
        ({"pruning.suggest": True, "fisher.every": 0}, "pruning.suggest must be false when fisher.every is 0"),
        (
            {"pruning.weights": "continue", "pruning.rewind_epoch": 1},
            "pruning.rewind_epoch has no effect on pruning.weights continue",
        ),
        (
            {"pruning.weights": "rewind", "pruning.rewind_epoch": 301},
            "pruning.rewind_epoch must be at most optimiser.epochs = 300, got 301",
        ),
    ],
)
def test_fields_that_contradict_each_other(changes: dict[str, object], message: str) -> None:
    """What only holds between fields is checked too, whichever of them is set first."""
    for order in (list(changes.items()), list(reversed(changes.items()))):
        with pytest.raises(ConfigError) as refused:
            replaced(TrialConfig(), dict(order))
        assert message in str(refused.value)


def test_configs_are_frozen() -> None:
    """A config cannot be changed, only replaced."""
    with pytest.raises(dataclasses.FrozenInstanceError):
        TrialConfig().seed = 1  # type: ignore[misc]


def test_image_size_is_native_unless_given() -> None:
    """The size after pooling is that asked for, and the data set's own if none is."""
    assert (32, 16) == (TrialConfig().image_size, TrialConfig(data=DataConfig(image_size=16)).image_size)


def values_of(path: str, rule: Rule) -> st.SearchStrategy[Any]:
    """Return values that the field accepts in any trial on CIFAR-10 with the temporal gradient on.

    Splits hold at least 1,000 images, and at most as many are measured.
    """
    if rule.options:
        return st.just("cifar10") if path == "data.name" else st.sampled_from(rule.options)
    if rule.type is bool:
        return st.just(True)
    if rule.items is not None:
        return st.just("1,2")
    low = rule.at_least if rule.at_least is not None else rule.above
    if path == "fisher.samples":
        low = 16  # a batch of kind batch
    high = 32 if path == "data.image_size" else min(1000 if rule.at_most is None else rule.at_most, 1000)
    if path.startswith("data.") and path.endswith("_samples"):
        return st.just(0) | st.integers(1000, 10_000)
    if rule.type is float:
        return st.floats(low, high, exclude_min=rule.above is not None)
    return st.integers(int(low or 0), int(high))


TOGETHER = (
    {"loss.name": "alpha", "loss.alpha": 0.07},
    {"fisher.kind": "sampled", "fisher.ic_se": 0.02},
    {"fisher.estimator": "projections", "fisher.draws": 4, "fisher.ic_se": 0.02},
    {"fisher.estimator": "signs", "fisher.draws": 4},
    {"probes.deficit_epochs": "1,20,300", "probes.deficit_window": 10, "probes.robustness_epochs": "300"},
    {"pruning.cycles": 5, "pruning.timesteps": 3},
    {"pruning.cycles": 5, "pruning.suggest": True},
    {"pruning.cycles": 5, "pruning.weights": "rewind", "pruning.rewind_epoch": 20},
)
"""Fields that are accepted next to some values of other fields only."""
APART = {path for changes in TOGETHER for path in changes} - {"pruning.cycles", "fisher.kind"}
IMAGE_RULES = {
    path: rule
    for path, rule in RULES.items()
    if path != "task" and path.partition(".")[0] not in {"toy", "sequences", "delays"} and path not in APART
}
CONFIGS = st.fixed_dictionaries({}, optional={path: values_of(path, rule) for path, rule in IMAGE_RULES.items()})


@given(CONFIGS | st.sampled_from(TOGETHER))
def test_round_trips(changes: dict[str, object]) -> None:
    """A config survives plain dicts and flat paths, and carries every change made to it."""
    config = replaced(TrialConfig(), changes)

    assert config == from_dict(to_dict(config))
    assert config == replaced(TrialConfig(), flatten(config))
    assert config == from_dict(to_dict(config, whole=False))
    assert {} == to_dict(TrialConfig(), whole=False)
    assert changes == {path: flatten(config)[path] for path in changes}


def test_flat_and_nested_name_the_same_fields() -> None:
    """Flat paths are the nested names joined by dots, in the order in which they are declared."""
    nested = to_dict(TrialConfig())
    joined = [
        f"{name}.{inner}" if isinstance(value, dict) else name
        for name, value in nested.items()
        for inner in (value if isinstance(value, dict) else [""])
    ]

    assert joined == list(flatten(TrialConfig())) == list(RULES)


@pytest.mark.parametrize(("cycles", "epochs", "last"), [(0, 60, 300), (5, 60, 600), (5, 0, 300), (1, 7, 307)])
def test_the_last_epoch_counts_every_retraining(cycles: int, epochs: int, last: int) -> None:
    """A trial is its first training and then its pruning cycles."""
    config = replaced(TrialConfig(), {"pruning.cycles": cycles, "pruning.epochs": epochs})

    assert last == config.last_epoch


def test_missing_fields_keep_their_defaults() -> None:
    """What a dict leaves out is the default."""
    assert TrialConfig(neuron=NeuronConfig(tau=4.0)) == from_dict({"neuron": {"tau": 4}})


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"device": "gpu"}, "resources.device must be one of auto, cpu, cuda, got 'gpu'. Did you mean 'cpu'?"),
        (
            {"kernels": "cuda"},
            "resources.kernels must be one of auto, plain, compiled, triton, got 'cuda'.",
        ),
        ({"threads": 0}, "resources.threads must be a whole number at least 1, got 0."),
        (
            {"checkpoint_seconds": -1},
            "resources.checkpoint_seconds must be a finite number at least 0 seconds, got -1.",
        ),
    ],
)
def test_resources_are_checked(fields: dict[str, Any], message: str) -> None:
    """Circumstances are refused like science."""
    with pytest.raises(ConfigError) as refused:
        Resources(**fields)

    assert message == str(refused.value)


def test_resources_are_no_science() -> None:
    """No field is both a circumstance and part of a trial."""
    assert not {f.name for f in dataclasses.fields(Resources)} & {path.rpartition(".")[2] for path in RULES}


@pytest.mark.parametrize(
    ("task", "path", "value"),
    [
        ("images", "toy.inputs", 50),
        ("images", "sequences.noise", 0.1),
        ("images", "delays.hidden", 8),
        ("spike_train", "delays.hidden", 8),
        ("xor", "sequences.noise", 0.1),
        ("spike_train", "data.name", "digits"),
        ("spike_train", "optimiser.lr", 0.1),
        ("spike_train", "toy.width", 0.5),
        ("xor", "toy.inputs", 50),
        ("xor", "probes.dynamics_every", 1),
    ],
)
def test_fields_a_task_does_not_read_stay_at_their_defaults(task: str, path: str, value: object) -> None:
    """A field without an effect would be a false column in every table."""
    with pytest.raises(ConfigError, match=rf"^{path} has no effect on task {task}: leave it at .+, got {value!r}\.$"):
        replaced(TrialConfig(), {"task": task, path: value})
