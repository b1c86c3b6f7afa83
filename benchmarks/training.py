"""A layer of LIF neurons and whole training steps against SpikingJelly, snnTorch and Norse, on a CPU or a GPU.

All sides run in one process, in turn, with the order rotated every round; the table gives the median time by the clock
and of the processor, the fastest peer's time over a side's own (median of the rounds, smallest and largest), and what
the forward pass saves for the backward pass. *convolutions alone* is the floor of a step: its convolutions, forward and
backward, and nothing else. The peers are no dependency of the project; install what is to be compared with:

    pip install spikingjelly==2.0.0 snntorch==1.0.0 norse==1.1.0
    python benchmarks/training.py [--only layer,small,resnet19] [--device cpu] [--precision float32] [--rounds 9]
"""

import argparse
import platform
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import metadata

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, cross_entropy
from training_peers import PeerLayer, PeerNetwork, available

from tic_sweep.config import DATASETS, TrialConfig, replaced
from tic_sweep.models import LIF, build_model
from tic_sweep.snn import choose, horizon_logits, lif, running
from tic_sweep.training.allocator import keep_freed_memory

LAYERS = {"cpu": [(10, 16, 64, 16, 16)], "cuda": [(10, 16, 64, 16, 16), (10, 128, 256, 16, 16)]}
"""Shapes [T, N, C, H, W]; the first is small enough for caches, the second fills a GPU."""
NETWORKS = {
    "small": ({"model.name": "small_conv", "data.name": "fashion_mnist"}, {"cpu": 32, "cuda": 256}),
    "resnet19": ({"model.name": "resnet19", "data.name": "cifar10"}, {"cpu": 4, "cuda": 128}),
}
TIMESTEPS = 10
Work = Callable[[], Tensor]
"""A forward pass that returns what is to be differentiated."""


class Side:
    """One library at one job: a forward pass and what follows it."""

    def __init__(self, name: str, forward: Work, after: Callable[[Tensor], None], *, peer: bool) -> None:
        self.name, self.forward, self.after, self.peer = name, forward, after, peer
        self.wall: list[float] = []
        self.cpu: list[float] = []

    def run(self) -> None:
        """Do the job once."""
        self.after(self.forward())


def layer_sides(shape: tuple[int, ...], arguments: argparse.Namespace) -> list[Side]:
    """Return a layer of neurons, forward and backward, by every library."""
    device, dtype = torch.device(arguments.device), getattr(torch, arguments.precision)
    drawn = torch.Generator().manual_seed(0)
    x = (torch.randn(shape, generator=drawn) * 1.5 + 0.5).to(device, dtype).requires_grad_()
    grad = torch.randn(shape, generator=drawn).to(device)
    neuron = TrialConfig().neuron

    def after(s: Tensor) -> None:
        x.grad = None
        s.backward(grad.to(s.dtype))

    def own(kernels: str) -> Work:
        def forward() -> Tensor:
            with running(kernels):
                return lif(x, neuron)

        return forward

    sides = [Side(f"tic_sweep, {k}", own(k), after, peer=False) for k in own_kernels(device)]
    for name in arguments.peers:
        peer = PeerLayer(name).to(device)
        sides.append(Side(name, lambda peer=peer: peer(x), after, peer=True))
    return sides


