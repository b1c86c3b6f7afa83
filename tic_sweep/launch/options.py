"""What a launch was asked to do: `Request` is the science asked for, `Options` the circumstance it runs in."""

import dataclasses
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tic_sweep.config import Resources
from tic_sweep.errors import ResourceError
from tic_sweep.store.addresses import Address, local_path, refuse_url
from tic_sweep.sweep import Sweep

SMALLEST_SHARE = 0.01
"""Of a GPU: more than a hundred processes on one do not even fit its memory."""
WANDB_MODES = ("off", "offline", "online")
WANDB_VARIABLE = "TIC_SWEEP_WANDB"
"""Environment variable that says how to mirror where nothing else does."""


@dataclass(frozen=True, kw_only=True)
class Request:
    """Which sweep at which scale, with which of its fields, seeds, samples and race changed."""

    sweep: str | Sweep
    """Built-in name, path of a file, or the sweep itself."""
    scale: str | None = None
    changes: Mapping[str, Any] = field(default_factory=dict)
    seeds: tuple[int, ...] | None = None
    samples: int | None = None
    race: Mapping[str, Any] = field(default_factory=dict)
    """Those of scheduler, budget, holdout and grace that are other than the scale's."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """How and where trials run. Nothing here may change a number in the results beyond rounding."""

    data: Path | None = None
    download: bool = False
    resources: Resources = field(default_factory=Resources)
    address: str | None = None
    """``auto`` or ``host:port`` of a Ray cluster; None starts Ray on this machine."""
    cpus: int | None = None
    """CPUs to use of this machine; None is all."""
    cpus_per_trial: int = 1
    gpus_per_trial: float = 0.0
    pack: int = 1
    """Trials that share a process and what is given to a trial, at most; see `tic_sweep.launch.packing`."""
    max_concurrent: int | None = None
    retries: int = 2
    """How often a trial that died is started again, from its last checkpoint."""
    epoch_seconds: float | None = None
    """A trial that tells nothing for so long is taken to hang, and its worker is killed; None is for ever."""
    in_process: bool = False
    wandb: str = field(default_factory=lambda: os.environ.get(WANDB_VARIABLE) or "offline")
    """off, offline or online; what `WANDB_VARIABLE` says, else offline."""
    rerun: bool = False
    stop_after: float | None = None
    """Seconds after which a session ends as if by Ctrl-C; None is no limit."""
    storage: Path | str | None = None
    """A folder that all nodes see, or the URL of an object store, for the checkpoints; None is the results folder."""

    def __post_init__(self) -> None:
        """Refuse numbers that make no sense on any machine, and wishes that contradict each other."""
        if self.wandb not in WANDB_MODES:
            raise ResourceError(f"--wandb must be one of {', '.join(WANDB_MODES)}, got {self.wandb!r}.")
        self._check_share()
        self._check_numbers()
        self._check_devices()
        if self.data is not None:
            refuse_url(self.data, "--data")
        place = None  # a URL that is none, or holds a secret, is refused here
        if self.storage is not None and local_path(self.storage) is None:
            place = Address.parse(self.storage).name
        if self.in_process:
            self._check_in_process(place)

    def _check_share(self) -> None:
        share = self.gpus_per_trial
        if not (math.isfinite(share) and share >= 0):
            raise ResourceError(f"--gpus-per-trial must be a finite number at least 0, got {share!r}.")
        if share > 1 and share != int(share):
            raise ResourceError(f"--gpus-per-trial must be a fraction up to 1 or a whole number, got {share!r}.")
        if 0 < share < SMALLEST_SHARE or round(share, 4) != share:
            raise ResourceError(
                f"--gpus-per-trial must be 0, or at least {SMALLEST_SHARE:g} with four decimals at most, which is how "
                f"Ray counts GPUs, got {share!r}."
            )

    def _check_numbers(self) -> None:
        for flag, value in (
            ("cpus", self.cpus),
            ("cpus-per-trial", self.cpus_per_trial),
            ("max-concurrent", self.max_concurrent),
            ("pack", self.pack),
        ):
            if value is not None and value < 1:
                raise ResourceError(f"--{flag} must be at least 1, got {value}.")
        if self.retries < 0:
            raise ResourceError(f"--retries must be at least 0, got {self.retries}.")
        for flag, seconds in (("epoch-seconds", self.epoch_seconds), ("stop-after", self.stop_after)):
            if seconds is not None and not (math.isfinite(seconds) and seconds > 0):
                raise ResourceError(f"--{flag} must be a finite number of seconds greater than 0, got {seconds!r}.")

    def _check_devices(self) -> None:
        device, kernels, share = self.resources.device, self.resources.kernels, self.gpus_per_trial
        if share and device == "cpu":
            raise ResourceError(f"--gpus-per-trial {share:g} contradicts --device cpu: leave one of them out.")
        if share and kernels == "compiled":
            raise ResourceError(f"--kernels compiled runs on CPUs and contradicts --gpus-per-trial {share:g}.")
        if share or self.in_process:
            return
        for wished, wish in ((device == "cuda", "--device cuda"), (kernels == "triton", "--kernels triton")):
            if wished:
                raise ResourceError(f"{wish} needs a share of a GPU: add --gpus-per-trial, for example 1 or 0.5.")

    def _check_in_process(self, store: str | None) -> None:
        """Refuse what needs Ray, or workers of their own; ``store`` is the object store that was asked for."""
        secret = "@" in (self.address or "")  # what stands before an @ may be one
        address = "--address" if secret else f"--address {self.address}"
        contradicting = (
            (bool(self.address), f"--in-process runs without Ray and contradicts {address}"),
            (
                self.epoch_seconds is not None,
                f"--epoch-seconds {self.epoch_seconds or 0:g} needs workers of their own and contradicts --in-process",
            ),
            (store is not None, f"--in-process keeps checkpoints in a folder, and --storage {store} is none"),
        )
        for wished, told in contradicting:
            if wished:
                raise ResourceError(f"{told}: leave one out.")

    @property
    def trial_resources(self) -> Resources:
        """What one trial may use: as many threads as it has CPUs, and a GPU only if it was given a share of one."""
        device = self.resources.device
        if not self.in_process:
            device = "cuda" if self.gpus_per_trial else "cpu"
        return dataclasses.replace(self.resources, threads=self.cpus_per_trial, device=device)
