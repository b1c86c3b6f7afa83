"""Some small trials on one GPU: one after the other, each in a process of its own at once, recorded, and packed.

Every way runs the same trials from their configs to their outcomes: training, validation, a Fisher report after every
epoch, tests. The processes share the GPU as trials with a fraction of it each do. Packs of one, one after the other,
tell what recording alone is worth. Processes are started, torch is loaded and each way has run an epoch before the
clock starts; recording is part of a pack's time. Ways take turns, another one first in every round; the table gives
medians, and how many times longer than the pack, round by round.

    python benchmarks/packing.py [--cases digits fashion_mnist] [--trials 8] [--epochs N] [--alone 8] [--rounds 3]

``--alone N`` runs N of the trials where they run one after the other, and scales, because they all cost the same.
``--steps`` tells instead where the time goes, in one run: the seconds of each step of a pack in a process that has just
begun, then those of one of its trials alone.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch

from tic_sweep.config import Resources, TrialConfig, from_dict, replaced, to_dict
from tic_sweep.data import RawImages, load_images
from tic_sweep.training import Pack, Training, keep_freed_memory

SHARED = {
    "model.name": "small_conv", "timesteps": 8, "fisher.samples": 256, "data.augmentation": "crop",
    "loss.name": "alpha",
}  # fmt: skip
CASES = {
    "digits": SHARED | {"data.name": "digits", "optimiser.batch_size": 32},
    "fashion_mnist": SHARED
    | {"data.name": "fashion_mnist", "optimiser.batch_size": 128, "data.train_samples": 10_000,
       "data.validation_samples": 1_000, "data.test_samples": 1_000},
}  # fmt: skip
EPOCHS = {"digits": 5, "fashion_mnist": 2}
WAYS = ("one after the other", "processes at once", "packs of one", "packed")


def trials_of(case: str, count: int, epochs: int) -> list[TrialConfig]:
    """Return trials that differ in all that members of a pack may differ in."""
    base = replaced(TrialConfig(), CASES[case] | {"optimiser.epochs": epochs})
    return [
        replaced(
            base,
            {
                "seed": k, "optimiser.lr": 0.05 + 0.02 * k, "optimiser.weight_decay": 1e-4 * k,
                "neuron.tau": 1.8 + 0.1 * k, "neuron.reset_gradient": (k % 8) / 8, "loss.alpha": 0.01 * k,
            },
        )
        for k in range(count)
    ]  # fmt: skip


def images_of(case: str) -> RawImages:
    """Return the digits or, in the shape and number of Fashion-MNIST, digits enlarged with noise: only time counts."""
    digits = load_images("digits")
    if case == "digits":
        return digits
    drawn = np.random.default_rng(0)

    def enlarged(images: np.ndarray, labels: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
        chosen = np.resize(np.arange(len(labels)), count)
        large = np.pad(images[chosen].repeat(3, -1).repeat(3, -2), ((0, 0), (0, 0), (2, 2), (2, 2)))
        return np.clip(large + drawn.integers(0, 40, large.shape), 0, 255).astype(np.uint8), labels[chosen]

    return RawImages(
        *enlarged(digits.train_images, digits.train_labels, 60_000),
        *enlarged(digits.test_images, digits.test_labels, 10_000),
    )


def run_alone(configs: Sequence[TrialConfig], images: RawImages, resources: Resources) -> list[str]:
    """Run trials one after the other; return how they ended."""
    statuses = []
    for config in configs:
        training = Training(config, images, resources)
        for _ in training.reports():
            pass
        statuses.append(training.outcome.status)
    return statuses


def run_packed(configs: Sequence[TrialConfig], images: RawImages, resources: Resources) -> list[str]:
    """Run trials as a pack; return how they ended."""
    pack = Pack([(config, None) for config in configs], images, resources)
    told = []
    while not pack.over:
        told += pack.step()
    pack.close()
    return [one.outcome.status if one.outcome else "failed" for one in told if not one.report]


class Processes:
    """Processes that wait, with the data of all cases, for trials to run."""

    def __init__(self, count: int, cases: Sequence[str], device: str) -> None:
        command = [sys.executable, __file__, "--worker", "--cases", *cases, "--device", device]
        self._started = [
            subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)  # noqa: S603 - this file
            for _ in range(count)
        ]

    def run(self, configs: Sequence[TrialConfig]) -> list[str]:
        """Let each run one of the trials, at once; return how they ended."""
        for process, config in zip(self._started, configs, strict=True):
            print(json.dumps(to_dict(config)), file=process.stdin, flush=True)
        return [process.stdout.readline().strip() for process in self._started if process.stdout]

    def close(self) -> None:
        """End them."""
        for process in self._started:
            process.communicate()


def work(images: Mapping[str, RawImages], resources: Resources) -> None:
    """Be one of the processes: run every trial that is asked for."""
    for line in sys.stdin:
        config = from_dict(json.loads(line))
        print(*run_alone([config], images[config.data.name], resources), flush=True)


def compare(
    configs: Sequence[TrialConfig], images: RawImages, processes: Processes, resources: Resources, rounds: int,
    alone: int,
) -> dict[str, list[float]]:  # fmt: skip
    """Return, for every way, the seconds that the trials took, round by round."""

    def ways(trials: Sequence[TrialConfig]) -> dict[str, Callable[[], list[str]]]:
        return {
            "one after the other": lambda: run_alone(trials[:alone], images, resources),
            "processes at once": lambda: processes.run(trials),
            "packs of one": lambda: [s for trial in trials[:alone] for s in run_packed([trial], images, resources)],
            "packed": lambda: run_packed(trials, images, resources),
        }

    for run in ways([replaced(config, {"optimiser.epochs": 1}) for config in configs]).values():
        run()
    runs, taken = ways(configs), {way: list[float]() for way in WAYS}
    for turn in range(rounds):
        first = turn % len(WAYS)
        for way in WAYS[first:] + WAYS[:first]:
            scale = len(configs) / min(alone, len(configs)) if way in {"one after the other", "packs of one"} else 1.0
            taken[way].append(timed(runs[way], resources.device) * scale)
    return taken


def timed(run: Callable[[], list[str]], device: str) -> float:
    """Return the seconds of one run, all of whose trials have to finish."""
    began = time.perf_counter()
    statuses = run()
    if device == "cuda":
        torch.cuda.synchronize()
    assert set(statuses) == {"finished"}, statuses
    return time.perf_counter() - began


def tell_steps(configs: Sequence[TrialConfig], images: RawImages, resources: Resources) -> None:
    """Print the seconds of each step of a pack, one report of each member, and of the last epoch of a trial alone."""
    pack, steps = Pack([(config, None) for config in configs], images, resources), list[float]()
    while not pack.over:
        began = time.perf_counter()
        pack.step()
        steps.append(time.perf_counter() - began)
    pack.close()
    began = time.perf_counter()
    *_, last = Training(configs[0], images, resources).reports()
    alone, row = time.perf_counter() - began, last.epoch
    assert row is not None
    print(
        f"{configs[0].data.name}: pack of {len(configs)} {sum(steps):.2f} s, step by step", *(f"{s:.2f}" for s in steps)
    )
    print(f"one of them alone {alone:.2f} s; its last epoch: training {row.train_seconds:.3f}, evaluation "
          f"{row.eval_seconds:.3f}, Fisher {row.fisher_seconds:.3f}")  # fmt: skip


def main() -> None:
    """Run every way in every round of every case and print one line for each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", nargs="+", choices=CASES, default=list(CASES))
    parser.add_argument("--trials", type=int, default=8)
    parser.add_argument("--epochs", type=int, help="in place of " + str(EPOCHS))
    parser.add_argument("--alone", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--steps", action="store_true")
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    os.environ.setdefault("CUDA_DEVICE_MAX_CONNECTIONS", "32")  # as `tic-sweep run --pack` has it
    keep_freed_memory()
    images, resources = {case: images_of(case) for case in arguments.cases}, Resources(device=arguments.device)
    if arguments.worker:
        work(images, resources)
        return
    if arguments.steps:
        for case in arguments.cases:
            configs = trials_of(case, arguments.trials, arguments.epochs or EPOCHS[case])
            tell_steps(configs, images[case], resources)
        return
    processes = Processes(arguments.trials, arguments.cases, arguments.device)
    name = torch.cuda.get_device_name() if arguments.device == "cuda" else platform.machine()
    print(f"{name}, {os.cpu_count()} CPUs, torch {torch.__version__}, Python {platform.python_version()}, medians of "
          f"{arguments.rounds} rounds; {min(arguments.alone, arguments.trials)} trials run alone")  # fmt: skip
    for case in arguments.cases:
        epochs = arguments.epochs or EPOCHS[case]
        configs = trials_of(case, arguments.trials, epochs)
        taken = compare(configs, images[case], processes, resources, arguments.rounds, arguments.alone)
        print(f"{case}, batch {configs[0].optimiser.batch_size}, T = 8: {len(configs)} trials of {epochs} epochs")
        print(f"  {'way':20} {'seconds':>9} {'times the pack (min-max)':>26}")
        for way, seconds in taken.items():
            ratios = [own / packed for own, packed in zip(seconds, taken["packed"], strict=True)]
            spread = f"{statistics.median(ratios):.2f} ({min(ratios):.2f}-{max(ratios):.2f})"
            print(f"  {way:20} {statistics.median(seconds):>9.2f} {spread:>26}", flush=True)
    processes.close()


if __name__ == "__main__":
    main()
