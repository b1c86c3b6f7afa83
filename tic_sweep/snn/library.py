"""`kernels.c` compiled for this machine's processor, once: the library stays in the user's cache for later processes.

It is plain C without headers of Python or torch, so that any C compiler takes it, in a second or two. Processes that
start together may each compile it; each renames a whole file into place, so that what is loaded is whole.
"""

import ctypes
import hashlib
import os
import platform
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

import torch

SOURCE = Path(__file__).with_name("kernels.c")
FLAGS = (
    "-O3", "-march=native", "-ffp-contract=off", "-fno-math-errno", "-fno-trapping-math", "-fPIC", "-shared",
)  # fmt: skip
"""No flag that reorders or joins operations: the order of the charge is part of the definition of a neuron."""
CACHE = "TIC_SWEEP_CACHE"
"""Environment variable that names the folder of the cache; else it lies with the user's other caches."""


class NotCompiledError(Exception):
    """The library cannot be had on this machine; the message says why, in one line."""


@cache
def library() -> ctypes.CDLL:
    """Return the library, compiled now if this machine has not compiled it yet.

    Raises:
        NotCompiledError: if there is no compiler, or it fails.
    """
    compiler = os.environ.get("CC") or next(filter(None, map(shutil.which, ("cc", "gcc", "clang"))), None)
    if compiler is None:
        raise NotCompiledError("no C compiler (cc, gcc or clang) was found")
    flags = [*FLAGS, *(["-DJOINED"] if _torch_joins() else [])]
    try:
        name = f"{_name(compiler, flags)}.so"
        try:
            path = cache_folder() / name
            if not path.is_file():
                _compile(compiler, flags, path)
            return ctypes.CDLL(str(path))
        except (OSError, RuntimeError):  # no place for a cache, or no home folder to have it in: for this process alone
            with tempfile.TemporaryDirectory(prefix="tic_sweep-kernels-") as folder:
                _compile(compiler, flags, Path(folder) / name)
                return ctypes.CDLL(str(Path(folder) / name))
    except (OSError, subprocess.SubprocessError) as error:
        raise NotCompiledError(f"{compiler} could not compile them: {_told(error)}") from None


def cache_folder() -> Path:
    """Return where compiled libraries are kept; it may be removed at any time."""
    chosen = os.environ.get(CACHE)
    base = Path(chosen) if chosen else Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache") / "tic_sweep"
    return base.expanduser().absolute() / "kernels"


def _name(compiler: str, flags: list[str]) -> str:
    """Name a library by all that decides what is in it: source, flags, compiler and processor."""
    version = subprocess.run([compiler, "--version"], capture_output=True, check=True, timeout=60).stdout  # noqa: S603 - the user's own compiler
    digest = hashlib.blake2b(SOURCE.read_bytes(), digest_size=8)
    for part in (" ".join(flags).encode(), version, _processor().encode()):
        digest.update(b"\0" + part)
    return f"neurons-{digest.hexdigest()}"


def _processor() -> str:
    """Return what tells processors apart that differ in their instructions."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return f"{platform.machine()} {platform.processor()}"
    kinds = ("model name", "flags", "Features", "CPU part")
    return platform.machine() + "".join(sorted({line for line in lines if line.startswith(kinds)}))


def _compile(compiler: str, flags: list[str], path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        part = Path(folder) / path.name
        command = [compiler, *flags, "-o", str(part), str(SOURCE), "-lm"]
        subprocess.run(command, capture_output=True, check=True, timeout=300)  # noqa: S603 - fixed words
        part.replace(path)


def _torch_joins() -> bool:
    """Tell whether torch's own kernels join a product and a sum into one rounding, which its build decides."""
    a = torch.full((64,), 1 + 2.0**-12)
    return bool(torch.addcmul(-(a * a), a, a).any())


def _told(error: Exception) -> str:
    said = getattr(error, "stderr", None)
    lines = said.decode(errors="replace").splitlines() if said else str(error).splitlines()
    return lines[0] if lines else type(error).__name__
