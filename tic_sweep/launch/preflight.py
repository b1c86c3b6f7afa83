"""What a run needs of its machine or cluster, checked before anything is written: Ray would wait for ever instead."""

import math
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tic_sweep.errors import ResourceError, StoreError
from tic_sweep.launch.options import Options
from tic_sweep.store.addresses import Address, is_url

ROUNDING = 1e-4
"""Ray counts GPUs in steps of this size."""
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:/")
WORTH_SAYING = 0.05
"""What a share may leave of a GPU without a word."""


@dataclass(frozen=True, slots=True)
class Node:
    """CPUs and GPUs of one machine."""

    cpus: float
    gpus: float


def this_machine(options: Options) -> Node:
    """Return what this machine may give: its CPUs, or as many of them as asked, and its GPUs."""
    import torch

    return Node(cpus=float(options.cpus or available_cpus()), gpus=float(torch.cuda.device_count()))


def available_cpus(quota_file: Path = Path("/sys/fs/cgroup/cpu.max")) -> int:
    """Return the CPUs this process may use: those it is bound to, within its container's quota."""
    bound = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        quota, period = quota_file.read_text(encoding="ascii").split()
        return max(1, min(bound, int(quota) // int(period)))
    except (OSError, ValueError):  # no cgroup, or its quota is `max`
        return bound


def check_nodes(nodes: Sequence[Node], options: Options) -> None:
    """Refuse trials that no node can run.

    Raises:
        ResourceError: naming what is asked and what there is.
    """
    where = "this machine" if options.address is None else f"the cluster at {options.address}"
    cpus, gpus = max((n.cpus for n in nodes), default=0), max((n.gpus for n in nodes), default=0)
    if options.gpus_per_trial > gpus:
        raise ResourceError(
            f"--gpus-per-trial {options.gpus_per_trial:g}: {_has(where, nodes)} {gpus:g} GPUs. "
            + ("Leave the option out to run on CPUs." if not gpus else f"Give at most {gpus:g}.")
            + _scaling(options)
        )
    if options.cpus_per_trial > cpus:
        raise ResourceError(
            f"--cpus-per-trial {options.cpus_per_trial}: {_has(where, nodes)} {cpus:g} CPUs. "
            + (f"Give at most {cpus:g}." if cpus else "Start a node that has some.")
            + _scaling(options)
        )
    if not any(n.gpus >= options.gpus_per_trial and n.cpus >= options.cpus_per_trial for n in nodes):
        raise ResourceError(
            f"--cpus-per-trial {options.cpus_per_trial} with --gpus-per-trial {options.gpus_per_trial:g}: no node of "
            f"{where} has both. Ask for less of one of them."
        )


def slots(nodes: Sequence[Node], options: Options) -> int:
    """Return how many trials can run at once."""
    if options.in_process:
        return 1
    fitting = 0
    for node in nodes:
        by_cpu = node.cpus // options.cpus_per_trial
        by_gpu = _by_gpu(node, options.gpus_per_trial) if options.gpus_per_trial else by_cpu
        fitting += int(min(by_cpu, by_gpu))
    return max(1, min(fitting, options.max_concurrent or fitting))


def hints(nodes: Sequence[Node], options: Options) -> list[str]:
    """Return, a line each, what of the machine or cluster would stay idle though trials wait for it."""
    return [line for line in (idle_gpus(options), _remainder(nodes, options), _starved(nodes, options)) if line]


def _remainder(nodes: Sequence[Node], options: Options) -> str:
    """Say what a share leaves of each GPU, or of each node, when as many trials run there as fit."""
    share = options.gpus_per_trial
    if not share:
        return ""
    if share < 1:
        fitting = int(1 / share + ROUNDING)
        left = 1 - fitting * share
        better = f"--gpus-per-trial {math.floor(100 / fitting) / 100:g}"
        told = f"{fitting} fit on a GPU, and {left:.2f} of each stays unused: {better} gives each more of it."
        return f"--gpus-per-trial {share:g}: {told}" if left >= WORTH_SAYING else ""
    uneven = [node.gpus for node in nodes if node.gpus >= share and node.gpus % share]
    if not uneven:
        return ""
    return (
        f"--gpus-per-trial {share:g}: a node with {uneven[0]:g} GPUs leaves {uneven[0] % share:g} of them unused: a "
        f"trial never spans two nodes."
    )


def _starved(nodes: Sequence[Node], options: Options) -> str:
    """Say where a node has fewer CPUs than it takes to keep its GPUs busy."""
    if not options.gpus_per_trial:
        return ""
    for node in nodes:
        by_cpu, by_gpu = node.cpus // options.cpus_per_trial, _by_gpu(node, options.gpus_per_trial)
        if node.gpus >= options.gpus_per_trial and by_cpu < by_gpu:
            return (
                f"--cpus-per-trial {options.cpus_per_trial}: a node with {node.cpus:g} CPUs runs {by_cpu:g} trials "
                f"where its GPUs would take {by_gpu:g}: ask for fewer CPUs, or for more of a GPU."
            )
    return ""


def _by_gpu(node: Node, share: float) -> float:
    """Return how many trials a node's GPUs take; a share of a GPU never lies on two of them."""
    return node.gpus * int(1 / share + ROUNDING) if share <= 1 else node.gpus // share


def idle_gpus(options: Options) -> str:
    """Return a hint where this machine's GPUs would stay idle because none were asked for; else nothing."""
    if options.gpus_per_trial or options.in_process or options.address or options.resources.device == "cpu":
        return ""
    count = int(this_machine(options).gpus)
    return f"Trials run on CPUs; this machine has {count} GPU(s): add --gpus-per-trial 1 to use them." if count else ""


def plain_neurons(options: Options) -> str:
    """Return a hint where this machine's trials run their neurons on plain torch for want of a compiler; else nothing.

    Kernels that are compiled once per machine are compiled here, before trials start.

    Raises:
        ResourceError: if kernels were asked for that cannot be had.
    """
    if options.address:
        return ""  # its nodes are other machines
    from tic_sweep.snn import choose, why_plain
    from tic_sweep.training.attempt import resolve_device

    wish, device = options.resources.kernels, resolve_device(options.trial_resources.device)
    if choose(wish, device) != "plain" or wish == "plain":
        return ""
    return f"Neurons run on plain torch, which takes longer: {why_plain(device)}."


def check_in_process(options: Options) -> None:
    """Refuse a GPU or CPUs that are not there: torch would start any number of threads, or die of them.

    Raises:
        ResourceError: if a GPU is asked for and none is visible, or more CPUs than there are.
    """
    import torch

    if options.cpus_per_trial > (cpus := available_cpus()):
        raise ResourceError(
            f"--cpus-per-trial {options.cpus_per_trial}: this machine has {cpus} CPUs. Give at most {cpus}."
        )
    if (options.resources.device == "cuda" or options.gpus_per_trial) and not torch.cuda.is_available():
        raise ResourceError("--device cuda: this machine has no GPU that torch can use. Leave the option out.")


def check_place(path: Path, what: str = "results folder") -> None:
    """Refuse a folder that could not be made, before anything is.

    Raises:
        StoreError: if it is a URL, or the nearest folder that exists cannot be written.
    """
    if is_url(path) or _SCHEME.match(str(path)):  # a `Path` that was made of a URL has lost a slash
        name = Address.parse(path).name  # a URL that holds a secret is refused and not repeated
        raise StoreError(f"{what} {name}: rows are written to a folder here; an object store takes checkpoints alone.")
    existing = next((p for p in (path, *path.parents) if p.exists()), path)
    if not existing.is_dir():
        raise StoreError(f"{what} {str(path)!r} cannot be made: {str(existing)!r} is a file.")
    if not os.access(existing, os.W_OK | os.X_OK):
        raise StoreError(f"{what} {str(path)!r} cannot be written: give a place you may write to.")


def _scaling(options: Options) -> str:
    """Say what to do if the cluster would start such a node only when it is asked for."""
    return "" if options.address is None else " If the cluster scales itself, let it hold one such node from the start."


def _has(where: str, nodes: Sequence[Node]) -> str:
    return f"{where} has" if len(nodes) == 1 else f"no node of {where} has more than"
