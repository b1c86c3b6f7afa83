"""What importing a module loads, proven by a fresh interpreter: a linter misses what a parent package pulls in."""

import json
import subprocess
import sys

import pytest

HEAVY = (
    "torch",
    "torchvision",
    "sklearn",
    "ray",
    "wandb",
    "polars",
    "pyarrow",
    "optuna",
    "numpy",
    "plotly",
    "matplotlib",
    "jinja2",
    "rich",
)
LAUNCHING = ("ray", "wandb", "polars", "optuna", "plotly", "matplotlib", "jinja2", "rich", "click")
TRAINING = ("torch", "torchvision", "ray", "wandb", "optuna")

CONTRACT = (
    "tic_sweep",
    "tic_sweep.centroid",
    "tic_sweep.config",
    "tic_sweep.errors",
    "tic_sweep.plan",
    "tic_sweep.racing",
    "tic_sweep.racing.replay",
    "tic_sweep.records",
    "tic_sweep.saving",
    "tic_sweep.space",
    "tic_sweep.sweep",
    "tic_sweep.transition",
)
CORE = (
    "tic_sweep.data",
    "tic_sweep.data.published",
    "tic_sweep.delays",
    "tic_sweep.fisher",
    "tic_sweep.models",
    "tic_sweep.packing",
    "tic_sweep.probes",
    "tic_sweep.pruning",
    "tic_sweep.snn",
    "tic_sweep.streams",
    "tic_sweep.toys",
    "tic_sweep.training",
)
READERS = ("analysis", "analysis.moran", "tic_sweep.store", "sweeps", "sweeps.quickstart", "sweeps.reset_gradient")


@pytest.mark.parametrize(
    ("module", "banned"),
    [(m, HEAVY) for m in CONTRACT] + [(m, LAUNCHING) for m in CORE] + [(m, TRAINING) for m in READERS],
)
def test_importing_stays_light(module: str, banned: tuple[str, ...]) -> None:
    """The contract loads nothing heavy, the core nothing that launches, and what reads results nothing that trains."""
    code = f"import json, sys, {module}; print(json.dumps(sorted({set(banned)!r} & sys.modules.keys())))"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert [] == json.loads(ran.stdout)
