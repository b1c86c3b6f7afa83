"""Where numbers come from: the version, commit and packages written beside every trial. The environment never is."""

import platform
import subprocess
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from pathlib import Path

import tic_sweep

PACKAGES = ("torch", "torchvision", "numpy", "ray", "optuna", "polars", "scikit-learn")


@dataclass(frozen=True, slots=True)
class Provenance:
    """Fields of `TrialRow` that are the same for every trial of a session."""

    version: str
    git_commit: str
    packages: str
    system: str


@cache
def provenance() -> Provenance:
    """Return the provenance of this process."""
    return Provenance(tic_sweep.__version__, _git_commit(Path(tic_sweep.__file__).parent), _packages(), _system())


def _packages() -> str:
    found = [f"python {platform.python_version()}"]
    for name in PACKAGES:
        try:
            found.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            continue
    return ", ".join(found)


def _system() -> str:
    return " ".join(filter(None, (platform.system(), platform.release(), platform.machine())))


def _git_commit(source: Path) -> str:
    """Return the commit of ``source``, with ``+`` if modified; empty if git does not track it.

    A package installed into a virtual environment may lie inside somebody else's repository: then it is not tracked.
    """
    if _git(source, "ls-files", "--error-unmatch", "__init__.py") is None:
        return ""
    commit = _git(source, "rev-parse", "--short=12", "HEAD")
    if commit is None:
        return ""
    return commit + ("+" if _git(source, "status", "--porcelain", "--", ".") else "")


def _git(folder: Path, *arguments: str) -> str | None:
    command = ["git", "-C", str(folder), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)  # noqa: S603 - fixed words
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
