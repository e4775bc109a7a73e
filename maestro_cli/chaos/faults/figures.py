"""What containers of target pods use, as Prometheus has it of the nodes' kubelets (cAdvisor's series).

Invariant: a pod of which nothing is known has no figure, and is never taken for one that uses nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from maestro_cli.changes.kinds.kind import Holds
from maestro_cli.chaos.faults.fault import Proof
from maestro_cli.chaos.model import Candidate
from maestro_cli.chaos.ports import Platform
from maestro_cli.core.promql import promql_selector
from maestro_cli.core.refs import ObjectRef

WINDOW = "10s"  # as long as a fault has to show an effect, halved; a cluster scraped less often has no figure
_BEFORE = "60s:5s"  # longer ago than any effect is waited for

_SHARE_OF_CORES, _LEAST_CORES = 0.1, 0.05


def more_cores(platform: Platform, targets: Sequence[Candidate]) -> Mapping[ObjectRef, float]:
    """Processor seconds a second of all containers of each pod, beyond the least of the last minute."""
    return {one.ref: value for one in targets for value in _of(platform, one, _CORES)}


def more_mebibytes(platform: Platform, targets: Sequence[Candidate]) -> Mapping[ObjectRef, float]:
    """The working set of all containers of each pod, beyond the least of the last minute."""
    return {one.ref: value for one in targets for value in _of(platform, one, _MEBIBYTES)}


def provable_cores(asked: float) -> float:
    """How many cores more prove that so many were to be taken: others may want the processors too, and what a
    pod needs for its own work varies.
    """
    return max(_LEAST_CORES, _SHARE_OF_CORES * asked)


def reaches(
    figures: Mapping[ObjectRef, float], targets: Sequence[Candidate], least: float, unit: str
) -> Proof:
    """Whether every target's figure grew by that at least."""
    words = [
        f"{one.ref.name} uses {figures[one.ref]:.3g} {unit} more"
        if one.ref in figures
        else f"nothing is known of {one.ref.name}"
        for one in targets
    ]
    all_reach = all(figures.get(one.ref, -1.0) >= least for one in targets)
    text = f"{', '.join(words)}; at least {least:.3g} each is the effect"
    return Proof(Holds.YES if all_reach else Holds.NOT_YET, text)


_REAL = 'container!=""'  # beside the figures of whole pods
_CORES = "sum(rate({cpu}[" + WINDOW + "]))"
_MEBIBYTES = "sum({memory}) / 1048576"
_GROWTH = "({now}) - min_over_time(({now})[" + _BEFORE + "])"


def _of(platform: Platform, target: Candidate, query: str) -> Sequence[float]:
    """The one value there is, or none."""
    labels = {"namespace": target.ref.namespace, "pod": target.ref.name}
    text = _GROWTH.format(now=query).format(
        cpu=promql_selector("container_cpu_usage_seconds_total", labels, extra=_REAL),
        memory=promql_selector("container_memory_working_set_bytes", labels, extra=_REAL),
    )
    value = platform.metrics.query(text).only
    return () if value is None or value != value else (value,)
