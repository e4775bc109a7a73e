"""From what Prometheus answered to what was metered.

A pod reserves what it asks for while it runs. What cAdvisor measured by the name of a pod falls to the pods
of that name by how long each ran in the hour. Coverage of an hour is the share of what is over of it that
kube-state-metrics told of, times the share of the running time of containers in which their use was measured.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, TypeAlias

from maestro_cli.cost.metering.bins import Grid, elapsed
from maestro_cli.cost.metering.identities import PodKey
from maestro_cli.cost.metering.model import BalancerRef, ContainerRef, Matrix, Metered
from maestro_cli.cost.metering.queries import CPU, GPUS, MEMORY
from maestro_cli.cost.metering.readings import Key, Meter, Readings
from maestro_cli.cost.metering.telemetry import telemetry_of
from maestro_cli.cost.prices.model import Resource

if TYPE_CHECKING:
    from maestro_cli.cost.metering.identities import Named

_Row: TypeAlias = tuple[PodKey, str]  # a pod, and a container of it
_LEAST = 1e-9
_NAMES = {Resource.CPU: (CPU,), Resource.MEMORY: (MEMORY,), Resource.GPU: GPUS}


def assemble(found: Readings, wanted: Meter, now: datetime, notes: Sequence[str]) -> Metered:
    """Rows in the order of their names."""
    ran = _running(found)
    pods = _pods(found, ran)
    cpu = _largest(found.told_cpu)
    rows = sorted(_rows(found, cpu, pods))
    running = ran.matrix(pod for pod, _ in rows)
    used = _used(found, cpu, rows, running, _share_of_name(pods, ran, rows))
    nodes = sorted(found.nodes.rows)
    present = _present(found, nodes)
    capacity = _capacity(found, nodes, present)
    volumes, balancers = sorted(found.volumes.rows), sorted(found.balancers.rows)
    over = elapsed(found.hours, now)
    coverage = _coverage(found, over, running, used[Resource.CPU])
    namespaces = {pod[0] for pod, _ in rows}
    telemetry = telemetry_of(found.telemetry, namespaces, found.hours.count, found.exporters)
    containers = tuple(
        found.identities.container(pod, name, _node(found, pod), wanted.labels) for pod, name in rows
    )
    return Metered(
        cluster=wanted.cluster,
        hours=found.hours,
        containers=containers,
        nodes=tuple(found.identities.node(name) for name in nodes),
        volumes=tuple(found.identities.volume(name) for name in volumes),
        requested=_requested(found, rows, running),
        used=used,
        capacity=capacity,
        present=present,
        volume_gib=found.volumes.matrix(volumes),
        coverage=coverage,
        sent_gib=_sent(found, wanted, rows),
        balancers=tuple(BalancerRef(*name) for name in balancers),
        balancer_hours=found.balancers.matrix(balancers),
        notes=(*notes, *_notes(found, containers, capacity, used), *telemetry.notes),
        until=now if now < found.hours.end else None,
        telemetry=telemetry.refs,
        telemetry_amounts=telemetry.amounts,
        running=running,
    )


def _running(found: Readings) -> Grid[PodKey]:
    """How long each pod ran in each hour.

    Two exporters tell it twice, two that followed one another each a part: what those that told of a pod said
    is divided by how many of them there were on average. Of exporters that share the pods among them (sharded
    ones) each is the only one for its pods.
    """
    import numpy as np

    tellers = defaultdict[PodKey, list[str]](list)
    for pod, exporter in sorted(found.told_running.rows):
        tellers[pod].append(exporter)
    once = {names: _once(found, names) for names in {tuple(names) for names in tellers.values()}}
    ran = Grid[PodKey](found.hours.count)
    for pod, names in tellers.items():
        told = np.nansum([found.told_running.rows[pod, name] for name in names], axis=0)
        row = told * once[tuple(names)]
        ran.rows[pod] = np.where(row > 0, row, np.nan)
    return ran


def _once(found: Readings, exporters: tuple[str, ...]) -> Matrix:
    """What makes the sum of what these told be told once, in each hour."""
    import numpy as np

    any_at_all = np.nan_to_num(found.watched.matrix([""])[0])
    each = np.nansum(found.watched.matrix(exporters), axis=0)
    any_of_them: Matrix = np.minimum(any_at_all, each)
    once: Matrix = np.divide(any_of_them, each, out=np.ones_like(each), where=each > 0)
    return once


def _pods(found: Readings, ran: Grid[PodKey]) -> dict[Named, list[PodKey]]:
    """Pods by namespace and name: one of a StatefulSet comes again under the same name."""
    pods: defaultdict[Named, list[PodKey]] = defaultdict(list)
    for key in sorted({*ran.rows, *((key[0], key[1], key[2]) for key in found.mean_requests.rows)}):
        pods[key[0], key[1]].append(key)
    return pods


def _rows(found: Readings, cpu: Grid[Key], pods: dict[Named, list[PodKey]]) -> set[_Row]:
    rows = {((key[0], key[1], key[2]), key[3]) for key in found.mean_requests.rows}
    for namespace, pod, container in {*cpu.rows, *found.mean_memory.rows, *found.mean_gpu.rows}:
        known = pods.get((namespace, pod)) or [(namespace, pod, "")]
        rows |= {(one, container) for one in known}
    return rows


def _requested(found: Readings, rows: Sequence[_Row], running: Matrix) -> dict[Resource, Matrix]:
    import numpy as np

    requested = {}
    for resource, names in _NAMES.items():
        means = [found.mean_requests.matrix((*pod, one, name) for pod, one in rows) for name in names]
        told = np.fmax(means[0], means[-1])  # nobody asks for GPUs of two makers
        requested[resource] = told * running
    return {one: matrix for one, matrix in requested.items() if one is not Resource.GPU or _any(matrix)}


def _largest(told: Grid[Key]) -> Grid[Key]:
    """What the job told that told the most; the last part of a key is the job."""
    import numpy as np

    found = Grid[Key](told.hours)
    for key, row in told.rows.items():
        held = found.rows.get(key[:-1])
        found.rows[key[:-1]] = row if held is None else np.fmax(held, row)
    return found


def _used(
    found: Readings, cpu: Grid[Key], rows: Sequence[_Row], running: Matrix, share: Matrix
) -> dict[Resource, Matrix]:
    """Unit-hours; of a mean, the time that the pod ran makes them."""
    names = [(pod[0], pod[1], one) for pod, one in rows]
    used = {
        Resource.CPU: cpu.matrix(names) * share,
        Resource.MEMORY: found.mean_memory.matrix(names) * running,
    }
    gpu = found.mean_gpu.matrix(names) * running
    return {**used, Resource.GPU: gpu} if _any(gpu) else used


def _share_of_name(pods: dict[Named, list[PodKey]], ran: Grid[PodKey], rows: Sequence[_Row]) -> Matrix:
    """How much of what was measured by a name is of this pod; NaN where another one had it all."""
    import numpy as np

    share = np.ones((len(rows), ran.hours))
    for row, (pod, _) in enumerate(rows):
        same = pods.get((pod[0], pod[1]), ())
        if len(same) > 1:
            share[row] = ran.matrix([pod])[0] / np.maximum(np.nansum(ran.matrix(same), axis=0), _LEAST)
    return share


def _present(found: Readings, nodes: Sequence[str]) -> Matrix:
    """A node that nobody told of in an hour in which others were told of was not there."""
    import numpy as np

    present = found.nodes.matrix(nodes)
    watched = found.watched.matrix([""])[0] > 0
    return np.where(np.isnan(present) & watched, 0.0, present)


def _capacity(found: Readings, nodes: Sequence[str], present: Matrix) -> dict[Resource, Matrix]:
    """A resource that no node ever told of is none; one that was told in other hours was not measured."""
    import numpy as np

    capacity = {}
    for resource, names in _NAMES.items():
        means = [found.mean_capacity.matrix((node, name) for node in nodes) for name in names]
        matrix = np.where(present == 0, 0.0, np.fmax(means[0], means[-1]) * present)
        if resource is Resource.GPU:
            matrix[~(np.nan_to_num(matrix) > 0).any(axis=1)] = 0.0
        capacity[resource] = matrix
    return {one: matrix for one, matrix in capacity.items() if one is not Resource.GPU or _any(matrix)}


def _node(found: Readings, pod: PodKey) -> str:
    return found.node_of.get(pod) or found.node_of.get(pod[:2], "")


def _coverage(found: Readings, over: Matrix, running: Matrix, cpu: Matrix) -> Matrix:
    import numpy as np

    watched = np.nan_to_num(found.watched.matrix([""])[0])
    told = np.divide(watched, over, out=np.zeros_like(watched), where=over > 0)
    ran = np.nan_to_num(running)
    whole = ran.sum(axis=0)
    seen = np.divide((ran * ~np.isnan(cpu)).sum(axis=0), whole, out=np.ones_like(whole), where=whole > 0)
    coverage: Matrix = np.clip(told, 0.0, 1.0) * seen
    return coverage


def _sent(found: Readings, wanted: Meter, rows: Sequence[_Row]) -> dict[str, Matrix]:
    """The first container of a pod stands for all: they share one address. Pods of the host are left out."""
    import numpy as np

    if not wanted.destination:
        return {}
    sent = found.sent.matrix((pod[0], pod[1]) for pod, _ in rows)
    seen: set[Key] = set()
    for row, (pod, _) in enumerate(rows):
        on_host = found.identities.pods.get(pod, {}).get("host_network") == "true"
        if pod[:2] in seen or on_host:
            sent[row] = np.nan
        seen.add(pod[:2])
    return {wanted.destination: sent}


def _notes(
    found: Readings,
    containers: Sequence[ContainerRef],
    capacity: dict[Resource, Matrix],
    used: dict[Resource, Matrix],
) -> Iterator[str]:
    if containers and not any(found.identities.pod_labels.values()):
        yield (
            "kube-state-metrics tells no labels of pods (--metric-labels-allowlist=pods=[*]): "
            "no team, model or version is known"
        )
    if found.nodes.rows and not any(found.identities.node_labels.values()):
        yield "kube-state-metrics tells no labels of nodes: their type, zone and way to buy are not known"
    if Resource.GPU in capacity and Resource.GPU not in used:
        yield "the use of GPUs was not measured (no DCGM_FI_DEV_GPU_UTIL): they are charged by request"


def _any(matrix: Matrix) -> bool:
    import numpy as np

    return bool(np.nansum(matrix) > 0)
