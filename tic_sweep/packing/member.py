"""`Member`: a trial's place in a pack, and the functions by which the core makes use of it."""

import time
from collections.abc import Callable, Hashable
from contextlib import nullcontext
from contextvars import ContextVar
from typing import Any, TypeVar

import torch
from torch import Tensor

from tic_sweep.packing.replays import Replays
from tic_sweep.packing.turns import Turns

Made = TypeVar("Made")
_member: ContextVar["Member | None"] = ContextVar("member", default=None)


class Member:
    """A trial in a pack: a thread that takes turns with others, on a stream of the GPU of its own.

    Args:
        turns: those of the pack.
        work: the trial; begins when the member is first woken.
        things: what the members share, by name; one and the same for all of them.
        device: where it computes.
        recorded: whether its work may be recorded; on a CPU nothing is.
    """

    def __init__(
        self, turns: Turns, work: Callable[[], None], things: dict[Hashable, Any], device: torch.device, *,
        recorded: bool,
    ) -> None:  # fmt: skip
        self.turns, self.things = turns, things
        self._work, self._on_gpu = work, device.type == "cuda"
        self.replays = Replays() if recorded and self._on_gpu else None
        self.seat = turns.seat(self._run)

    def _run(self) -> None:
        _member.set(self)
        with torch.cuda.stream(torch.cuda.Stream()) if self._on_gpu else nullcontext():
            self._work()


def give_way() -> None:
    """Let the other members of the pack go on, each for one turn."""
    if (member := _member.get()) is not None:
        member.seat.give_way()


def awaited(tensor: Tensor) -> Tensor:
    """Return a tensor on the CPU; in a pack the others go on until the GPU has worked it out."""
    if (member := _member.get()) is not None and tensor.is_cuda:
        done = torch.cuda.Event()
        done.record()
        while not done.query():
            member.seat.give_way()
    return tensor.cpu()


def replayed(work: Callable[..., Made], *inputs: Tensor, key: Hashable) -> Made:
    """Return ``work(*inputs)``; in a pack on a GPU it is recorded and replayed, under the terms of `Replays`."""
    member = _member.get()
    if member is None or member.replays is None:
        return work(*inputs)
    return member.replays(work, *inputs, key=key)


def is_recorded() -> bool:
    """Tell whether `replayed` records here."""
    member = _member.get()
    return member is not None and member.replays is not None


def seconds() -> float:
    """Return a time to measure by: in a pack, this member's share of the time that passes."""
    member = _member.get()
    return time.perf_counter() if member is None else member.turns.seconds()


def shared(make: Callable[[], Made], name: Hashable) -> Made:
    """Return what ``make`` makes; in a pack once for all members that ask for the same name. Nobody may change it."""
    if (member := _member.get()) is None:
        return make()
    if name not in member.things:
        member.things[name] = make()
        if torch.cuda.is_initialized():
            torch.cuda.current_stream().synchronize()  # the others read it on streams of their own
    return member.things[name]
