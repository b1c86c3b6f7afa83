"""Starting or joining Ray: quietly, with a private token, and with a clear word if it cannot be done."""

import atexit
import logging
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

from tic_sweep.errors import ResourceError
from tic_sweep.launch.joining import MODE, TOKEN, TOKEN_PATH, check_joinable
from tic_sweep.launch.options import Options
from tic_sweep.launch.preflight import Node, this_machine

ENVIRONMENT = {
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",  # our store is the truth: no CSV, JSON and TensorBoard copies of it
    "TUNE_DISABLE_STRICT_METRIC_CHECKING": "1",  # a missing metric must not end the sweep
    "TUNE_DISABLE_SIGINT_HANDLER": "1",  # ours handles Ctrl-C and SIGTERM alike
    "TUNE_GLOBAL_CHECKPOINT_S": "86400",  # Tune's own state is scratch: do not rewrite it again and again
    "TUNE_WARN_EXCESSIVE_EXPERIMENT_CHECKPOINT_SYNC_THRESHOLD_S": "0",
    "RAY_AIR_NEW_OUTPUT": "0",  # the new output prints a box even when told to be silent
    "RAY_CHDIR_TO_TRIAL_DIR": "0",
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",  # the device is chosen by us; silences a warning in every worker
}


@contextmanager
def ray_cluster(options: Options) -> Iterator[list[Node]]:
    """Start Ray on this machine, or join the cluster at ``options.address``, for a block of code; yield its nodes.

    A Ray that this process has joined already is used as it is, and left running.
    """
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    if options.address is None:
        _use_private_token()
    else:
        check_joinable(options.address)
    import ray
    from ray._private import ray_constants

    # Ray itself does so on laptops' systems: where there is no cluster to be, its ports are this machine's alone.
    ray_constants.ENABLE_RAY_CLUSTER = options.address is not None
    ours = not ray.is_initialized()
    if ours:
        _connect(options)
    try:
        alive = [node["Resources"] for node in ray.nodes() if node["Alive"]]
        yield [Node(cpus=resources.get("CPU", 0.0), gpus=resources.get("GPU", 0.0)) for resources in alive]
    finally:
        if ours:
            ray.shutdown()


def open_cluster(nodes: Sequence[Node], options: Options) -> list[str]:
    """Return a hint where several nodes take orders from whoever reaches them."""
    if options.address is None or len(nodes) == 1 or os.environ.get(MODE) == "token":
        return []
    danger = f"The cluster at {options.address} asks for no token: whoever reaches its ports can run code on it."
    return [f"{danger} docs/cluster.md says how to give it one."]


@contextmanager
def ray_logs_to(path: Path) -> Iterator[None]:
    """Write what Ray and Tune log in this process to a file instead of the terminal, for the time of the block."""
    import ray.tune  # noqa: F401 - its loggers must be there

    path.parent.mkdir(parents=True, exist_ok=True)
    to_file = _LogFile(path, encoding="utf-8", delay=True)
    to_file.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    loggers = [logging.getLogger(name) for name in list(logging.root.manager.loggerDict) if name.split(".")[0] == "ray"]
    before = [(logger, logger.handlers, logger.propagate) for logger in loggers]
    root = logging.getLogger("ray")
    for logger in loggers:
        logger.handlers, logger.propagate = [], logger is not root
    root.handlers = [to_file]
    try:
        yield
    finally:
        for logger, handlers, propagate in before:
            logger.handlers, logger.propagate = handlers, propagate
        to_file.close()


class _LogFile(logging.FileHandler):
    """A log that a disk may cut short or refuse: that ends no sweep, and nobody wants tracebacks in the terminal."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write a line, if the file can be had: it is opened at the first one."""
        with suppress(OSError):
            super().emit(record)

    def handleError(self, record: logging.LogRecord) -> None:
        """Say nothing."""


def _connect(options: Options) -> None:
    import ray

    quiet = {"logging_level": logging.ERROR, "log_to_driver": False}
    try:
        if options.address is not None:
            ray.init(address=options.address, **quiet)
            return
        here = this_machine(options)
        ray.init(address="local", num_cpus=int(here.cpus), num_gpus=int(here.gpus), include_dashboard=False, **quiet)
    except (ConnectionError, OSError, RuntimeError, ValueError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        if options.address is None:
            raise ResourceError(f"Ray could not be started on this machine: {reason}") from error
        raise ResourceError(
            f"--address {options.address}: no Ray cluster could be joined there ({reason}). Check the address with "
            f"`ray status`, that Ray's version is the same, and, if the cluster uses a token, that RAY_AUTH_MODE=token "
            f"and its token are set here."
        ) from error


def _use_private_token() -> None:
    """Let a Ray of our own use a token of our own, unless the user has settled the matter.

    Left to itself, Ray writes a token that others can read into the home folder, warns about it, and fails where the
    home folder cannot be written.
    """
    if any(os.environ.get(name) for name in (MODE, TOKEN, TOKEN_PATH)):
        return
    os.environ[TOKEN_PATH] = str(_private_token())  # a new Ray of this machine then asks for it by itself


@cache
def _private_token() -> Path:
    """Return a file that holds a new token, for the life of this process, readable by this user only."""
    folder = Path(tempfile.mkdtemp(prefix="tic_sweep-"))  # made with mode 0700
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    token = folder / "ray_token"
    token.touch(mode=0o600)
    token.write_text(secrets.token_hex(32), encoding="ascii")
    return token
