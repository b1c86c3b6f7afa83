"""Which kernels run the neurons: the plain path of torch operations, or one that does all timesteps at once.

    plain      `neuron.py` and `norm.py` as they stand, on every device and in every precision: the definition
    compiled   C for CPUs, in float32 (`kernels.c`): the plain path's numbers, bit for bit but for the sigmoid surrogate
    triton     Triton for CUDA, in float32 and half precision (`triton_kernels.py`): the plain path's to rounding

``auto`` is compiled on a CPU and triton on a GPU where the machine can, else plain. What a process runs is set for the
length of a context, and each backward pass keeps to the kernels of its forward pass.
"""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from types import ModuleType

import torch
from torch import Tensor

from tic_sweep.errors import ResourceError
from tic_sweep.snn import compiled
from tic_sweep.snn.library import NotCompiledError, library

HALF_AND_FULL = (torch.float32, torch.bfloat16, torch.float16)
_RUNNING: ContextVar[str] = ContextVar("kernels", default="plain")


@contextmanager
def running(kernels: str) -> Iterator[None]:
    """Run neurons by the kernels of a name that `choose` returned, while the context lasts."""
    token = _RUNNING.set(kernels)
    try:
        yield
    finally:
        _RUNNING.reset(token)


def choose(wish: str, device: torch.device) -> str:
    """Return the name of the kernels that a wish comes to on a device; ``auto`` can always be had.

    Raises:
        ResourceError: if a wish other than ``auto`` cannot be had.
    """
    fastest = _fastest(device)
    if wish == "auto":
        return "plain" if why_plain(device) else fastest
    if wish != "plain":
        if wish != fastest and not (wish == "triton" and _is_interpreted()):
            raise ResourceError(f"resources.kernels {wish!r} do not run on a {device.type} device: leave it at 'auto'.")
        if reason := _lacking(wish):
            raise ResourceError(f"resources.kernels {wish!r} cannot run here: {reason}; leave it at 'auto'.")
    return wish


def why_plain(device: torch.device) -> str:
    """Return why ``auto`` comes to the plain path on a device, in one line; nothing if it does not."""
    return _lacking(_fastest(device))


def kernels_for(x: Tensor) -> ModuleType | None:
    """Return the running kernels if they take a tensor of this device and type; None stands for the plain path."""
    match _RUNNING.get():
        case "compiled" if x.device.type == "cpu" and x.dtype == torch.float32:
            return compiled
        case "triton" if x.dtype in HALF_AND_FULL and (x.device.type == "cuda" or _is_interpreted()):
            from tic_sweep.snn import triton_kernels

            return triton_kernels
    return None


def _fastest(device: torch.device) -> str:
    return "triton" if device.type == "cuda" else "compiled"


def _lacking(kernels: str) -> str:
    """Return what kernels lack on this machine; what is compiled once is compiled by this."""
    try:
        if kernels == "compiled":
            library()
        else:
            from tic_sweep.snn import triton_kernels  # noqa: F401 - what is asked is whether it can be imported

            if torch.cuda.is_available() and not _is_interpreted():
                _start_triton()
    except (NotCompiledError, ImportError) as error:
        return str(error)
    return ""


def _start_triton() -> None:
    """Let Triton compile what it launches kernels by, as its first launch would: for that it needs a C compiler.

    Raises:
        NotCompiledError: with what it lacks.
    """
    from triton.runtime import driver

    try:
        driver.active.get_current_target  # noqa: B018 - the driver is made by looking at it; calling would use the GPU
    except (RuntimeError, OSError, subprocess.CalledProcessError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise NotCompiledError(f"Triton could not start ({reason})") from error


def _is_interpreted() -> bool:
    """Tell whether Triton runs its kernels on the CPU, one operation at a time, as tests do where there is no GPU."""
    return os.environ.get("TRITON_INTERPRET") == "1"
