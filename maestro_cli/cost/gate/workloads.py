"""The workloads of Kubernetes itself, and what else costs something by itself: claims, load balancers."""

from __future__ import annotations

import json
from dataclasses import replace

from maestro_cli.config.strict import Path_
from maestro_cli.core.untrusted import visible
from maestro_cli.cost.gate.model import Asked
from maestro_cli.cost.gate.reading import Reading

POD = ("spec", "template", "spec")
_REPLICATED = ("Deployment", "StatefulSet", "ReplicaSet", "ReplicationController")
# what costs nothing by itself, and changes what others cost
_NOTED = {
    "Ingress": "may have a load balancer started, which is not counted",
    "LimitRange": "gives requests to pods that are not in these files too",
    "MutatingAdmissionPolicy": "may change what pods ask for",
    "MutatingWebhookConfiguration": "may change what pods ask for",
    "PersistentVolume": "its disk is not counted; claims are",
    "RuntimeClass": "its overhead is of pods that are not in these files too",
    "StorageClass": "what its volumes cost is not in its manifest: prices have the class of that name",
}
_PLACES = ("affinity", "nodeName", "nodeSelector", "tolerations")  # which nodes a DaemonSet runs on
_HOOK = "helm.sh/hook"  # a pod of one runs once, however long


def built_in(reading: Reading) -> Asked | None:
    """What it asks for; None for what costs nothing by itself."""
    one, kind = reading.one, reading.one.ref.kind
    if kind in _REPLICATED:
        return reading.replicated(reading.with_claims(reading.pod(POD)))
    match kind:
        case "DaemonSet":
            return _everywhere(reading)
        case "Job":
            return job(reading, ("spec",))
        case "CronJob":
            return _cron_job(reading)
        case "Pod":
            found = reading.pod(("spec",))
            return reading.timed(found) if _HOOK in one.annotations else found
        case "PersistentVolumeClaim":
            return reading.claimed()
        case "Service":
            is_balanced = one.text(("spec", "type")) == "LoadBalancer"
            return Asked(least=0.0, most=0.0, balancers=1) if is_balanced else None
    told = _NOTED.get(kind)
    return None if told is None else Asked(least=0.0, most=0.0, content=one.content, notes=(told,))


def job(reading: Reading, path: Path_) -> Asked:
    """A job whose spec is at a place: as many pods as run side by side, for the hours that are assumed.

    Neither `parallelism` nor `completions` is one of each, and `completions` alone runs one at a time, as the
    API server completes them. One that is suspended may be let run without a change of its manifest.
    """
    one = reading.one
    beside, whole = one.count((*path, "parallelism")), one.value((*path, "completions"))
    if beside is None:
        beside, whole = 1.0, 1 if whole is None else whole
    least = 0.0 if one.value((*path, "suspend")) is True else beside
    found = replace(reading.pod((*path, *POD[1:])), least=least, most=beside)
    return reading.timed(found, "" if whole is None else f"{visible(str(whole), 30)} times")


def _cron_job(reading: Reading) -> Asked:
    found = job(reading, ("spec", "jobTemplate", "spec"))
    if reading.one.value(("spec", "suspend")) is True:
        return replace(found, least=0.0, most=0.0)
    return replace(found, runs=f"{visible(reading.one.text(('spec', 'schedule')), 100)} {found.runs}".strip())


def _everywhere(reading: Reading) -> Asked:
    spec, nodes = reading.one.mapping(POD), reading.assumed.nodes
    chosen = json.dumps({key: spec.get(key) for key in _PLACES if spec.get(key)}, sort_keys=True, default=str)
    found = replace(reading.pod(POD), runs=chosen)
    if nodes is None:
        return replace(found, unknown=(*found.unknown, "on how many nodes it runs"))
    return replace(found, least=float(nodes), most=float(nodes))
