"""A sweep over two nodes: data once per node, results on the driver's disk, checkpoints in an object store.

The nodes are Ray's own test cluster, two raylets on this machine that share nothing with each other but its disk.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from tempfile import gettempdir

import pytest
from store.object_store import client_of, environment_of, stored_under

pytestmark = [pytest.mark.slow, pytest.mark.ray]
TESTS = Path(__file__).parents[1]
DRIVER = """
import json, os, sys
from pathlib import Path

from ray.cluster_utils import Cluster

cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0})
for name in ("one", "two"):
    cluster.add_node(num_cpus=1, env_vars={"TIC_SWEEP_TEST_NODE": name})

import ray
from launch.launch_fakes import TINY, MeetingTraining
from tic_sweep.config import Resources
from tic_sweep.launch import ray_tune
from tic_sweep.launch.options import Options, Request
from tic_sweep.launch.session import run_sweep
from tic_sweep.space import Grid
from tic_sweep.sweep import Scale, Sweep

refs, put, run = [], ray.put, ray_tune.run_on_ray


def noted(value):
    refs.append(put(value))
    return refs[-1]


def moving(*args, **named):
    ray.put = noted
    try:
        return run(*args, **named, training=MeetingTraining)
    finally:
        ray.put = put
        where.extend(len(ray.experimental.get_object_locations([refs[0]])[refs[0]]["node_ids"]) for _ in (0,))


where = []
ray_tune.run_on_ray = moving
scale = Scale(base=TINY, space={"optimiser.lr": Grid((0.1, 0.2, 0.3, 0.4)), "optimiser.epochs": Grid((6,))})
options = Options(
    address=cluster.address, storage=sys.argv[2] or None, wandb="off", resources=Resources(checkpoint_seconds=0)
)
ended = run_sweep(Request(sweep=Sweep(name="nodes", question="?", laptop=scale)), options, results=Path(sys.argv[1]))
print(json.dumps({"done": ended.done, "problems": ended.problems, "copies": where}))
cluster.shutdown()
"""


def driven(results: Path, storage: str, environment: dict[str, str]) -> dict[str, object]:
    """Run the sweep in a process of its own; return what it printed last."""
    known = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
    paths = os.pathsep.join([str(TESTS), str(TESTS.parent)])
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", DRIVER, str(results), storage],
        env=known | environment | {"PYTHONPATH": paths, "RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": "ab" * 32},
        capture_output=True, text=True, timeout=550, check=False,
    )  # fmt: skip
    assert 0 == done.returncode, done.stdout + done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("storage", ["s3://science/checkpoints", ""])
def test_a_sweep_over_two_nodes(tmp_path: Path, server: str, storage: str) -> None:
    """Workers that die are continued from checkpoints that no worker's disk holds; every row is there, once.

    Without a place for them the checkpoints come to lie in the results folder, on the driver's disk.
    """
    import polars as pl
    from launch.launch_fakes import rows

    client_of(server)
    meeting, copies = tmp_path / "meeting", tmp_path / "copies"
    meeting.mkdir()
    copies.mkdir()
    # a folder of this sweep's own for the copies that workers keep: those of other sweeps come and go meanwhile;
    # Ray stays where it is, as the addresses of its sockets may not be long
    own = {"TIC_SWEEP_TEST_MEETING": str(meeting), "TMPDIR": str(copies), "RAY_TMPDIR": gettempdir()}
    told = driven(tmp_path / "r", storage, environment_of(server) | own)
    trials = rows(tmp_path / "r", "trials")
    place = json.loads((tmp_path / "r" / "sweep.json").read_text())["storage"]
    kept = stored_under(server, place.removeprefix("s3://science/")) if storage else {}
    here = {path.name for path in (tmp_path / "r" / "checkpoints").glob("*.pt")}

    assert (4, []) == (told["done"], told["problems"])
    assert [3] == told["copies"]  # one on each node and the driver's own, for eight starts of trials
    assert {"one": str(copies), "two": str(copies)} == {path.name: path.read_text() for path in meeting.iterdir()}
    assert set(trials["host"].to_list()) <= {"one", "two"}
    assert {("finished", 2, "from 2")} == set(trials.select("status", "attempt", "reason").rows())
    assert 4 * 7 == rows(tmp_path / "r", "epochs").select(pl.struct("key", "epoch")).n_unique()
    assert {f"{key}.pt" for key in trials["key"]} == (set(kept) if storage else here)
    assert place.startswith("s3://science/checkpoints/nodes-laptop-") if storage else not place
    assert not list(copies.glob("tic_sweep-checkpoint-*"))
