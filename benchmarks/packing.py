"""Some small trials on one GPU: one after the other, each in a process of its own at once, and packed.

Every way runs the same trials from their configs to their outcomes: training, validation, a Fisher report after every
epoch, tests. Processes are started, and torch is loaded, before the clock starts; recording is part of a pack's time.
The processes share the GPU as trials with a fraction of it each do. Ways take turns, the first one last in the next
round; the table gives medians, and how many times longer than the pack, round by round.

    python benchmarks/packing.py [--case digits] [--trials 8] [--epochs 5] [--alone 8] [--rounds 3] [--device cuda]

``--alone N`` runs N of the trials one after the other and scales, because they all cost the same.
"""

import argparse
import json
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence

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
    | {"data.name": "fashion_mnist", "optimiser.batch_size": 128, "data.train_samples": 20_000,
       "data.validation_samples": 2_000, "data.test_samples": 2_000},
}  # fmt: skip
WAYS = ("one after the other", "processes at once", "packed")


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
    """Processes that wait, each with a trial and its data, for the word to run it."""

    def __init__(self, configs: Sequence[TrialConfig], case: str, device: str) -> None:
        self._started = [
            subprocess.Popen(  # noqa: S603 - this file
                [sys.executable, __file__, "--worker", json.dumps(to_dict(config)), "--case", case, "--device", device],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            )
            for config in configs
        ]  # fmt: skip
        self._heard()  # they are ready

    def run(self) -> list[str]:
        """Let all run at once; return how they ended."""
        for process in self._started:
            print("go", file=process.stdin, flush=True)
        return self._heard()

    def close(self) -> None:
        """End them."""
        for process in self._started:
            process.communicate()

    def _heard(self) -> list[str]:
        return [process.stdout.readline().strip() for process in self._started if process.stdout]


def work(config: TrialConfig, images: RawImages, resources: Resources) -> None:
    """Be one of the processes: run the trial at every word, having run an epoch of it to warm up."""
    run_alone([replaced(config, {"optimiser.epochs": 1})], images, resources)
    print("ready", flush=True)
    for _ in sys.stdin:
        print(*run_alone([config], images, resources), flush=True)


def timed(run: Callable[[], list[str]], device: str) -> float:
    """Return the seconds of one run, all of whose trials have to finish."""
    began = time.perf_counter()
    statuses = run()
    if device == "cuda":
        torch.cuda.synchronize()
    assert set(statuses) == {"finished"}, statuses
    return time.perf_counter() - began


def main() -> None:
    """Run every way in every round and print one line for each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--case", choices=CASES, default="digits")
    parser.add_argument("--trials", type=int, default=8)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--alone", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    keep_freed_memory()
    images, resources = images_of(arguments.case), Resources(device=arguments.device)
    if arguments.worker:
        work(from_dict(json.loads(arguments.worker)), images, resources)
        return
    configs = trials_of(arguments.case, arguments.trials, arguments.epochs)
    alone = configs[: min(arguments.alone, len(configs))]
    processes = Processes(configs, arguments.case, arguments.device)
    run_alone([replaced(configs[0], {"optimiser.epochs": 1})], images, resources)  # warms up
    runs: dict[str, Callable[[], list[str]]] = {
        WAYS[0]: lambda: run_alone(alone, images, resources),
        WAYS[1]: processes.run,
        WAYS[2]: lambda: run_packed(configs, images, resources),
    }
    taken: dict[str, list[float]] = {way: [] for way in WAYS}
    for turn in range(arguments.rounds):
        first = turn % len(WAYS)
        for way in WAYS[first:] + WAYS[:first]:
            scale = len(configs) / len(alone) if way == WAYS[0] else 1.0
            taken[way].append(timed(runs[way], arguments.device) * scale)
    processes.close()
    name = torch.cuda.get_device_name() if arguments.device == "cuda" else platform.processor() or platform.machine()
    print(f"{name}, torch {torch.__version__}, Python {platform.python_version()}; {arguments.case}, batch "
          f"{configs[0].optimiser.batch_size}, T = 8, {len(configs)} trials of {arguments.epochs} epochs, medians of "
          f"{arguments.rounds} rounds; {len(alone)} trials run alone")  # fmt: skip
    print(f"{'way':20} {'seconds':>9} {'times the pack (min-max)':>26}")
    for way, seconds in taken.items():
        ratios = [own / packed for own, packed in zip(seconds, taken[WAYS[2]], strict=True)]
        spread = f"{statistics.median(ratios):.2f} ({min(ratios):.2f}-{max(ratios):.2f})"
        print(f"{way:20} {statistics.median(seconds):>9.2f} {spread:>26}")


if __name__ == "__main__":
    main()
