"""What a change reaches besides its target, as its plan names it.

Invariant: only reads; what cannot be read is named too, never taken for nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from maestro_cli.changes.model import BlastRadius, Reached, Unread
from maestro_cli.changes.ports import ClusterPort
from maestro_cli.core.errors import Refused
from maestro_cli.core.facts.cluster import Pod, Workload
from maestro_cli.core.selectors import selector_matches


def with_reach(blast: BlastRadius, reaches: Iterable[Reached], unread: Iterable[Unread] = ()) -> BlastRadius:
    """The blast radius with what is reached, by name; what is not known is said as well."""
    missing = tuple(unread)
    return replace(
        blast,
        reaches=tuple(sorted(reaches, key=lambda one: str(one.ref))),
        unread=missing,
        blind=(*blast.blind, *(one.what for one in missing)),
    )


def reached_workloads(workloads: Iterable[Workload]) -> list[Reached]:
    return [Reached(one.ref, dict(one.labels)) for one in workloads]


def owners_of(cluster: ClusterPort, pods: Sequence[Pod]) -> tuple[list[Reached], list[Unread]]:
    """The workloads whose selector takes in one of these pods, and the namespaces whose could not be read."""
    found: list[Reached] = []
    unread: list[Unread] = []
    for namespace in sorted({pod.namespace for pod in pods}):
        near = [pod for pod in pods if pod.namespace == namespace]
        try:
            there = cluster.list_all_workloads(namespace)
        except Refused:
            unread.append(Unread(f"workloads of {namespace}: whose pods end is not known", namespace))
            continue
        found += reached_workloads(one for one in there if any(_takes(one, pod) for pod in near))
    return found, unread


def _takes(workload: Workload, pod: Pod) -> bool:
    try:
        return selector_matches(workload.selector, pod.labels)
    except ValueError:
        return True
