"""Batch work as it stands in a cluster or a manifest, and what keeps it from machines that may be taken away.

Invariant: what an object does not say is not believed to be harmless: a Job that says nothing of checkpoints
has none. Texts of objects are untrusted.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median
from typing import Any

from maestro_cli.core.clock import from_rfc3339
from maestro_cli.core.promql import exported_label
from maestro_cli.core.quantities import format_duration, parse_duration_seconds, parse_quantity
from maestro_cli.core.untrusted import visible
from maestro_cli.cost.metering.model import GIB
from maestro_cli.cost.metering.queries import GPUS

CHECKPOINT_EVERY = "maestro.dev/checkpoint-every"
CHECKPOINT_TAKES = "maestro.dev/checkpoint-takes"
RESTART_TAKES = "maestro.dev/restart-takes"
NOTICE_SECONDS = 120.0  # what AWS gives; Google and Azure give 30
_STAYS = {
    "karpenter.sh/do-not-disrupt": "true",
    "cluster-autoscaler.kubernetes.io/safe-to-evict": "false",
}


@dataclass(frozen=True, slots=True)
class Batch:
    """One CronJob, or one Job that none made. None is what it does not say.

    `cpu` in cores, `memory_gib` and `gpu` are requests of one pod; `run_hours` is how long a run takes (the
    median of the runs that ended), `runs` how many those are. `schedule` is that of a CronJob. `device` is
    another resource of a device plugin that it asks for. `unread` says which of its annotations say nothing,
    each as a sentence without its end.
    """

    kind: str
    namespace: str
    name: str
    pods: int = 1
    cpu: float | None = None
    memory_gib: float | None = None
    gpu: float = 0.0
    device: str = ""
    run_hours: float | None = None
    runs: int = 0
    schedule: str = ""
    time_zone: str = ""
    suspended: bool = False
    checkpoint_every_hours: float | None = None
    checkpoint_hours: float = 0.0
    restart_hours: float = 0.0
    hindrances: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()

    @property
    def makes_checkpoints(self) -> bool:
        """A run that ends before the first is due makes none."""
        every = self.checkpoint_every_hours
        return every is not None and self.run_hours is not None and every < self.run_hours


def read_batches(
    jobs: Iterable[Mapping[str, Any]], cron_jobs: Iterable[Mapping[str, Any]]
) -> tuple[Batch, ...]:
    """All batch work, by namespace and name; the runs of a CronJob are those of its Jobs."""
    made: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    alone = []
    for job in jobs:
        owner = _cron_owner(job)
        if owner is None:
            alone.append(job)
        else:
            made.setdefault((_text(_metadata(job), "namespace"), owner), []).append(job)
    batches = [_batch("Job", job, _part(job, "spec"), [job]) for job in alone]
    for cron in cron_jobs:
        spec = _part(cron, "spec")
        template = _part(_part(spec, "jobTemplate"), "spec")
        key = (_text(_metadata(cron), "namespace"), _text(_metadata(cron), "name"))
        batches.append(_batch("CronJob", cron, template, made.get(key, ())))
    return tuple(sorted(batches, key=lambda batch: (batch.namespace, batch.kind, batch.name)))


def _batch(
    kind: str, thing: Mapping[str, Any], job: Mapping[str, Any], runs: Sequence[Mapping[str, Any]]
) -> Batch:
    template = _part(job, "template")
    pod = _part(template, "spec")
    notes = {**_texts(_metadata(thing), "annotations"), **_texts(_metadata(template), "annotations")}
    unread: list[str] = []
    every = _hours(notes, CHECKPOINT_EVERY, unread, may_be_0=False)
    takes, restart = (_hours(notes, key, unread, may_be_0=True) for key in (CHECKPOINT_TAKES, RESTART_TAKES))
    lengths = [hours for run in runs if (hours := _length_hours(run)) is not None]
    containers = _running(pod)
    devices = sorted({name for one in containers for name in _devices(one)})
    spec = _part(thing, "spec")
    return Batch(
        kind,
        _text(_metadata(thing), "namespace"),
        _text(_metadata(thing), "name"),
        pods=_count(job.get("parallelism"), 1),
        cpu=_requested(containers, "cpu"),
        memory_gib=None if (size := _requested(containers, "memory")) is None else size / GIB,
        gpu=sum(_requested(containers, name, absent=0) or 0.0 for name in devices if _is_gpu(name)),
        device=next((name for name in devices if not _is_gpu(name)), ""),
        run_hours=median(lengths) if lengths else None,
        runs=len(lengths),
        schedule=_text(spec, "schedule") if kind == "CronJob" else "",
        time_zone=_text(spec, "timeZone") if kind == "CronJob" else "",
        suspended=bool(spec.get("suspend")),
        checkpoint_every_hours=every,
        checkpoint_hours=takes or 0.0,
        restart_hours=restart or 0.0,
        hindrances=tuple(_hindrances(job, pod, notes)),
        unread=tuple(unread),
    )


def _hindrances(job: Mapping[str, Any], pod: Mapping[str, Any], notes: Mapping[str, str]) -> Iterable[str]:
    """Why it cannot run where it may be interrupted, each as a sentence without its end."""
    for key, value in _STAYS.items():
        if notes.get(key) == value:
            yield f"it says {key}: {value}"
    if job.get("backoffLimit") == 0 and not _forgives_disruption(job):
        yield "an interruption fails it: backoffLimit is 0, and no podFailurePolicy ignores disruptions"
    volumes = [one for one in pod.get("volumes") or () if isinstance(one, Mapping)]
    for volume in volumes:
        if "hostPath" in volume:
            yield f"its volume {visible(str(volume.get('name', '')), 60)} is a folder of one machine"
    grace = pod.get("terminationGracePeriodSeconds")
    if isinstance(grace, int | float) and grace > NOTICE_SECONDS:
        yield f"it may take {format_duration(float(grace))} to end, and is told {NOTICE_SECONDS:.0f}s before"


def _forgives_disruption(job: Mapping[str, Any]) -> bool:
    """Whether its rules pass over pods that end with their machine (condition DisruptionTarget)."""
    for rule in _part(job, "podFailurePolicy").get("rules") or ():
        conditions = rule.get("onPodConditions") if isinstance(rule, Mapping) else None
        types = {one.get("type") for one in conditions or () if isinstance(one, Mapping)}
        if isinstance(rule, Mapping) and rule.get("action") == "Ignore" and "DisruptionTarget" in types:
            return True
    return False


def _running(pod: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Its containers, and those that start before them and stay (native sidecars)."""
    found = [*(pod.get("initContainers") or ()), *(pod.get("containers") or ())]
    first = len(pod.get("initContainers") or ())
    return [
        one
        for index, one in enumerate(found)
        if isinstance(one, Mapping) and (index >= first or one.get("restartPolicy") == "Always")
    ]


