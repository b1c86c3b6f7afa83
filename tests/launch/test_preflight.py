"""Preflight: what the machine or cluster lacks is said at once."""

import os
from pathlib import Path

import pytest

from tic_sweep.config import Resources
from tic_sweep.errors import ResourceError, StoreError
from tic_sweep.launch.options import Options
from tic_sweep.launch.preflight import (
    Node,
    available_cpus,
    check_in_process,
    check_nodes,
    check_place,
    hints,
    idle_gpus,
    plain_neurons,
    slots,
)
from tic_sweep.snn.library import NotCompiledError


@pytest.mark.parametrize(
    ("nodes", "wishes", "said"),
    [
        ([Node(2, 0)], {"gpus_per_trial": 1.0}, "this machine has 0 GPUs. Leave"),
        ([Node(2, 1)], {"gpus_per_trial": 2.0}, "this machine has 1 GPUs. Give at most 1"),
        ([Node(4, 1), Node(4, 1)], {"gpus_per_trial": 2.0, "address": "auto"}, "no node of the cluster at auto"),
        ([Node(2, 0)], {"cpus_per_trial": 3}, "this machine has 2 CPUs"),
        ([Node(8, 0), Node(1, 1)], {"cpus_per_trial": 2, "gpus_per_trial": 1.0, "address": "auto"}, "has both"),
    ],
)
def test_what_no_node_has_is_refused(nodes: list[Node], wishes: dict[str, object], said: str) -> None:
    """Ray would wait for ever for a GPU that is not there."""
    with pytest.raises(ResourceError, match=said):
        check_nodes(nodes, Options(**wishes))


@pytest.mark.parametrize(
    ("nodes", "wishes", "expected"),
    [
        ([Node(2, 0)], {}, 2),
        ([Node(8, 2)], {"gpus_per_trial": 0.5}, 4),
        ([Node(8, 2)], {"gpus_per_trial": 2.0}, 1),
        ([Node(8, 2), Node(8, 2)], {"gpus_per_trial": 1.0, "cpus_per_trial": 4}, 4),
        ([Node(8, 0)], {"max_concurrent": 3}, 3),
        ([Node(64, 1)], {"gpus_per_trial": 0.1}, 10),
        ([Node(64, 1)], {"gpus_per_trial": 0.05}, 20),
        ([Node(64, 2)], {"gpus_per_trial": 0.3}, 6),
        ([Node(64, 3), Node(64, 1)], {"gpus_per_trial": 2.0}, 1),
        ([Node(8, 0)], {"in_process": True}, 1),
    ],
)
def test_slots_count_trials_at_once(nodes: list[Node], wishes: dict[str, object], expected: int) -> None:
    """CPUs, GPU shares and the limit asked for all count."""
    assert expected == slots(nodes, Options(**wishes))


@pytest.mark.parametrize(("content", "expected"), [("100000 100000", 1), ("50000 100000", 1), ("max 100000", None)])
def test_a_containers_quota_counts(tmp_path: Path, content: str, expected: int | None) -> None:
    """The CPUs are those bound to this process, within its container's quota."""
    quota = tmp_path / "cpu.max"
    quota.write_text(content)

    assert (expected or len(os.sched_getaffinity(0))) == available_cpus(quota)


def test_a_process_has_no_more_cpus_than_the_machine() -> None:
    """As many threads as asked for would end the process, or slow it down."""
    cpus = available_cpus()
    check_in_process(Options(in_process=True, cpus_per_trial=cpus))

    with pytest.raises(
        ResourceError, match=rf"--cpus-per-trial 100000000: this machine has {cpus} CPUs\. Give at most"
    ):
        check_in_process(Options(in_process=True, cpus_per_trial=100_000_000))


def test_a_place_below_a_file_is_refused(tmp_path: Path) -> None:
    """No results folder can be made below a file, and nothing is made on the way to finding out."""
    (tmp_path / "file").write_text("")

    with pytest.raises(StoreError, match="is a file"):
        check_place(tmp_path / "file" / "results")
    check_place(tmp_path / "new" / "results")

    assert ["file"] == [entry.name for entry in tmp_path.iterdir()]


