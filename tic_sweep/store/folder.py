"""`ResultsFolder`: the one place that knows where anything lies in a results folder."""

import os
import re
from collections.abc import Hashable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tic_sweep.errors import StoreError
from tic_sweep.store.addresses import refuse_url
from tic_sweep.store.atomic import temporary_name
from tic_sweep.store.lock import is_held
from tic_sweep.store.manifest import Manifest

_NAME = re.compile(r"(\d+)-(\d+)\.(parquet|jsonl)")


@dataclass(frozen=True, slots=True)
class ResultsFolder:
    """The paths under the results of one sweep.

    ==================  ==================================================================
    ``sweep.json``      the manifest
    ``tables/<table>/`` immutable Parquet segments, ``<session>-<segment>.parquet``
    ``journal/``        rows not yet in a segment, ``<session>-<segment>.jsonl``
    ``checkpoints/``    training states, for resume
    ``tune/``           Ray Tune's scratch; nothing here is a result
    ``wandb/``          files of the W&B mirror
    ``report.html``     the report
    ``figures/``        figures for print
    ``lock``            held by the one writer; names its process
    ==================  ==================================================================
    """

    root: Path

    @classmethod
    def create(cls, path: str | Path) -> "ResultsFolder":
        """Make a results folder, or open one that is there; only an empty directory is made, nothing in it.

        Raises:
            StoreError: if the path is a URL or a file, cannot be written, or is a folder that holds something else.
        """
        refuse_url(path, "results folder")
        folder = cls(_absolute(path))
        if folder.root.exists() and not folder.root.is_dir():
            raise StoreError(f"results folder {str(path)!r} is a file: give the path of a folder.")
        try:
            folder.root.mkdir(parents=True, exist_ok=True)
            content = {entry.name for entry in folder.root.iterdir()}
        except OSError as error:
            raise StoreError(
                f"results folder {str(path)!r} cannot be made or read ({error.strerror}): "
                f"give a place you may write to."
            ) from error
        if not os.access(folder.root, os.W_OK | os.X_OK):
            raise StoreError(f"results folder {str(path)!r} cannot be written: give a place you may write to.")
        if folder.manifest.name in content:
            Manifest.load(folder.manifest)
        elif content - {folder.lock.name, temporary_name(folder.manifest).name}:
            raise StoreError(
                f"results folder {str(path)!r} holds something that is not a sweep's results "
                f"(such as {min(content)!r}): give an empty or a new folder."
            )
        return folder

    @classmethod
    def open(cls, path: str | Path) -> "ResultsFolder":
        """Open an existing results folder for reading.

        Raises:
            StoreError: if it is a URL, there is none, or its manifest is missing, damaged or of a newer format.
        """
        refuse_url(path, "results folder")
        folder = cls(_absolute(path))
        if not folder.root.is_dir():
            raise StoreError(f"results folder {str(path)!r} does not exist: give the folder of a sweep.")
        Manifest.load(folder.manifest)
        return folder

    @property
    def name(self) -> str:
        """The folder as it is named in errors."""
        return str(self.root)

    @property
    def manifest(self) -> Path:
        """Path of the manifest."""
        return self.root / "sweep.json"

    @property
    def tables(self) -> Path:
        """Folder of the tables."""
        return self.root / "tables"

    @property
    def journal(self) -> Path:
        """Folder of the journal."""
        return self.root / "journal"

    @property
    def checkpoints(self) -> Path:
        """Folder of the training states."""
        return self.root / "checkpoints"

    @property
    def tune(self) -> Path:
        """Folder of Ray Tune's scratch."""
        return self.root / "tune"

    @property
    def wandb(self) -> Path:
        """Folder of the W&B mirror."""
        return self.root / "wandb"

    @property
    def report(self) -> Path:
        """Path of the report."""
        return self.root / "report.html"

    @property
    def figures(self) -> Path:
        """Folder of the figures for print."""
        return self.root / "figures"

    @property
    def lock(self) -> Path:
        """Path of the writer's lock."""
        return self.root / "lock"

    def table(self, name: str) -> Path:
        """Return the folder of one table's segments."""
        return self.tables / name

    def segment(self, table: str, session: int, segment: int) -> Path:
        """Return the path of one Parquet segment."""
        return self.table(table) / f"{session:06d}-{segment:06d}.parquet"

    def journal_file(self, session: int, segment: int) -> Path:
        """Return the path of one journal segment."""
        return self.journal / f"{session:06d}-{segment:06d}.jsonl"

    def segments(self, table: str) -> list[Path]:
        """Return the Parquet segments of a table in the order they were written."""
        return _numbered(self.table(table), ".parquet")

    def identified(self, table: str) -> dict[Hashable, Path]:
        """Return the Parquet segments of a table by what tells each from another file of its name."""
        found: dict[Hashable, Path] = {}
        for segment in self.segments(table):
            with suppress(FileNotFoundError):  # `compact` has removed it; its rows are in another one
                state = segment.stat()
                found[segment, state.st_ino, state.st_mtime_ns, state.st_size] = segment
        return found

    @staticmethod
    def fetched(table: str, segments: Sequence[Path]) -> list[Path]:  # noqa: ARG004 - as that of `RemoteFolder`
        """Return the paths of some segments, which lie here."""
        return list(segments)

    def load_manifest(self) -> Manifest:
        """Read the manifest as it is now."""
        return Manifest.load(self.manifest)

    def is_held(self) -> bool | None:
        """Tell whether a session is writing; None where the file system does not say."""
        return is_held(self.lock)

    def journals(self) -> list[Path]:
        """Return the journal segments in the order they were written."""
        return _numbered(self.journal, ".jsonl")

    def journal_contents(self) -> Iterator[tuple[str, bytes]]:
        """Yield path and content of each journal segment, without those that become Parquet meanwhile."""
        for journal in self.journals():
            with suppress(FileNotFoundError):
                yield str(journal), journal.read_bytes()

    def table_names(self) -> list[str]:
        """Return the names of the tables that have a folder, known ones or not."""
        return sorted(path.name for path in self.tables.iterdir() if path.is_dir()) if self.tables.is_dir() else []

    def last_session(self) -> int:
        """Return the highest session that has left rows; 0 if none has."""
        tables = [path.name for path in self.tables.iterdir()] if self.tables.is_dir() else []
        files = [*self.journals(), *(file for name in tables for file in self.segments(name))]
        return max((number_of(file.name)[0] for file in files), default=0)


def number_of(name: str) -> tuple[int, int]:
    """Return the session and segment in the name of a Parquet or journal segment.

    Raises:
        ValueError: if the name is no such name.
    """
    match = _NAME.fullmatch(name)
    if match is None:
        raise ValueError(f"{name!r} is not the name of a segment.")
    return int(match[1]), int(match[2])


def is_segment(name: str, suffix: str) -> bool:
    """Tell whether a file's name is that of a segment of one kind, ``.parquet`` or ``.jsonl``."""
    return name.endswith(suffix) and _NAME.fullmatch(name) is not None


def _numbered(folder: Path, suffix: str) -> list[Path]:
    if not folder.is_dir():
        return []
    found = [file for file in folder.iterdir() if is_segment(file.name, suffix)]
    return sorted(found, key=lambda file: number_of(file.name))


def _absolute(path: str | Path) -> Path:
    return Path(path).expanduser().absolute()
