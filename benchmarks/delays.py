"""FFT and gather against the reference convolution, for layers of delayed synapses at the published shapes.

Forward, and forward with backward (by weights, positions and, in the second layer, inputs). All backends run in one
process, in turn, with the order rotated every round; the table gives medians and the ratio to conv round by round.
Gather knows whole delays only, and works out the gradients of the synapses that exist. "chosen" is what
`tic_sweep.delays.choose_backend` takes for learnt and for whole delays, which the measurements are to justify.

    python benchmarks/delays.py [--rounds 7] [--threads 1] [--device cpu]
"""

import argparse
import platform
import statistics
import time
from collections.abc import Callable

import torch
from torch import Tensor

from tic_sweep.delays import DelayLinear, choose_backend
from tic_sweep.training import keep_freed_memory

TIMESTEPS, SAMPLES, MAX_DELAY = 80, 256, 24
SHAPES = {"hidden": (40, 256), "output": (256, 20)}
DENSITIES = (1.0, 2**-4, 2**-6)


def layer_of(inputs: int, outputs: int, density: float, backend: str, device: torch.device) -> DelayLinear:
    """Return a layer of the density; with whole delays for gather, learnt ones for the others."""
    drawn = torch.Generator().manual_seed(0)
    layer = DelayLinear(
        inputs, outputs, MAX_DELAY, backend=backend, learn_delays=backend != "gather", generator=drawn
    ).to(device)
    layer.mask.copy_(torch.rand(outputs, inputs, generator=drawn) < density)
    layer.dense_gradient = False
    with torch.no_grad():
        layer.weight.mul_(layer.mask)
    return layer


def work(layer: DelayLinear, x_TNI: Tensor, grad_TNO: Tensor, *, backward: bool) -> Callable[[], None]:
    """Return one pass through a layer."""

    def run() -> None:
        with torch.set_grad_enabled(backward):
            y_TNO = layer(x_TNI)
        if backward:
            layer.zero_grad()
            x_TNI.grad = None
            y_TNO.backward(grad_TNO)
        if x_TNI.is_cuda:
            torch.cuda.synchronize()

    return run


def medians(runs: dict[str, Callable[[], None]], rounds: int) -> dict[str, tuple[float, list[float]]]:
    """Return, by backend, the median seconds, and conv's over its own round by round; the first round warms up."""
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    names = list(runs)
    for round_ in range(rounds + 1):
        for name in names[round_ % len(names) :] + names[: round_ % len(names)]:
            began = time.perf_counter()
            runs[name]()
            seconds[name].append(time.perf_counter() - began)
    return {
        name: (
            statistics.median(taken[1:]),
            [conv / own for conv, own in zip(seconds["conv"][1:], taken[1:], strict=True)],
        )
        for name, taken in seconds.items()
    }


def main() -> None:
    """Run every case and print one line for each backend."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", default="cpu")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    keep_freed_memory()
    device = torch.device(arguments.device)
    print(f"torch {torch.__version__}, {platform.machine()}, {device}, {arguments.threads} thread(s), medians of "
          f"{arguments.rounds}; T = {TIMESTEPS}, batch {SAMPLES}, kernel {MAX_DELAY + 1}")  # fmt: skip
    print(f"{'layer':7} {'density':>8} {'pass':>9} {'backend':>8} {'seconds':>9} {'conv/own (min-max)':>20} "
          f"{'error':>8}  chosen")  # fmt: skip
    for name, (inputs, outputs) in SHAPES.items():
        drawn = torch.Generator().manual_seed(1)
        x_TNI = torch.randn(TIMESTEPS, SAMPLES, inputs, generator=drawn).to(device)
        x_TNI.requires_grad_(name == "output")
        grad_TNO = torch.randn(TIMESTEPS, SAMPLES, outputs, generator=drawn).to(device)
        for density in DENSITIES:
            layers = {
                backend: layer_of(inputs, outputs, density, backend, device) for backend in ("conv", "fft", "gather")
            }
            with torch.no_grad():
                whole = {backend: layer.eval()(x_TNI) for backend, layer in layers.items()}
            errors = {backend: float((whole[backend] - whole["conv"]).abs().max()) for backend in layers}
            for backward in (False, True):
                runs = {b: work(layer.train(), x_TNI, grad_TNO, backward=backward) for b, layer in layers.items()}
                chosen = {
                    hard: choose_backend(outputs, inputs, MAX_DELAY + 1, TIMESTEPS, SAMPLES, density=density, hard=hard)
                    for hard in (False, True)
                }
                for backend, (median, ratios) in medians(runs, arguments.rounds).items():
                    spread = f"{statistics.median(ratios):.2f} ({min(ratios):.2f}-{max(ratios):.2f})"
                    notes = [w for w, hard in (("learnt", False), ("whole", True)) if chosen[hard] == backend]
                    print(f"{name:7} {density:>8.4f} {'both' if backward else 'forward':>9} {backend:>8} "
                          f"{median:>9.4f} {spread:>20} {errors[backend]:>8.1e}  {', '.join(notes)}")  # fmt: skip


if __name__ == "__main__":
    main()
