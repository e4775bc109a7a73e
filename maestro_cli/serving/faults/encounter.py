"""What the active faults do to one request.

Invariant: who is met is drawn by decision id and seed, so that a drill can be run again; arrays that others
may hold are never changed; an error says nothing of the drill. A fault that is over lets go of who
waits in it and does nothing to anybody any more.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np

from maestro_cli.serving.errors import ModelError
from maestro_cli.serving.execution.deadline import Deadline
from maestro_cli.serving.execution.timing import STAGES as TIMED
from maestro_cli.serving.execution.timing import Timing
from maestro_cli.serving.faults.effects import Effect
from maestro_cli.serving.faults.model import Order
from maestro_cli.serving.models.artefact import LoadedModel
from maestro_cli.serving.protocol.tensors import Array

Arrays = dict[str, Array]


@dataclass(eq=False, slots=True)
class Fault:
    """One that is on. `hits` counts what it did; `first` is what stale and frozen answers come from."""

    id: str
    order: Order
    by: str
    began: datetime
    ends: datetime
    hits: int = 0
    over: asyncio.Event = field(default_factory=asyncio.Event)
    first: dict[tuple[str, str, str], Array] = field(default_factory=dict)
    effect: Effect | None = None

    def draws(self, decision: str) -> float:
        """A number from 0 to 1 that the decision and this fault's seed always give."""
        key = f"{self.order.seed}:{decision}".encode()
        digest = hashlib.blake2b(key, digest_size=8, person=b"fault").digest()
        return int.from_bytes(digest, "big") / 2.0**64

    async def ends_within(self, seconds: float) -> bool:
        """Wait for that time, or until it is over if that is sooner; whether it was."""
        try:
            async with asyncio.timeout(seconds):
                await self.over.wait()
        except TimeoutError:
            return False
        return True


@dataclass(slots=True)
class Encounter:
    """The faults that a request may meet on its way; `crash` ends the process."""

    name: str
    decision: str
    faults: Sequence[Fault]
    crash: Callable[[Fault], None]

    async def at(
        self, stage: str, deadline: Deadline, timing: Timing, model: LoadedModel | None = None
    ) -> None:
        """Wait, fail, hang or crash as the faults of that stage want it; raises ModelError.

        Too late is answered with 504, unless it hangs.
        """
        met = [fault for fault in self._of(model) if fault.order.stage == stage]
        hangs = any(fault.order.kind == "hang" for fault in met)
        try:
            async with asyncio.timeout_at(None if hangs else deadline.at):
                for fault in met:
                    with timing.stage(stage if stage in TIMED else "features"):
                        await strike(fault, fault.draws("jitter" + self.decision), self.crash)
        except TimeoutError as error:
            raise ModelError("the deadline passed before the model had answered", status=504) from error

    async def before_run(self, model: LoadedModel, deadline: Deadline, timing: Timing) -> None:
        """The stages of one version's run; raises ModelError."""
        await self.at("features", deadline, timing, model)
        await self.at("infer", deadline, timing, model)

    def altered(self, model: LoadedModel, feed: Arrays) -> Arrays:
        """The features that the model is given instead."""
        for fault in self._of(model):
            if fault.order.kind == "stale-features":
                fault.hits += 1
                feed = {name: _as_first(fault, model, name, array) for name, array in feed.items()}
            elif fault.order.kind == "swapped-features":
                columns = [int(fault.order.number(one)) for one in ("first", "second")]
                swapped = {name: _swapped(array, columns) for name, array in feed.items()}
                fault.hits += any(swapped[name] is not feed[name] for name in feed)
                feed = swapped
        return feed

    def distorted(self, model: LoadedModel, answer: Arrays) -> Arrays:
        """The answer that is given instead."""
        for fault in self._of(model):
            if fault.order.kind == "wrong-answer":
                fault.hits += 1
                answer = {name: _wrong(fault, model, name, array) for name, array in answer.items()}
        return answer

    def _of(self, model: LoadedModel | None) -> list[Fault]:
        """Those that mean this version, or, before one is known, the name that was asked for."""
        return [fault for fault in self.faults if not fault.over.is_set() and self._means(fault, model)]

    def _means(self, fault: Fault, model: LoadedModel | None) -> bool:
        scope = fault.order.scope
        if scope.version is not None and (
            model is None or (model.name, model.version) != (scope.model, str(scope.version))
        ):
            return False
        return scope.model in ("", self.name, model.name if model is not None else self.name)


async def strike(fault: Fault, draw: float, crash: Callable[[Fault], None]) -> None:
    """What a fault that meets something does to it while it is on; `draw` (0 to 1) chooses in the jitter."""
    if fault.over.is_set():
        return
    order = fault.order
    if order.kind in ("latency", "dependency", "error", "hang", "crash"):
        fault.hits += 1
    if order.kind in ("latency", "dependency"):
        jitter = order.number("jitter_milliseconds") if order.kind == "latency" else 0.0
        if await fault.ends_within((order.number("milliseconds") + jitter * draw) / 1e3):
            return
    if order.kind == "error":
        raise ModelError(str(order.parameters["text"]), status=int(order.number("status")))
    if order.kind == "dependency":
        raise ModelError("the features could not be read: the store does not answer", status=503)
    if order.kind == "hang":
        await fault.over.wait()
    if order.kind == "crash":
        crash(fault)


def _as_first(fault: Fault, model: LoadedModel, name: str, array: Array) -> Array:
    """The first array of that name and version, its rows repeated to the shape of this one."""
    first = fault.first.setdefault((model.name, model.version, name), array.copy())
    if first.shape[1:] != array.shape[1:] or first.dtype != array.dtype:
        return array
    return np.resize(first, array.shape)


def _swapped(array: Array, columns: Sequence[int]) -> Array:
    if array.ndim < 2 or array.shape[1] <= max(columns):
        return array
    changed = array.copy()
    changed[:, columns] = array[:, columns[::-1]]
    return changed


def _wrong(fault: Fault, model: LoadedModel, name: str, array: Array) -> Array:
    """Numbers that could be an answer and are not; texts are left as they are unless frozen."""
    mode = fault.order.parameters["mode"]
    if mode == "frozen":
        return _as_first(fault, model, name, array)
    if mode == "scale":
        is_number = array.dtype.kind == "f"
        return (array * fault.order.number("factor")).astype(array.dtype) if is_number else array
    if array.dtype.kind in "fb":
        return ~array if array.dtype.kind == "b" else (1 - array).astype(array.dtype)
    return (array == 0).astype(array.dtype) if array.dtype.kind in "iu" else array
