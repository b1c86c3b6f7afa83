"""Triton's kernels compile for GPUs, also where there is none: its interpreter forgives what its compiler does not."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

CODE = """
from triton import compile
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource

from tic_sweep.snn import triton_source as source

CONSTANTS = {
    "T": 3, "SOFT": False, "RHO": False, "SURROGATE": 2, "SUMMED": False, "JOINT": False, "TWO": True, "SIZE": 256,
    "BR": 512, "BC": 2, "rows": 1024,
}
FLOATS = {"inverse_tau", "v_th", "rho", "decay", "inverse_width", "inverse_scale", "momentum", "eps"}
KERNELS = {
    "lif_forward": {}, "lif_backward": {"IN_MEMORY": True}, "norm_lif_forward": {"OTHER": 3},
    "norm_lif_backward": {"OTHER": 2, "IN_MEMORY": True}, "sums": {}, "back_sums": {}, "standardise": {},
    "norm_back": {}, "affine": {}, "pack": {}, "unpack": {},
}


def compiled(name, constants, ones, wide):
    kernel = getattr(source, name)
    ones = {argument: 1 for argument in ones if argument in kernel.arg_names}
    values = {n: v for n, v in (CONSTANTS | constants | ones).items() if n in kernel.arg_names}
    types = {n: "constexpr" if n in values else type_of(n, wide) for n in kernel.arg_names}
    places = {(kernel.arg_names.index(n),): v for n, v in values.items()}
    return compile(ASTSource(kernel, types, places), target=GPUTarget("cuda", 90, 32))


def type_of(argument, wide):
    if argument in {"bits_ptr"}:
        return "*u8"
    if argument.endswith("_ptr"):
        return "*fp32"
    return "fp32" if argument in FLOATS else ("i64" if argument in wide else "i32")


for name, constants in KERNELS.items():
    for ones in ((), ("R", "M", "count"), ("C", "x_step")):  # Triton takes arguments of 1 as constants
        compiled(name, constants, ones, wide=())
far = compiled("lif_forward", {}, (), wide=()).asm["ttir"]
print(*(line.split(" loc(")[0].strip() for line in far.splitlines() if "muli" in line), sep="\\n")
"""


def test_every_kernel_compiles_for_any_size_and_reaches_far(tmp_path: Path):
    """With one row, channel or neuron as with many; timesteps are multiplied in 64 bits, beyond 2^31 numbers."""
    pytest.importorskip("triton")
    place = {"TRITON_CACHE_DIR": str(tmp_path), "PYTHONPATH": str(Path(__file__).parents[2])}
    known = {name: value for name, value in os.environ.items() if name != "TRITON_INTERPRET"}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", CODE], env=known | place, capture_output=True, text=True, check=False
    )

    assert 0 == done.returncode, done.stderr
    products = done.stdout.splitlines()
    assert products
    assert all(line.endswith(": i64") for line in products)
