"""The faults that are on: start one, end it, end all.

Invariant: a fault ends when its time is over, when it is removed or when the process ends, whichever is
first, and then nothing of it is left; each is in the journal before it begins. Use it from one event loop.
"""

from __future__ import annotations

import asyncio
import os
import secrets
from collections import Counter
from collections.abc import Callable
from datetime import timedelta

import msgspec

from maestro_cli.core.clock import Clock
from maestro_cli.core.ids import new_id
from maestro_cli.serving.errors import ModelError, Overloaded, RequestError, quoted
from maestro_cli.serving.faults.effects import Balloon, CpuBurn, Effect
from maestro_cli.serving.faults.encounter import Encounter, Fault, strike
from maestro_cli.serving.faults.journal import FaultJournal, FaultRecord
from maestro_cli.serving.faults.model import KINDS, MAX_ACTIVE, Number, Order
from maestro_cli.serving.telemetry.logs import Log

_SUMMED = {"cpu": "processes", "memory": "ceiling_mebibytes"}  # the machine has them once


class Injector:
    def __init__(self, journal: FaultJournal, log: Log, clock: Clock) -> None:
        self._journal = journal
        self._log = log
        self._clock = clock
        self._active: dict[str, Fault] = {}

    @property
    def active(self) -> list[Fault]:
        """Oldest first."""
        return list(self._active.values())

    @property
    def counts(self) -> dict[str, int]:
        """How many are on, for every kind."""
        on = Counter(fault.order.kind for fault in self._active.values())
        return {kind: on[kind] for kind in KINDS}

    async def slow_drain(self) -> None:
        """A drain would be over now: wait as much longer as the faults want it, while they are on."""
        for fault in self.active:
            if fault.order.kind == "slow-drain" and not fault.over.is_set():
                fault.hits += 1
                await fault.ends_within(fault.order.number("drain_seconds"))

    def start(self, order: Order, by: str) -> Fault:
        """Raises Overloaded (429) when too many are on, ModelError (503) when it could not be recorded."""
        if len(self._active) >= MAX_ACTIVE:
            raise Overloaded(f"{MAX_ACTIVE} faults are on already", status=429, retry_after_seconds=60)
        self._check_together(order)
        now = self._clock.now()
        fault = Fault(new_id("flt", now), order, by, now, now + timedelta(seconds=order.seconds))
        self._journal.began(
            FaultRecord(
                fault.id, order.kind, order.parameters, msgspec.to_builtins(order.scope), now, fault.ends,
                by, order.seed, order.note,
            )
        )  # fmt: skip
        self._active[fault.id] = fault
        asyncio.get_running_loop().call_later(order.seconds, self._time_is_over, fault.id)
        try:
            fault.effect = _effect(order)
        except OSError as error:
            self.end(fault.id, "failed")
            raise ModelError(f"the fault could not begin: {error.strerror}", status=503) from error
        self._log.info("fault began", id=fault.id, by=by, seconds=order.seconds)
        return fault

    def _check_together(self, order: Order) -> None:
        """Raises Overloaded (429) when faults of one kind would take more together than one may."""
        name = _SUMMED.get(order.kind)
        most = KINDS[order.kind].parameters.get(name) if name else None
        if name is None or not isinstance(most, Number):
            return
        on = sum(fault.order.number(name) for fault in self.active if fault.order.kind == order.kind)
        if on + order.number(name) > most.high:
            raise Overloaded(
                f"{name} of all {order.kind} faults together is at most {most.high:g}, {on:g} are on",
                status=429, retry_after_seconds=60,
            )  # fmt: skip

    def end(self, identity: str, because: str) -> Fault:
        """Take it back and record it; raises RequestError (404)."""
        fault = self._active.pop(identity, None)
        if fault is None:
            raise RequestError(f"no fault {quoted(identity)} is on", status=404)
        fault.over.set()
        if fault.effect is not None:
            fault.effect.close()
        try:
            self._journal.ended(fault.id, self._clock.now(), because, fault.hits)
        except ModelError as error:  # it has ended all the same
            self._log.error("fault not recorded", id=fault.id, error=error.text)
        self._log.info("fault ended", id=fault.id, because=because)
        return fault

    def end_all(self, because: str) -> list[Fault]:
        return [self.end(identity, because) for identity in list(self._active)]

    def close(self) -> None:
        """The process ends."""
        self.end_all("stopped")
        self._journal.close()

    def meet(self, name: str, header: Callable[[bytes], str], decision: str) -> Encounter | None:
        """The faults that an inference request may meet; None when there is none."""
        if not self._active:
            return None
        met = [fault for fault in self._active.values() if _is_met(fault, header, decision)]
        return Encounter(name, decision, met, self._crash) if met else None

    async def reach(self, *, is_health: bool, header: Callable[[bytes], str]) -> None:
        """What asked-for faults do to a request for health, or to one of admin; raises ModelError."""
        decision = secrets.token_hex(8)  # such a request has none of its own
        for fault in self.active:
            scope = fault.order.scope
            if (scope.health if is_health else scope.admin) and _is_met(fault, header, decision):
                await strike(fault, fault.draws("jitter" + decision), self._crash)

    def _time_is_over(self, identity: str) -> None:
        if identity in self._active:
            self.end(identity, "time")

    def _crash(self, fault: Fault) -> None:
        self.end(fault.id, "crash")
        self._log.close()
        os._exit(int(fault.order.number("code")))


def _is_met(fault: Fault, header: Callable[[bytes], str], decision: str) -> bool:
    scope = fault.order.scope
    if not KINDS[fault.order.kind].is_scoped or fault.draws(decision) >= scope.share:
        return False
    wanted = scope.header
    return wanted is None or header(wanted.name.lower().encode("ascii")) == wanted.value


def _effect(order: Order) -> Effect | None:
    """Raises OSError."""
    if order.kind == "cpu":
        return CpuBurn(int(order.number("processes")), order.seconds)
    if order.kind == "memory":
        return Balloon.of_mebibytes(order.number("mebibytes_per_second"), order.number("ceiling_mebibytes"))
    return None
