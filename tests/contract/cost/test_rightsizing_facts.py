"""Facts of a cluster are read from its metrics by a dozen queries, on a real Prometheus."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from maestro_cli.config.settings import Endpoint
from maestro_cli.core.facts.metrics import Instant
from maestro_cli.cost.cluster_series import ANY_CLUSTER
from maestro_cli.cost.rightsizing.cluster_facts import read_facts
from maestro_cli.cost.rightsizing.facts import Autoscaler, Facts
from maestro_cli.cost.rightsizing.model import ContainerId, Size, WorkloadId
from maestro_cli.cost.rightsizing.owners import read_owners
from maestro_cli.cost.rightsizing.placement import Taint
from maestro_cli.sources.prometheus_raw import RawPrometheus
from tests.contract.cost.recorded_cluster import DAY, END
from tests.contract.cost.rightsizing_cluster import CONTAINER, GIB

pytestmark = pytest.mark.contract

FORTNIGHT = timedelta(days=14)


def serving(name: str, namespace: str = "shop") -> WorkloadId:
    return WorkloadId(namespace, "Deployment", name)


def main(name: str) -> ContainerId:
    return ContainerId(serving(name), CONTAINER)


def of(name: str) -> ContainerId:
    """What is known in part."""
    return ContainerId(serving(name, "dim"), CONTAINER)


class Counted(RawPrometheus):
    """Counts the queries that it is asked."""

    asked = 0

    def query(self, promql: str, *, at: datetime | None = None) -> Instant:
        self.asked += 1
        return super().query(promql, at=at)


@pytest.fixture(scope="module")
def source(cluster_url: str) -> Iterator[Counted]:
    found = Counted(Endpoint(cluster_url))
    yield found
    found.close()


@pytest.fixture(scope="module")
def facts(source: Counted) -> Facts:
    owners = read_owners(source, ANY_CLUSTER, "", END - FORTNIGHT, END)
    return read_facts(source, ANY_CLUSTER, owners, owners, END, FORTNIGHT)


def test_a_size_is_what_the_containers_ask_for_now(facts: Facts) -> None:
    assert facts.sizes[main("wide")] == Size(2.0, None, 2 * GIB, 2 * GIB)
    assert facts.sizes[main("scaled")] == Size(1.0, None, 2 * GIB, None)
    assert facts.replicas[serving("wide")] == 3


def test_a_cron_job_that_does_not_run_now_has_the_size_of_its_last_pods(facts: Facts) -> None:
    nightly = WorkloadId("shop", "CronJob", "nightly")
    assert facts.sizes[ContainerId(nightly, CONTAINER)] == Size(4.0, None, 2 * GIB, None)
    assert nightly not in facts.replicas


def test_a_kill_for_memory_is_known_with_its_time_and_limit(facts: Facts) -> None:
    assert facts.kills.keys() == {main("killed")}
    killed = facts.kills[main("killed")]
    assert killed.limit == 1.5 * GIB
    assert killed.at == END.timestamp() - 5 * DAY


def test_throttling_is_a_share_of_the_periods_of_what_has_a_cpu_limit(facts: Facts) -> None:
    assert facts.throttling.keys() == {main("cramped"), main("exact"), of("half")}
    assert facts.throttling[main("cramped")].share == pytest.approx(0.1, rel=0.02)
    assert facts.throttling[main("exact")].share == 0.0


def test_periods_of_which_nobody_says_whether_they_were_throttled_tell_nothing(facts: Facts) -> None:
    assert facts.throttling[of("half")].share is None


def test_it_is_known_of_which_containers_it_is_told_how_they_ended(facts: Facts) -> None:
    """`untold` started again, and no series says why; of `silent` there are no statuses at all."""
    assert {main("wide"), main("killed"), main("cramped")} <= facts.endings
    assert facts.endings.isdisjoint({of("untold"), of("silent")})
    assert of("half") in facts.endings


def test_an_autoscaler_is_known_by_what_it_scales(facts: Facts) -> None:
    assert facts.autoscalers == {serving("scaled"): Autoscaler("scaled", 1, 10, 60.0, full=1.0, wanted=10.0)}


def test_a_gpu_is_known_by_the_workload_that_holds_it(facts: Facts) -> None:
    (gpu,) = facts.gpus[serving("infer", "ml")]
    assert (gpu.gpu, gpu.pod) == ("GPU-1", "infer-1-0")
    assert 0.08 < gpu.busy <= 0.09
    assert gpu.coverage == pytest.approx(1.0, abs=0.01)


def test_nodes_have_what_pods_may_ask_for_and_pods_their_node(facts: Facts) -> None:
    room = facts.nodes[1]
    assert (room.name, room.cpu, room.memory, room.pods, room.zone) == ("n2", 8.0, 32 * GIB, 110.0, "b")
    assert (room.node.instance_type, room.node.provider_id) == ("m5.2xlarge", "aws:///eu-west-1b/i-n2")
    assert (room.others, room.taints) == ({}, ())
    placed = {pod.name: pod for pod in facts.pods}
    assert "nightly-3-x" not in placed
    assert (placed["wide-1-1"].node, placed["wide-1-1"].cpu) == ("n2", 2.0)
    assert placed["wide-1-1"].workload == serving("wide")


def test_gpus_taints_and_volumes_tie_pods_to_nodes(facts: Facts) -> None:
    room = facts.nodes[0]
    assert (room.others, room.capacity["nvidia_com_gpu"]) == ({"nvidia_com_gpu": 1.0}, 1.0)
    assert room.taints == (Taint("node.example.com/old", "", "PreferNoSchedule"),)
    (infer,) = [pod for pod in facts.pods if pod.name == "infer-1-0"]
    assert (infer.others, infer.keeps_zone) == ({"nvidia_com_gpu": 1.0}, True)


def test_so_few_queries_are_asked(source: Counted, facts: Facts) -> None:
    assert source.asked <= 28
