"""One container: prepare, start, probe, restart, stop.

Invariant: at most one process group at a time; once told to stop, it never starts again.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import uuid
from datetime import datetime

from maestro_cli.core.errors import MaestroError
from maestro_cli.local import images
from maestro_cli.local.kubelet import probes
from maestro_cli.local.kubelet.backoff import Backoff, whole_seconds
from maestro_cli.local.kubelet.content import ContentMissing
from maestro_cli.local.kubelet.pipe import LogPipe
from maestro_cli.local.kubelet.processes import Launch, LaunchFailed, Running
from maestro_cli.local.kubelet.record import Record, Started, Terminated, Waiting
from maestro_cli.local.kubelet.sandbox import Sandbox
from maestro_cli.local.kubelet.supervision import Supervision
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
        self._pull_backoff.after_exit(0.0)  # unlike the first restart, the second pull waits
        self._stop = asyncio.Event()
        self._hurry = asyncio.Event()
        self._deadline = 0.0
        self._grace = 0.0
        self._running: Running | None = None
        self._watch: Supervision | None = None
        self.started_at: datetime | None = None
        self.ooms = 0
        self.started_once = asyncio.Event()  # a startup probe, if any, has passed

    @property
    def keeper(self) -> int | None:
        """The process that everything of the running container descends from."""
        return self._running.keeper if self._running is not None else None

    def signal(self, number: int) -> None:
        """Signal its processes, when it runs."""
        if self._running is not None:
            self._running.signal(number)

    @property
    def name(self) -> str:
        return self.record.name

    async def run(self) -> None:
        """Start it, again and again as the restart policy says; returns when it is over."""
        if isinstance(self.record.state, Terminated):
            if not self._may_restart(self.record.state.exit_code):
                return
            self._count_restart(self.record.state)
        while not self._stop.is_set():
            launch = await self._prepare()
            if launch is None:
                return
            ended = await self._run_once(launch)
            if self._stop.is_set() or not self._may_restart(ended.exit_code):
                return
            pause = self._backoff.after_exit((ended.finished_at - ended.started_at).total_seconds())
            if pause and await self._back_off(ended, pause):
                return
            self._count_restart(ended)

    def _may_restart(self, code: int) -> bool:
        failed = code != 0 or (self._watch is not None and self._watch.unhealthy)
        return self._policy == "Always" or (self._policy == "OnFailure" and failed)

    def _count_restart(self, ended: Terminated) -> None:
        self.record.last = ended
        self.record.restarts += 1

    async def _back_off(self, ended: Terminated, pause: float) -> bool:
        """Wait before the next start; True when told to stop meanwhile."""
        full = f"{self._sandbox.full_name}({self._sandbox.uid})"
        message = f"back-off {whole_seconds(pause)} restarting failed container={self.name} pod={full}"
        self.record.last = ended
        self._set_state(Waiting("CrashLoopBackOff", message))
        self._say("BackOff", f"Back-off restarting failed container {self.name} in pod {full}", warning=True)
        if not await self._pause(pause):
            return False
        self._set_state(ended)
        return True

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
            except OSError as problem:
                self._set_state(Waiting("CreateContainerError", str(problem)))
                self._say("Failed", f"Error: {problem}", warning=True)
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
        try:
            log = self._sandbox.new_log(self.name, record.restarts)
            pipe = LogPipe(log, self._sandbox.settings.log_cap_bytes)
            await pipe.open()
        except OSError as problem:  # a full disk, or no descriptor left
            return self._not_started(began, str(problem))
        self._say("Created", f"Created container: {self.name}")
        try:
            self._running = await self._sandbox.processes.start(launch, pipe.descriptor)
        except LaunchFailed as problem:
            return self._not_started(began, f'exec: "{launch.argv[0]}": {problem}')
        finally:
            pipe.started()
            if self._running is None:
                await pipe.finish()
        return await self._watched(self._running, launch, pipe, began)

    async def _watched(self, running: Running, launch: Launch, pipe: LogPipe, began: datetime) -> Terminated:
        """Until the run is over; whatever happens here, no process of it is left afterwards."""
        watch = self._watch = self._supervision(running, launch)
        try:
            self.started_at = began
            self._set_state(Started(began))
            self._say("Started", f"Started container {self.name}")
            watch.begin()
            if self._stop.is_set():  # told to stop while it was being started
                self._end(self._grace)
            await running.wait()
        finally:
            running.signal(signal.SIGKILL)  # does nothing to a run that is over
            code = await running.wait()
            self._running = None
            watch.finish()
            await pipe.finish()
            ended = self._ended(watch, began, code)
        return ended

    def _supervision(self, running: Running, launch: Launch) -> Supervision:
        return Supervision(
            self._sandbox,
            self._spec,
            self.record,
            running,
            launch,
            restarts=self._policy != "Never",
            started=self.started_once,
            end=self._end,
        )

    def _not_started(self, began: datetime, message: str) -> Terminated:
        self._say("Failed", f'Error: failed to start container "{self.name}": {message}', warning=True)
        ended = Terminated(128, "StartError", began, self._sandbox.now(), message, self.record.container_id)
        self._set_state(ended)
        return ended

    def _ended(self, watch: Supervision, began: datetime, code: int) -> Terminated:
        reason = "OOMKilled" if watch.out_of_memory else "Completed" if code == 0 else "Error"
        self.ooms += watch.out_of_memory
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
        self._sandbox.say(reason, message, warning=warning, path=self.record.path)

    # --- stopping ----------------------------------------------------------------------------

    async def stop(self, grace: float) -> None:
        """Never start again; end a running process within the grace period, counted from now."""
        self._grace = grace
        self._stop.set()
        if self._running is not None:
            self._say("Killing", f"Stopping container {self.name}")
            await self._end_process(grace)

    def hurry(self, seconds: float) -> None:
        """Shorten a grace period that is running."""
        self._deadline = min(self._deadline, asyncio.get_running_loop().time() + seconds)
        self._hurry.set()

    def _end(self, grace: float) -> None:
        # in a task of its own: the end of the process cancels the probe that asked for it
        self._sandbox.background(self._end_process(grace))

    async def _end_process(self, grace: float) -> None:
        """The preStop hook, SIGTERM to the group, SIGKILL once the grace period is over."""
        running, watch, loop = self._running, self._watch, asyncio.get_running_loop()
        if running is None or watch is None:
            return
        self._deadline = loop.time() + grace
        hook = (self._spec.get("lifecycle") or {}).get("preStop")
        if hook and grace > 0:
            await self._before_stop(hook, watch, grace)
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

    async def _before_stop(self, hook: Object, watch: Supervision, grace: float) -> None:
        acting = asyncio.ensure_future(probes.act(hook, watch.target(), grace))
        hurried = asyncio.ensure_future(self._hurry.wait())
        await asyncio.wait({acting, hurried}, return_when=asyncio.FIRST_COMPLETED)
        hurried.cancel()
        if acting.done():
            ok, words = acting.result()
            if not ok:
                self._say("FailedPreStopHook", f"PreStopHook failed: {words}".rstrip(" :"), warning=True)
        else:
            acting.cancel()
        if not self._hurry.is_set():
            least = asyncio.get_running_loop().time() + _LEAST_GRACE_AFTER_HOOK
            self._deadline = max(self._deadline, least)
