"""Pods in such portions that the samples of one fit into memory, however many workloads there are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from maestro_cli.core.promql import promql_regex, promql_string
from maestro_cli.cost.cluster_series import ClusterSeries
from maestro_cli.cost.rightsizing.owners import PodKey

SAMPLES_AT_ONCE = 500_000  # of one metric: some 35 MB while they are decoded
MOST_PODS = 200  # a query that is sent as an address has to stay one
USED = "container_cpu_usage_seconds_total"
HELD = "container_memory_working_set_bytes"


class Portions:
    """Takes pods from a list, as many as are expected to fit by those that were read before."""

    def __init__(self, pods: Sequence[PodKey], samples_a_pod: float) -> None:
        self._pods = list(pods)
        self._at = 0
        self._samples_a_pod = max(1.0, samples_a_pod)

    def __iter__(self) -> Iterator[Sequence[PodKey]]:
        while self._at < len(self._pods):
            many = int(min(MOST_PODS, max(1.0, SAMPLES_AT_ONCE / self._samples_a_pod)))
            portion = self._pods[self._at : self._at + many]
            self._at += many
            yield portion

    def seen(self, pods: int, samples: int) -> None:
        """So many samples were of so many pods: what comes is taken to be alike."""
        self._samples_a_pod = max(1.0, samples / max(1, pods))


def selector_of(series: ClusterSeries, metric: str, pods: Sequence[PodKey], *of: str) -> str:
    """The containers of these pods; not the pod's own cgroup, and not what holds its network.

    `of` are matchers that choose what else, instead of these.
    """
    namespaces = sorted({namespace for namespace, _ in pods})
    names = sorted({name for _, name in pods})
    where = (
        f"namespace={promql_string(namespaces[0])}"
        if len(namespaces) == 1
        else f"namespace=~{_any_of(namespaces)}"
    )
    chosen = ",".join(of or ('container!=""', 'container!="POD"'))
    return series.of(metric, extra=f"{chosen},{where},pod=~{_any_of(names)}")


def _any_of(names: Sequence[str]) -> str:
    """One RE2 expression of exactly these texts."""
    return '"' + "|".join(promql_regex(name)[1:-1] for name in names) + '"'