def _devices(container: Mapping[str, Any]) -> Iterable[str]:
    """Resources of device plugins, whose names have a slash."""
    resources = _part(container, "resources")
    return (
        str(name) for side in ("requests", "limits") for name in _part(resources, side) if "/" in str(name)
    )


def _is_gpu(resource: str) -> bool:
    return exported_label(resource) in GPUS


def _requested(
    containers: Sequence[Mapping[str, Any]], resource: str, absent: float | None = None
) -> float | None:
    """What all containers ask for together, `absent` where one does not say; None where that is no amount."""
    total = 0.0
    for container in containers:
        resources = _part(container, "resources")
        amount = _part(resources, "requests").get(resource, _part(resources, "limits").get(resource, absent))
        try:
            total += parse_quantity(amount)
        except (ValueError, AttributeError):
            return None
    return total if containers else None


def _hours(notes: Mapping[str, str], key: str, unread: list[str], *, may_be_0: bool) -> float | None:
    """None where it does not say it; what is no such duration is told in `unread`."""
    if key not in notes:
        return None
    try:
        seconds = parse_duration_seconds(notes[key])
    except ValueError:
        seconds = math.nan
    if not (seconds > 0 or (may_be_0 and seconds == 0)):
        says = visible(notes[key], 40) or "nothing"
        unread.append(f"{key} says {says}, which is no duration such as 10m")
        return None
    return seconds / 3600


def _length_hours(run: Mapping[str, Any]) -> float | None:
    status = _part(run, "status")
    begun, ended = _instant(status.get("startTime")), _instant(status.get("completionTime"))
    if begun is None or ended is None or ended <= begun:
        return None
    return (ended - begun).total_seconds() / 3600


def _instant(text: object) -> datetime | None:
    try:
        return from_rfc3339(text) if isinstance(text, str) else None
    except ValueError:
        return None


def _cron_owner(job: Mapping[str, Any]) -> str | None:
    for owner in _metadata(job).get("ownerReferences") or ():
        if isinstance(owner, Mapping) and owner.get("kind") == "CronJob":
            return str(owner.get("name", ""))
    return None


def _count(value: object, default: int) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else default


def _metadata(thing: Mapping[str, Any]) -> Mapping[str, Any]:
    return _part(thing, "metadata")


def _part(thing: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = thing.get(name)
    return part if isinstance(part, Mapping) else {}


def _texts(thing: Mapping[str, Any], name: str) -> Mapping[str, str]:
    return {str(key): str(value) for key, value in _part(thing, name).items()}


def _text(thing: Mapping[str, Any], name: str) -> str:
    value = thing.get(name)
    return value if isinstance(value, str) else ""
