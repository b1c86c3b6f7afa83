"""A Fisher report against the published procedure, on the same network and the same samples, on a CPU or a GPU.

The published procedure (the TIC paper's code) takes batches of 16 and, for each horizon t, runs a forward pass of all T
timesteps and the backward pass of the batch's mean loss at t. It is timed twice, as our own network runs it and, with
``--peer``, in plain SpikingJelly, one timestep at a time. Ours is Eq. 6: exact per sample, or one of its estimators.

Everything runs in one process, in turn, in another order every round; the first round warms up and is left out. The
table gives medians, smallest and largest in brackets, and ratios taken round by round against the first contestant. The
last lines set a report on 1,000 samples against a training epoch of 50,000 images of the same network.

    python benchmarks/fisher.py [--width 0.125] [--images 16] [--rounds 5] [--device cpu] [--peer] [--bfloat16]
    python benchmarks/fisher.py --model small_conv --width 1 --images 64
"""

import argparse
import platform
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from tic_sweep.centroid import information_centroid
from tic_sweep.config import DATASETS, TrialConfig, replaced
from tic_sweep.fisher import FisherTrace, fisher_trace
from tic_sweep.models import SpikingNetwork, build_model
from tic_sweep.snn import choose, horizon_logits, running
from tic_sweep.training import keep_freed_memory

REPORT, EPOCH = 1000, 50_000


def published(model: nn.Module, images: Tensor, labels: Tensor, timesteps: int, batch: int) -> list[float]:
    """For each batch and each t: a full forward pass, and the backward pass of the batch's mean loss."""
    model.eval()
    trace = torch.zeros(timesteps, device=images.device)
    for first in range(0, len(labels), batch):
        for t in range(timesteps):
            model.zero_grad(set_to_none=True)
            logits = horizon_logits(model(images[first : first + batch]), "mean")[t]
            cross_entropy(logits, labels[first : first + batch]).backward()
            trace[t] += sum(p.grad.square().sum() for p in model.parameters() if p.grad is not None)
    model.zero_grad(set_to_none=True)
    return trace.tolist()


def train(model: SpikingNetwork, images: Tensor, labels: Tensor, *, bfloat16: bool) -> None:
    """One training step's forward and backward pass, by the kernels that a trial would use."""
    model.train()
    autocast = torch.autocast(images.device.type, torch.bfloat16, enabled=bfloat16)
    with running(choose("auto", images.device)), autocast:
        outputs_TNK = model(images)
    cross_entropy(horizon_logits(outputs_TNK, "mean")[-1], labels).backward()
    model.zero_grad(set_to_none=True)


def seconds(work: Callable[[], object], device: torch.device) -> tuple[float, float, object]:
    """Return wall and CPU seconds of one call, and what it returned."""
    wall, cpu = time.perf_counter(), time.process_time()
    came = work()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter() - wall, time.process_time() - cpu, came


def centroid(came: object) -> float:
    """Return IC of what a contestant returned."""
    return came.ic if isinstance(came, FisherTrace) else information_centroid(came)  # type: ignore[arg-type]


def told(values: Sequence[float], form: str) -> str:
    """Return the median of some values, and the smallest and largest."""
    return f"{statistics.median(values):{form}} ({min(values):{form}}-{max(values):{form}})"


