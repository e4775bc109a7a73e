"""Kubernetes objects as facts.

Invariant: text that users or programs wrote is `Untrusted`; times are UTC; what the API leaves out has the
meaning that k8s.io/api gives it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from maestro_cli.core.facts.cluster import (
    Autoscaler,
    ClusterEvent,
    ConfigMap,
    Container,
    DisruptionBudget,
    Node,
    Pod,
    Revision,
    Service,
    ServiceEndpoint,
    Workload,
)
from maestro_cli.core.refs import WorkloadRef
from maestro_cli.core.untrusted import Untrusted
from maestro_cli.sources.kube.objects import (
    AutoscalerObject,
    BudgetObject,
    Condition,
    ConfigMapObject,
    ContainerState,
    ContainerStates,
    ContainerStatus,
    Deployment,
    EventObject,
    NodeObject,
    PlacedPod,
    PodObject,
    ReplicaSet,
    Selector,
    ServiceObject,
    SliceObject,
    utc,
)

MIRROR = "kubernetes.io/config.mirror"
CHANGE_CAUSE = "kubernetes.io/change-cause"
TEMPLATE_HASH = "pod-template-hash"
SERVICE_NAME = "kubernetes.io/service-name"
ZONE = "topology.kubernetes.io/zone"
_CHANGE_MARK = re.compile(r"\(chg-[0-9a-z]+\)")  # as changes leave it in a cause


def workload_facts(deployment: Deployment) -> Workload:
    """A Deployment; absent `replicas` means 1."""
    meta, spec, status = deployment.metadata, deployment.spec, deployment.status
    progressing = _condition(status.conditions, "Progressing")
    return Workload(
        ref=WorkloadRef("Deployment", meta.namespace, meta.name),
        uid=meta.uid,
        resource_version=meta.resource_version,
        generation=meta.generation or 0,
        observed_generation=status.observed_generation or 0,
        revision=meta.revision,
        replicas_wanted=1 if spec.replicas is None else spec.replicas,
        replicas=status.replicas or 0,
        replicas_updated=status.updated_replicas or 0,
        replicas_ready=status.ready_replicas or 0,
        replicas_available=status.available_replicas or 0,
        paused=bool(spec.paused),
        selector=selector_text(spec.selector),
        created_at=meta.created_at,
        progress_reason=(progressing.reason or "") if progressing else "",
        progress_message=Untrusted((progressing.message or "") if progressing else ""),
        annotations=untrusted(meta.annotations),
        labels=untrusted(meta.labels),
        template=spec.template or {},
    )


def revision_facts(replica_set: ReplicaSet) -> Revision:
    """The template loses `pod-template-hash`, which the controller adds and a rollback must not carry."""
    meta = replica_set.metadata
    template = without_hash(replica_set.spec.template or {})
    return Revision(
        number=meta.revision,
        name=meta.name,
        created_at=meta.created_at,
        replicas=replica_set.status.replicas or 0,
        replicas_ready=replica_set.status.ready_replicas or 0,
        images=tuple(Untrusted(item.get("image") or "") for item in template_containers(template)),
        change_cause=Untrusted((meta.annotations or {}).get(CHANGE_CAUSE, "")),
        template=template,
        template_hash=(meta.labels or {}).get(TEMPLATE_HASH, ""),
        annotations=untrusted(meta.annotations),
    )


def with_own_causes(revisions: Iterable[Revision]) -> tuple[Revision, ...]:
    """Revisions, oldest first, without a cause that names the change of an earlier one.

    The cluster gives each new revision the annotations of its workload. Whoever ships one without a cause of
    their own would stand there as who made the last change by maestro.
    """
    told: set[str] = set()
    kept = []
    for revision in revisions:
        mark = _CHANGE_MARK.search(revision.change_cause)
        copied = mark is not None and mark.group() in told
        told.update([] if mark is None else [mark.group()])
        kept.append(replace(revision, change_cause=Untrusted("")) if copied else revision)
    return tuple(kept)


def without_hash(template: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of a pod template without the label `pod-template-hash`."""
    meta = template.get("metadata")
    if not isinstance(meta, Mapping) or not isinstance(meta.get("labels"), Mapping):
        return dict(template)
    labels = {name: value for name, value in meta["labels"].items() if name != TEMPLATE_HASH}
    return {**template, "metadata": {**meta, "labels": labels}}