def step_sides(values: dict[str, str], arguments: argparse.Namespace, batch: int) -> tuple[list[Side], int]:
    """Return a training step of a network by every library, and the number of its neurons times timesteps and batch."""
    device, half = torch.device(arguments.device), arguments.precision == "bfloat16"
    config = replaced(TrialConfig(), {**values, "model.width": arguments.width, "timesteps": TIMESTEPS})
    spec, drawn = DATASETS[config.data.name], torch.Generator().manual_seed(0)
    images = torch.randn(batch, spec.channels, spec.size, spec.size, generator=drawn).to(device)
    labels = torch.randint(spec.classes, (batch,), generator=drawn).to(device)
    like = build_model(config)

    def side(name: str, model: nn.Module, kernels: str = "plain", *, channels_last: bool = False) -> Side:
        model = model.to(device).train()
        if channels_last:
            model = model.to(memory_format=torch.channels_last)
        optimiser = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
        shown = images.contiguous(memory_format=torch.channels_last) if channels_last else images

        def forward() -> Tensor:
            with running(kernels), torch.autocast(device.type, torch.bfloat16, enabled=half):
                outputs = model(shown)
            return cross_entropy(horizon_logits(outputs.float(), "mean")[-1], labels)

        def after(loss: Tensor) -> None:
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            optimiser.step()

        return Side(name, forward, after, peer=not name.startswith(("tic_sweep", "conv")))

    on_gpu = device.type == "cuda"
    sides = [
        side(f"tic_sweep, {kernels}", build_model(config), kernels, channels_last=kernels == "triton")
        for kernels in own_kernels(device)
    ]
    for name in arguments.peers:
        sides.append(side(name, PeerNetwork(like, name)))
        if on_gpu:
            sides.append(side(f"{name}, channels last", PeerNetwork(like, name), channels_last=True))
    return [*sides, convolutions(like.to(device), images, half=half)], neurons_of(like, images)


def convolutions(model: nn.Module, images: Tensor, *, half: bool) -> Side:
    """Return the floor: every convolution of a network forward and backward, on the shapes that it meets."""
    dtype, inputs = torch.bfloat16 if half else torch.float32, list[tuple[nn.Conv2d, Tensor]]()
    last = torch.channels_last if images.is_cuda else torch.contiguous_format
    convs = [module for module in model.modules() if isinstance(module, nn.Conv2d)]
    hooks = [
        conv.register_forward_pre_hook(lambda conv, args: inputs.append((conv, torch.empty_like(args[0]))))
        for conv in convs
    ]
    with torch.no_grad():
        model(images)
    for hook in hooks:
        hook.remove()
    first = convs[0]
    cases = []
    for conv, x in inputs:
        given = (torch.rand(x.shape, device=x.device) < 0.2).to(dtype).contiguous(memory_format=last)
        weight = conv.weight.detach().to(dtype).contiguous(memory_format=last)
        cases.append((given.requires_grad_(conv is not first), weight.requires_grad_(), conv.stride, conv.padding))
    grads: list[Tensor] = []

    def forward() -> Tensor:
        outputs = [conv2d(x, weight, None, stride, padding) for x, weight, stride, padding in cases]
        if not grads:
            grads.extend(torch.ones_like(y) for y in outputs)
        wanted = [t for x, weight, *_ in cases for t in (x, weight) if t.requires_grad]
        torch.autograd.grad(outputs, wanted, grads)
        return outputs[0]

    return Side("convolutions alone", forward, lambda _: None, peer=False)


def own_kernels(device: torch.device) -> list[str]:
    """Return the plain path and the fastest kernels that this machine has."""
    return list(dict.fromkeys(("plain", choose("auto", device))))


def neurons_of(model: nn.Module, images: Tensor) -> int:
    """Return how many neurons, times timesteps and images, a forward pass has."""
    counts: list[int] = []
    hooks = [
        m.register_forward_hook(lambda _m, _a, s: counts.append(s.numel()))
        for m in model.modules()
        if isinstance(m, LIF)
    ]
    with torch.no_grad():
        model(images)
    for hook in hooks:
        hook.remove()
    return sum(counts)


def measure(sides: list[Side], rounds: int, repeats: int, device: torch.device) -> None:
    """Run all sides in turn, in another order every round; the first round warms up. What cannot run is left out."""
    for side in list(sides):
        try:
            side.run()
        except (RuntimeError, TypeError, ValueError) as error:
            print(f"{side.name} is left out: {str(error).splitlines()[0]}")
            sides.remove(side)
    for round_ in range(rounds + 1):
        at = round_ % len(sides)
        for side in [*sides[at:], *sides[:at]]:
            with clocked(side, repeats, device):
                for _ in range(repeats):
                    side.run()
    for side in sides:
        del side.wall[0], side.cpu[0]


@contextmanager
def clocked(side: Side, repeats: int, device: torch.device) -> Iterator[None]:
    """Note how long the context lasts, per repeat, by the clock and by the processor."""
    wait(device)
    wall, cpu = time.perf_counter(), time.process_time()
    yield
    wait(device)
    side.wall.append((time.perf_counter() - wall) / repeats)
    side.cpu.append((time.process_time() - cpu) / repeats)


