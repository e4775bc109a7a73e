"""The columns `kubectl get hpa` prints (k8s pkg/printers/internalversion, printHorizontalPodAutoscaler).

Invariant: as in `columns`; what is not known of a metric is `<unknown>`, never 0.
"""

from __future__ import annotations

from datetime import datetime

from maestro_cli.local.cluster.columns import AGE, NAME, Cell, Column
from maestro_cli.local.cluster.status import Object

_MOST_TARGETS = 2
_UNKNOWN = "<unknown>"


def _reference(autoscaler: Object, now: datetime) -> Cell:
    target = autoscaler["spec"].get("scaleTargetRef") or {}
    return f"{target.get('kind', '')}/{target.get('name', '')}"


def _targets(autoscaler: Object, now: datetime) -> Cell:
    metrics = autoscaler["spec"].get("metrics", [])
    seen = autoscaler.get("status", {}).get("currentMetrics") or []
    told = [_target(metric, seen[at] if at < len(seen) else {}) for at, metric in enumerate(metrics)]
    more = f" + {len(told) - _MOST_TARGETS} more..." if len(told) > _MOST_TARGETS else ""
    return (", ".join(told[:_MOST_TARGETS]) + more) or "<none>"


def _target(metric: Object, seen: Object) -> str:
    """`cpu: 12%/70%`, or `12/30` for a metric that is no resource."""
    kind = metric.get("type", "")
    source = kind[:1].lower() + kind[1:]
    asked, found = metric.get(source) or {}, (seen.get(source) or {}).get("current") or {}
    target = asked.get("target") or {}
    name = f"{asked['name']}: " if asked.get("name") else ""
    if "averageUtilization" in target:
        current = found.get("averageUtilization")
        return f"{name}{_UNKNOWN if current is None else f'{current}%'}/{target['averageUtilization']}%"
    part = "averageValue" if "averageValue" in target else "value"
    return f"{name}{found.get(part, _UNKNOWN)}/{target.get(part, '<auto>')}"


def _count(place: str, field: str, missing: Cell) -> Column:
    titles = {"minReplicas": "MinPods", "maxReplicas": "MaxPods", "currentReplicas": "Replicas"}
    return Column(titles[field], lambda obj, now: obj.get(place, {}).get(field, missing))


AUTOSCALER = (
    NAME,
    Column("Reference", _reference),
    Column("Targets", _targets),
    _count("spec", "minReplicas", "<unset>"),
    _count("spec", "maxReplicas", 0),
    _count("status", "currentReplicas", 0),
    AGE,
)
