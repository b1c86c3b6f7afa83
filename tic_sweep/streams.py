"""Random streams: one per purpose and epoch, so that no draw for one purpose ever shifts those of another."""

import hashlib
from typing import Literal, TypeAlias

import torch

Purpose: TypeAlias = Literal[
    "init", "data", "augment", "coding", "fisher", "evaluation", "probes", "toy", "sequences", "dropout", "rewiring"
]


def stream(seed: int, purpose: Purpose, epoch: int = 0) -> torch.Generator:
    """Return a fresh CPU generator that depends on its arguments alone.

    Measuring cannot change training, because nothing is shared between purposes; a resumed trial needs no saved
    generator, because nothing is shared between epochs. Drawing on the CPU gives the same numbers for every device.
    """
    # Torch seeds its CPU generator with the low 32 bits only: more would change nothing.
    digest = hashlib.blake2b(f"{seed}/{purpose}/{epoch}".encode(), digest_size=4).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest, "big"))
