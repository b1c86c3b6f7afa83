"""Sweeps: found by name or by file, and refused in one line."""

from pathlib import Path
from typing import Any

import pytest

import sweeps
from tic_sweep.config import TrialConfig, replaced
from tic_sweep.errors import ConfigError, SweepError, UserError
from tic_sweep.plan import plan
from tic_sweep.space import Choice, Grid
from tic_sweep.sweep import OBJECTIVES, Scale, Sweep, load_sweep, sweep_names, telling_fields, varied_fields

GOOD = '''"""Does it load?"""
from tic_sweep.config import TrialConfig
from tic_sweep.sweep import Scale, Sweep

SWEEP = Sweep(name="mine", question="Does it load?", laptop=Scale(base=TrialConfig()))
'''


def refusal(name_or_file: str | Path) -> str:
    """Return the one line with which a sweep is refused."""
    with pytest.raises(UserError) as refused:
        load_sweep(str(name_or_file))
    assert "\n" not in str(refused.value)
    return str(refused.value)


@pytest.mark.parametrize("name", sweep_names())
def test_built_in_sweeps(name: str) -> None:
    """Each built-in sweep opens with its question, is named like its file, and plans at every scale."""
    sweep, text = load_sweep(name)

    assert name == sweep.name
    assert sweep.question.endswith("?")
    assert text.startswith(f'"""{sweep.question}')
    for scale in sweep.scales.values():
        assert scale.searcher != "random" or plan(scale, sweep_name=name)


def test_built_in_sweeps_are_the_files_of_the_package() -> None:
    """Adding a file adds a sweep, unless its name begins with an underscore."""
    files = sorted(path.stem for path in Path(sweeps.__path__[0]).glob("*.py") if not path.stem.startswith("_"))

    assert files == sweep_names()
    assert {"quickstart", "learning_rate"} <= set(files)


def test_a_file_of_the_user(tmp_path: Path) -> None:
    """A path ending in .py is a sweep of the user's own; its text comes with it."""
    (tmp_path / "mine.py").write_text(GOOD)

    sweep, text = load_sweep(str(tmp_path / "mine.py"))

    assert ("mine", GOOD) == (sweep.name, text)


def test_unknown_name() -> None:
    """An unknown name is refused with the nearest one."""
    assert refusal("quickstar").startswith("there is no sweep 'quickstar'. Did you mean 'quickstart'? `tic-sweep list`")
    assert refusal("xyzzy").startswith("there is no sweep 'xyzzy'. `tic-sweep list`")


def test_missing_file(tmp_path: Path) -> None:
    """A file that is not there, or is a folder, is named."""
    (tmp_path / "folder.py").mkdir()

    for name in ("nothing.py", "folder.py"):
        assert refusal(tmp_path / name).startswith(f"sweep file '{tmp_path / name}' does not exist: ")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x = 1\ny = (\n", "mine.py, line 2: SyntaxError: "),
        ("x = 1\n\nraise ValueError('two\\nlines')\n", "mine.py, line 3: ValueError: two lines. Mend the sweep file."),
        ("import nothing_like_it\n", "mine.py, line 1: ModuleNotFoundError: No module named 'nothing_like_it'."),
        ("def f():\n    return 1 / 0\n\nf()\n", "mine.py, line 2: ZeroDivisionError: division by zero."),
        (
            GOOD.replace("TrialConfig()", "TrialConfig(seed=-1)"),
            "mine.py, line 5: seed must be a whole number at least 0,",
        ),
        (GOOD.replace('"mine"', '"a b"'), "mine.py, line 5: name must be letters, digits, '_' and '-' only "),
        ("", "mine.py must declare SWEEP = Sweep(...), got NoneType."),
        ("raise SystemExit(0)\n", "mine.py, line 1: SystemExit: 0."),
        (
            GOOD.replace("laptop=Scale(base=TrialConfig())", "laptop=3"),
            "mine.py, line 5: laptop must be a Scale, got int.",
        ),
        ("SWEEP = 3\n", "mine.py must declare SWEEP = Sweep(...), got int."),
    ],
)
def test_broken_file(text: str, expected: str, tmp_path: Path) -> None:
    """A mistake in a user's file is one line with the file, the line number and the reason."""
    (tmp_path / "mine.py").write_text(text)

    assert refusal(tmp_path / "mine.py").startswith(expected)


