"""Where checkpoints live other than in the results folder: a folder that all nodes see, or an object store.

Each results folder has a place of its own there, named in its manifest: two sweeps may hold the same trial, and a
checkpoint is worth something only beside the rows that were told before it.
"""

import secrets
import shutil
import tempfile
from pathlib import Path
from typing import Any

from tic_sweep.errors import StoreError
from tic_sweep.store.addresses import Address, filesystem_of, local_path, told

RENAMED = ("hdfs", "abfs", "abfss")
"""Stores in which a file can be seen while it is written: there it gets its name when it is whole."""


def own_place(storage: str | Path, sweep: str) -> str:
    """Return a new place below ``storage`` for the checkpoints of one results folder, as a path or a URL."""
    name = f"{sweep}-{secrets.token_hex(4)}"
    path = _folder(storage)
    return str(path / name) if path is not None else Address.parse(storage).below(name).url


def is_below(place: str, storage: str | Path) -> bool:
    """Tell whether a place was made by `own_place` in ``storage``."""
    path, root = _folder(place), _folder(storage)
    if path is not None or root is not None:
        return path is not None and path.parent == root
    given, found = Address.parse(storage), Address.parse(place)
    return given.below(found.path.rpartition("/")[2]).name == found.name


class ObjectCheckpoints:
    """Checkpoints in an object store, through pyarrow's file systems; it crosses to workers as its URL alone.

    Credentials are those of each node's environment, as the store's own client finds them.
    """

    def __init__(self, url: str) -> None:
        """Hold the URL of their folder."""
        self._address = Address.parse(url)
        self._client: tuple[Any, str] | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        """Cross without the client, which cannot."""
        return (type(self), (self._address.url,))

    def fetch(self, key: str, to: Path) -> None:
        """Copy a trial's checkpoint into a file; leave none there if there is none.

        Raises:
            StoreError: if the store does not answer.
        """
        with told(self._address.name):
            filesystem, path = self._at(key)
            try:
                stream = filesystem.open_input_stream(path)
            except FileNotFoundError:
                return
            with stream, to.open("wb") as out:
                shutil.copyfileobj(stream, out, 2**20)

    def keep(self, key: str, file: Path) -> None:
        """Make a file the trial's checkpoint, whole or not at all.

        Raises:
            StoreError: if the store does not answer, or refuses.
        """
        content = file.read_bytes()
        with told(self._address.name, "written"):
            filesystem, path = self._at(key)
            renamed = self._address.scheme in RENAMED
            if renamed:
                filesystem.create_dir(path.rpartition("/")[0], recursive=True)
            name = f"{path}.{secrets.token_hex(4)}.part" if renamed else path
            with filesystem.open_output_stream(name) as stream:
                stream.write(content)
            if renamed:
                filesystem.move(name, path)

    def forget(self, key: str) -> None:
        """Remove a trial's checkpoint, if there is one.

        Raises:
            StoreError: if the store does not answer, or refuses.
        """
        with told(self._address.name, "written"):
            filesystem, path = self._at(key)
            try:
                filesystem.delete_file(path)
            except FileNotFoundError:
                return

    def check(self) -> None:
        """Write something small there, read it back and remove it.

        Raises:
            StoreError: if that does not work.
        """
        name = f"check-{secrets.token_hex(4)}"
        with tempfile.TemporaryDirectory(prefix="tic_sweep-") as scratch:
            sent, received = Path(scratch) / "sent", Path(scratch) / "received"
            sent.write_bytes(name.encode())
            self.keep(name, sent)
            self.fetch(name, received)
            self.forget(name)
            if not received.exists() or received.read_bytes() != name.encode():
                raise StoreError(
                    f"{self._address.name} does not give back what is written there: use another --storage."
                )

    def _at(self, key: str) -> tuple[Any, str]:
        """Return the client, and the path of a trial's checkpoint."""
        if self._client is None:
            self._client = filesystem_of(self._address)
        filesystem, bucket = self._client
        return filesystem, "/".join(filter(None, (bucket, self._address.path, f"{key}.pt")))


def _folder(place: str | Path) -> Path | None:
    path = local_path(place)
    return None if path is None else path.expanduser().absolute()
