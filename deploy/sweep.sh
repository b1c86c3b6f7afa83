#!/bin/bash
# What the head of deploy/ray-cluster.yaml runs. Change it here, then give `ray up` again to send it there.
# Without --storage checkpoints travel to the head's disk; for more than a few GPUs name a bucket.
set -euo pipefail
export RAY_AUTH_MODE=token
exec "$HOME/venv/bin/tic-sweep" run learning_rate --scale paper \
    --results "$HOME/results/learning_rate-paper" \
    --data "$HOME/data" --download \
    --storage "${STORAGE:-s3://bucket/checkpoints}" \
    --address auto --gpus-per-trial 0.5 --cpus-per-trial 4
