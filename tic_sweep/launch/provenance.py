"""Where numbers come from: the version, commit and packages written beside every trial. The environment never is."""

import platform
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

import tic_sweep

PACKAGES = ("torch", "torchvision", "numpy", "ray", "optuna", "polars", "scikit-learn")


class Software(NamedTuple):
    """What a trial ran with, by the columns of its row; the commit is empty if unknown."""

    version: str
    git_commit: str
    packages: str

    @property
    def parts(self) -> list[str]:
        """The same, one by one, as people read it."""
        commit = [f"commit {self.git_commit}"] if self.git_commit else []
        return [f"tic_sweep {self.version}", *commit, *self.packages.split(", ")]


@dataclass(frozen=True, slots=True)
class Provenance:
    """Fields of `TrialRow` that are the same for every trial of a session."""

    version: str
    git_commit: str
    packages: str
    system: str

    @property
    def software(self) -> Software:
        """What trials run with here."""
        return Software(self.version, self.git_commit, self.packages)


@cache
def provenance() -> Provenance:
    """Return the provenance of this process."""
    return Provenance(tic_sweep.__version__, _git_commit(Path(tic_sweep.__file__).parent), _packages(), _system())


def told_apart(ran: Sequence[Software]) -> str:
    """Say in a line if trials ran with other software than this process has; nothing if none did.

    Resuming is not refused then: who updates on purpose is told, and the rows tell the trials apart.

    Args:
        ran: with what the trials of a folder ran, newest first.
    """
    now = provenance().software
    others = [software for software in ran if software != now]
    if not others:
        return ""
    gone = [part for part in others[0].parts if part not in now.parts]
    new = [part for part in now.parts if part not in others[0].parts]
    told = f"with {', '.join(gone)}" if gone else f"without {', '.join(new)}"
    earlier = f" (and {len(others) - 1} earlier)" if len(others) > 1 else ""
    since = f"; now it is {', '.join(new)}" if gone and new else ""
    columns = "Columns version, git_commit and packages of the table trials tell them apart."
    return f"Trials here ran {told}{earlier}{since}. {columns}"


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
