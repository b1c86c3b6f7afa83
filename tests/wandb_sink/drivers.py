"""Starting processes that use W&B: drivers that mirror, and its own ``wandb sync``."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from wandb_sink.wandb_server import KEY

ROOT = Path(__file__).parents[2]
FAKE = Path(__file__).parent / "mirror_fake_trials.py"


def environment(home: Path, url: str, **more: str) -> dict[str, str]:
    """Return an environment with a well-formed key for a server, and a home without settings or keys."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("WANDB_", "RAY_"))}
    own = {"HOME": str(home), "WANDB_API_KEY": KEY, "WANDB_BASE_URL": url, "PYTHONWARNINGS": "ignore"}
    own |= {"WANDB_ERROR_REPORTING": "false", "PYTHONPATH": str(ROOT), "COLUMNS": "300"}
    return kept | own | more


def finished(*command: Any, home: Path, url: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end, in a home of its own."""
    return subprocess.run(
        [str(word) for word in command], env=environment(home, url, **more), cwd=home, capture_output=True, text=True,
        check=False, timeout=180,
    )  # fmt: skip


def sync(folder: Path, *, home: Path, url: str) -> subprocess.CompletedProcess[str]:
    """Upload a results folder's runs with W&B's own command."""
    return finished(Path(sys.executable).with_name("wandb"), "sync", "--yes", folder / "wandb", home=home, url=url)
