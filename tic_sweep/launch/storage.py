"""Where a session keeps the checkpoints of its trials: what was asked for, checked, and as the runners take it."""

from pathlib import Path

from tic_sweep.errors import ResourceError
from tic_sweep.launch.carrying import Checkpoints
from tic_sweep.launch.options import Options
from tic_sweep.launch.preflight import check_place
from tic_sweep.store import Manifest
from tic_sweep.store.addresses import local_path
from tic_sweep.store.checkpoints import ObjectCheckpoints, is_below, own_place


def storage_of(options: Options, name: str, before: Manifest | None) -> str:
    """Return the place of a results folder's checkpoints as its manifest names it; empty is the folder itself.

    A place that an earlier session has chosen stays, unless another one is asked for: there every trial that has not
    ended begins anew.

    Args:
        options: what is asked for.
        name: of the sweep and its scale, for people who look into the storage.
        before: the manifest of the earlier session.
    """
    known = before.storage if before is not None else ""
    if options.storage is None or (known and is_below(known, options.storage)):
        return known
    return own_place(options.storage, name)


def check_storage(place: str, options: Options) -> None:
    """Refuse a place where checkpoints cannot be kept, before anything is written.

    Raises:
        StoreError: if it cannot be written or read.
        ResourceError: if it is no folder, and the trials run in this process.
    """
    path = local_path(place) if place else None
    if path is not None:
        check_place(path, "--storage")
    elif place and options.in_process:
        raise ResourceError(f"checkpoints of this sweep live at {place}: leave --in-process out, or give a --storage.")
    elif place:
        ObjectCheckpoints(place).check()


def checkpoints_at(place: str, options: Options, folder: Path) -> Checkpoints:
    """Return where checkpoints live, for the runners.

    On a cluster whose nodes share no folder that anyone has named they travel to the driver, whose ``folder`` it is.
    """
    path = local_path(place) if place else None
    if place:
        return path if path is not None else ObjectCheckpoints(place)
    if options.address is None:
        return folder
    from tic_sweep.launch.keeper import DriverCheckpoints

    return DriverCheckpoints(folder)
