"""Joining a Ray cluster that was started elsewhere: what is wrong with its address or token is said within seconds.

Ray itself tries for twenty seconds and more, ends with an error that names another cause, and without any token where
one is asked for takes the process with it.
"""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tic_sweep.errors import ResourceError

CONNECT_SECONDS = 3.0
MODE, TOKEN, TOKEN_PATH = "RAY_AUTH_MODE", "RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"
"""Ray's own variables: whether tokens are asked for (``token`` or ``disabled``), the token, and the file it lies in."""


def check_joinable(address: str) -> None:
    """Refuse an address at which no cluster listens, or whose token is not known here; use a token that lies here.

    Raises:
        ResourceError: naming the address and the remedy.
    """
    if address != "auto":
        _check_reachable(address)
    if token_is_here():
        os.environ.setdefault(MODE, "token")  # Ray would look for it only at the address `auto`
    elif os.environ.get(MODE) == "token":
        raise ResourceError(
            f"{MODE}=token, and there is no token: set {TOKEN_PATH} to the file of the cluster's token."
        )
    _check_token(address)


def token_is_here() -> bool:
    """Tell whether this process has a token to show, where Ray looks for one."""
    if os.environ.get(TOKEN):
        return True
    if given := os.environ.get(TOKEN_PATH):
        return Path(given).is_file()
    home = os.environ.get("HOME")
    return home is not None and (Path(home) / ".ray" / "auth_token").is_file()


def _check_reachable(address: str) -> None:
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit() or "/" in address or "@" in address:
        shown = "something else" if "@" in address else repr(address)  # what stands before an @ may be a secret
        raise ResourceError(f"--address must be auto or host:port of a Ray cluster, got {shown}.")
    try:
        socket.create_connection((host, int(port)), timeout=CONNECT_SECONDS).close()
    except (OSError, OverflowError) as error:
        raise ResourceError(
            f"--address {address}: nothing answers there ({error}). Start the cluster, or give the address that "
            f"`ray start --head` printed."
        ) from error


def _check_token(address: str) -> None:
    """Ask the cluster something small; what else may go wrong is left for Ray to say."""
    from ray._private.services import canonicalize_bootstrap_address
    from ray._raylet import GcsClient  # type: ignore[attr-defined] - compiled
    from ray.exceptions import AuthenticationError

    known = canonicalize_bootstrap_address(address) if address == "auto" else address
    if not known:
        return
    try:
        with _silent():
            GcsClient(address=known)
    except AuthenticationError as error:
        raise ResourceError(
            f"--address {address}: the cluster asks for a token, and {_why_not()}. Set {MODE}=token, and {TOKEN_PATH} "
            f"to a file that holds the cluster's token."
        ) from error
    except Exception:  # noqa: BLE001 - Ray says itself, and better, what is wrong
        return


def _why_not() -> str:
    return "the one known here is another" if token_is_here() else "none is known here"


@contextmanager
def _silent() -> Iterator[None]:
    """Keep what Ray's compiled part writes off the terminal: our own line says it."""
    before, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(before, 2)
        os.close(before)
        os.close(nowhere)
