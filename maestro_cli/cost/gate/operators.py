"""Workloads of operators, where it is told plainly which pods they start and how many.

    Argo Rollout, OpenKruise CloneSet      one template, `replicas`
    Knative Service                        one template, from min-scale to max-scale
    KServe InferenceService                predictor, transformer and explainer, each a pod
    JobSet, Kubeflow's training jobs       groups of pods that run side by side as a job
    LeaderWorkerSet                        replicas × (a leader and size - 1 workers)
    Ray cluster, service, job              a head and groups of workers
    KEDA ScaledJob                         up to maxReplicaCount jobs

Their fields are those of the Go types of `tests/peers/operators`; those of OpenKruise, KServe, JobSet and
LeaderWorkerSet, whose modules are not to be had there, are of kruise-api 09b60c9, kserve 0217bda, jobset
08dfbdf and lws 060ab4d.

Of any other a template at spec.template is a lower bound. Invariant: what such a kind starts besides is
unknown, and so is all of one that has no template.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any

from maestro_cli.config.strict import Path_
from maestro_cli.core.untrusted import visible
from maestro_cli.cost.gate.model import Asked
from maestro_cli.cost.gate.reading import Reading
from maestro_cli.cost.gate.workloads import POD, job

NO_MOST = "how many replicas it may have at most"
_SCALE = "autoscaling.knative.dev/"
_KSERVE_PARTS = ("predictor", "transformer", "explainer")
_NO_MODEL = ("containers", "initContainers", "workerSpec", "affinity", "batcher", "logger", "scaleMetric")


def custom(reading: Reading) -> Asked:
    """What an object of a custom kind asks for, as far as it is told."""
    known = _KNOWN.get(reading.one.ref.kind)
    return _other(reading) if known is None else known(reading)


def _other(reading: Reading) -> Asked:
    """A lower bound: the pods of its template, if it has one."""
    one, kind = reading.one, visible(reading.one.ref.kind, 63)
    if not reading.has_pod(POD):
        starts = f"what a {kind} starts is not in its manifest"
        return Asked(least=0.0, most=0.0, unknown=(starts,), content=one.content)
    found, replicas = reading.with_claims(reading.pod(POD)), one.count(("spec", "replicas"))
    unknown = f"how many replicas a {kind} has" if replicas is None else f"what else a {kind} starts"
    count = 1.0 if replicas is None else replicas
    return replace(found, least=count, most=count, unknown=(*found.unknown, unknown), content=one.content)


def _together(parts: Iterable[Asked]) -> Asked:
    """Several groups of pods as one object."""
    found = tuple(parts)
    return found[0] if len(found) == 1 else Asked(least=0.0, most=0.0, parts=found)


def _replicated(reading: Reading) -> Asked:
    return reading.replicated(reading.with_claims(reading.pod(POD)))


def _knative(reading: Reading) -> Asked:
    notes = reading.one.mapping(("spec", "template", "metadata", "annotations"))
    least = _whole(reading, notes, "min-scale", "minScale") or 0.0
    most = _whole(reading, notes, "max-scale", "maxScale")
    return _ranged(reading.pod(POD), least, most)


def _whole(reading: Reading, notes: Any, *names: str) -> float | None:
    """A number in an annotation of Knative, by either spelling; 0 is no limit."""
    value = next((notes[_SCALE + one] for one in names if _SCALE + one in notes), None)
    if value is None or value == "0":
        return None
    if not isinstance(value, str) or not value.isascii() or not value.isdigit():
        at = reading.one.at(("spec", "template", "metadata", "annotations"))
        raise reading.one.document.fail(f"{names[0]} is no number of replicas", at, fix='"3"')
    return float(value)


def _ranged(one: Asked, least: float, most: float | None) -> Asked:
    """From the fewest to the most; without a limit the fewest, and at least 1, are a lower bound."""
    if most is None:
        return replace(one, least=least, most=max(least, 1.0), unknown=(*one.unknown, NO_MOST))
    return replace(one, least=min(least, most), most=max(least, most))


def _kserve(reading: Reading) -> Asked:
    return _together(_kserve_parts(reading))


def _kserve_parts(reading: Reading) -> Iterator[Asked]:
    one = reading.one
    for name in _KSERVE_PARTS:
        path: Path_ = ("spec", name)
        spec = one.mapping(path)
        if not spec:
            continue
        containers = [one.mapping(place) for place in one.items((*path, "containers"))]
        # the model itself: `model`, or the older keys of a framework such as `sklearn`
        models = [
            {"name": key, **value}
            for key, value in spec.items()
            if isinstance(value, dict) and key not in _NO_MODEL and ("resources" in value or key == "model")
        ]
        pod = reading.pod_of({**spec, "containers": [*containers, *models]}, path)
        if not containers and not models:
            pod = replace(pod, unknown=(*pod.unknown, f"what its {name} asks for"))
        if "workerSpec" in spec:
            pod = replace(pod, unknown=(*pod.unknown, f"how many workers its {name} has"))
        least = one.count((*path, "minReplicas"), 1) or 0.0
        yield _ranged(pod, least, one.count((*path, "maxReplicas")) or None)


def _job_set(reading: Reading) -> Asked:
    """Its jobs, and the volumes that all of them share."""
    one = reading.one
    found = _together(_jobs(reading))
    shared = [
        claim
        for path in one.items(("spec", "volumeClaimPolicies"))
        for claim in reading.with_claims(Asked(), (*path, "templates")).claims
    ]
    return replace(found, own_claims=(*found.own_claims, *shared))


def _jobs(reading: Reading) -> Iterator[Asked]:
    one = reading.one
    for path in one.items(("spec", "replicatedJobs")):
        found, times = job(reading, (*path, "template", "spec")), one.count((*path, "replicas"), 1) or 0.0
        yield replace(found, least=found.least * times, most=found.most * times)


def _training(reading: Reading) -> Asked:
    return _together(_roles(reading))


def _roles(reading: Reading) -> Iterator[Asked]:
    """`pytorchReplicaSpecs` and the like: replicas and a template each role, a range where it is elastic."""
    one = reading.one
    for key in (key for key in one.spec if key.endswith("ReplicaSpecs")):
        for role in one.mapping(("spec", key)):
            path: Path_ = ("spec", key, role)
            count = one.count((*path, "replicas"), 1) or 0.0
            least, most = _elastic(reading, count) if role == "Worker" else (count, count)
            found = reading.pod((*path, *POD[1:]))
            yield reading.timed(replace(found, least=least, most=most))


def _elastic(reading: Reading, count: float) -> tuple[float, float]:
    """From the fewest to the most workers of a PyTorchJob that is let scale."""
    bounds = (reading.one.count(("spec", "elasticPolicy", f"{key}Replicas")) for key in ("min", "max"))
    said = [count, *(one for one in bounds if one is not None)]
    return min(said), max(said)


def _leader_workers(reading: Reading) -> Asked:
    one, template = reading.one, ("spec", "leaderWorkerTemplate")
    groups = reading.replicated(Asked())
    claims, leads = (*template, "volumeClaimTemplates"), (*template, "leaderTemplate", "spec")
    worker = reading.with_claims(reading.pod((*template, "workerTemplate", "spec")), claims)
    leader = reading.with_claims(reading.pod(leads), claims) if reading.has_pod(leads) else worker
    others = max((one.count((*template, "size"), 1) or 1.0) - 1, 0.0)
    return _together(
        replace(pod, least=groups.least * times, most=groups.most * times, notes=groups.notes)
        for pod, times in ((leader, 1.0), (worker, others))
    )


def _ray(*path: str) -> Callable[[Reading], Asked]:
    return lambda reading: _together(_ray_parts(reading, ("spec", *path)))


def _ray_parts(reading: Reading, path: Path_) -> Iterator[Asked]:
    """The head and each group of workers; none of one that is suspended, which who queues it may let run."""
    one = reading.one
    is_scaled = one.value((*path, "enableInTreeAutoscaling")) is True
    is_suspended = one.value((*path, "suspend")) is True
    parts = [reading.pod((*path, "headGroupSpec", *POD[1:]))]
    for group in one.items((*path, "workerGroupSpecs")):
        hosts = one.count((*group, "numOfHosts"), 1) or 1.0
        found = _ray_group(reading, group, is_scaled=is_scaled)
        parts.append(replace(found, least=found.least * hosts, most=found.most * hosts))
    yield from (replace(part, least=0.0) if is_suspended else part for part in parts)


def _ray_group(reading: Reading, group: Path_, *, is_scaled: bool) -> Asked:
    """As many workers as are said, within their bounds (KubeRay, GetWorkerGroupDesiredReplicas)."""
    one, pod = reading.one, reading.pod((*group, *POD[1:]))
    least, most = one.count((*group, "minReplicas"), 0) or 0.0, one.count((*group, "maxReplicas"))
    if is_scaled:
        return _ranged(pod, least, most)
    count = max(one.count((*group, "replicas"), 0) or 0.0, least)
    count = count if most is None else min(count, most)
    return replace(pod, least=count, most=count)


def _ray_job(reading: Reading) -> Asked:
    """Its cluster, unless it runs on one that is there, and what submits it."""
    one, submits = reading.one, ("spec", "submitterPodTemplate", "spec")
    parts = (
        [] if one.value(("spec", "clusterSelector")) else [*_ray_parts(reading, ("spec", "rayClusterSpec"))]
    )
    parts += [reading.pod(submits)] if reading.has_pod(submits) else []
    if not parts:
        return Asked(least=0.0, most=0.0, unknown=("what its submitter asks for",), content=one.content)
    return _together(map(reading.timed, parts))


def _scaled_job(reading: Reading) -> Asked:
    found = job(reading, ("spec", "jobTargetRef"))
    least = reading.one.count(("spec", "minReplicaCount"), 0) or 0.0
    most = reading.one.count(("spec", "maxReplicaCount"), 100) or 0.0
    return replace(found, least=found.least * least, most=found.most * most)


_KNOWN: dict[str, Callable[[Reading], Asked]] = {
    "Rollout.argoproj.io": _replicated,
    "CloneSet.apps.kruise.io": _replicated,
    "Service.serving.knative.dev": _knative,
    "InferenceService.serving.kserve.io": _kserve,
    "JobSet.jobset.x-k8s.io": _job_set,
    **{
        f"{one}.kubeflow.org": _training
        for one in ("MPIJob", "MXJob", "PaddleJob", "PyTorchJob", "TFJob", "XGBoostJob")
    },
    "LeaderWorkerSet.leaderworkerset.x-k8s.io": _leader_workers,
    "RayCluster.ray.io": _ray(),
    "RayService.ray.io": _ray("rayClusterConfig"),
    "RayJob.ray.io": _ray_job,
    "ScaledJob.keda.sh": _scaled_job,
}