@pytest.mark.parametrize(
    ("gpus", "wishes", "hinted"),
    [(0, {}, False), (2, {}, True), (2, {"gpus_per_trial": 0.5}, False), (2, {"address": "auto"}, False)],
)
def test_idle_gpus_are_pointed_out(
    gpus: int,
    wishes: dict[str, object],
    hinted: object,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Someone with a GPU who asked for none is told which option uses it."""
    monkeypatch.setattr("tic_sweep.launch.preflight.this_machine", lambda _options: Node(cpus=2, gpus=gpus))

    assert hinted == ("--gpus-per-trial" in idle_gpus(Options(**wishes)))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("nodes", "wishes", "said"),
    [
        (
            [Node(8, 2)],
            {"gpus_per_trial": 0.3},
            ["3 fit on a GPU, and 0.10 of each stays unused: --gpus-per-trial 0.33"],
        ),
        ([Node(8, 2)], {"gpus_per_trial": 0.6}, ["1 fit on a GPU, and 0.40 of each stays unused: --gpus-per-trial 1 "]),
        ([Node(8, 2)], {"gpus_per_trial": 0.33}, []),
        ([Node(32, 2)], {"gpus_per_trial": 0.1}, []),
        ([Node(8, 8), Node(8, 3)], {"gpus_per_trial": 2.0}, ["a node with 3 GPUs leaves 1 of them unused"]),
        ([Node(4, 8)], {"gpus_per_trial": 1.0}, ["a node with 4 CPUs runs 4 trials where its GPUs would take 8"]),
        ([Node(3, 0)], {"cpus_per_trial": 2}, []),
    ],
)
def test_what_stays_idle_is_pointed_out(nodes: list[Node], wishes: dict[str, object], said: list[str]) -> None:
    """It runs all the same: a hint names what is left, and what would use it."""
    told = hints(nodes, Options(address="auto", **wishes))

    assert len(said) == len(told)
    assert not [(want, have) for want, have in zip(said, told, strict=True) if want not in have]


def test_a_cluster_that_scales_itself_is_thought_of() -> None:
    """Its nodes may not be there yet: the refusal says what to do then."""
    with pytest.raises(ResourceError, match=r"has 0 CPUs\. Start a node that has some\. If the cluster scales itself"):
        check_nodes([Node(0, 0)], Options(address="auto"))


@pytest.mark.parametrize("place", ["s3://bucket/results", "s3:/bucket/results", "gs://bucket/x"])
def test_results_are_not_written_to_a_store(place: str) -> None:
    """A path made of a URL would be a folder of that name."""
    with pytest.raises(StoreError, match="an object store takes checkpoints alone"):
        check_place(Path(place))
    with pytest.raises(StoreError, match="https:// is not a store"):
        check_place(Path("https://me:secret@host/results"))


@pytest.mark.parametrize("without_compiler", [True, False])
def test_a_machine_without_a_compiler_is_told_so(monkeypatch: pytest.MonkeyPatch, *, without_compiler: bool) -> None:
    """Neurons then run plain, and say so; a wish for compiled ones is refused, and one for plain ones needs no word."""
    if without_compiler:
        monkeypatch.setattr("tic_sweep.snn.kernels.library", _no_compiler)
    else:
        monkeypatch.setattr("tic_sweep.snn.kernels.library", lambda: None)
    told = plain_neurons(Options())

    assert without_compiler == ("no C compiler" in told)
    assert "" == plain_neurons(Options(resources=Resources(kernels="plain")))
    assert "" == plain_neurons(Options(address="auto"))
    if without_compiler:
        with pytest.raises(ResourceError, match="'compiled' cannot run here: no C compiler"):
            plain_neurons(Options(resources=Resources(kernels="compiled")))


def _no_compiler() -> None:
    raise NotCompiledError("no C compiler (cc, gcc or clang) was found")
