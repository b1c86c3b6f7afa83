"""`RemoteFolder`: a results folder in an object store, read through pyarrow's file systems and kept in a local cache.

A segment never changes, so one that has been fetched is never fetched again: the cache knows it by the folder's URL,
its own name, its size and its time (compaction reuses a name). The manifest and the journals, which do change, are
read anew whenever a folder is opened. Fetching whole segments rather than scanning them in place costs the bytes of
the columns nobody asked for, once; it needs one client with one way to find credentials, reads the same Parquet as a
local folder, and leaves every later question at the speed of the disk. Tables are fetched when they are first used.
"""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Hashable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

from tic_sweep.errors import StoreError
from tic_sweep.store.addresses import Address, filesystem_of, told
from tic_sweep.store.folder import is_segment, number_of
from tic_sweep.store.manifest import Manifest

CACHE = "TIC_SWEEP_CACHE"
"""Environment variable that names the folder of the cache; else it lies with the user's other caches."""
READERS = 16
MANIFEST, LOCK = "sweep.json", "lock"


class RemoteSegment(NamedTuple):
    """A Parquet segment in an object store."""

    path: str
    name: str
    size: int
    changed: int
    """When it was written, in nanoseconds, by the store's clock."""


class RemoteFolder:
    """The files of one sweep's results in an object store, for reading; the layout is that of `ResultsFolder`."""

    def __init__(self, address: Address, filesystem: Any, base: str, manifest: Manifest) -> None:
        """Hold what `open` has found."""
        self.name = address.name
        self.manifest = manifest
        self._filesystem, self._base = filesystem, base
        digest = hashlib.blake2b(f"{address.endpoint} {address.name}".encode(), digest_size=8).hexdigest()
        self._cache = cache_folder() / digest

    @classmethod
    def open(cls, url: str) -> "RemoteFolder":
        """Open the results folder at a URL such as ``s3://bucket/prefix/results/tic-laptop``.

        Credentials, region and endpoint (``AWS_ENDPOINT_URL``) are those of the environment, as the store's own
        client finds them; a URL that holds a password is refused, and no error repeats one.

        Raises:
            StoreError: if the URL makes no sense, nobody answers there, permission is lacking, or what is there is no
                results folder.
        """
        address = Address.parse(url)
        with told(address.name):
            filesystem, bucket = filesystem_of(address)
            base = "/".join(filter(None, (bucket, address.path)))
            content = _content(filesystem, f"{base}/{MANIFEST}")
            if content is None and _is_missing(filesystem, bucket):
                raise StoreError(f"{address.name}: there is no {bucket!r} at that store: check the URL.")
        if content is None:
            raise StoreError(f"{address.name} is no results folder (no {MANIFEST} in it): give the URL of a sweep.")
        return cls(address, filesystem, base, Manifest.parse(content, f"{address.name}/{MANIFEST}"))

    def load_manifest(self) -> Manifest:
        """Read the manifest as it is now.

        Raises:
            StoreError: if it is there no more, or the store does not answer.
        """
        with told(self.name):
            content = _content(self._filesystem, f"{self._base}/{MANIFEST}")
        if content is None:
            raise StoreError(f"{self.name} is no results folder any more (no {MANIFEST} in it): check the URL.")
        return Manifest.parse(content, f"{self.name}/{MANIFEST}")

    def is_held(self) -> bool | None:
        """Tell whether a session is writing: not if the lock was given back or is not there; None if it has a name.

        Only the machine that holds a lock can try it, so nobody here can tell whether its process was killed.
        """
        with told(self.name):
            return None if _content(self._filesystem, f"{self._base}/{LOCK}") else False

    def identified(self, table: str) -> dict[Hashable, RemoteSegment]:
        """Return the Parquet segments of a table by what tells each from another file of its name."""
        return {segment: segment for segment in self.segments(table)}

    def journal_contents(self) -> Iterator[tuple[str, bytes]]:
        """Yield URL and content of each journal segment, without those that become Parquet meanwhile."""
        with told(self.name):
            for file in self._numbered("journal", ".jsonl"):
                content = _content(self._filesystem, file.path)
                if content is not None:
                    yield f"{self.name}/journal/{file.name}", content

    def segments(self, table: str) -> list[RemoteSegment]:
        """Return the Parquet segments of a table in the order they were written."""
        with told(self.name):
            return self._numbered(f"tables/{table}", ".parquet")

    def table_names(self) -> list[str]:
        """Return the names of the tables that have a folder, known ones or not."""
        from pyarrow.fs import FileType

        with told(self.name):
            return sorted(info.base_name for info in self._listed("tables") if info.type == FileType.Directory)

    def fetched(self, table: str, segments: Sequence[RemoteSegment]) -> list[Path]:
        """Return local copies of some segments of a table, fetching those that are not there yet.

        Raises:
            StoreError: if one is there no more, the store does not answer, or the cache cannot be written.
        """
        places = [self._cache / table / f"{s.size}-{s.changed}" / s.name for s in segments]
        wanted = [(s, place) for s, place in zip(segments, places, strict=True) if not place.is_file()]
        with told(self.name), ThreadPoolExecutor(READERS) as pool:
            list(pool.map(lambda pair: self._fetch(*pair), wanted))
        return places

    def _fetch(self, segment: RemoteSegment, place: Path) -> None:
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            descriptor, temporary = tempfile.mkstemp(dir=place.parent, prefix=".", suffix=".tmp")
        except OSError as error:
            raise StoreError(
                f"cache {str(self._cache)!r} cannot be written ({error.strerror}): set {CACHE} to a folder that can."
            ) from error
        try:
            with os.fdopen(descriptor, "wb") as out, self._filesystem.open_input_stream(segment.path) as stream:
                shutil.copyfileobj(stream, out, 2**20)
            Path(temporary).replace(place)
        except FileNotFoundError:
            raise StoreError(f"{self.name}: {segment.name} has been compacted meanwhile: open it again.") from None
        finally:
            Path(temporary).unlink(missing_ok=True)

    def _numbered(self, folder: str, suffix: str) -> list[RemoteSegment]:
        found = [
            RemoteSegment(info.path, info.base_name, info.size, info.mtime_ns or 0)
            for info in self._listed(folder)
            if is_segment(info.base_name, suffix)
        ]
        return sorted(found, key=lambda file: number_of(file.name))

    def _listed(self, folder: str) -> list[Any]:
        from pyarrow.fs import FileSelector

        return self._filesystem.get_file_info(FileSelector(f"{self._base}/{folder}", allow_not_found=True))


def cache_folder() -> Path:
    """Return where fetched segments are kept; it may be removed at any time."""
    chosen = os.environ.get(CACHE)
    if chosen:
        return Path(chosen).expanduser().absolute()
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser().absolute() / "tic_sweep"


def _content(filesystem: Any, path: str) -> bytes | None:
    try:
        with filesystem.open_input_stream(path) as stream:
            return stream.read()
    except FileNotFoundError:
        return None


def _is_missing(filesystem: Any, bucket: str) -> bool:
    from pyarrow.fs import FileType

    return filesystem.get_file_info(bucket).type == FileType.NotFound
