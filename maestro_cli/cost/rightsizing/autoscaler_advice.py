"""What the bounds and the target of an autoscaler should be, as suggestions with their evidence.

target = 90 % ÷ growth, where growth is by how much 99 of 100 times the load of one five minutes was more than
that of the five before: what comes before new pods are ready finds room below 90 % of the request.
A maximum that was wanted in more than 5 % of the time is too small; a minimum that was never left is too
large when what was used at the busiest would be served by less. Nothing of it is done by itself.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

from maestro_cli.core.quantities import prometheus_duration
from maestro_cli.core.untrusted import visible
from maestro_cli.cost.rightsizing.advice import AutoscalerMove, ContainerAdvice, Decision, Suggestion
from maestro_cli.cost.rightsizing.autoscaling import MOST_TARGET, looks_at_cpu_alone
from maestro_cli.cost.rightsizing.chunks import USED, selector_of
from maestro_cli.cost.rightsizing.collecting import mean_ms
from maestro_cli.cost.rightsizing.evidence import Looked
from maestro_cli.cost.rightsizing.facts import Autoscaler, Fact, Facts
from maestro_cli.cost.rightsizing.history import Measured
from maestro_cli.cost.rightsizing.model import WorkloadId
from maestro_cli.cost.rightsizing.suggestions import ENOUGH_REPLICAS

LEAST_TARGET = 10
OFTEN_FULL = 0.05
MORE = 1.25  # of a maximum that was too small
_LOWER, _HIGHER = 5, 10  # percent points from which a target is worth a change; to save, more than to be safe
_USUAL = 0.99


def autoscaler_suggestions(
    workload: WorkloadId,
    measured: Sequence[Measured],
    containers: Sequence[ContainerAdvice],
    facts: Facts,
    looked: Looked,
) -> Iterator[Suggestion]:
    """For one workload; none where its history is too thin to say anything."""
    found = facts.autoscalers.get(workload)
    if found is None or not any(one.cpu.goal is not None for one in containers):
        return
    move = AutoscalerMove(found.name, is_alone=looks_at_cpu_alone(found))
    yield from _maximum(workload, found, facts, move)
    may_cut = not any(one.cpu.decision is Decision.REFUSED for one in containers)
    if may_cut:
        yield from _minimum(workload, found, facts, move)
    if found.cpu_target is not None:
        yield from _target(workload, measured, facts, looked, found, move, may_cut=may_cut)


def _maximum(
    workload: WorkloadId, found: Autoscaler, facts: Facts, move: AutoscalerMove
) -> Iterator[Suggestion]:
    if found.most is None or found.full is None or not found.full > OFTEN_FULL:
        return
    more = max(int(found.most) + 1, math.ceil(found.most * MORE))
    fact = Fact(
        "share of the window in which it wanted all its replicas",
        facts.queries.autoscaler_full(_of(workload, found)), found.full,
    )  # fmt: skip
    text = f"it wanted all of its {found.most:g} replicas in {found.full:.0%} of the time: let it have {more}"
    yield _suggestion("autoscaler-max", workload, text, (fact,), replace(move, most=more))


def _minimum(
    workload: WorkloadId, found: Autoscaler, facts: Facts, move: AutoscalerMove
) -> Iterator[Suggestion]:
    least, used, target = found.least, found.used, found.cpu_target
    if least is None or used is None or not target or found.wanted != least:
        return
    enough = max(ENOUGH_REPLICAS, math.ceil(least * used / target))
    if enough >= least:
        return
    told = (
        Fact("most replicas that it wanted", facts.queries.autoscaler_wanted(_of(workload, found)), least),
        Fact("largest percent of the CPU request that was used",
             facts.queries.autoscaler_used(_of(workload, found)), used),
    )  # fmt: skip
    text = f"it never left its minimum of {least:g} replicas, and {enough} would have served its busiest time"
    yield _suggestion("autoscaler-min", workload, text, told, replace(move, least=enough))


def _target(
    workload: WorkloadId, measured: Sequence[Measured], facts: Facts, looked: Looked,
    found: Autoscaler, move: AutoscalerMove, *, may_cut: bool,
) -> Iterator[Suggestion]:  # fmt: skip
    step_ms = mean_ms(round(looked.span_seconds * 1000))
    growth, now = growth_of(measured, step_ms / 1000), found.cpu_target or 0.0
    if growth is None:
        return
    target = min(MOST_TARGET, max(LEAST_TARGET, math.floor(MOST_TARGET / growth)))
    if not (now - target >= _LOWER or (may_cut and target - now >= _HIGHER)):
        return
    step = prometheus_duration(step_ms / 1000)
    pods = selector_of(
        facts.queries.series, USED, facts.seen.get(workload, ()), 'container!=""', 'container!="POD"'
    )
    load, before = (
        f"sum(max by (namespace, pod, container) (rate({pods}[{step}]{ago})))"
        for ago in ("", f" offset {step}")
    )
    query = (
        f"clamp_min(quantile_over_time({_USUAL}, ({load} / ({before} > 0))"
        f"[{prometheus_duration(looked.span_seconds - step_ms / 1000)}:{step}]), 1)"
    )
    fact = Fact(f"growth of its load within {step}, 99 of 100 times", query, growth)
    text = (
        f"its load grows up to {growth:.2f} times within {step}, so that a target of {target} % of the CPU "
        f"request stays below {MOST_TARGET} % until new pods are ready; it is {now:g} %"
    )
    yield _suggestion("autoscaler-target", workload, text, (fact,), replace(move, cpu=target))


def growth_of(measured: Sequence[Measured], step_seconds: float) -> float | None:
    """How much more the load of all its pods is than a step before, 99 of 100 times; at least 1."""
    import numpy as np

    times = np.concatenate([one.usage.cpu_times for one in measured] or [np.empty(0)])
    if not len(times):
        return None
    used = np.concatenate([one.usage.cpu for one in measured])
    steps = np.rint((times - times.min()) / step_seconds).astype(np.int64)
    load, seen = np.bincount(steps, weights=used), np.bincount(steps)
    both = (seen[1:] > 0) & (seen[:-1] > 0) & (load[:-1] > 0)
    if not both.any():
        return None
    return max(1.0, float(np.percentile(load[1:][both] / load[:-1][both], _USUAL * 100)))


def _of(workload: WorkloadId, found: Autoscaler) -> dict[str, str]:
    return {"namespace": workload.namespace, "horizontalpodautoscaler": found.name}


def _suggestion(
    code: str, workload: WorkloadId, text: str, facts: tuple[Fact, ...], move: AutoscalerMove
) -> Suggestion:
    return Suggestion(code, f"autoscaler {visible(move.name, 60)}: {text}", facts, move)
