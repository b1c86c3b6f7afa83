"""`Resources`: the circumstance of a run. It may change speed and place, never a number beyond rounding."""

from dataclasses import dataclass
from typing import ClassVar

from tic_sweep.config.fields import Section, choice, integer, real


@dataclass(frozen=True, kw_only=True)
class Resources(Section):
    """What one trial may use on its machine."""

    section: ClassVar[str] = "resources"

    device: str = choice("auto", ("auto", "cpu", "cuda"), "auto takes a GPU if one is visible")
    threads: int = integer(1, "CPU threads of torch", at_least=1)
    precision: str = choice(
        "float32", ("float32", "bfloat16"),
        "of convolutions and products in training, and of gradients in Fisher traces; the membrane stays float32",
    )  # fmt: skip
    kernels: str = choice(
        "auto",
        ("auto", "plain", "compiled", "triton"),
        "what runs the neurons: plain torch, C compiled for a CPU, Triton on a GPU; auto is the fastest there is",
    )
    fisher_chunk: int = integer(64, "images per Fisher pass; bounds its memory", unit="images", at_least=1)
    checkpoint_seconds: float = real(
        30.0, "at least this long between two checkpoints of a trial; 0 is every epoch", unit="seconds", at_least=0
    )
