"""Sizes under a HorizontalPodAutoscaler, which scales by the share of the request that is used.

A smaller request makes the same use a larger share, and the autoscaler would add pods for nothing: its target
moves with the request, target' = target · request before ÷ request after. Above 90 % nothing is left for what
comes before new pods are ready, and the cut ends there. Source: research, section 7.3.
"""

from __future__ import annotations

import math
import shlex
from dataclasses import replace

from maestro_cli.cost.cluster_series import ANY_CLUSTER, ClusterSeries
from maestro_cli.cost.rightsizing.advice import (
    Advice,
    AutoscalerStep,
    ContainerAdvice,
    Decision,
    Reason,
    Step,
)
from maestro_cli.cost.rightsizing.facts import Autoscaler, Fact
from maestro_cli.cost.rightsizing.model import WorkloadId
from maestro_cli.cost.rightsizing.rounding import whole_millicores

MOST_TARGET = 90
_WORTH = 0.95  # a cut of less than a twentieth is not worth a rollout


def with_autoscaler(
    advice: Advice, autoscaler: Autoscaler, series: ClusterSeries = ANY_CLUSTER, rest: float = 0.0
) -> Advice:
    """`rest` are the cores that containers ask for of which nothing was measured.

    The advice with the target that belongs to it; without the cuts that no target would go with.
    """
    containers = advice.containers
    if autoscaler.memory_target is not None:
        text = "its autoscaler scales by memory, and would add pods for a smaller request"
        fact = _target_of(series, advice.workload, autoscaler, "memory", autoscaler.memory_target)
        containers = tuple(_without(one, "memory", text, fact) for one in containers)
    step = None
    if autoscaler.cpu_target is not None:
        fact = _target_of(series, advice.workload, autoscaler, "cpu", autoscaler.cpu_target)
        containers, step = _by_cpu(containers, autoscaler.name, autoscaler.cpu_target, fact, rest)
    return replace(
        advice,
        containers=containers,
        autoscaler=step and replace(step, is_alone=looks_at_cpu_alone(autoscaler)),
    )


def looks_at_cpu_alone(autoscaler: Autoscaler) -> bool:
    return autoscaler.memory_target is None and not autoscaler.others


def _target_of(
    series: ClusterSeries, workload: WorkloadId, autoscaler: Autoscaler, resource: str, target: float
) -> Fact:
    if autoscaler.is_asked:
        query = shlex.join(("kubectl", "get", "hpa", "-n", workload.namespace, autoscaler.name, "-o", "yaml"))
        return Fact("percent of the request", query, target)
    chosen = {
        "namespace": workload.namespace, "horizontalpodautoscaler": autoscaler.name,
        "metric_name": resource, "metric_target_type": "utilization",
    }  # fmt: skip
    query = f"max({series.of('kube_horizontalpodautoscaler_spec_target_metric', chosen)})"
    return Fact("percent of the request", query, target)


def _by_cpu(
    containers: tuple[ContainerAdvice, ...], name: str, target: float, fact: Fact, rest: float
) -> tuple[tuple[ContainerAdvice, ...], AutoscalerStep | None]:
    if not any(one.cpu.changes for one in containers):
        return containers, None
    if any(one.now.cpu_request is None for one in containers):
        text = "its autoscaler needs a request of every container, and one has none"
        return tuple(_without(one, "cpu", text, fact) for one in containers), None
    before = sum(one.now.cpu_request or 0.0 for one in containers) + rest
    after = sum(one.next.cpu_request or 0.0 for one in containers) + rest
    if target * before / after > MOST_TARGET:
        least = target * before / MOST_TARGET
        if len(containers) > 1 or rest or least >= before * _WORTH:
            text = f"its autoscaler's target of {target:g} % would have to be over {MOST_TARGET} %"
            return tuple(_without(one, "cpu", text, fact) for one in containers), None
        containers = (_held(containers[0], whole_millicores(least, 0.0)),)
        after = containers[0].next.cpu_request or before
    wanted = max(1, math.floor(target * before / after + 1e-9))
    return containers, AutoscalerStep(name, target, wanted) if wanted != target else None


def _held(one: ContainerAdvice, least: float) -> ContainerAdvice:
    text = f"its autoscaler's target ends at {MOST_TARGET} %"
    step = replace(one.cpu, next=least, reasons=(Reason("autoscaler", text),))
    return replace(one, cpu=step, next=replace(one.next, cpu_request=least))


def _without(one: ContainerAdvice, resource: str, text: str, fact: Fact) -> ContainerAdvice:
    """A raise stays: it asks for fewer pods, if for any."""
    step: Step = getattr(one, resource)
    if step.decision is not Decision.CUT:
        return one
    reason = Reason("autoscaler", text, (fact,))
    refused = replace(step, decision=Decision.REFUSED, next=step.now, reasons=(reason,))
    kept = {
        f"{resource}_request": getattr(one.now, f"{resource}_request"),
        f"{resource}_limit": getattr(one.now, f"{resource}_limit"),
    }
    size = replace(one.next, **kept)
    return (
        replace(one, cpu=refused, next=size) if resource == "cpu" else replace(one, memory=refused, next=size)
    )
