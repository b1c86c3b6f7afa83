"""`Client`: the one place that imports wandb. It opens and ends runs, online while W&B answers, else offline."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tic_sweep.errors import ResourceError
from tic_sweep.store import ResultsFolder
from tic_sweep.wandb_sink.naming import RunSpec
from tic_sweep.wandb_sink.values import Entry, Spread, Value

if TYPE_CHECKING:
    import wandb

PROJECT = "tic_sweep"
INIT_SECONDS = 10.0
"""How long W&B may take to open a run."""
FINISH_SECONDS = 15.0
"""How long W&B may take to receive what a run still has to send when it ends."""
FAILURES = 2
"""Failures in a row after which W&B is not asked again: a thousand trials must not wait for it one by one."""


class NotTakenError(Exception):
    """W&B does not take a run; it can be written offline once `Client.fall_back` has been called."""


@dataclass(slots=True, kw_only=True)
class Client:
    """Opens runs in a results folder.

    When W&B has not taken `FAILURES` runs in a row, all further ones are written offline, so that nothing is lost:
    ``wandb sync`` uploads them whenever W&B can be reached.
    """

    folder: ResultsFolder
    mode: str
    """offline or online; it falls to offline when W&B cannot be reached."""
    project: str | None = None
    entity: str | None = None
    unsent: int = 0
    """Runs that W&B took, but not to their end."""
    offline: int = 0
    """Runs written offline, wanted or not."""
    reason: str = ""
    """Why W&B did not take the first run that it did not take; empty if it took all, or was not asked."""
    _failures: int = field(default=0, init=False)

    def open(self, spec: RunSpec) -> "wandb.Run":
        """Open a run.

        Raises:
            NotTakenError: if W&B does not take it.
            Exception: whatever wandb raises when not even an offline run can be written.
        """
        if self.mode == "online":
            try:
                return self._init(spec, "online")
            except Exception as error:  # there are many ways not to reach W&B
                self._failed(error)
                raise NotTakenError from error
        run = self._init(spec, "offline")
        self.offline += 1
        return run

    def fall_back(self) -> None:
        """Write all further runs offline, also those that W&B has not taken; no run may be open.

        W&B's own process goes on trying to open such a run and refuses its id meanwhile, so it has to end.
        """
        imported().teardown()
        self.mode = "offline"

    def finish(self, run: "wandb.Run", exit_code: int = 0) -> None:
        """End a run; one that W&B does not take to its end is left on the disk, whole."""
        if run.offline:
            run.finish(exit_code=exit_code)
            return
        try:
            run.finish(exit_code=exit_code)
            self._failures = 0
        except TimeoutError as error:
            self.unsent += 1
            self._failed(error)

    @property
    def upload(self) -> str:
        """The command that uploads what lies in the folder."""
        online = "--include-online " if self.unsent else ""
        return f"wandb sync --yes {online}{shown(self.folder.wandb)}"

    @property
    def told(self) -> str:
        """What became of runs that W&B did not take, in one line; empty if it took all, or was not asked."""
        if not self.reason:
            return ""
        kept = _runs(self.offline + self.unsent)
        return f"W&B did not take {kept} ({self.reason}); upload what was kept with: {self.upload}"

    @property
    def waiting(self) -> str:
        """How many runs wait to be uploaded, in one line; empty if there are none."""
        return f"W&B: {_runs(self.offline)} kept offline; upload with: {self.upload}" if self.offline else ""

    def _init(self, spec: RunSpec, mode: str) -> "wandb.Run":
        wandb = imported()
        self.folder.wandb.mkdir(parents=True, exist_ok=True)
        run = wandb.init(
            project=self.project or os.environ.get("WANDB_PROJECT") or PROJECT,
            entity=self.entity,
            group=spec.group,
            job_type=spec.job_type,
            id=spec.id,
            name=spec.name,
            tags=spec.tags,
            notes=spec.notes,
            config=spec.config,
            mode="online" if mode == "online" else "offline",
            dir=str(self.folder.root),
            resume="allow" if mode == "online" and spec.continued else None,
            reinit="create_new",
            settings=wandb.Settings(
                silent=True, console="off", disable_git=True, save_code=False, use_dot_wandb=False,
                init_timeout=INIT_SECONDS, finish_timeout=FINISH_SECONDS, finish_timeout_raises=True,
                x_disable_stats=True, x_disable_machine_info=True, x_disable_meta=True, x_save_requirements=False,
            ),
        )  # fmt: skip
        if spec.job_type == "trial":
            run.define_metric("epoch")
            run.define_metric("*", step_metric="epoch")
            run.define_metric("toy/*", step_metric="update")
        return run

    def _failed(self, error: Exception) -> None:
        self._failures += 1
        self.reason = self.reason or one_line(error)
        if self._failures >= FAILURES:
            self.mode = "offline"


def log(run: "wandb.Run", entry: Entry) -> None:
    """Log what a run says at one step."""
    run.log({name: _native(value) for name, value in entry.values.items()}, step=entry.step, commit=True)


def summarise(run: "wandb.Run", values: Mapping[str, Any]) -> None:
    """Set values of a run's summary."""
    for name, value in values.items():
        run.summary[name] = value


def imported() -> Any:
    """Return wandb, told to be quiet: no output, no prompt, no reports about itself.

    Raises:
        ResourceError: if it is not installed or broken.
    """
    os.environ.setdefault("WANDB_ERROR_REPORTING", "false")  # else its process reports, and says so on the terminal
    try:
        import wandb

        wandb.setup(wandb.Settings(silent=True))  # also: never ask for a key, in a thread nobody looks at
    except Exception as error:
        raise ResourceError(f"wandb cannot be used ({one_line(error)}): install it anew, or leave W&B off.") from error
    return wandb


@contextmanager
def staging_in(folder: Path) -> Iterator[None]:
    """Let W&B keep what it stages for an upload beside its run folders, not in the user's home."""
    before = os.environ.get("WANDB_DATA_DIR")
    os.environ["WANDB_DATA_DIR"] = before or str(folder / "staged")
    try:
        yield
    finally:
        if before is None:
            del os.environ["WANDB_DATA_DIR"]


def one_line(error: BaseException) -> str:
    """Return an error as one line in which no key stands."""
    text = f"{type(error).__name__}: {error}".splitlines()[0]
    key = os.environ.get("WANDB_API_KEY")
    return text.replace(key, "***") if key else text


def shown(path: Path) -> str:
    """Return a path as short as it can be said from here."""
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


def _runs(count: int) -> str:
    return f"{count} run{'' if count == 1 else 's'}"


def _native(value: Value) -> Any:
    if not isinstance(value, Spread):
        return value
    import numpy as np
    import wandb

    return wandb.Histogram(np_histogram=(np.array(value.shares), np.array(value.edges)))
