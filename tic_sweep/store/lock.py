"""The lock that lets one process write a results folder at a time."""

import fcntl
import os
import socket
from contextlib import suppress
from pathlib import Path

from tic_sweep.errors import StoreError


class FolderLock:
    """An exclusive lock on a file, given back by `release` or by the end of the process, whatever ended it."""

    def __init__(self, path: Path) -> None:
        """Take the lock and leave this process's name in it.

        Raises:
            StoreError: if another process holds it, or the file system refuses.
        """
        try:
            self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        except OSError as error:
            raise StoreError(f"{path} cannot be written ({error.strerror}): give a place you may write to.") from error
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.read(self._descriptor, 256)
            os.close(self._descriptor)
            raise _taken(path, holder) from error
        except OSError as error:
            os.close(self._descriptor)
            raise StoreError(f"{path} cannot be locked ({error.strerror}): give a folder on a local disk.") from error
        with suppress(OSError):  # the name is for people; the lock holds without it
            os.ftruncate(self._descriptor, 0)
            os.pwrite(self._descriptor, f"process {os.getpid()} on {socket.gethostname()}\n".encode(), 0)

    def release(self) -> None:
        """Give the lock back; the file stays, since removing it would let two processes lock two files."""
        with suppress(OSError):
            os.ftruncate(self._descriptor, 0)
        os.close(self._descriptor)


def refuse_if_held(path: Path) -> None:
    """Refuse a results folder that another process is writing; whoever writes takes its lock all the same.

    Raises:
        StoreError: naming the process.
    """
    if is_held(path):
        raise _taken(path, path.read_bytes()[:256])


def _taken(path: Path, holder: bytes) -> StoreError:
    name = holder.decode(errors="replace").strip() or "another process"
    return StoreError(
        f"results folder {str(path.parent)!r} is being written by {name}: wait for it, stop it, or give another folder."
    )


def is_held(path: Path) -> bool | None:
    """Tell whether a process holds the lock of a results folder; None where the file system does not say.

    A lock that was given back is known by its empty file. Only one with a name in it is tried, shared and for no
    longer than it takes, since its process may have been killed; nothing is written.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return False
    except OSError:
        return None
    try:
        if not os.read(descriptor, 1):
            return False
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return None
    finally:
        os.close(descriptor)
    return False
