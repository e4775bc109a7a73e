"""The Job controller.

Invariant: a pod that ended is counted exactly once, even when it is deleted at once: it carries a
finalizer until its uid is in the status together with the count. A finished job is never touched again.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from maestro_cli.local.api import JOBS, PODS, ApiError
from maestro_cli.local.controllers.ownership import claim, create_pod, delete_pod, tell_owners
from maestro_cli.local.controllers.queue import WorkQueue
from maestro_cli.local.controllers.ranking import doomed_first
from maestro_cli.local.controllers.world import NAMESPACE, World
from maestro_cli.local.objects import (
    Object,
    condition_is_true,
    controller_of,
    is_deleting,
    key_of,
    metadata,
    parse_time,
    pod_is_active,
    pod_is_ready,
    pod_phase,
    set_condition,
    split_key,
    timestamp,
    uid_of,
)

_TRACKING = "batch.kubernetes.io/job-tracking"
_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 10.0, 600.0
Verdict = tuple[str, str, str]
_REACHED: Verdict = ("Complete", "CompletionsReached", "Reached expected number of succeeded pods")
_EXHAUSTED: Verdict = ("Failed", "BackoffLimitExceeded", "Job has reached the specified backoff limit")
_LATE: Verdict = ("Failed", "DeadlineExceeded", "Job was active longer than specified deadline")
_BEFORE = {"Complete": "SuccessCriteriaMet", "Failed": "FailureTarget"}


class JobController:
    """Runs the pods of Jobs until enough have succeeded or too many failed."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.queue = WorkQueue("job", self.sync)
        self.recorder = world.recorder("job-controller")
        self._failed_at: dict[str, tuple[str, datetime]] = {}  # by key, of the job with that uid
        tell_owners(world, world.jobs, self.queue)

    async def sync(self, key: str) -> None:
        """Count what ended, make or delete pods, and write the status of one Job."""
        job = self._world.jobs.get(key)
        await self._release(self._orphans(key, job))
        if job is None:
            self._failed_at.pop(key, None)
            return
        pods = await claim(self._world, job, PODS)
        if is_deleting(job) or any(condition_is_true(job, one) for one in _BEFORE):
            await self._release(pods)
            await self._expire(job)
            return
        now = self._world.now()
        status = self._counted(job, pods, now)
        active = [pod for pod in pods if pod_is_active(pod)]
        verdict = _verdict(job, status, pods, now)
        suspended = bool(job["spec"]["suspend"]) and verdict is None
        most = 0 if verdict is not None or suspended else _wanted(job, status, active)
        surplus = doomed_first(active, active, now)[: max(len(active) - most, 0)]
        for pod in surplus:
            await self._release([pod])
            await delete_pod(self._world, self.recorder, job, pod)
        active = [pod for pod in active if pod not in surplus]
        if verdict is None and not suspended:
            active += await self._start(job, status, active, now)
        ending = [pod for pod in pods if pod in surplus or (is_deleting(pod) and not _ended(pod))]
        self._suspend(job, status, suspended, now)
        status |= {"ready": sum(map(pod_is_ready, active)), "terminating": len(ending)}
        status |= {"active": len(active)} if active else {}
        if verdict is not None:
            self._conclude(job, status, verdict, ending, now)
        if status != (job.get("status") or {}):
            job = await self._world.update(JOBS, job | {"status": status}, "status")
        await self._release(pod for pod in pods if not pod_is_active(pod))
        self._come_back(job, now)

    def _orphans(self, key: str, job: Object | None) -> list[Object]:
        """Pods of an earlier job of this name, which nobody will count any more."""
        namespace, name = split_key(key)
        pods = self._world.pods.by(NAMESPACE, namespace)
        owned = [(pod, controller_of(pod) or {}) for pod in pods]
        uid = uid_of(job) if job is not None else ""
        return [
            pod
            for pod, owner in owned
            if (owner.get("kind"), owner.get("name")) == ("Job", name) and owner.get("uid") != uid
        ]

    def _counted(self, job: Object, pods: list[Object], now: datetime) -> Object:
        """The status with what ended since the last look; `uncountedTerminatedPods` names what is in it."""
        status: Object = {
            name: value for name, value in (job.get("status") or {}).items() if name != "active"
        }
        held = {uid_of(pod) for pod in pods if _TRACKING in (metadata(pod).get("finalizers") or ())}
        known: Object = status.get("uncountedTerminatedPods") or {}
        uncounted = {}
        for field, counts in (("succeeded", _succeeded), ("failed", _failed)):
            before = [uid for uid in known.get(field, ()) if uid in held]
            new = [uid_of(pod) for pod in pods if uid_of(pod) in held and counts(pod)]
            new = [uid for uid in new if uid not in before]
            if new:
                status[field] = status.get(field, 0) + len(new)
                if field == "failed":
                    self._failed_at[key_of(job)] = (uid_of(job), now)
            if before or new:
                uncounted[field] = [*before, *new]
        status["uncountedTerminatedPods"] = uncounted
        return status

    async def _start(self, job: Object, status: Object, active: list[Object], now: datetime) -> list[Object]:
        """The pods that were made for what is missing; none while the job backs off from a failure."""
        if self._backing_off(job, status, now) > 0:
            return []
        missing = _wanted(job, status, active) - len(active)
        return [
            await create_pod(self._world, self.recorder, job, (_TRACKING,)) for _ in range(max(missing, 0))
        ]

    def _backing_off(self, job: Object, status: Object, now: datetime) -> float:
        """Seconds until a pod may be made again after the last failure."""
        uid, last = self._failed_at.get(key_of(job), ("", now))
        if uid != uid_of(job) or not status.get("failed"):
            return 0.0
        pause = min(_PAUSE_SECONDS * 2 ** min(status["failed"] - 1, 10), _LONGEST_PAUSE_SECONDS)
        return (last + timedelta(seconds=pause) - now).total_seconds()

    def _suspend(self, job: Object, status: Object, suspended: bool, now: datetime) -> None:
        """Keep the start time and the condition Suspended in line with spec.suspend."""
        was = condition_is_true(job, "Suspended")
        if suspended and not was:
            self._set(status, ("Suspended", "JobSuspended", "Job suspended"), "True", now)
            self.recorder.record(job, "Suspended", "Job suspended")
            status.pop("startTime", None)
        elif was and not suspended:
            self._set(status, ("Suspended", "JobResumed", "Job resumed"), "False", now)
            self.recorder.record(job, "Resumed", "Job resumed")
        if not suspended and "startTime" not in status:
            status["startTime"] = timestamp(now)

    def _conclude(
        self, job: Object, status: Object, verdict: Verdict, ending: list[Object], now: datetime
    ) -> None:
        """The end of a job: first the condition that says so, the final one once no pod is left ending."""
        kind, reason, message = verdict
        self._set(status, (_BEFORE[kind], reason, message), "True", now)
        if ending:
            return
        self._set(status, verdict, "True", now)
        self._failed_at.pop(key_of(job), None)
        if kind == "Complete":
            status["completionTime"] = timestamp(now)
            self.recorder.record(job, "Completed", "Job completed")
        else:
            self.recorder.record(job, reason, message, warning=True)

    def _set(self, status: Object, told: Verdict, truth: str, now: datetime) -> None:
        kind, reason, message = told
        at = timestamp(now)
        new = {"type": kind, "status": truth, "reason": reason, "message": message}
        new |= {"lastProbeTime": at, "lastTransitionTime": at}
        status["conditions"] = set_condition(status.get("conditions") or [], new)

    async def _release(self, pods: Iterable[Object]) -> None:
        """Let go of pods that are counted, or need not be."""
        for pod in pods:
            finalizers = metadata(pod).get("finalizers") or []
            if _TRACKING in finalizers:
                kept = [one for one in finalizers if one != _TRACKING]
                try:
                    await self._world.patch(PODS, pod, {"metadata": {"finalizers": kept or None}})
                except ApiError as refused:
                    if not refused.is_not_found:
                        raise

    async def _expire(self, job: Object) -> None:
        """Delete a finished job when its time to live is over."""
        lives_seconds = job["spec"].get("ttlSecondsAfterFinished")
        ends = [
            parse_time(one.get("lastTransitionTime"))
            for one in (job.get("status") or {}).get("conditions") or ()
            if one["type"] in _BEFORE and one["status"] == "True"
        ]
        if lives_seconds is None or is_deleting(job) or not ends or ends[0] is None:
            return
        left = (ends[0] + timedelta(seconds=lives_seconds) - self._world.now()).total_seconds()
        if left > 0:
            self.queue.add_after(key_of(job), left)
        else:
            await self._world.delete(JOBS, job, propagation="Foreground")

    def _come_back(self, job: Object, now: datetime) -> None:
        """Look again when the back-off ends and when the deadline passes."""
        if (pause := self._backing_off(job, job.get("status") or {}, now)) > 0:
            self.queue.add_after(key_of(job), pause)
        start, most = parse_time((job.get("status") or {}).get("startTime")), _deadline(job)
        if start is not None and most is not None:
            self.queue.add_after(key_of(job), max((start + most - now).total_seconds(), 0) + 0.1)


