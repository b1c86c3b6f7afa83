"""Checkpoints: tensors and plain data in one file, written whole or not at all, and loaded without pickled code.

What a disk has spoilt is never trained on: every part of a checkpoint carries a checksum, which is compared before
anything is loaded.
"""

import hashlib
import io
import os
import pickle
import struct
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

_TORN = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, NotImplementedError, RuntimeError, ValueError)
"""What reading a zip archive raises whose bytes are not what they were; `NotImplementedError` for a spoilt method."""


class DamagedCheckpointError(Exception):
    """A checkpoint is cut short, spoilt, or another trial's."""


def save_checkpoint(path: Path, state: Mapping[str, Any]) -> None:
    """Write ``state`` under a temporary name beside ``path`` and rename it, so that a file that exists is whole.

    Raises:
        OSError: if the disk is full or refuses; what ``path`` held before stays.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    content = io.BytesIO()
    torch.save(dict(state), content)
    try:
        with part.open("wb") as file:
            file.write(content.getbuffer())
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def load_checkpoint(path: Path, key: str = "") -> dict[str, Any]:
    """Return what `save_checkpoint` wrote, on the CPU; refuses anything but tensors and plain data.

    Args:
        path: where.
        key: of the trial whose checkpoint it must be; empty takes anybody's.

    Raises:
        DamagedCheckpointError: if a byte that matters is not what it was when it was written, or it is another trial's
            or no checkpoint at all; nothing of it has been run.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            spoilt = archive.testzip()
    except OSError as error:
        raise DamagedCheckpointError(f"it cannot be read: {error.strerror or error}") from error
    except _TORN as error:
        raise DamagedCheckpointError(str(error).splitlines()[0] if str(error) else type(error).__name__) from error
    if spoilt is not None:
        raise DamagedCheckpointError(f"{spoilt.rpartition('/')[2]} in it does not match its checksum")
    state = _loaded(path)
    if not isinstance(state, dict) or not all(isinstance(name, str) for name in state):
        raise DamagedCheckpointError("it holds no training state")
    if key and state.get("key", key) != key:
        raise DamagedCheckpointError(f"it is that of trial {state['key']}")
    return state


def epoch_in(path: Path) -> int:
    """Return the last epoch that a checkpoint covers; -1 if it says none, or is damaged, which its trial will find."""
    try:
        epoch = load_checkpoint(path).get("epoch", -1)
    except DamagedCheckpointError:
        return -1
    return epoch if isinstance(epoch, int) else -1


def _loaded(path: Path) -> Any:
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise DamagedCheckpointError("it holds more than tensors and plain data") from error
    except (RuntimeError, ValueError, EOFError) as error:  # its directory names what it does not hold
        raise DamagedCheckpointError(str(error).splitlines()[0]) from error


def set_aside(path: Path) -> Path:
    """Rename a damaged checkpoint, so that nothing takes it for one, and return where it lies."""
    aside = path.with_name(f"{path.name}.damaged")
    path.replace(aside)
    return aside


def weights_digest(state: Mapping[str, Tensor]) -> str:
    """Return a hash of parameters and buffers, by which two trials' weights can be compared bit for bit."""
    digest = hashlib.blake2b(digest_size=8)
    for name in sorted(state):
        digest.update(name.encode())
        digest.update(state[name].detach().cpu().contiguous().view(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()
