"""What watches one run of a container: its probes, its memory limit, its postStart hook.

Invariant: it asks for the end of the run at most once, and nothing of it outlives the run.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from maestro_cli.core.quantities import parse_quantity
from maestro_cli.local.kubelet import probes, usage
from maestro_cli.local.kubelet.processes import Launch, Running
from maestro_cli.local.kubelet.record import Record
from maestro_cli.local.kubelet.sandbox import Sandbox
from maestro_cli.local.objects import Object

End = Callable[[float], None]


class Supervision:
    """Keeps `record.started` and `record.ready`; `end(grace seconds)` is called when the run must end."""

    def __init__(
        self,
        sandbox: Sandbox,
        spec: Object,
        record: Record,
        run: Running,
        launch: Launch,
        *,
        restarts: bool,
        started: asyncio.Event,
        end: End,
    ) -> None:
        self._sandbox = sandbox
        self._spec = spec
        self._record = record
        self._run = run
        self._launch = launch
        self._restarts = restarts
        self._started = started
        self._end = end
        self._tasks: set[asyncio.Task[None]] = set()
        self.out_of_memory = False
        self.unhealthy = False  # a liveness or startup probe, or the postStart hook, asked for the end

    def begin(self) -> None:
        """Watch from now on."""
        self._in_background(self._probe_all())
        limit = ((self._spec.get("resources") or {}).get("limits") or {}).get("memory")
        if limit is not None:
            self._in_background(self._guard_memory(parse_quantity(limit)))
        hook = (self._spec.get("lifecycle") or {}).get("postStart")
        if hook:
            self._in_background(self._after_start(hook))

    def finish(self) -> None:
        """The run is over."""
        for task in self._tasks:
            task.cancel()
        self._record.started = False
        self._record.ready = False

    def target(self) -> probes.Target:
        """Where hooks and probes reach the container."""
        ports = {
            port["name"]: int(port["containerPort"])
            for port in self._spec.get("ports") or ()
            if "name" in port
        }
        return probes.Target(self._sandbox.address, ports, self._exec)

    async def _exec(self, command: Sequence[str], seconds: float) -> tuple[int, str]:
        return await self._sandbox.run_command(self._launch, self._spec, command, seconds)

    def _in_background(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _say(self, reason: str, message: str, *, warning: bool = False) -> None:
        self._sandbox.say(reason, message, warning=warning, path=self._record.path)

    # --- probes ------------------------------------------------------------------------------

    async def _probe_all(self) -> None:
        startup = self._spec.get("startupProbe")
        if startup and not await self._probe_startup(startup):
            return
        self._record.started = True
        self._started.set()
        self._record.ready = not self._spec.get("readinessProbe")
        self._sandbox.changed()
        await asyncio.gather(self._probe_liveness(), self._probe_readiness())

    async def _probe_startup(self, probe: Object) -> bool:
        tally = probes.tally_for(probe, initially=False)
        failing = probes.Tally(True, tally.failures_needed, 1)
        async for ok, passed, words in probes.answers(probe, self.target(), tally):
            if passed:
                return True
            if not ok:
                self._say("Unhealthy", f"Startup probe failed: {words}", warning=True)
            if not failing.count(ok):
                self._fail("startup", probe)
                break
        return False

    async def _probe_liveness(self) -> None:
        probe = self._spec.get("livenessProbe")
        if not probe:
            return
        tally = probes.tally_for(probe, initially=True)
        async for ok, alive, words in probes.answers(probe, self.target(), tally):
            if not ok:
                self._say("Unhealthy", f"Liveness probe failed: {words}", warning=True)
            if not alive:
                self._fail("liveness", probe)
                return

    async def _probe_readiness(self) -> None:
        probe = self._spec.get("readinessProbe")
        if not probe:
            return
        tally = probes.tally_for(probe, initially=False)
        async for ok, ready, words in probes.answers(probe, self.target(), tally):
            if not ok:
                self._say("Unhealthy", f"Readiness probe failed: {words}", warning=True)
            if ready != self._record.ready:
                self._record.ready = ready
                self._sandbox.changed()

    def _fail(self, which: str, probe: Object) -> None:
        self.unhealthy = True
        words = f"Container {self._record.name} failed {which} probe"
        self._say("Killing", f"{words}, will be restarted" if self._restarts else words)
        own = probe.get("terminationGracePeriodSeconds")
        self._end(self._sandbox.grace_seconds if own is None else float(own))

    # --- limits and hooks --------------------------------------------------------------------

    async def _guard_memory(self, limit_bytes: float) -> None:
        while not usage.exceeds(self._run.keeper, limit_bytes):
            await asyncio.sleep(self._sandbox.settings.memory_check)
        self.out_of_memory = True
        self._run.signal(signal.SIGKILL)

    async def _after_start(self, hook: Object) -> None:
        ok, words = await probes.act(hook, self.target(), self._sandbox.grace_seconds)
        if not ok:
            self.unhealthy = True
            self._say("FailedPostStartHook", f"PostStartHook failed: {words}".rstrip(" :"), warning=True)
            self._say("Killing", "FailedPostStartHook")
            self._end(self._sandbox.grace_seconds)