def template_containers(template: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The containers of a pod template; what is none of them is left out."""
    spec = template.get("spec")
    containers = spec.get("containers") if isinstance(spec, Mapping) else None
    return [item for item in containers or () if isinstance(item, dict)]


def pod_facts(pod: PodObject) -> Pod:
    """A pod with its containers, started or not."""
    meta, status = pod.metadata, pod.status
    ready = _condition(status.conditions, "Ready")
    is_ready = ready is not None and ready.status == "True"
    owner = meta.controller
    return Pod(
        namespace=meta.namespace,
        name=meta.name,
        uid=meta.uid,
        phase=status.phase,
        ready=is_ready,
        node=pod.spec.node_name or "",
        ip=status.pod_ip or "",
        created_at=meta.created_at,
        deleting=meta.deletion_timestamp is not None,
        owner=owner.name if owner is not None else "",
        labels=untrusted(meta.labels),
        containers=container_facts(pod),
        ready_since=utc(ready.last_transition_time) if ready is not None and is_ready else None,
        resource_version=meta.resource_version,
        owner_kind=owner.kind if owner is not None else "",
        is_static=MIRROR in (meta.annotations or {}),
    )


def placed_pod_facts(pod: PlacedPod) -> Pod:
    """A pod, and whether it keeps data on its node."""
    return replace(
        pod_facts(pod), local_data=any(one.empty_dir is not None for one in pod.spec.volumes or ())
    )


def container_facts(pod: PodObject) -> tuple[Container, ...]:
    """The containers of a pod, those that no status tells of among them; no init containers."""
    known = {status.name: status for status in pod.status.container_statuses or ()}
    names = {spec.name: spec.image or "" for spec in pod.spec.containers or ()}
    facts = []
    for name, image in names.items() or {s.name: s.image for s in known.values()}.items():
        status = known.get(name) or ContainerStatus(name=name, image=image)
        state, detail = _state(status.state)
        last = status.last_state.terminated if status.last_state else None
        facts.append(
            Container(
                name=name,
                image=Untrusted(image or status.image),
                ready=status.ready,
                restarts=status.restart_count,
                state=state,
                reason=Untrusted(detail.reason or ""),
                message=Untrusted(detail.message or ""),
                exit_code=detail.exit_code,
                last_reason=Untrusted((last.reason or "") if last else ""),
                last_exit_code=last.exit_code if last else None,
            )
        )
    return tuple(facts)


def _state(states: ContainerStates | None) -> tuple[str, ContainerState]:
    for name in ("running", "terminated", "waiting"):
        detail: ContainerState | None = getattr(states, name, None)
        if detail is not None:
            return name, detail
    return "waiting", ContainerState()  # what an absent state means, by core/v1


def config_map_facts(config: ConfigMapObject) -> ConfigMap:
    meta = config.metadata
    return ConfigMap(
        meta.namespace, meta.name, meta.uid, meta.resource_version, untrusted(config.data),
        untrusted(meta.annotations), frozenset(config.binary_data or ()), bool(config.immutable),
        untrusted(meta.labels),
    )  # fmt: skip


def node_facts(node: NodeObject) -> Node:
    """A node; `reason` says why it is not ready."""
    ready = _condition(node.status.conditions, "Ready")
    is_ready = ready is not None and ready.status == "True"
    return Node(
        name=node.metadata.name,
        ready=is_ready,
        schedulable=not node.spec.unschedulable,
        zone=(node.metadata.labels or {}).get(ZONE, ""),
        reason="" if is_ready or ready is None else ready.reason or "",
        uid=node.metadata.uid,
        resource_version=node.metadata.resource_version,
        annotations=untrusted(node.metadata.annotations),
        labels=untrusted(node.metadata.labels),
    )


def event_facts(event: EventObject) -> ClusterEvent:
    """Both generations of events: first/lastTimestamp and count, or eventTime and series."""
    created = event.metadata.created_at
    first = utc(event.first_timestamp or event.event_time) or created
    series = event.series
    last = utc((series.last_observed_time if series else None) or event.last_timestamp) or first
    return ClusterEvent(
        namespace=event.metadata.namespace,
        name=event.metadata.name,
        type=event.type,
        reason=Untrusted(event.reason or ""),
        message=Untrusted(event.message or ""),
        object_kind=event.involved_object.kind,
        object_name=event.involved_object.name,
        first_seen_at=first,
        last_seen_at=last,
        count=(series.count if series else None) or event.count or 1,
        uid=event.metadata.uid,
    )


def budget_facts(budget: BudgetObject) -> DisruptionBudget:
    """A disruption budget and what it allows now."""
    status = budget.status
    return DisruptionBudget(
        namespace=budget.metadata.namespace,
        name=budget.metadata.name,
        selector=selector_text(budget.spec.selector),
        disruptions_allowed=status.disruptions_allowed,
        current_healthy=status.current_healthy,
        desired_healthy=status.desired_healthy,
        expected_pods=status.expected_pods,
        least_available=budget.spec.min_available,
    )


def endpoint_facts(slice_: SliceObject) -> Iterator[ServiceEndpoint]:
    """The pods of one EndpointSlice; what is ready says so, and absent means ready (discovery/v1)."""
    service = (slice_.metadata.labels or {}).get(SERVICE_NAME, "")
    for one in slice_.endpoints or ():
        if service and one.target_ref is not None and one.target_ref.kind == "Pod":
            ready = one.conditions is None or one.conditions.ready is not False
            yield ServiceEndpoint(service, one.target_ref.name, ready, one.zone or "")


def service_facts(service: ServiceObject) -> Service:
    """A Service; its selector is of values that the API server validated."""
    meta = service.metadata
    return Service(meta.namespace, meta.name, dict(service.spec.selector or {}))


def autoscaler_facts(autoscaler: AutoscalerObject) -> Autoscaler:
    """An autoscaler; absent `minReplicas` means 1."""
    meta, spec = autoscaler.metadata, autoscaler.spec
    least = 1 if spec.min_replicas is None else spec.min_replicas
    target = spec.scale_target_ref
    cpu_targets = [one["averageUtilization"] for one in map(_cpu_of, spec.metrics or ()) if one]
    return Autoscaler(
        meta.namespace, meta.name, target.kind, target.name, least, spec.max_replicas, uid=meta.uid,
        resource_version=meta.resource_version, annotations=untrusted(meta.annotations),
        labels=untrusted(meta.labels), is_driven=bool(autoscaler.status and autoscaler.status.conditions),
        cpu_target=cpu_targets[0] if cpu_targets else None, shares=_shares_of(spec.metrics or ()),
        others=tuple(sorted(_name_of(one) for one in spec.metrics or () if not _share_of(one))),
    )  # fmt: skip


_PER_REQUEST = {"Resource": "resource", "ContainerResource": "containerResource"}


def _shares_of(metrics: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """By resource the share of the request, of pods or of one container, that it scales at; the lowest."""
    found: dict[str, int] = {}
    for metric in filter(_share_of, metrics):
        name, percent = _name_of(metric), _share_of(metric)
        found[name] = min(percent, found.get(name, percent))
    return found


def _share_of(metric: Mapping[str, Any]) -> int:
    """Percent of the request; 0 for a metric that has nothing to do with requests."""
    told = metric.get(_PER_REQUEST.get(str(metric.get("type")), "")) or {}
    percent = (told.get("target") or {}).get("averageUtilization")
    return percent if isinstance(percent, int) else 0


def _name_of(metric: Mapping[str, Any]) -> str:
    """The name of its resource, or of what else it looks at; its type where it tells none."""
    kind = str(metric.get("type", ""))
    told = metric.get(kind[:1].lower() + kind[1:]) or {}
    return str(told.get("name") or (told.get("metric") or {}).get("name") or kind)


def with_cpu_target(metrics: Sequence[Mapping[str, Any]], percent: int) -> list[dict[str, Any]]:
    """All metrics of an autoscaler, with another share of the CPU request."""
    return [
        {**one, "resource": {**one["resource"], "target": {**_cpu_of(one), "averageUtilization": percent}}}
        if _cpu_of(one)
        else dict(one)
        for one in metrics
    ]


def _cpu_of(metric: Mapping[str, Any]) -> Mapping[str, Any]:
    """The target of a metric that looks at the share of the CPU request; of another nothing."""
    resource = metric.get("resource") or {}
    target: Mapping[str, Any] = resource.get("target") or {}
    is_cpu = metric.get("type") == "Resource" and resource.get("name") == "cpu"
    return target if is_cpu and isinstance(target.get("averageUtilization"), int) else {}


def selector_text(selector: Selector | None) -> str:
    """The selector as `?labelSelector=` takes it: `app=fraud,tier in (a,b),!canary`."""
    if selector is None:
        return ""
    parts = [f"{key}={value}" for key, value in sorted((selector.match_labels or {}).items())]
    for item in selector.match_expressions or ():
        match item.operator:
            case "Exists":
                parts.append(item.key)
            case "DoesNotExist":
                parts.append(f"!{item.key}")
            case _:
                parts.append(f"{item.key} {item.operator.lower()} ({','.join(item.values or ())})")
    return ",".join(parts)


def untrusted(pairs: Mapping[str, str] | None) -> dict[str, str]:
    """Labels or annotations, their values marked."""
    return {name: Untrusted(value) for name, value in (pairs or {}).items()}


def _condition(conditions: list[Condition] | None, kind: str) -> Condition | None:
    return next((item for item in conditions or () if item.type == kind), None)
