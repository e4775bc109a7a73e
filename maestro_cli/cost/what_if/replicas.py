"""How many replicas a workload had."""

from __future__ import annotations

from maestro_cli.core.refs import ref_of
from maestro_cli.cost.metering.model import Metered
from maestro_cli.cost.what_if.model import Running


def running(metered: Metered, workload: str) -> Running | None:
    """Pods that were there in the hours that were measured; None where nobody saw one.

    `workload` is as rows name it: `ml/deploy/fraud`. A pod counts in each hour in which it was seen at all.
    """
    import numpy as np

    there: dict[str, np.ndarray[tuple[int, ...], np.dtype[np.bool_]]] = {}
    for row, one in enumerate(metered.containers):
        if not one.workload or str(ref_of(one.workload_kind, one.namespace, one.workload)) != workload:
            continue
        seen = np.zeros(metered.hours.count, dtype=bool)
        for amounts in (*metered.requested.values(), *metered.used.values()):
            seen |= ~np.isnan(amounts[row])
        there[one.pod] = there.get(one.pod, np.zeros_like(seen)) | seen
    weights = metered.coverage
    if not there or not float(weights.sum()) > 0:
        return None
    pods = np.sum(list(there.values()), axis=0)
    mean = float((pods * weights).sum() / weights.sum())
    measured = pods[weights > 0]
    return Running(mean, float(measured.min()), float(measured.max())) if mean > 0 else None