def parsed() -> argparse.Namespace:
    """Return the command line's arguments."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="resnet19", choices=("resnet19", "resnet34", "small_conv"))
    parser.add_argument("--width", type=float, default=0.125)
    parser.add_argument("--timesteps", type=int, default=10)
    parser.add_argument("--images", type=int, default=16, help="measured on")
    parser.add_argument("--batch", type=int, default=16, help="of the published procedure")
    parser.add_argument("--chunk", type=int, default=64, help="images per pass of ours")
    parser.add_argument("--train-batch", type=int, default=0, help="images of the training step; 0 is --images")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--bfloat16", action="store_true", help="ours in half precision too, beside float32")
    parser.add_argument("--tf32", action="store_true", help="let matrix products use TF32, as convolutions may")
    parser.add_argument("--estimators", action="store_true", help="the estimators too")
    parser.add_argument("--peer", action="store_true", help="the published procedure in SpikingJelly too, and first")
    return parser.parse_args()


def main() -> None:
    """Run the contestants and print the table."""
    arguments = parsed()
    torch.set_num_threads(arguments.threads)
    keep_freed_memory()  # all contestants gain from it
    device = torch.device(arguments.device)
    torch.backends.cuda.matmul.allow_tf32 = arguments.tf32
    config = replaced(
        TrialConfig(),
        {"model.name": arguments.model, "model.width": arguments.width, "timesteps": arguments.timesteps},
    )
    spec, count, batch = DATASETS[config.data.name], arguments.images, arguments.batch
    torch.manual_seed(0)
    model = build_model(config).to(device)
    images = torch.randn(count, spec.channels, config.image_size, config.image_size).to(device)
    labels = torch.randint(spec.classes, (count,)).to(device)
    with torch.no_grad():  # running statistics as after training, so that neurons fire
        model.train()
        for _ in range(5):
            model(images[:16])

    trace = partial(fisher_trace, model, images, labels, chunk=arguments.chunk)
    contestants: dict[str, Callable[[], object]] = {}
    if arguments.peer:
        sys.path.insert(0, str(Path(__file__).parent))
        from fisher_peer import PeerNetwork

        peer = PeerNetwork(model, config.neuron).to(device)
        contestants["published, SpikingJelly"] = partial(published, peer, images, labels, config.timesteps, batch)
    contestants["published, our network"] = partial(published, model, images, labels, config.timesteps, batch)
    contestants["exact"] = trace
    if arguments.bfloat16:
        contestants["exact, bfloat16"] = partial(trace, bfloat16=True)
    if arguments.estimators:
        for name in ("projections", "signs"):
            contestants[name] = partial(trace, estimator=name, generator=torch.Generator().manual_seed(1))
            if arguments.bfloat16:
                contestants[f"{name}, bfloat16"] = partial(
                    trace, estimator=name, generator=torch.Generator().manual_seed(1), bfloat16=True
                )
    trained = arguments.train_batch or count
    some = torch.randint(count, (trained,), device=device)
    contestants["training"] = partial(train, model, images[some], labels[some], bfloat16=False)
    if arguments.bfloat16:
        contestants["training, bfloat16"] = partial(train, model, images[some], labels[some], bfloat16=True)

    where = platform.processor() or platform.machine()
    where = torch.cuda.get_device_name(device) if device.type == "cuda" else f"{where}, {arguments.threads} thread(s)"
    print(f"{where}; torch {torch.__version__}; Python {platform.python_version()}; rounds {arguments.rounds}")
    print(f"convolutions may use TF32: {torch.backends.cudnn.allow_tf32}; products: {arguments.tf32}")
    print(f"{arguments.model} x{arguments.width:g}, T = {config.timesteps}, {count} images, in batches of {batch} as "
          f"published and of {trained} in training")  # fmt: skip
    table(contestants, arguments.rounds, device, count, trained)


def table(
    contestants: dict[str, Callable[[], object]], rounds: int, device: torch.device, count: int, batch: int
) -> None:
    """Time the contestants in turn and print a line for each, then the shares of an epoch."""
    names = list(contestants)
    runs: dict[str, list[tuple[float, float]]] = {name: [] for name in names}
    came: dict[str, object] = {}
    for round_ in range(rounds + 1):
        turn = round_ % len(names)
        for name in names[turn:] + names[:turn]:
            wall, cpu, came[name] = seconds(contestants[name], device)
            runs[name].append((wall, cpu))
            print(f"round {round_}: {name} {wall:.3f} s", file=sys.stderr, flush=True)
    measured = {name: some[1:] if rounds else some for name, some in runs.items()}  # the first warms up
    reference = measured[names[0]]
    print(f"{'contestant':26} {'wall, s':>26} {'CPU, s':>26} {'times faster, wall':>26} {'CPU':>22} {'IC':>7}")
    for name in names:
        walls, cpus = zip(*measured[name], strict=True)
        line = f"{name:26} {told(walls, '.3f'):>26} {told(cpus, '.3f'):>26}"
        if not name.startswith("training"):
            ratios = [[a[i] / b[i] for a, b in zip(reference, measured[name], strict=True)] for i in (0, 1)]
            line += f" {told(ratios[0], '.2f'):>26} {told(ratios[1], '.2f'):>22} {centroid(came[name]):>7.3f}"
        print(line)
    for name in names:
        if not name.startswith("training"):
            yardstick = "training, bfloat16" if name.endswith("bfloat16") else "training"
            pairs = list(zip(measured[name], measured[yardstick], strict=True))
            shares = [[(a[i] / count * REPORT) / (b[i] / batch * EPOCH) for a, b in pairs] for i in (0, 1)]
            print(
                f"{name}: {told(shares[0], '.1%')} of an epoch by the clock, {told(shares[1], '.1%')} of its CPU time"
            )


if __name__ == "__main__":
    main()
