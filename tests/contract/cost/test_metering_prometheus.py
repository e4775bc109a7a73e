"""What is metered over a real Prometheus is what was there, whose hours are known since they were written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from maestro_cli.config.settings import Endpoint
from maestro_cli.cost.metering.bins import hours_until
from maestro_cli.cost.metering.measure import meter
from maestro_cli.cost.metering.model import GIB, Metered, NodeRef, VolumeRef
from maestro_cli.cost.metering.readings import Meter
from maestro_cli.cost.prices.model import Capacity, Resource
from maestro_cli.sources.prometheus_raw import RawPrometheus
from tests.contract.recorded_prometheus import recorded_prometheus

START = datetime(2026, 3, 2, tzinfo=UTC)
HOURS = 3
SCRAPE = 60
MINUTES = HOURS * 60
EVIL = '"} or vector(1) #\\'
# two tell the same, until they are replaced by one at half past two
KSM = (("ksm-0", 0, 149), ("ksm-1", 0, 149), ("ksm-2", 150, MINUTES))


@dataclass(frozen=True)
class Lived:
    """A series from one minute to another, both told; it grows by `growth` a second if that is given."""

    name: str
    labels: Mapping[str, str]
    value: float = 1.0
    first: int = 1  # the look at the full hour belongs to the hour before
    last: int = MINUTES
    growth: float | None = None

    def lines(self) -> Iterator[str]:
        told = ",".join(f'{name}="{_escaped(value)}"' for name, value in self.labels.items())
        for minute in range(self.first, self.last + 1):
            at = int(START.timestamp()) + minute * 60
            value = self.value if self.growth is None else (minute - self.first) * 60 * self.growth
            yield f"{self.name}{{{told}}} {value} {at}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def pod(name: str, uid: str, node: str, first: int, last: int, **labels: str) -> Iterator[Lived]:
    """One that runs in that time, as kube-state-metrics tells it."""
    one = {"namespace": "ml", "pod": name, "uid": uid}
    owner = {"created_by_kind": "ReplicaSet", "created_by_name": "fraud-6d4cf56db6", "node": node}
    for phase in ("Running", "Pending"):
        yield Lived("kube_pod_status_phase", {**one, "phase": phase}, float(phase == "Running"), first, last)
    yield Lived("kube_pod_info", {**one, **owner}, 1, first, last)
    yield Lived("kube_pod_labels", {**one, **{f"label_{k}": v for k, v in labels.items()}}, 1, first, last)
    yield Lived("kube_pod_status_qos_class", {**one, "qos_class": "Burstable"}, 1, first, last)


def requests(name: str, uid: str, node: str, first: int, last: int, **amounts: float) -> Iterator[Lived]:
    one = {"namespace": "ml", "pod": name, "uid": uid, "container": "main", "node": node}
    for resource, value in amounts.items():
        labels = {**one, "resource": resource}
        yield Lived("kube_pod_container_resource_requests", labels, value, first, last)


def use(name: str, cores: float, gib: float, first: int, last: int, run: str = "1") -> Iterator[Lived]:
    one = {"namespace": "ml", "pod": name, "container": "main", "id": f"/{name}/{run}", "cpu": "total"}
    whole = {**one, "container": "", "id": f"/{name}"}  # of the pod: counted twice if it were taken
    for labels in (one, whole):
        yield Lived("container_cpu_usage_seconds_total", labels, 0, first, last, growth=cores)
        yield Lived("container_memory_working_set_bytes", labels, gib * GIB, first, last)


def node(name: str, first: int, last: int, gpus: float = 0, **labels: str) -> Iterator[Lived]:
    yield Lived("kube_node_info", {"node": name, "provider_id": f"aws:///{name}"}, 1, first, last)
    told = {f"label_{key}": value for key, value in labels.items()}
    yield Lived("kube_node_labels", {"node": name, **told}, 1, first, last)
    for resource, value in (("cpu", 8.0), ("memory", 32 * GIB), ("nvidia_com_gpu", gpus)):
        if value:
            yield Lived("kube_node_status_capacity", {"node": name, "resource": resource}, value, first, last)


def cluster() -> Iterator[Lived]:
    """What kube-state-metrics tells."""
    yield from node(
        "a", 1, MINUTES, node_kubernetes_io_instance_type="m5", topology_kubernetes_io_zone="eu-a"
    )
    yield from node("gone", 1, 89, gpus=2, karpenter_sh_capacity_type="spot")
    yield from pod("whole", "u1", "a", 1, MINUTES, team="risk", model=EVIL, version="3")
    yield from requests("whole", "u1", "a", 1, MINUTES, cpu=2.0, memory=4 * GIB)
    yield from pod("short", "u2", "gone", 75, 89)  # a quarter of the second hour
    yield from requests("short", "u2", "gone", 75, 89, cpu=4.0, nvidia_com_gpu=1)
    # a set's pod: at first on `gone`, then again under its name on `a`
    for uid, place, first, last in (("u3", "gone", 1, 89), ("u4", "a", 90, MINUTES)):
        yield from pod("set-0", uid, place, first, last)
        yield from requests("set-0", uid, place, first, last, cpu=1.0)
    pulling = {"namespace": "ml", "pod": "pulling", "uid": "u5"}
    yield Lived("kube_pod_status_phase", {**pulling, "phase": "Running"}, 0)
    yield Lived("kube_pod_info", {**pulling, "node": "a"})
    yield from requests("pulling", "u5", "a", 1, MINUTES, cpu=6.0)
    owned = {"owner_kind": "Deployment", "owner_name": "fraud"}
    yield Lived("kube_replicaset_owner", {"namespace": "ml", "replicaset": "fraud-6d4cf56db6", **owned})
    yield Lived("kube_namespace_labels", {"namespace": "ml", "label_team": "platform"})
    volume = {"persistentvolume": "pv-1"}
    yield Lived("kube_persistentvolume_capacity_bytes", volume, 10 * GIB)
    yield Lived("kube_persistentvolume_info", {**volume, "storageclass": "ssd"})
    claim = {"namespace": "ml", "persistentvolumeclaim": "data"}
    yield Lived("kube_persistentvolumeclaim_info", {**claim, "volumename": "pv-1", "storageclass": "ssd"})
    mounted = {**claim, "pod": "whole", "uid": "u1", "volume": "v"}
    yield Lived("kube_pod_spec_volumes_persistentvolumeclaims_info", mounted)
    for kind, value in (("LoadBalancer", 1.0), ("ClusterIP", 0.0)):
        service = {"namespace": "ml", "service": "front", "uid": "s", "type": kind}
        if value:
            yield Lived("kube_service_spec_type", service, value, 60, MINUTES)


def measured() -> Iterator[Lived]:
    """What cAdvisor and DCGM tell; `whole` begins again after 30 minutes and counts anew."""
    yield from use("whole", 0.5, 1.0, 1, 29)
    yield from use("whole", 0.5, 1.0, 30, MINUTES, run="2")
    yield from use("short", 2.0, 0.5, 75, 89)
    yield from use("set-0", 1.0, 0.25, 1, 89)
    yield from use("set-0", 1.0, 0.25, 90, MINUTES, run="2")
    gpu = {"exported_namespace": "ml", "exported_pod": "short", "exported_container": "main", "UUID": "g0"}
    yield Lived("DCGM_FI_DEV_GPU_UTIL", {**gpu, "namespace": "gpu", "pod": "dcgm"}, 50, 75, 89)
    sent = {"namespace": "ml", "pod": "whole", "interface": "eth0"}
    yield Lived("container_network_transmit_bytes_total", sent, 0, growth=GIB / 3600)


def text() -> str:
    """Each family once, in the OpenMetrics format."""
    lines: dict[str, list[str]] = {}
    for one in cluster():
        for exporter, first, last in KSM:
            labels = {**one.labels, "instance": exporter}
            told = Lived(one.name, labels, one.value, max(one.first, first), min(one.last, last))
            lines.setdefault(one.name, []).extend(told.lines())
    for one in measured():
        for job in ("kubelet", "kubelet-again"):
            told = Lived(one.name, {**one.labels, "job": job}, one.value, one.first, one.last, one.growth)
            lines.setdefault(one.name, []).extend(told.lines())
    parts = [f"# TYPE {name} gauge\n" + "\n".join(found) for name, found in lines.items()]
    return "\n".join([*parts, "# EOF", ""])


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RawPrometheus]:
    folder = tmp_path_factory.mktemp("metered")
    with recorded_prometheus(folder, text(), f"--query.lookback-delta={SCRAPE - 1}s") as url:
        found = RawPrometheus(Endpoint(url=url))
        yield found
        found.close()


@pytest.fixture(scope="module")
def metered(source: RawPrometheus) -> Metered:
    end = START + timedelta(hours=HOURS)
    return meter(source, Meter("lab", destination="internet"), hours_until(end, HOURS), end)


def row(metered: Metered, name: str, place: str) -> int:
    (found,) = [
        number for number, one in enumerate(metered.containers) if (one.pod, one.node) == (name, place)
    ]
    return found


def near(*values: float) -> object:
    return pytest.approx(np.asarray(values), rel=0.04, nan_ok=True)


NAN = float("nan")


def test_requests_are_counted_while_a_pod_runs_whoever_tells_them_twice(metered: Metered) -> None:
    cpu, memory = metered.requested[Resource.CPU], metered.requested[Resource.MEMORY]
    whole, short = row(metered, "whole", "a"), row(metered, "short", "gone")
    assert cpu[whole] == near(2, 2, 2)
    assert memory[whole] == near(4, 4, 4)
    assert cpu[short] == near(NAN, 4 * 0.25, NAN)
    assert metered.requested[Resource.GPU][short] == near(NAN, 0.25, NAN)


def test_use_is_counted_over_restarts_and_once_for_two_scrapes(metered: Metered) -> None:
    whole, short = row(metered, "whole", "a"), row(metered, "short", "gone")
    assert metered.used[Resource.CPU][whole] == near(0.5, 0.5, 0.5)
    assert metered.used[Resource.MEMORY][whole] == near(1, 1, 1)
    assert metered.used[Resource.CPU][short, 1] == pytest.approx(2 * 0.25, rel=0.1)
    assert metered.used[Resource.GPU][short, 1] == pytest.approx(0.5 * 0.25, rel=0.1)


def test_a_pod_that_comes_again_under_its_name_is_two(metered: Metered) -> None:
    first, second = row(metered, "set-0", "gone"), row(metered, "set-0", "a")
    assert metered.requested[Resource.CPU][first] == near(1, 0.5, NAN)
    assert metered.requested[Resource.CPU][second] == near(NAN, 0.5, 1)
    assert metered.running is not None
    assert metered.running[[first, second]] == pytest.approx(
        np.array([[1, 0.5, NAN], [NAN, 0.5, 1]]), rel=0.04, nan_ok=True
    )
    both = np.nansum(metered.used[Resource.CPU][[first, second]], axis=0)
    assert both == near(1, 1, 1)


def test_what_never_ran_reserves_nothing(metered: Metered) -> None:
    assert np.isnan(metered.requested[Resource.CPU][row(metered, "pulling", "a")]).all()


def test_nodes_come_and_go(metered: Metered) -> None:
    assert metered.nodes == (
        NodeRef("a", "m5", "", "eu-a", Capacity.ON_DEMAND, "", "aws:///a"),
        NodeRef("gone", "", "", "", Capacity.SPOT, "", "aws:///gone"),
    )
    assert metered.present == pytest.approx(np.array([[1, 1, 1], [1, 29 / 60, 0]]), abs=1e-9)
    assert metered.capacity[Resource.CPU] == pytest.approx(
        np.array([[8, 8, 8], [8, 8 * 29 / 60, 0]]), abs=1e-9
    )
    assert metered.capacity[Resource.GPU] == pytest.approx(
        np.array([[0, 0, 0], [2, 2 * 29 / 60, 0]]), abs=1e-9
    )


def test_whose_a_container_is_and_what_it_serves(metered: Metered) -> None:
    whole = metered.containers[row(metered, "whole", "a")]
    assert (whole.workload_kind, whole.workload, whole.qos) == ("Deployment", "fraud", "Burstable")
    assert (whole.team, whole.model, whole.version) == ("risk", EVIL, "3")
    assert metered.containers[row(metered, "short", "gone")].team == "platform"  # its namespace's


def test_volumes_load_balancers_and_what_is_sent(metered: Metered) -> None:
    assert metered.volumes == (VolumeRef("pv-1", "ssd", "ml", "data", ("whole",)),)
    assert metered.volume_gib == pytest.approx(np.full((1, 3), 10.0), rel=0.02)
    assert [one.service for one in metered.balancers] == ["front"]
    assert metered.balancer_hours is not None
    assert metered.balancer_hours[0, 1:] == near(1, 1)
    assert metered.sent_gib["internet"][row(metered, "whole", "a")] == near(1, 1, 1)


def test_hours_that_nobody_measured_lower_the_coverage(source: RawPrometheus) -> None:
    end = START + timedelta(hours=HOURS + 1)
    found = meter(source, Meter("lab"), hours_until(end, HOURS + 3), end)
    assert found.coverage == pytest.approx(np.array([0, 0, 1, 1, 1, 0]), abs=0.04)
    assert np.isnan(found.present[:, [0, 1, 5]]).all()
    assert "the use of GPUs was not measured" not in " ".join(found.notes)


def test_of_an_hour_that_is_not_over_what_is_over_is_metered(source: RawPrometheus) -> None:
    now = START + timedelta(hours=1, minutes=30, seconds=20)
    found = meter(source, Meter("lab"), hours_until(now, 2), now)
    whole = row(found, "whole", "a")
    assert found.requested[Resource.CPU][whole] == near(2, 1)
    assert found.used[Resource.CPU][whole] == near(0.5, 0.25)
    assert found.coverage == pytest.approx(np.ones(2), abs=0.02)
    assert found.notes[-1:] == ("the hour from 01:00 UTC is not over",)


def test_another_cluster_of_the_same_prometheus_is_not_metered(source: RawPrometheus) -> None:
    end = START + timedelta(hours=HOURS)
    found = meter(source, Meter("other", {"cluster": EVIL}), hours_until(end, HOURS), end)
    assert (found.containers, found.nodes, float(found.coverage.sum())) == ((), (), 0.0)


def test_the_number_of_queries_is_that_of_the_time(source: RawPrometheus) -> None:
    asked: list[str] = []

    class Counted:
        def steps(self, promql: str, start: datetime, end: datetime, step_seconds: float) -> object:
            asked.append(promql)
            return source.steps(promql, start, end, step_seconds)

        def series(self, selector: str, start: datetime, end: datetime) -> object:
            asked.append(selector)
            return source.series(selector, start, end)

        def retention_seconds(self) -> float | None:
            return None

    end = START + timedelta(hours=HOURS)
    meter(Counted(), Meter("lab", destination="zone"), hours_until(end, 48), end)  # type: ignore[arg-type]
    assert len(asked) <= 15
