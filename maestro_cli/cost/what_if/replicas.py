"""How many replicas a workload had."""

from __future__ import annotations

from maestro_cli.core.refs import ref_of
from maestro_cli.cost.metering.model import Metered


def mean_replicas(metered: Metered, workload: str) -> float | None:
    """Pods that were there, on average over the hours that were measured; None where nobody saw one.

    `workload` is as rows name it: `ml/deploy/fraud`.
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
    measured = float(metered.coverage.sum())
    if not there or not measured > 0:
        return None
    pods = np.sum([seen * metered.coverage for seen in there.values()])
    return float(pods) / measured or None
