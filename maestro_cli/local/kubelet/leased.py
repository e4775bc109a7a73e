"""The faults that are leased to one pod, while they are in force.

Invariant: whatever a lease started ends with it, with the pod, and with the kubelet; what it takes is capped
by what the machine has. What it uses counts as the pod's.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Protocol

import psutil

from maestro_cli.core.fault_leases import FILLED, FaultLease, read_leases
from maestro_cli.core.quantities import parse_quantity
from maestro_cli.local.kubelet.processes import Launch, LaunchFailed, Running
from maestro_cli.local.kubelet.sandbox import Sandbox
from maestro_cli.local.objects import Object, annotations_of

_LOG = logging.getLogger(__name__)
_BURDEN = Path(__file__).with_name("burden.py")
_SHARE_OF_FREE_MEMORY = 0.25
_MOST_DISK_BYTES = 256 * 2**20
_CHUNK = bytes(2**16)


class Signalled(Protocol):
    """A container, which can be sent a signal while it runs."""

    def signal(self, number: int) -> None: ...


class LeasedFaults:
    """Carries them out; `containers` are those of the pod."""

    def __init__(self, sandbox: Sandbox, containers: Callable[[], Sequence[Signalled]]) -> None:
        self._sandbox = sandbox
        self._containers = containers
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._burdens: set[Running] = set()
        self._kinds: Mapping[str, Callable[[FaultLease, float], Awaitable[None]]] = {
            "freeze": self._freeze, "cpu": self._compute, "memory": self._hold, "disk": self._fill,
        }  # fmt: skip

    @property
    def keepers(self) -> list[int]:
        """The processes that everything descends from which was started for them."""
        return [one.keeper for one in self._burdens]

    def learn(self, pod: Object) -> None:
        """The pod says this now: begin what is new, end what was taken away."""
        now = self._sandbox.now()
        leases = {one.note: one for one in read_leases(annotations_of(pod)) if one.is_in_force(now)}
        for note in set(self._tasks) - set(leases):
            self._tasks.pop(note).cancel()
        for note in set(leases) - set(self._tasks):
            if leases[note].kind in self._kinds:
                self._tasks[note] = asyncio.ensure_future(self._carry_out(leases[note], now))

    async def end(self) -> None:
        """All of them, now."""
        tasks = list(self._tasks.values())
        self._tasks.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _carry_out(self, lease: FaultLease, now: datetime) -> None:
        seconds = (lease.ends - now).total_seconds()
        try:
            await self._kinds[lease.kind](lease, seconds)
        except (LaunchFailed, OSError) as problem:
            _LOG.warning("%s: %s is not carried out: %s", self._sandbox.full_name, lease.kind, problem)

    async def _freeze(self, lease: FaultLease, seconds: float) -> None:
        containers = self._containers()
        for one in containers:
            one.signal(signal.SIGSTOP)
        try:
            await asyncio.sleep(seconds)
        finally:
            for one in containers:
                one.signal(signal.SIGCONT)

    async def _compute(self, lease: FaultLease, seconds: float) -> None:
        wanted = int(lease.parameters.get("processes", 1))
        load = min(1.0, lease.parameters.get("load", 1.0))
        async with contextlib.AsyncExitStack() as stack:
            for _ in range(max(1, min(wanted, os.cpu_count() or 1))):
                await stack.enter_async_context(self._burden("cpu", load, seconds))
            await asyncio.sleep(seconds)

    async def _hold(self, lease: FaultLease, seconds: float) -> None:
        most = psutil.virtual_memory().available * _SHARE_OF_FREE_MEMORY
        size = min(lease.parameters.get("mebibytes", 0.0) * 2**20, most)
        async with self._burden("memory", size, seconds):
            await asyncio.sleep(seconds)

    @contextlib.asynccontextmanager
    async def _burden(self, kind: str, amount: float, seconds: float) -> AsyncIterator[None]:
        argv = [sys.executable, "-I", "-S", str(_BURDEN), kind, str(amount), str(seconds)]
        launch = Launch(argv, {"PATH": os.defpath}, self._sandbox.folder)
        nothing = os.open(os.devnull, os.O_WRONLY)
        try:
            running = await self._sandbox.processes.start(launch, nothing)
        finally:
            os.close(nothing)
        self._burdens.add(running)
        try:
            yield
        finally:
            self._burdens.discard(running)
            running.signal(signal.SIGKILL)

    async def _fill(self, lease: FaultLease, seconds: float) -> None:
        """A file in the emptyDir with the smallest limit; the eviction that may follow is Kubernetes' own."""
        found = smallest_scratch(self._sandbox.pod)
        if found is None:
            return
        name, limit = found
        size = int(min(limit * lease.parameters.get("fill", 1.0), _MOST_DISK_BYTES))
        file = self._sandbox.volumes / name / f".{lease.note}"
        try:
            await asyncio.to_thread(_write, file, size)
            said = f"{size} bytes of emptyDir {name}, whose limit is {limit}, for {lease.note}"
            self._sandbox.say(FILLED, said)
            await asyncio.sleep(seconds)
        finally:
            file.unlink(missing_ok=True)


def smallest_scratch(pod: Object) -> tuple[str, int] | None:
    """The emptyDir volume with the smallest size limit, and that in bytes; None where none is limited."""
    limited = [
        (volume["name"], int(parse_quantity(limit)))
        for volume in pod["spec"].get("volumes") or ()
        if (limit := (volume.get("emptyDir") or {}).get("sizeLimit"))
    ]
    return min(limited, key=lambda one: one[1], default=None)


def _write(file: Path, size: int) -> None:
    """Really written, for a hole takes no space."""
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with open(descriptor, "wb") as stream:
        for place in range(0, size, len(_CHUNK)):
            stream.write(_CHUNK[: size - place])