def _deadline(job: Object) -> timedelta | None:
    seconds = job["spec"].get("activeDeadlineSeconds")
    return None if seconds is None else timedelta(seconds=seconds)


def _ended(pod: Object) -> bool:
    return pod_phase(pod) in ("Succeeded", "Failed")


def _succeeded(pod: Object) -> bool:
    return pod_phase(pod) == "Succeeded"


def _failed(pod: Object) -> bool:
    """Deleted pods count as failed, because they may never get to say so."""
    return pod_phase(pod) == "Failed" or (is_deleting(pod) and not _succeeded(pod))


def _wanted(job: Object, status: Object, active: list[Object]) -> int:
    """How many pods should be at work."""
    spec, succeeded = job["spec"], int(status.get("succeeded", 0))
    if "completions" not in spec:
        return len(active) if succeeded else int(spec["parallelism"])
    return max(min(int(spec["parallelism"]), int(spec["completions"]) - succeeded), 0)


def _verdict(job: Object, status: Object, pods: list[Object], now: datetime) -> Verdict | None:
    """Whether the job is over, and how."""
    for entry in status.get("conditions") or ():
        if entry["status"] == "True" and (entry["type"], entry.get("reason")) in _TOLD:
            return _TOLD[entry["type"], entry["reason"]]
    spec, limit = job["spec"], job["spec"]["backoffLimit"]
    restarts = 0
    if spec["template"]["spec"]["restartPolicy"] == "OnFailure":
        statuses = [one for pod in pods if not _ended(pod) for one in _container_statuses(pod)]
        restarts = sum(one.get("restartCount", 0) for one in statuses)
    if status.get("failed", 0) > limit or restarts > limit or (0 < limit <= restarts):
        return _EXHAUSTED
    start, most = parse_time(status.get("startTime")), _deadline(job)
    if start is not None and most is not None and now >= start + most and not spec["suspend"]:
        return _LATE
    succeeded, active = status.get("succeeded", 0), any(map(pod_is_active, pods))
    if "completions" in spec:
        return _REACHED if succeeded >= spec["completions"] else None
    return _REACHED if succeeded and not active else None


_TOLD = {(_BEFORE[verdict[0]], verdict[1]): verdict for verdict in (_REACHED, _EXHAUSTED, _LATE)}


def _container_statuses(pod: Object) -> list[Object]:
    status = pod.get("status") or {}
    return [*(status.get("containerStatuses") or ()), *(status.get("initContainerStatuses") or ())]
