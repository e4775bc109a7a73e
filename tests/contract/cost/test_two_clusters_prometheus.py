"""Of two clusters in one Prometheus, right-sizing looks at one, though all names are the same in both."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

import pytest

from maestro_cli.config.settings import Endpoint
from maestro_cli.cost.cluster_series import ANY_CLUSTER, ClusterSeries
from maestro_cli.cost.rightsizing.cluster_facts import read_facts
from maestro_cli.cost.rightsizing.history import read_usage, window_of
from maestro_cli.cost.rightsizing.owners import read_owners
from maestro_cli.sources.prometheus_raw import RawPrometheus
from tests.contract.cost.recorded_cluster import (
    DAY,
    DAYS,
    END,
    STEP,
    Pod,
    Recording,
    constant,
    counter,
    record_owner,
    record_pod,
)
from tests.contract.cost.rightsizing_cluster import GIB, record_node
from tests.contract.recorded_prometheus import recorded_prometheus

pytestmark = pytest.mark.contract
FORTNIGHT = timedelta(days=14)
PROD = ClusterSeries({"cluster": "prod"})
BEGIN = (DAYS - 1) * DAY


@dataclass
class OneCluster(Recording):
    """Every series has the label of its cluster."""

    cluster: str = ""

    def add(
        self, metric: str, labels: Mapping[str, str], values: Callable[[float], float], *,
        begin: float = 0, end: float = DAYS * DAY, step: float = STEP, offset: float = 0.0,
    ) -> None:  # fmt: skip
        told = {**labels, "cluster": self.cluster}
        super().add(metric, told, values, begin=max(begin, BEGIN), end=end, step=step, offset=offset)


def recorded() -> str:
    lines = OneCluster()
    for cluster, nodes, cores, asked in (("prod", "n", 0.5, 2.0), ("staging", "s", 1.5, 8.0)):
        to = OneCluster(cluster=cluster, lines=lines.lines)
        for number in range(2):
            record_node(to, f"{nodes}{number}", "a")
        requests = {"cpu": asked, "memory": GIB}
        pod = Pod("shop", "api-1-0", "ReplicaSet", "api-1", partial(constant, cores), partial(constant, 3e8),
                  requests, requests)  # fmt: skip
        record_pod(to, pod, node=f"{nodes}0")
        record_owner(to, "ReplicaSet", "shop", "api-1", ("Deployment", "api"))
        periods = {"namespace": "shop", "pod": "api-1-0", "container": "main"}
        to.add("container_cpu_cfs_periods_total", periods, counter(partial(constant, 10.0)))
    return lines.text()


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RawPrometheus]:
    with recorded_prometheus(tmp_path_factory.mktemp("two"), recorded(), block_hours=512) as url:
        found = RawPrometheus(Endpoint(url))
        yield found
        found.close()


def looked(source: RawPrometheus, series: ClusterSeries) -> tuple[list[str], int, float, float]:
    """The nodes, how many pods, the cores that the largest asks for, and those that were used."""
    owners = read_owners(source, series, "", END - FORTNIGHT, END)
    facts = read_facts(source, series, owners, owners, END, FORTNIGHT)
    (measured,) = read_usage(source, series, owners, window_of(source, END, FORTNIGHT))
    used = float(measured.usage.cpu.mean())
    return [one.name for one in facts.nodes], len(facts.pods), facts.pods[0].cpu, used


def test_what_another_cluster_has_and_uses_is_not_taken_in(source: RawPrometheus) -> None:
    nodes, pods, asked, used = looked(source, PROD)
    assert (nodes, pods, asked) == (["n0", "n1"], 1, 2.0)
    assert used == pytest.approx(0.5, rel=0.05)


def test_without_a_label_both_are_one(source: RawPrometheus) -> None:
    nodes, _, asked, used = looked(source, ANY_CLUSTER)
    assert (len(nodes), asked) == (4, 8.0)
    assert used == pytest.approx(1.5, rel=0.05)
