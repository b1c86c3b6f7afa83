"""Seals: a checksum of a Parquet file inside it, between its data and its footer, where readers of Parquet never look.

Parquet's own checksums of pages are optional and not written here; without the seal a spoilt byte could be a number.
"""

import os
import zlib
from pathlib import Path
from typing import BinaryIO

MARK = b"tic_sweep.crc32="
_TAIL = 8
"""Bytes at the end of a Parquet file: the length of its footer, then its magic word."""
_SEAL = len(MARK) + 4
_CHUNK = 2**22


def sealed(content: bytes) -> bytes:
    """Return the content of a Parquet file with its seal."""
    end = len(content) - _TAIL - int.from_bytes(content[-_TAIL:-4], "little")
    data, footer = memoryview(content)[:end], memoryview(content)[end:]
    return b"".join((data, MARK, zlib.crc32(footer, zlib.crc32(data)).to_bytes(4, "little"), footer))


def is_intact(path: Path) -> bool | None:
    """Tell whether a file is what was sealed; None if it has no seal, as those of older versions.

    Raises:
        OSError: if it cannot be read.
    """
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        if size < _TAIL + _SEAL:
            return None
        file.seek(size - _TAIL)
        end = size - _TAIL - int.from_bytes(file.read(4), "little")
        if end < _SEAL:
            return None
        file.seek(end - _SEAL)
        mark, told = file.read(len(MARK)), file.read(4)
        if mark != MARK:
            return None
        file.seek(0)
        found = _checksum(file, end - _SEAL)
        file.seek(end)
        return _checksum(file, size - end, found).to_bytes(4, "little") == told


def _checksum(file: BinaryIO, count: int, before: int = 0) -> int:
    """Return the checksum of the next bytes of a file, continuing one."""
    while count and (chunk := file.read(min(count, _CHUNK))):
        before = zlib.crc32(chunk, before)
        count -= len(chunk)
    return before
