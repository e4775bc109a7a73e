"""One pod on this node, from its first sight to its deletion.

Invariant: the API server learns the final status before the pod is deleted, and the pod is deleted
only when none of its processes is left.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import shutil

from maestro_cli.core.errors import MaestroError
from maestro_cli.local.api import PODS, STRATEGIC_PATCH, ApiClient, ApiError
from maestro_cli.local.kubelet.container import ContainerTask
from maestro_cli.local.kubelet.environment import HOST_ADDRESS
from maestro_cli.local.kubelet.leased import LeasedFaults
from maestro_cli.local.kubelet.limits import Verdict, has_limits, judge
from maestro_cli.local.kubelet.processes import Processes
from maestro_cli.local.kubelet.record import Record, Started, Waiting, recall
from maestro_cli.local.kubelet.sandbox import Sandbox
from maestro_cli.local.kubelet.settings import Settings
from maestro_cli.local.kubelet.status import build_status, disrupted, final_phase, status_patch
from maestro_cli.local.kubelet.volumes import MountProblem
from maestro_cli.local.objects import (
    Object,
    is_deleting,
    metadata,
    name_of,
    namespace_of,
    pod_is_ready,
    pod_phase,
    uid_of,
)
from maestro_cli.local.recorder import EventRecorder

_LOG = logging.getLogger(__name__)
_FORGOTTEN_GRACE_SECONDS = 1.0
_RETRY_SECONDS = 0.5
_LEAST_SIDECAR_GRACE_SECONDS = 2.0
_CHANGING_VOLUMES = ("configMap", "secret", "downwardAPI", "projected")


class PodWorker:
    """Drives the containers of one pod and keeps its status in the API server true."""

    def __init__(
        self,
        pod: Object,
        pod_ip: str,
        address: str,
        *,
        settings: Settings,
        client: ApiClient,
        processes: Processes,
        recorder: EventRecorder,
    ) -> None:
        self.pod = pod
        self.pod_ip = pod_ip
        self._client = client
        self._settings = settings
        self.sandbox = Sandbox(
            pod,
            address,
            settings=settings,
            client=client,
            processes=processes,
            recorder=recorder,
            changed=self._changed,
        )
        policy = pod["spec"].get("restartPolicy", "Always")
        self._inits = self._tasks("initContainers", "initContainerStatuses", policy)
        self._containers = self._tasks("containers", "containerStatuses", policy)
        self.leased = LeasedFaults(self.sandbox, lambda: self.tasks)
        self._dirty = asyncio.Event()
        self._clean = asyncio.Event()
        self._ending = asyncio.Event()  # the pod is to be deleted, or is already
        self._over = asyncio.Event()  # nothing of it starts any more
        self._mounted = False
        self._verdict: Verdict | None = None
        self._gone = pod_phase(pod) in {"Succeeded", "Failed"}
        self._forgotten = False
        self._muted = False
        self._said: Object = {}  # the status that was told last

    def _tasks(self, part: str, statuses: str, policy: str) -> list[ContainerTask]:
        known = {entry["name"]: entry for entry in (self.pod.get("status") or {}).get(statuses) or ()}
        tasks = []
        for spec in self.pod["spec"].get(part) or ():
            init = part == "initContainers"
            sidecar = init and spec.get("restartPolicy") == "Always"
            record = recall(spec, known.get(spec["name"]), self.sandbox.now(), init=init, sidecar=sidecar)
            if record.state == Waiting() and self.pod["spec"].get("initContainers"):
                record.state = Waiting("PodInitializing")
            rule = "Always" if sidecar else "OnFailure" if init and policy == "Always" else policy
            tasks.append(ContainerTask(self.sandbox, spec, record, rule))
        return tasks

    # --- what the node tells it --------------------------------------------------------------

    def update(self, pod: Object) -> None:
        """A version of the pod was seen; one older than what is known is ignored.

        Where another said of its readiness what is not so (that its node is lost), it is told again.
        """
        if int(metadata(pod)["resourceVersion"]) < int(metadata(self.pod)["resourceVersion"]):
            return
        if self._said and pod_is_ready(pod) != pod_is_ready({"status": self._said}):
            self._changed()
        shorter = is_deleting(self.pod) and _grace_of(pod) < _grace_of(self.pod)
        self.pod = self.sandbox.pod = pod
        self.leased.learn(pod)
        if is_deleting(pod):
            self._ending.set()
        if shorter:
            for task in [*self._inits, *self._containers]:
                task.hurry(_grace_of(pod))

    def forget(self) -> None:
        """The pod is not in the API server any more."""
        self._forgotten = True
        self._ending.set()
        for task in [*self._inits, *self._containers]:
            task.hurry(_FORGOTTEN_GRACE_SECONDS)

    def container(self, name: str) -> ContainerTask | None:
        """The task of a container, by name."""
        return next((task for task in [*self._inits, *self._containers] if task.name == name), None)

    @property
    def tasks(self) -> list[ContainerTask]:
        return [*self._inits, *self._containers]

    # --- its life ----------------------------------------------------------------------------

    async def run(self) -> None:
        """Live, end, report, delete."""
        publisher = asyncio.ensure_future(self._publish())
        try:
            await self._live_until_told()
            if self._forgotten:
                return
            self._changed()
            await self._clean.wait()
            await self._delete()
        finally:
            await self.leased.end()
            publisher.cancel()
            if self._forgotten or is_deleting(self.pod):
                await asyncio.to_thread(shutil.rmtree, self.sandbox.folder, ignore_errors=True)

    async def _live_until_told(self) -> None:
        if self._gone:
            await self._ending.wait()
            return
        if is_deleting(self.pod):
            self._ending.set()
        self._changed()
        life = asyncio.ensure_future(self._live_or_fail())
        ending = asyncio.ensure_future(self._ending.wait())
        try:
            await asyncio.wait({life, ending}, return_when=asyncio.FIRST_COMPLETED)
            if not self._ending.is_set():
                await life
                self._changed()
                await ending
            grace = _FORGOTTEN_GRACE_SECONDS if self._forgotten else _grace_of(self.pod)
            await self.stop(grace)
            await life
        finally:
            ending.cancel()
            life.cancel()
            await asyncio.gather(life, return_exceptions=True)  # its processes end before it does

    async def leave(self, grace: float) -> None:
        """End all containers and say nothing of it: the node's next kubelet starts them again."""
        self._muted = True
        self._ending.set()
        await self.stop(grace)

    async def stop(self, grace: float) -> None:
        """End all containers, sidecars last and within the same grace period."""
        self._over.set()
        await self.leased.end()
        loop = asyncio.get_running_loop()
        deadline = loop.time() + grace
        await asyncio.gather(*(task.stop(grace) for task in self._containers))
        for task in reversed(self._inits):
            await task.stop(max(deadline - loop.time(), min(grace, _LEAST_SIDECAR_GRACE_SECONDS)))

    async def _live_or_fail(self) -> None:
        """Live; an error that nobody thought of ends this pod, and none but this."""
        try:
            await self._live()
        except Exception as problem:  # noqa: BLE001 - told as the pod's failure
            _LOG.exception("pod %s", self.sandbox.full_name)
            self._break(problem)

    def _break(self, problem: Exception) -> None:
        while isinstance(problem, ExceptionGroup):
            problem = problem.exceptions[0]
        words = f"the kubelet cannot run this pod: {type(problem).__name__}: {problem}"
        self._verdict = Verdict("UnexpectedError", words)
        self._over.set()
        self.sandbox.say("Failed", f"Error: {words}", warning=True)
        self._changed()

    async def _live(self) -> None:
        """Volumes, init containers in order, then all containers until they are over."""
        self.leased.learn(self.pod)
        async with asyncio.TaskGroup() as group:
            aside = [group.create_task(self._keep_limits())]
            if await self._volumes_ready():
                self._mounted = True
                self._changed()
                aside.append(group.create_task(self._refresh_volumes()))
                if await self._initialized(group):
                    await asyncio.gather(*(group.create_task(task.run()) for task in self._containers))
                if not self._over.is_set():
                    await asyncio.gather(*(task.stop(self.sandbox.grace_seconds) for task in self._inits))
            for task in aside:
                task.cancel()

    async def _initialized(self, group: asyncio.TaskGroup) -> bool:
        """Run the init containers; whether the others may start."""
        for task in self._inits:
            if self._over.is_set():
                return False
            if task.record.sidecar:
                group.create_task(task.run())
                await self._first_of(task.started_once)
                continue
            await task.run()
            if not task.record.has_succeeded:
                return False
        return not self._over.is_set()

    async def _first_of(self, event: asyncio.Event) -> None:
        waiting = [asyncio.ensure_future(one.wait()) for one in (event, self._over)]
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        for one in waiting:
            one.cancel()

    async def _keep_limits(self) -> None:
        """End the pod when it is past its deadline or its scratch space."""
        if not has_limits(self.pod):
            return
        while not self._over.is_set():
            await asyncio.sleep(self._settings.limits_check)
            verdict = await asyncio.to_thread(judge, self.pod, self.sandbox.volumes, self.sandbox.now())
            if verdict is not None and not self._over.is_set():
                self._verdict = verdict
                self.sandbox.say(verdict.reason, verdict.message, warning=verdict.is_eviction)
                await self.stop(self.sandbox.grace_seconds if verdict.grace is None else verdict.grace)

    async def _volumes_ready(self) -> bool:
        pause = _RETRY_SECONDS
        while not self._over.is_set():
            try:
                await self.sandbox.set_up_volumes()
                return True
            except MountProblem as problem:
                self.sandbox.say("FailedMount", str(problem), warning=True)
            except MaestroError as problem:
                _LOG.warning("%s: %s", self.sandbox.full_name, problem.what)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._over.wait(), pause)
            pause = min(pause * 2, 120.0)
        return False

    async def _refresh_volumes(self) -> None:
        volumes = self.pod["spec"].get("volumes") or []
        if not any(kind in volume for volume in volumes for kind in _CHANGING_VOLUMES):
            return
        while True:
            await asyncio.sleep(self._settings.volume_refresh)
            try:
                await self.sandbox.set_up_volumes()
            except MountProblem as problem:
                self.sandbox.say("FailedMount", str(problem), warning=True)
            except MaestroError as problem:
                _LOG.warning("%s: %s", self.sandbox.full_name, problem)

    # --- its status --------------------------------------------------------------------------

    def _changed(self) -> None:
        self._clean.clear()
        self._dirty.set()

    def _status(self) -> Object:
        inits, records = ([task.record for task in tasks] for tasks in (self._inits, self._containers))
        status = build_status(
            self.pod,
            inits,
            records,
            pod_ip=self.pod_ip,
            host_ip=HOST_ADDRESS,
            now=self.sandbox.now(),
            phase=self._phase_at_the_end(records),
            has_network=self._mounted,
        )
        if self._verdict is not None:
            status |= {"reason": self._verdict.reason, "message": self._verdict.message}
            if self._verdict.is_eviction:
                status["conditions"] = disrupted(
                    status["conditions"], self._verdict.message, self.sandbox.now()
                )
        return status

    def _status_or_failure(self) -> Object:
        """The status; of a pod whose status cannot be told, that it fails."""
        try:
            return self._status()
        except Exception as problem:  # noqa: BLE001 - told as the pod's failure
            if self._verdict is None:
                _LOG.exception("status of %s", self.sandbox.full_name)
                self._break(problem)
                self.sandbox.background(self.stop(0))
            known: Object = dict(self.pod.get("status") or {})
            if phase := self._phase_at_the_end([task.record for task in self._containers]):
                known["phase"] = phase
            if self._verdict is not None:
                known |= {"reason": self._verdict.reason, "message": self._verdict.message}
            return known

    def _phase_at_the_end(self, records: list[Record]) -> str:
        """What the phase is besides what the containers say; "" for nothing else."""
        if not self._over.is_set() or any(isinstance(record.state, Started) for record in records):
            return ""
        return "Failed" if self._verdict is not None else final_phase(records)

    async def _publish(self) -> None:
        """Write the status whenever it changed; keep trying until the server has it or the pod is gone."""
        while True:
            await self._dirty.wait()
            self._dirty.clear()
            self._said = self._status_or_failure()
            patch = status_patch(self.pod.get("status") or {}, self._said)
            try:
                if patch and not self._forgotten and not self._muted:
                    body = {"metadata": {"uid": uid_of(self.pod)}, "status": patch}
                    answer = await self._client.patch(
                        PODS,
                        namespace_of(self.pod),
                        name_of(self.pod),
                        body,
                        subresource="status",
                        kind=STRATEGIC_PATCH,
                    )
                    self._took(answer)
            except ApiError as refused:
                if refused.code not in {404, 409, 422}:
                    await self._again(refused)
                    continue
                if not refused.is_not_found:
                    _LOG.warning("status of %s: %s", self.sandbox.full_name, refused.what)
            except MaestroError as problem:
                await self._again(problem)
                continue
            if not self._dirty.is_set():
                self._clean.set()

    async def _again(self, problem: MaestroError) -> None:
        _LOG.warning("status of %s: %s", self.sandbox.full_name, problem.what)
        await asyncio.sleep(_RETRY_SECONDS)
        self._dirty.set()

    def _took(self, answer: Object) -> None:
        answer.setdefault("apiVersion", "v1")
        answer.setdefault("kind", "Pod")
        self.update(answer)

    async def _delete(self) -> None:
        """Tell the server that nothing is left of the pod."""
        while not self._forgotten and is_deleting(self.pod):
            try:
                await self._client.delete(
                    PODS, namespace_of(self.pod), name_of(self.pod), uid=uid_of(self.pod), grace_seconds=0
                )
                return
            except ApiError as refused:
                if refused.is_not_found or refused.is_conflict:
                    return
                _LOG.warning("delete %s: %s", self.sandbox.full_name, refused.what)
            except MaestroError as problem:
                _LOG.warning("delete %s: %s", self.sandbox.full_name, problem.what)
            await asyncio.sleep(_RETRY_SECONDS)


def _grace_of(pod: Object) -> float:
    value = metadata(pod).get("deletionGracePeriodSeconds")
    if value is None:
        value = pod["spec"].get("terminationGracePeriodSeconds")
    return 30.0 if value is None else float(value)
