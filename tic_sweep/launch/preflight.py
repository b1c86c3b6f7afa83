"""What a run needs of its machine or cluster, checked before anything is written: Ray would wait for ever instead."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tic_sweep.errors import ResourceError, StoreError
from tic_sweep.launch.options import Options


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
        )
    if options.cpus_per_trial > cpus:
        raise ResourceError(
            f"--cpus-per-trial {options.cpus_per_trial}: {_has(where, nodes)} {cpus:g} CPUs. Give at most {cpus:g}."
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
        share = options.gpus_per_trial
        by_gpu = by_cpu if not share else node.gpus * (1 // share) if share <= 1 else node.gpus // share
        fitting += int(min(by_cpu, by_gpu))
    return max(1, min(fitting, options.max_concurrent or fitting))


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
    """Refuse a GPU that is not there.

    Raises:
        ResourceError: if one is asked for and none is visible.
    """
    import torch

    if (options.resources.device == "cuda" or options.gpus_per_trial) and not torch.cuda.is_available():
        raise ResourceError("--device cuda: this machine has no GPU that torch can use. Leave the option out.")


def check_place(path: Path) -> None:
    """Refuse a results folder that could not be made, before anything is.

    Raises:
        StoreError: if the nearest folder that exists cannot be written.
    """
    existing = next((p for p in (path, *path.parents) if p.exists()), path)
    if not existing.is_dir():
        raise StoreError(f"results folder {str(path)!r} cannot be made: {str(existing)!r} is a file.")
    if not os.access(existing, os.W_OK | os.X_OK):
        raise StoreError(f"results folder {str(path)!r} cannot be written: give a place you may write to.")


def _has(where: str, nodes: Sequence[Node]) -> str:
    return f"{where} has" if len(nodes) == 1 else f"no node of {where} has more than"
