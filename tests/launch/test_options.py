"""Options: wishes that make no sense on any machine are refused before one is asked."""

from pathlib import Path

import pytest

from tic_sweep.config import Resources
from tic_sweep.errors import ResourceError, StoreError
from tic_sweep.launch.options import Options


@pytest.mark.parametrize(
    ("wishes", "named"),
    [
        ({"gpus_per_trial": -1.0}, "--gpus-per-trial"),
        ({"gpus_per_trial": float("nan")}, "--gpus-per-trial"),
        ({"gpus_per_trial": 1.5}, "--gpus-per-trial"),
        ({"gpus_per_trial": 0.001}, "at least 0.01"),
        ({"gpus_per_trial": 1 / 3}, "four decimals at most"),
        ({"cpus_per_trial": 0}, "--cpus-per-trial"),
        ({"cpus": 0}, "--cpus"),
        ({"max_concurrent": 0}, "--max-concurrent"),
        ({"retries": -1}, "--retries"),
        ({"epoch_seconds": 0.0}, "--epoch-seconds"),
        ({"epoch_seconds": float("nan")}, "--epoch-seconds"),
        ({"epoch_seconds": 60.0, "in_process": True}, "--epoch-seconds 60 .* contradicts --in-process"),
        ({"gpus_per_trial": 1.0, "resources": Resources(device="cpu")}, "--device cpu"),
        ({"resources": Resources(device="cuda")}, "--gpus-per-trial"),
        ({"in_process": True, "address": "auto"}, "--in-process"),
        ({"in_process": True, "storage": "s3://bucket/x"}, "--in-process"),
        ({"stop_after": 0.0}, "--stop-after"),
        ({"stop_after": float("nan")}, "--stop-after"),
        ({"resources": Resources(kernels="triton")}, "--gpus-per-trial"),
        ({"gpus_per_trial": 1.0, "resources": Resources(kernels="compiled")}, "--kernels compiled"),
    ],
)
def test_senseless_wishes_are_refused(wishes: dict[str, object], named: str) -> None:
    """The message names the flag at fault, in one line."""
    with pytest.raises(ResourceError, match=named) as refused:
        Options(**wishes)

    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("data", ["s3://bucket/x", Path("s3://bucket/x"), "s3://me:secret@bucket/x"])
def test_data_lie_on_this_machine(data: Path) -> None:
    """A path made of a URL would be a folder of that name, and stored with what the URL holds."""
    with pytest.raises(StoreError, match=r"--data: .* is a URL, and a local folder is needed") as refused:
        Options(data=data)

    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(("gpus", "device"), [(0.0, "cpu"), (0.5, "cuda"), (2.0, "cuda")])
def test_a_trial_computes_where_it_was_given_a_share(gpus: float, device: str) -> None:
    """Without a share of a GPU a trial stays on CPUs, even where GPUs are visible; threads are its CPUs."""
    resources = Options(gpus_per_trial=gpus, cpus_per_trial=3).trial_resources

    assert (device, 3) == (resources.device, resources.threads)
