"""Usage read as it was scraped gives what PromQL gives, to the last bit, on a real Prometheus."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import numpy as np
import pytest

from maestro_cli.config.settings import Endpoint
from maestro_cli.cost.cluster_series import ANY_CLUSTER
from maestro_cli.cost.rightsizing import chunks
from maestro_cli.cost.rightsizing.history import Measured, read_usage, window_of
from maestro_cli.cost.rightsizing.krr_rule import Scaled, krr_proposal
from maestro_cli.cost.rightsizing.model import ContainerId, WorkloadId
from maestro_cli.cost.rightsizing.owners import read_owners
from maestro_cli.cost.rightsizing.ports import History
from maestro_cli.sources.prometheus_raw import RawPrometheus
from tests.contract.cost.recorded_cluster import (
    DAY,
    DAYS,
    END,
    Pod,
    Recording,
    counter,
    daily,
    record_owner,
    record_pod,
)
from tests.contract.recorded_prometheus import recorded_prometheus

pytestmark = pytest.mark.contract

FORTNIGHT = timedelta(days=14)
API = WorkloadId("shop", "Deployment", "api")
NIGHTLY = WorkloadId("shop", "CronJob", "nightly")
STATEFUL = WorkloadId('odd"ns', "StatefulSet", "db.x|y")
KRR_CPU = (
    "quantile_over_time(0.95, max(rate({cpu}{{{where}}}[75s])) by (namespace,container,pod,job)[14d:75s])"
)
KRR_MEMORY = "max_over_time(max({memory}{{{where}}}) by (namespace,container,pod,job)[14d:75s])"
KRR_COUNT = "count_over_time(max({metric}{{{where}}}) by (namespace,container,pod,job)[14d:75s])"
CPU, MEMORY = "container_cpu_usage_seconds_total", "container_memory_working_set_bytes"


def recorded() -> str:
    """A rollout, a gap, a counter that begins anew, two jobs that see one pod, short pods, a hostile name."""
    to = Recording()

    def memory(at: float) -> float:
        return float(int(daily(at, 1e8, 1.5e8)) // 4096 * 4096)

    for number, (begin, end) in enumerate(
        [(0, 6 * DAY), (6 * DAY - 100, DAYS * DAY), (3 * DAY, 3 * DAY + 900)]
    ):
        pod = Pod("shop", f"api-1-{number}", "ReplicaSet", "api-1", lambda at: daily(at, 0.05, 0.4), memory,
                  begin=begin, end=end)  # fmt: skip
        record_pod(to, pod, offset=3.7 * number)
    twice = {"namespace": "shop", "pod": "api-1-1", "container": "main", "job": "cadvisor"}
    to.add(CPU, twice, counter(lambda at: 0.9), begin=7 * DAY, end=8 * DAY)
    restarted = {"namespace": "shop", "pod": "api-1-0", "container": "main", "job": "kubelet", "id": "2"}
    to.add(CPU, restarted, counter(lambda at: 0.7, resets_at=5 * DAY), begin=4 * DAY, end=6 * DAY)
    record_owner(to, "ReplicaSet", "shop", "api-1", ("Deployment", "api"))
    for day in range(DAYS):
        job = f"nightly-{day}"
        pod = Pod(
            "shop", f"{job}-x", "Job", job, lambda at: 1.7, memory, begin=day * DAY, end=day * DAY + 1500
        )
        record_pod(to, pod)
        record_owner(to, "Job", "shop", job, ("CronJob", "nightly"))
    for since, until in ((0, 4 * DAY), (4 * DAY + 7000, 9.5 * DAY), (9.5 * DAY + 200, DAYS * DAY)):
        labels = {"namespace": 'odd\\"ns', "pod": "db.x|y-0", "container": "main", "job": "z"}
        to.add(CPU, labels, counter(lambda at: daily(at, 0.0, 0.01)), begin=since, end=until, step=30.5)
        to.add(MEMORY, labels, memory, begin=since, end=until, step=30.5)
    owned = {"namespace": 'odd\\"ns', "pod": "db.x|y-0", "owner_kind": "StatefulSet", "owner_name": "db.x|y"}
    to.add("kube_pod_owner", owned, lambda _: 1, step=3600)
    alike = {"namespace": "shop", "pod": "db.x|y-0", "container": "main", "job": "z"}
    to.add(CPU, alike, counter(lambda at: 8.0))
    to.add("up", {"job": "kubelet"}, lambda _: 1, step=240)
    return to.text()


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RawPrometheus]:
    with recorded_prometheus(tmp_path_factory.mktemp("history"), recorded(), block_hours=512) as url:
        source = RawPrometheus(Endpoint(url))
        yield source
        source.close()


def measured(source: History) -> dict[ContainerId, Measured]:
    owners = read_owners(source, ANY_CLUSTER, "", END - FORTNIGHT, END)
    return {
        one.container: one
        for one in read_usage(source, ANY_CLUSTER, owners, window_of(source, END, FORTNIGHT))
    }


@pytest.fixture(scope="module")
def found(prometheus: RawPrometheus) -> dict[ContainerId, Measured]:
    return measured(prometheus)


def test_every_container_of_every_workload_is_found_under_its_topmost_owner(
    found: dict[ContainerId, Measured],
) -> None:
    assert [str(container.workload) for container in found] == [str(one) for one in (STATEFUL, NIGHTLY, API)]


def test_krrs_figures_are_those_of_its_own_queries(
    prometheus: RawPrometheus, found: dict[ContainerId, Measured]
) -> None:
    def ask(promql: str) -> dict[tuple[str, str, str], float]:
        where = 'container="main"'
        told = prometheus.query(promql.format(cpu=CPU, memory=MEMORY, where=where), at=END)
        return {
            (one.labels["namespace"], one.labels["pod"], one.labels.get("job", "")): one.value
            for one in told.samples
        }

    answers = [ask(KRR_CPU), ask(KRR_COUNT.replace("{metric}", CPU)),
               ask(KRR_MEMORY), ask(KRR_COUNT.replace("{metric}", MEMORY))]  # fmt: skip
    compared = 0
    for container, one in found.items():
        mine = (one.krr.cpu, one.krr.cpu_points, one.krr.memory, one.krr.memory_points)
        for figures, told in zip(mine, answers, strict=True):
            for pod, value in figures.items():
                jobs = {
                    job: known
                    for (namespace, name, job), known in told.items()
                    if (namespace, name) == (container.workload.namespace, pod)
                }
                assert value == jobs.get("kubelet", jobs[min(jobs)])
                compared += 1
    unowned = 2  # answers that are of the pod without a workload
    assert compared == sum(len({key[:2] for key in told}) for told in answers) - unowned


def test_five_minute_means_are_those_of_promql(
    prometheus: RawPrometheus, found: dict[ContainerId, Measured]
) -> None:
    promql = f'max by (pod) (rate({CPU}{{namespace="shop",pod=~"api-.*",container="main"}}[5m]))'
    first = found[ContainerId(API, "main")].usage.cpu_times.min()
    begin = END.timestamp() // 300 * 300
    start = END.fromtimestamp(begin, END.tzinfo) - FORTNIGHT
    told = list(prometheus.steps(promql, start, END, 300))
    values = np.sort(np.concatenate([np.asarray(one.values) for one in told]))
    assert first > (END - FORTNIGHT).timestamp()
    assert np.array_equal(np.sort(found[ContainerId(API, "main")].usage.cpu), values)


def test_peaks_are_the_largest_samples_and_the_days_are_counted_back_from_the_end(
    prometheus: RawPrometheus, found: dict[ContainerId, Measured]
) -> None:
    usage = found[ContainerId(API, "main")].usage
    told = prometheus.query(f'max(max_over_time({MEMORY}{{pod=~"api-.*",container="main"}}[14d]))', at=END)
    assert usage.peak == told.only
    assert usage.peak_times.max() == END.timestamp()
    assert usage.cpu_seen.week == usage.memory_seen.week == 1.0
    assert found[ContainerId(API, "main")].pod_hours == pytest.approx(14 * 24, rel=0.01)


def test_the_pods_of_a_nightly_job_are_pooled_as_those_of_one_workload(
    found: dict[ContainerId, Measured],
) -> None:
    nightly = found[ContainerId(NIGHTLY, "main")]
    assert len(nightly.krr.cpu) == 14
    assert sum(nightly.krr.cpu_points.values()) > 100
    assert krr_proposal(nightly.krr, Scaled()).cpu.request == pytest.approx(2.0, abs=0.1)


def test_small_portions_give_what_one_gives(
    prometheus: RawPrometheus, found: dict[ContainerId, Measured], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chunks, "SAMPLES_AT_ONCE", 1)
    again = measured(prometheus)
    assert again.keys() == found.keys()
    for container, one in again.items():
        assert one.krr == found[container].krr
        assert np.array_equal(one.usage.cpu, found[container].usage.cpu)
        assert np.array_equal(one.usage.peaks, found[container].usage.peaks)


def test_without_remote_read_the_figures_are_the_same(
    prometheus: RawPrometheus, found: dict[ContainerId, Measured], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prometheus, "_has_chunks", False)
    again = measured(prometheus)
    for container, one in again.items():
        assert one.krr == found[container].krr
        assert np.array_equal(one.usage.cpu, found[container].usage.cpu)
