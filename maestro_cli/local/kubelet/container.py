"""One container: prepare, start, probe, restart, stop.

Invariant: at most one process group at a time; once told to stop, it never starts again.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import uuid
from collections.abc import Coroutine, Sequence
from datetime import datetime
from typing import Any

from maestro_cli.core.errors import MaestroError
from maestro_cli.core.quantities import parse_quantity
from maestro_cli.local import images
from maestro_cli.local.kubelet import probes, usage
from maestro_cli.local.kubelet.backoff import Backoff, whole_seconds
from maestro_cli.local.kubelet.content import ContentMissing
from maestro_cli.local.kubelet.pipe import LogPipe
from maestro_cli.local.kubelet.processes import Launch, LaunchFailed, Running
from maestro_cli.local.kubelet.record import Record, Started, Terminated, Waiting
from maestro_cli.local.kubelet.sandbox import Sandbox
from maestro_cli.local.objects import Object

_LOG = logging.getLogger(__name__)
_LEAST_GRACE_AFTER_HOOK = 2.0


class ContainerTask:
    """Drives one container of a pod; its `record` is what the pod status shows."""

    def __init__(self, sandbox: Sandbox, spec: Object, record: Record, policy: str) -> None:
        self._sandbox = sandbox
        self._spec = spec
        self._policy = policy
        self.record = record
        settings = sandbox.settings
        self._backoff = Backoff(settings.backoff_initial, settings.backoff_max, settings.backoff_reset)
        self._pull_backoff = Backoff(settings.backoff_initial, settings.backoff_max, settings.backoff_reset)
        self._stop = asyncio.Event()
        self._hurry = asyncio.Event()
        self._deadline = 0.0
        self._running: Running | None = None
        self._oom = False
        self._probing: set[asyncio.Task[None]] = set()
        self.ready_once = asyncio.Event()  # started (a startup probe, if any, has passed)

    @property
    def pid(self) -> int | None:
        """The leader of the running process group."""
        return self._running.pid if self._running is not None else None

    @property
    def name(self) -> str:
        return self.record.name

    async def run(self) -> None:
        """Start it, again and again as the restart policy says; returns when it is over."""
        if isinstance(self.record.state, Terminated) and not self._may_restart(self.record.state.exit_code):
            return
        if isinstance(self.record.state, Terminated):
            self._will_restart(0.0)
        while not self._stop.is_set():
            launch = await self._prepare()
            if launch is None:
                return
            ended = await self._run_once(launch)
            if self._stop.is_set() or not self._may_restart(ended.exit_code):
                return
            pause = self._backoff.after_exit((ended.finished_at - ended.started_at).total_seconds())
            if pause:
                self._back_off(pause)
                if await self._pause(pause):
                    self._set_state(ended)
                    return
                self.record.restarts += 1
                self.record.last = ended
            else:
                self._will_restart(pause)

    def _may_restart(self, code: int) -> bool:
        return self._policy == "Always" or (self._policy == "OnFailure" and code != 0)

    def _will_restart(self, _pause: float) -> None:
        if isinstance(self.record.state, Terminated):
            self.record.last = self.record.state
        self.record.restarts += 1

    def _back_off(self, pause: float) -> None:
        full = f"{self._sandbox.full_name}({self._sandbox.uid})"
        message = f"back-off {whole_seconds(pause)} restarting failed container={self.name} pod={full}"
        if isinstance(self.record.state, Terminated):
            self.record.last = self.record.state
        self._set_state(Waiting("CrashLoopBackOff", message))
        self._say("BackOff", f"Back-off restarting failed container {self.name} in pod {full}", warning=True)

    async def _pause(self, seconds: float) -> bool:
        """Wait that long; True when told to stop meanwhile."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stop.wait(), seconds)
        return self._stop.is_set()

    async def _prepare(self) -> Launch | None:
        """What to run, once image, config maps and secrets are there; None when told to stop first."""
        failures = 0
        while not self._stop.is_set():
            try:
                image = images.resolve(self._spec["image"], has_command=bool(self._spec.get("command")))
                self.record.image_id = images.digest_of(self._spec["image"])
                launch = await self._sandbox.launch(self._spec, image)
                self._say("Pulled", f'Container image "{self._spec["image"]}" already present on machine')
                return launch
            except images.ImageProblem as problem:
                if await self._pull_failed(problem):
                    return None
            except ContentMissing as missing:
                self._set_state(Waiting("CreateContainerConfigError", str(missing)))
                self._say("Failed", f"Error: {missing}", warning=True)
            except MaestroError as problem:
                _LOG.warning("%s %s: %s", self._sandbox.full_name, self.name, problem.what)
            failures += 1
            if await self._pause(min(0.5 * 2 ** min(failures, 10), self._sandbox.settings.backoff_initial)):
                return None
        return None

    async def _pull_failed(self, problem: images.ImageProblem) -> bool:
        """Report it and back off; True when told to stop."""
        self._set_state(Waiting(problem.reason, problem.message))
        image = self._spec["image"]
        self._say("Failed", f'Failed to pull image "{image}": {problem.message}', warning=True)
        self._say("Failed", f"Error: {problem.reason}", warning=True)
        self._pull_backoff.after_exit(0.0)
        pause = self._pull_backoff.after_exit(0.0)
        if problem.reason != "ErrImagePull":
            return await self._pause(pause)
        # long enough for a status update to show it, as one sync of the real kubelet does
        if await self._pause(min(1.0, pause / 2)):
            return True
        self._set_state(Waiting("ImagePullBackOff", f'Back-off pulling image "{image}": {problem.message}'))
        self._say("BackOff", f'Back-off pulling image "{image}"')
        return await self._pause(pause)

    async def _run_once(self, launch: Launch) -> Terminated:
        record, began = self.record, self._sandbox.now()
        record.container_id = f"process://{uuid.uuid4().hex}"
        pipe = LogPipe(
            self._sandbox.log_path(self.name, record.restarts), self._sandbox.settings.log_cap_bytes
        )
        await pipe.open()
        try:
            self._running = await self._sandbox.processes.start(launch, pipe.descriptor)
        except LaunchFailed as problem:
            pipe.started()
            await pipe.finish()
            return self._not_started(began, f"exec: {launch.argv[0]!r}: {problem}")
        pipe.started()
        self._oom = False
        self._set_state(Started(began))
        self._say("Created", f"Created container: {self.name}")
        self._say("Started", f"Started container {self.name}")
        self._begin_watching()
        try:
            code = await self._running.wait()
        finally:
            for task in self._probing:
                task.cancel()
            self._probing.clear()
            await pipe.finish()
        return self._ended(began, code)

    def _not_started(self, began: datetime, message: str) -> Terminated:
        self._say("Failed", f"Error: {message}", warning=True)
        ended = Terminated(128, "StartError", began, self._sandbox.now(), message, self.record.container_id)
        self._set_state(ended)
        return ended

    def _ended(self, began: datetime, code: int) -> Terminated:
        self._running = None
        self.record.ready = self.record.started = False
        reason = "OOMKilled" if self._oom else "Completed" if code == 0 else "Error"
        message = ""
        if code != 0 and self._spec.get("terminationMessagePolicy") == "FallbackToLogsOnError":
            message = self._sandbox.last_words(self.name, self.record.restarts)
        ended = Terminated(code, reason, began, self._sandbox.now(), message, self.record.container_id)
        self._set_state(ended)
        return ended

    def _set_state(self, state: Waiting | Started | Terminated) -> None:
        self.record.state = state
        self._sandbox.changed()

    def _say(self, reason: str, message: str, *, warning: bool = False) -> None:
        self._sandbox.say(reason, message, warning=warning, container=self.name)

    # --- probes and limits -------------------------------------------------------------------

    def _begin_watching(self) -> None:
        self._in_background(self._probe_all())
        limit = ((self._spec.get("resources") or {}).get("limits") or {}).get("memory")
        if limit is not None:
            self._in_background(self._guard_memory(parse_quantity(limit)))
        hook = (self._spec.get("lifecycle") or {}).get("postStart")
        if hook:
            self._in_background(self._after_start(hook))

    def _in_background(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._probing.add(task)
        task.add_done_callback(self._probing.discard)

    def _target(self) -> probes.Target:
        ports = {
            port["name"]: int(port["containerPort"])
            for port in self._spec.get("ports") or ()
            if "name" in port
        }
        return probes.Target(self._sandbox.address, ports, self._exec)

    async def _exec(self, command: Sequence[str], seconds: float) -> tuple[int, str]:
        return await self._sandbox.run_command(self._spec, command, seconds)

    async def _probe_all(self) -> None:
        target = self._target()
        startup = self._spec.get("startupProbe")
        if startup:
            passed = asyncio.Event()
            tally = probes.tally_for(startup, initially=False)
            failing = probes.Tally(True, tally.failures_needed, 1)

            async def told(ok: bool, result: bool, words: str) -> None:
                if result:
                    passed.set()
                elif not failing.count(ok):
                    await self._unhealthy("Startup", words, fatal=True)
                else:
                    await self._unhealthy("Startup", words)

            probing = asyncio.ensure_future(probes.watch_probe(startup, target, tally, told))
            try:
                await passed.wait()
            finally:
                probing.cancel()
        self.record.started = True
        self.ready_once.set()
        self.record.ready = not self._spec.get("readinessProbe")
        self._sandbox.changed()
        await asyncio.gather(self._probe_liveness(target), self._probe_readiness(target))

    async def _probe_liveness(self, target: probes.Target) -> None:
        probe = self._spec.get("livenessProbe")
        if not probe:
            return

        async def told(ok: bool, result: bool, words: str) -> None:
            if not ok:
                await self._unhealthy("Liveness", words, fatal=not result)

        await probes.watch_probe(probe, target, probes.tally_for(probe, initially=True), told)

    async def _probe_readiness(self, target: probes.Target) -> None:
        probe = self._spec.get("readinessProbe")
        if not probe:
            return

        async def told(ok: bool, result: bool, words: str) -> None:
            if not ok:
                await self._unhealthy("Readiness", words)
            if result != self.record.ready:
                self.record.ready = result
                self._sandbox.changed()

        await probes.watch_probe(probe, target, probes.tally_for(probe, initially=False), told)

    async def _unhealthy(self, which: str, words: str, *, fatal: bool = False) -> None:
        self._say("Unhealthy", f"{which} probe failed: {words}", warning=True)
        if fatal and not self._stop.is_set():
            self._say("Killing", f"Container {self.name} failed {which.lower()} probe, will be restarted")
            # in a task of its own: the end of the process cancels the probe that asked for it
            self._sandbox.background(self._end_process(self._sandbox.grace_seconds))

    async def _guard_memory(self, limit: float) -> None:
        while self._running is not None:
            if usage.of_tree(self._running.pid).memory_bytes > limit:
                self._oom = True
                self._running.signal(signal.SIGKILL)
                return
            await asyncio.sleep(self._sandbox.settings.memory_check)

    async def _after_start(self, hook: Object) -> None:
        ok, words = await probes.act(hook, self._target(), self._sandbox.grace_seconds)
        if not ok:
            self._say("FailedPostStartHook", f"PostStartHook failed: {words}", warning=True)
            self._sandbox.background(self._end_process(self._sandbox.grace_seconds))

    # --- stopping ----------------------------------------------------------------------------

    async def stop(self, grace: float) -> None:
        """Never start again; end a running process within the grace period, counted from now."""
        self._stop.set()
        if self._running is not None:
            self._say("Killing", f"Stopping container {self.name}")
            await self._end_process(grace, hook=(self._spec.get("lifecycle") or {}).get("preStop"))

    def hurry(self, seconds: float) -> None:
        """Shorten a grace period that is running."""
        self._deadline = min(self._deadline, asyncio.get_running_loop().time() + seconds)
        self._hurry.set()

    async def _end_process(self, grace: float, hook: Object | None = None) -> None:
        running, loop = self._running, asyncio.get_running_loop()
        if running is None:
            return
        self._deadline = loop.time() + grace
        if hook and grace > 0:
            ok, words = await probes.act(hook, self._target(), grace)
            if not ok:
                self._say("FailedPreStopHook", f"PreStopHook failed: {words}", warning=True)
            self._deadline = max(self._deadline, loop.time() + _LEAST_GRACE_AFTER_HOOK)
        if grace > 0:
            running.signal(signal.SIGTERM)
        waiting = asyncio.ensure_future(running.wait())
        while not waiting.done() and (left := self._deadline - loop.time()) > 0:
            self._hurry.clear()
            hurried = asyncio.ensure_future(self._hurry.wait())
            await asyncio.wait({waiting, hurried}, timeout=left, return_when=asyncio.FIRST_COMPLETED)
            hurried.cancel()
        running.signal(signal.SIGKILL)
        await waiting