def test_scales_by_name() -> None:
    """The laptop's scale comes first; a scale that is not there is refused with those that are."""
    small, large = Scale(base=TrialConfig()), Scale(base=TrialConfig(), seeds=(1, 2))
    both = Sweep(name="x", question="?", laptop=small, paper=large)

    assert [("laptop", small), ("laptop", small), ("paper", large)] == [both.at(s) for s in (None, "laptop", "paper")]
    assert ("paper", large) == Sweep(name="x", question="?", paper=large).at(None)
    with pytest.raises(SweepError, match=r"--scale must be one of paper for sweep 'x', got 'laptop'\."):
        Sweep(name="x", question="?", paper=large).at("laptop")


@pytest.mark.parametrize("name", ["", "a b", "../x", "-x", "a.b", "x\n"])
def test_names_are_folder_names(name: str) -> None:
    """A sweep's name may name a folder and nothing else."""
    with pytest.raises(SweepError, match="name must be letters, digits"):
        Sweep(name=name, question="?", laptop=Scale(base=TrialConfig()))


def test_a_sweep_needs_a_scale() -> None:
    """A question without trials is no sweep."""
    with pytest.raises(SweepError, match="sweep 'x' has neither a laptop nor a paper scale"):
        Sweep(name="x", question="?")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"seeds": ()}, "seeds must name at least one seed, got none."),
        ({"seeds": (1, 2, 1)}, "seeds must differ from each other, got (1, 2, 1)."),
        ({"seeds": (1, 1.0)}, "seeds must differ from each other, got (1, 1)."),
        ({"seeds": (0, -1)}, "seed must be a whole number at least 0, got -1."),
        ({"base": {}}, "base must be a TrialConfig, got {}."),
        ({"seeds": range(10**9)}, "seeds must be at most 100000, got more."),
        ({"seeds": 3}, "seeds must be a sequence of whole numbers, got 3."),
        ({"seeds": "12"}, "seeds must be a sequence of whole numbers, got '12'."),
        ({"space": {"seed": Grid((1, 2))}}, "seed is not allowed in the space: give the seeds as `seeds`."),
        ({"space": {"images": Grid(({"seed": 1},))}}, "seed is not allowed in the space: give the seeds as `seeds`."),
        ({"space": {"neuron.tau": 2}}, "space['neuron.tau'] must be a Grid, "),
        ({"searcher": "grid"}, "searcher must be one of random, tpe, got 'grid'."),
        ({"objective": "accuracy"}, "objective must be one of val_acc, "),
        ({"samples": 3}, "samples must be 0 when the space is all grids, got 3: every point is run."),
        ({"samples": 2.5}, "samples must be a whole number, got 2.5."),
        ({"samples": "3"}, "samples must be a whole number, got '3'."),
        ({"space": {"timesteps": Choice((1, 2))}}, "samples must be at least 1 when the space draws at random, got 0."),
        ({"searcher": "tpe"}, "searcher 'tpe' needs something to search: "),
    ],
)
def test_scales_refuse_nonsense(fields: dict[str, Any], message: str) -> None:
    """Seeds, samples, searcher and objective are checked by name and value, and against each other."""
    with pytest.raises(ConfigError) as refused:
        Scale(**({"base": TrialConfig()} | fields))

    assert message in str(refused.value)


def test_objectives_have_a_direction() -> None:
    """A searcher knows whether more is better."""
    assert {"max", "min"} == set(OBJECTIVES.values())


def test_varied_fields() -> None:
    """Of some trials, it is told in which fields they differ, the seed aside."""
    configs = [replaced(TrialConfig(), {"neuron.tau": tau, "seed": seed}) for tau in (2, 4) for seed in (0, 1)]

    assert ("neuron.tau",) == varied_fields(configs)
    assert () == varied_fields([])


def test_telling_fields() -> None:
    """A field that follows from those before it tells nothing more."""
    pictures = ({"data.name": "cifar10", "data.image_size": 16}, {"data.name": "svhn", "data.image_size": 8})
    configs = [replaced(TrialConfig(), {**images, "neuron.tau": tau}) for images in pictures for tau in (2, 4)]

    assert ("data.name", "neuron.tau") == telling_fields(configs, varied_fields(configs))
