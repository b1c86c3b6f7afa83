"""Work on a GPU, recorded once as a CUDA graph and replayed from then on.

A small network asks the GPU for hundreds of tiny kernels a step, and it takes Python several times longer to ask than
the GPU to answer. A graph asks for all of them at once, so that one process can keep the GPU busy with many networks.
"""

import gc
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

import torch
from torch import Tensor

WARM_UPS = 2
"""Calls that are made as they are before one is recorded: libraries choose their algorithms and take their memory."""

Outputs = TypeVar("Outputs")


class Replays:
    """The recordings of one trial, which share one pool of memory because they never run at the same time.

    What a recording gives out is overwritten when any of them runs again: it is to be used up before.
    """

    def __init__(self) -> None:
        self._pool = torch.cuda.graph_pool_handle()
        self._calls: dict[Hashable, int] = {}
        self._recordings: dict[Hashable, _Recording] = {}

    def __call__(self, work: Callable[..., Outputs], *inputs: Tensor, key: Hashable) -> Outputs:
        """Return ``work(*inputs)``, by replaying it if it has been called often enough with inputs of these shapes.

        Args:
            work: reads no value of a tensor on the host, draws nothing, and refers to the same tensors, settings and
                Python numbers at every call under its key; what is recorded is the first of these.
            *inputs: tensors on the GPU.
            key: names the work.
        """
        key = (key, *((x.shape, x.dtype) for x in inputs))
        calls = self._calls.get(key, 0)
        self._calls[key] = calls + 1
        if calls < WARM_UPS:
            return work(*inputs)
        if calls == WARM_UPS:
            self._recordings[key] = _Recording(work, inputs, self._pool)
        return self._recordings[key](*inputs)


class _Recording:
    """A graph, the tensors it reads, and what it gives out."""

    def __init__(self, work: Callable[..., Any], inputs: tuple[Tensor, ...], pool: Any) -> None:
        self._inputs = tuple(x.clone() for x in inputs)
        self._graph = torch.cuda.CUDAGraph()
        torch.cuda.synchronize()
        with _no_collection():
            # Others of the process wait for their turn meanwhile; a thread of another library may go on.
            self._graph.capture_begin(pool=pool, capture_error_mode="thread_local")
            try:
                self._outputs = work(*self._inputs)
            except BaseException:
                with suppress(RuntimeError):  # a recording that is broken off is an error of its own
                    self._graph.capture_end()
                raise
            self._graph.capture_end()

    def __call__(self, *inputs: Tensor) -> Any:
        for own, given in zip(self._inputs, inputs, strict=True):
            own.copy_(given)
        self._graph.replay()
        return self._outputs


@contextmanager
def _no_collection() -> Iterator[None]:
    """Keep the garbage collector from freeing GPU memory in the middle of a recording."""
    on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if on:
            gc.enable()
