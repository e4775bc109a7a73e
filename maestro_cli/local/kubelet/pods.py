"""The pods of this node. Invariant: one worker a pod uid, from the first sight until it is done."""

from __future__ import annotations

import asyncio
import logging
import shutil

from maestro_cli.core.errors import MaestroError, Unreachable
from maestro_cli.local.addresses import listening_address
from maestro_cli.local.api import PODS, ApiClient
from maestro_cli.local.informer import Informer
from maestro_cli.local.kubelet.addresses import AddressPool
from maestro_cli.local.kubelet.processes import Processes
from maestro_cli.local.kubelet.sandbox import folder_of
from maestro_cli.local.kubelet.settings import Settings
from maestro_cli.local.kubelet.worker import PodWorker
from maestro_cli.local.objects import Object, is_deleting, name_of, namespace_of, pod_phase, uid_of
from maestro_cli.local.recorder import EventRecorder

_LOG = logging.getLogger(__name__)
_RETRY_SECONDS = 0.5


class PodSet:
    """Starts, feeds and forgets the workers."""

    def __init__(
        self, client: ApiClient, settings: Settings, processes: Processes, recorder: EventRecorder
    ) -> None:
        self._client = client
        self._settings = settings
        self._processes = processes
        self._recorder = recorder
        self._pool = AddressPool(settings.index)
        self._workers: dict[str, PodWorker] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._rejecting: set[asyncio.Task[None]] = set()
        self._leaving = False
        self.informer = Informer(client, PODS, field_selector=f"spec.nodeName={settings.node}")
        self.informer.subscribe(self._changed)

    def workers(self) -> list[PodWorker]:
        return list(self._workers.values())

    def find(self, namespace: str, name: str) -> PodWorker | None:
        """The worker of a pod, by name."""
        for worker in self.workers():
            if (namespace_of(worker.pod), name_of(worker.pod)) == (namespace, name):
                return worker
        return None

    def _changed(self, old: Object | None, new: Object | None) -> None:
        uid = uid_of(new or old or {})
        worker = self._workers.get(uid)
        if new is None:
            if worker is not None:
                worker.forget()
        elif worker is not None:
            worker.update(new)
        elif not self._leaving:
            self._begin(new)

    def _begin(self, pod: Object) -> None:
        over = pod_phase(pod) in {"Succeeded", "Failed"}
        pod_ip = self._pool.take((pod.get("status") or {}).get("podIP") or "") if not over else ""
        if pod_ip is None:
            self._reject(pod, "OutOfpods", f"no address left on this node: {self._pool.problem}")
            return
        uid = uid_of(pod)
        try:
            worker = self._workers[uid] = self._worker(pod, pod_ip)
        except Exception as problem:  # noqa: BLE001 - whatever one pod does, the node goes on
            _LOG.exception("pod %s", name_of(pod))
            self._pool.give_back(pod_ip)
            self._reject(pod, "UnexpectedError", f"{type(problem).__name__}: {problem}")
            return
        task = asyncio.ensure_future(worker.run())
        self._tasks[uid] = task
        task.add_done_callback(lambda done: self._finished(uid, pod_ip, done))

    def _worker(self, pod: Object, pod_ip: str) -> PodWorker:
        return PodWorker(
            pod,
            pod_ip,
            listening_address(pod_ip),
            settings=self._settings,
            client=self._client,
            processes=self._processes,
            recorder=self._recorder,
        )

    def _finished(self, uid: str, pod_ip: str, task: asyncio.Task[None]) -> None:
        self._pool.give_back(pod_ip)
        worker = self._workers.pop(uid)
        self._tasks.pop(uid)
        if not task.cancelled() and (problem := task.exception()) is not None:
            _LOG.error("pod %s failed in the kubelet", name_of(worker.pod), exc_info=problem)

    def _reject(self, pod: Object, reason: str, message: str) -> None:
        rejecting = asyncio.ensure_future(self._tell_rejected(pod, reason, f"Pod was rejected: {message}"))
        self._rejecting.add(rejecting)
        rejecting.add_done_callback(self._rejecting.discard)

    async def _tell_rejected(self, pod: Object, reason: str, message: str) -> None:
        """Until the API server knows, or will not have it."""
        status = {"phase": "Failed", "reason": reason, "message": message}
        body = {"metadata": {"uid": uid_of(pod)}, "status": status}
        while True:
            try:
                await self._client.patch(PODS, namespace_of(pod), name_of(pod), body, subresource="status")
                return
            except Unreachable as problem:
                _LOG.warning("reject %s: %s", name_of(pod), problem.what)
                await asyncio.sleep(_RETRY_SECONDS)
            except MaestroError as problem:
                _LOG.warning("reject %s: %s", name_of(pod), problem.what)
                return

    def sweep_folders(self) -> None:
        """Remove the folders of pods that are not on this node any more (other nodes share the parent)."""
        mine = {folder_of(self._settings, pod).name for pod in self.informer.all() if not is_deleting(pod)}
        marker = self._settings.state / "pods" / f".{self._settings.node}"
        known = set(marker.read_text().split()) if marker.exists() else set()
        for name in known - mine:
            shutil.rmtree(self._settings.state / "pods" / name, ignore_errors=True)
        marker.parent.mkdir(parents=True, exist_ok=True)
        marker.write_text("\n".join(sorted(mine)))

    async def leave(self, grace: float) -> None:
        """End all containers; the pods stay in the API server, for the next kubelet of this node."""
        self._leaving = True
        await asyncio.gather(*(worker.leave(grace) for worker in self.workers()))
        for task in [*self._tasks.values(), *self._rejecting]:
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
