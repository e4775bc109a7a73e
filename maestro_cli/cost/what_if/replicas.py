"""How many replicas a workload had."""

from __future__ import annotations

from collections import defaultdict

from maestro_cli.core.errors import NoData
from maestro_cli.core.refs import ref_of
from maestro_cli.cost.allocation.charging import seen
from maestro_cli.cost.metering.model import Matrix, Metered
from maestro_cli.cost.what_if.model import Running


def running(metered: Metered, workload: str) -> Running | None:
    """Pod-hours ÷ hours in which any node was seen, of all and of each hour; None where nobody saw one.

    `workload` is as rows name it: `ml/deploy/fraud`. A pod that ran for a part of an hour is that part of a
    replica: pods that followed one another in rollouts are one. Raises NoData when a record does not tell how
    long pods ran.
    """
    import numpy as np

    if metered.running is None:
        raise NoData(
            "this record does not tell how long pods ran, and so not how many there were",
            why="it was made by an earlier maestro",
            fix="ask Prometheus for the same hours (--window and --until), or make the record anew",
        )
    rows: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    for row, one in enumerate(metered.containers):
        if one.workload and str(ref_of(one.workload_kind, one.namespace, one.workload)) == workload:
            rows[one.pod, one.container].append(row)
    ran: dict[str, Matrix] = {}  # by name of the pod: each container of it tells the same
    for (pod, _), mine in rows.items():
        hours = np.nansum(metered.running[mine], axis=0)
        ran[pod] = np.maximum(ran.get(pod, hours), hours)
    watched = seen(metered)
    if not ran or not float(watched.sum()) > 0:
        return None
    pods = np.sum(list(ran.values()), axis=0)
    each = pods[watched > 0] / watched[watched > 0]
    mean = float(pods.sum() / watched.sum())
    return Running(mean, float(each.min()), float(each.max())) if mean > 0 else None
