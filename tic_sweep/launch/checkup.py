"""What could keep a sweep from running here, tried before one does: places, token, cluster, GPUs, open files."""

import os
import resource
import stat
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tic_sweep.errors import UserError
from tic_sweep.launch.joining import TOKEN, TOKEN_PATH
from tic_sweep.launch.options import Options
from tic_sweep.launch.preflight import Node, check_nodes, check_place, hints, slots, this_machine
from tic_sweep.launch.provenance import provenance
from tic_sweep.launch.storage import check_storage
from tic_sweep.store.addresses import local_path
from tic_sweep.store.atomic import write_atomically
from tic_sweep.store.lock import FolderLock

ENOUGH_FILES = 4096
"""Open files that a driver of some dozens of workers may come to have."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was tried."""

    what: str
    fine: bool
    told: str


def checkup(options: Options, results: Path) -> Iterator[Finding]:
    """Yield what was found, one thing after the other; nothing stays of what is written for it."""
    here = provenance()
    commit = f", commit {here.git_commit}" if here.git_commit else ""
    yield Finding("versions", fine=True, told=f"tic_sweep {here.version}{commit}, {here.packages}, {here.system}")
    yield _open_files()
    yield _tried("results", lambda: _folder_works(results, "results folder"))
    if options.storage is not None:
        yield _tried("storage", lambda: _storage_works(options))
    yield _token()
    if options.address is None:
        yield _tried("machine", lambda: _machine_fits(options))
    else:
        yield _tried("cluster", lambda: _cluster_fits(options))


def _tried(what: str, act: Callable[[], str]) -> Finding:
    try:
        return Finding(what, fine=True, told=act())
    except (UserError, OSError) as error:
        return Finding(what, fine=False, told=str(error))


def _open_files() -> Finding:
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    many = limit == resource.RLIM_INFINITY or limit >= ENOUGH_FILES
    told = "as many as you like" if limit == resource.RLIM_INFINITY else f"{limit} at once"
    return Finding("open files", many, told if many else f"{told}: for more than a few workers give `ulimit -n 65536`")


def _token() -> Finding:
    """Tell where Ray's token would come from; a file that others can read is no secret."""
    if os.environ.get(TOKEN):
        return Finding("token", fine=True, told=f"from {TOKEN}")
    file = Path(os.environ.get(TOKEN_PATH) or "~/.ray/auth_token").expanduser()
    if not file.is_file():
        return Finding("token", fine=True, told="none; a Ray of our own makes one for itself, a cluster needs one")
    if stat.S_IMODE(file.stat().st_mode) & 0o077:
        return Finding("token", fine=False, told=f"{file} can be read by others: chmod 600 {file}")
    return Finding("token", fine=True, told=f"in {file}, for you alone")


def _folder_works(path: Path, what: str) -> str:
    """Write, rename and lock a file in the nearest folder that exists."""
    path = path.expanduser().absolute()
    check_place(path, what)
    existing = next(p for p in (path, *path.parents) if p.exists())
    with tempfile.TemporaryDirectory(dir=existing, prefix=".tic_sweep-") as folder:
        write_atomically(Path(folder) / "file", b"tic_sweep")
        FolderLock(Path(folder) / "lock").release()
    return f"{path} can be written, files renamed and locked there"


def _storage_works(options: Options) -> str:
    place = str(options.storage)
    path = local_path(place)
    if path is not None:
        return _folder_works(path, "--storage")
    check_storage(place, options)
    return f"{place} gives back what is written there"


def _machine_fits(options: Options) -> str:
    node = this_machine(options)
    check_nodes([node], options)
    return _fits(options, [node])


def _cluster_fits(options: Options) -> str:
    from tic_sweep.launch.cluster import open_cluster, ray_cluster

    with ray_cluster(options) as nodes:
        check_nodes(nodes, options)
        return " ".join([_fits(options, nodes), *open_cluster(nodes, options)])


def _fits(options: Options, nodes: Sequence[Node]) -> str:
    cpus, gpus = sum(node.cpus for node in nodes), sum(node.gpus for node in nodes)
    count = f"{len(nodes)} nodes, " if len(nodes) > 1 else ""
    told = f"{count}{cpus:g} CPUs, {gpus:g} GPUs: {slots(nodes, options)} trials at once."
    return " ".join([told, *hints(nodes, options)])
