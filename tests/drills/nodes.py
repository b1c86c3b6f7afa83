"""A Ray cluster of several nodes on this machine, in a process of its own that is told what to do by lines.

``add`` adds a node of one CPU; ``kill N`` and ``leave N`` take the N-th away, as a power cut does and in order;
``preempt N SECONDS`` tells Ray that the N-th will be taken away after so many seconds, as clouds do with spot machines,
waits for them, and takes it. Ray's test cluster adds nodes from the main thread of its process alone, so that a test
cannot do it beside other things.
"""

import subprocess
import sys
import time
from pathlib import Path

RAY = Path(sys.executable).with_name("ray")


def main() -> None:
    """Start a head without CPUs and two nodes of one; do what stdin says until it ends."""
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
    nodes = [cluster.add_node(num_cpus=1) for _ in range(2)]
    print(cluster.address, flush=True)  # noqa: T201 - the test reads it
    for line in sys.stdin:
        match line.split():
            case ["add"]:
                nodes.append(cluster.add_node(num_cpus=1))
            case ["kill", number]:
                cluster.remove_node(nodes[int(number)], allow_graceful=False)
            case ["leave", number]:
                cluster.remove_node(nodes[int(number)], allow_graceful=True)
            case ["preempt", number, seconds]:
                node = nodes[int(number)]
                subprocess.run(
                    [RAY, "drain-node", "--address", cluster.address, "--node-id", node.node_id,
                     "--reason", "DRAIN_NODE_REASON_PREEMPTION", "--reason-message", "drill",
                     "--deadline-remaining-seconds", seconds],
                    stdout=subprocess.DEVNULL, check=True,
                )  # fmt: skip
                time.sleep(float(seconds))
                cluster.remove_node(node, allow_graceful=False)
        print("done", flush=True)  # noqa: T201
    cluster.shutdown()


if __name__ == "__main__":
    main()