def wait(device: torch.device) -> None:
    """Wait until a GPU has done what it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize()


def saved_bytes(side: Side) -> int:
    """Return the bytes that a forward pass saves for its backward pass, beside parameters: each storage once."""
    held: dict[int, Tensor] = {}

    def keep(x: Tensor) -> Tensor:
        if not isinstance(x, nn.Parameter):
            held[x.untyped_storage().data_ptr()] = x
        return x

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda x: x):
        out = side.forward()
    total = sum(x.untyped_storage().nbytes() for x in held.values())
    del out
    return total


def report(title: str, sides: list[Side], neurons: int, device: torch.device) -> None:
    """Print a table of what was measured."""
    fastest = min((side for side in sides if side.peer), key=lambda s: statistics.median(s.wall), default=sides[0])
    clock = (lambda side: side.cpu) if device.type == "cpu" else (lambda side: side.wall)
    print(f"\n{title}; speed is {fastest.name} over own, by {'processor' if device.type == 'cpu' else 'clock'}")
    print("\n| Side | Clock, ms | Processor, ms | Speed | Saved, bytes per neuron and timestep | Peak, GiB |")
    print("|---|---|---|---|---|---|")
    for side in sides:
        ratios = sorted(a / b for a, b in zip(clock(fastest), clock(side), strict=True))
        saved = "" if side.name.startswith("conv") else f"{saved_bytes(side) / neurons:.2f}"
        print(
            f"| {side.name} | {spread(side.wall)} | {spread(side.cpu)} | "
            f"{statistics.median(ratios):.2f} ({ratios[0]:.2f}–{ratios[-1]:.2f}) | {saved} | {peak(side, device)} |",
            flush=True,
        )


def peak(side: Side, device: torch.device) -> str:
    """Return the most memory that a GPU held during one run beyond what it held before."""
    if device.type != "cuda":
        return ""
    side.run()
    torch.cuda.synchronize()
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    side.run()
    torch.cuda.synchronize()
    return f"{(torch.cuda.max_memory_allocated() - before) / 2**30:.2f}"


def spread(seconds: list[float]) -> str:
    """Return median, smallest and largest in milliseconds."""
    return f"{statistics.median(seconds) * 1e3:.2f} ({min(seconds) * 1e3:.2f}–{max(seconds) * 1e3:.2f})"


def main() -> None:
    """Run what was asked for and print one table each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="layer,small,resnet19")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--precision", choices=("float32", "bfloat16"), default="float32")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--batch", type=int, help="of the networks")
    parser.add_argument("--width", type=float, default=1.0, help="of the networks")
    parser.add_argument("--peers", help="names, separated by semicolons; all that are installed if left out")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    keep_freed_memory()
    device = torch.device(arguments.device)
    arguments.peers = available() if arguments.peers is None else [p for p in arguments.peers.split(";") if p]
    versions = ", ".join(
        f"{name} {version(name)}" for name in ("torch", "triton", "spikingjelly", "snntorch", "norse") if version(name)
    )
    hardware = torch.cuda.get_device_name() if device.type == "cuda" else f"{arguments.threads} thread(s)"
    print(f"{platform.machine()}, {hardware}, Python {platform.python_version()}, {versions}, {arguments.precision}")
    for job in arguments.only.split(","):
        if job == "layer":
            for shape in LAYERS[arguments.device]:
                sides = layer_sides(shape, arguments)
                measure(sides, arguments.rounds, arguments.repeats, device)
                neurons = torch.Size(shape).numel()
                report(f"LIF layer {list(shape)}, forward and backward", sides, neurons, device)
        else:
            values, batches = NETWORKS[job]
            batch = arguments.batch or batches[arguments.device]
            sides, neurons = step_sides(values, arguments, batch)
            measure(sides, arguments.rounds, arguments.repeats, device)
            report(f"{job}, one SGD step, batch {batch}, T = {TIMESTEPS}", sides, neurons, device)


def version(name: str) -> str:
    """Return a package's version, or nothing."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""


if __name__ == "__main__":
    main()
