"""Where numbers come from: the version, commit and packages written beside every trial. The environment never is."""

import platform
import subprocess
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cache
from importlib import metadata
from pathlib import Path

import polars as pl

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


def told_apart(trials: pl.LazyFrame) -> str:
    """Say in a line if trials of these rows have run with other software than this process has; nothing if none has.

    Resuming is not refused then: who updates on purpose is told, and the rows tell the trials apart.
    """
    now = asdict(provenance())
    names = ("version", "git_commit", "packages")
    other = pl.any_horizontal(pl.col(name).fill_null("").ne_missing(now[name]) for name in names)
    found = trials.filter(pl.col("status") != "planned", pl.col("version").fill_null("") != "", other)
    rows = found.group_by(names).agg(pl.col("session").max()).sort("session", descending=True).collect().rows()
    if not rows:
        return ""
    then, here = (_parts(dict(zip(names, row, strict=False))) for row in (rows[0], [now[name] for name in names]))
    before, since = ([p for p in one if p not in other] for one, other in ((then, here), (here, then)))
    told = f"Trials here ran with {', '.join(before)}" if before else f"Trials here ran without {', '.join(since)}"
    others = f" (and {len(rows) - 1} earlier)" if len(rows) > 1 else ""
    now_it_is = f"; now it is {', '.join(since)}" if before and since else ""
    return f"{told}{others}{now_it_is}. Columns version, git_commit and packages of the table trials tell them apart."


def _parts(told: Mapping[str, str]) -> list[str]:
    """Return what software there is, one by one."""
    commit = told["git_commit"] or ""
    return [
        f"tic_sweep {told['version']}", *([f"commit {commit}"] if commit else []),
        *filter(None, (told["packages"] or "").split(", ")),
    ]  # fmt: skip


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
