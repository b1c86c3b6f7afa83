"""Reading what W&B's client wrote: its data file, record by record: the client has no reader of its own any more."""

import json
import struct
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

BLOCK = 32_768
"""W&B's file is a LevelDB log: blocks of 32 KiB, each piece with 7 bytes of checksum, length and kind."""
WRITTEN_SECONDS = 60


@dataclass
class WrittenRun:
    """A run as its file holds it."""

    file: Path
    about: Any = None
    config: dict[str, Any] = field(default_factory=dict)
    history: list[dict[str, Any]] = field(default_factory=list)
    summary: dict[str, Any] = field(default_factory=dict)
    artifacts: list[Any] = field(default_factory=list)
    exit_code: int | None = None

    def column(self, name: str) -> list[Any]:
        """Return the values of a metric by rising step."""
        return [line[name] for line in self.history if name in line]


def records(file: Path) -> Iterator[Any]:
    """Yield the records of a .wandb file, after its own header of 7 bytes."""
    from wandb.proto.wandb_internal_pb2 import Record

    content, at, record = file.read_bytes(), 7, b""
    while at + 7 <= len(content):
        if BLOCK - at % BLOCK < 7:
            at += BLOCK - at % BLOCK
            continue
        _, length, kind = struct.unpack("<IHB", content[at : at + 7])
        record += content[at + 7 : at + 7 + length]
        at += 7 + length
        if kind in {1, 4}:  # whole, or the last piece
            yield Record.FromString(record)
            record = b""


def written(file: Path) -> WrittenRun:
    """Return a run whose file ends with its exit.

    The client returns before its own process has written all; on a busy machine one can see it.
    """
    deadline = time.monotonic() + WRITTEN_SECONDS
    while (run := _read(file)).exit_code is None and time.monotonic() < deadline:
        time.sleep(0.1)
    assert run.exit_code is not None, f"{file} has no exit record"
    return run


def written_runs(folder: Path) -> dict[str, WrittenRun]:
    """Return the runs below a folder by id, the newest folder of each."""
    files = sorted(folder.glob("wandb/offline-run-*/run-*.wandb"), key=lambda file: file.parent.name)
    return {file.stem.removeprefix("run-"): written(file) for file in files}


def _read(file: Path) -> WrittenRun:
    run = WrittenRun(file)
    for record in records(file):
        kind = record.WhichOneof("record_type")
        if kind == "run":
            run.about = record.run
            run.config |= {item.key: json.loads(item.value_json) for item in record.run.config.update}
        elif kind == "config":
            run.config |= {item.key: json.loads(item.value_json) for item in record.config.update}
        elif kind == "history":
            run.history.append(_named(record.history.item))
        elif kind == "summary":
            run.summary |= _named(record.summary.update)
        elif kind == "artifact":
            run.artifacts.append(record.artifact)
        elif kind == "exit":
            run.exit_code = record.exit.exit_code
    return run


def _named(items: Any) -> dict[str, Any]:
    """Return items by name; a value that is an object comes as an item per member."""
    values: dict[str, Any] = {}
    for item in items:
        name, *inner = list(item.nested_key) or [item.key]
        if inner:
            values.setdefault(name, {})["/".join(inner)] = json.loads(item.value_json)
        else:
            values[name] = json.loads(item.value_json)
    return values
