"""The table of parts."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from maestro_cli.local.clusters import CLUSTERS as known_clusters
from maestro_cli.local.ports import Ports, free_port
from maestro_cli.local.programs import Programs
from maestro_cli.local.supervisor.group import depths
from maestro_cli.local.supervisor.model import Facts, Part, Plan
from maestro_cli.local.supervisor.parts import FOUND_OUT, parts_of

REST = [
    "kubelet-a", "kubelet-b", "kubelet-c", "balancer", "metrics", "prometheus", "alertmanager", "load",
    "watch",
]  # fmt: skip
CLUSTERS = {
    "lite": ["cluster", "controllers"],
    "kubernetes": ["etcd", "apiserver", "controller-manager", "scheduler"],
}


def _plan(*, watch: bool = True, cluster: str = "lite") -> Plan:
    return Plan(
        state=Path("/state"),
        id="local-0-1",
        profile="drill",
        interval_seconds=1.0,
        cluster=cluster,
        load_seed=3,
        load_rate=50.0,
        programs=Programs("/bin/prometheus", "/bin/alertmanager"),
        watch=watch,
        cluster_program="/bin/kubernetes" if cluster == "kubernetes" else "",
    )


def _parts(cluster: str = "lite") -> tuple[Part, ...]:
    return parts_of(_plan(cluster=cluster), Ports())


@pytest.mark.parametrize("cluster", CLUSTERS)
def test_a_platform_is_its_cluster_and_the_same_rest(cluster: str) -> None:
    assert [part.name for part in _parts(cluster)] == CLUSTERS[cluster] + REST


def test_the_second_service_has_a_load_of_its_own_that_waits_for_it() -> None:
    parts = {part.name: part for part in parts_of(replace(_plan(), second=True), Ports())}
    assert list(parts) == [*CLUSTERS["lite"], *REST[:-1], "load-recommendation", REST[-1]]
    facts: Facts = {"workload": {"url": "http://one"}, "workload-recommendation": {"url": "http://other"}}
    command = parts["load-recommendation"].command(facts)
    assert command[command.index("--url") + 1] == "http://other"
    assert command[command.index("--deployment") + 1] == "recommendation"
    assert set(parts["load-recommendation"].needs) <= set(FOUND_OUT)
    assert depths(tuple(parts.values()), FOUND_OUT)["load-recommendation"] > 0


def test_there_is_a_table_of_parts_for_every_cluster() -> None:
    assert set(CLUSTERS) == set(known_clusters)


def test_without_the_detector_it_is_no_part() -> None:
    assert "watch" not in [part.name for part in parts_of(_plan(watch=False), Ports())]


@pytest.mark.parametrize(("cluster", "api"), [("lite", "cluster"), ("kubernetes", "apiserver")])
def test_users_of_the_cluster_stop_before_it(cluster: str, api: str) -> None:
    depth = depths(_parts(cluster), FOUND_OUT)
    assert depth["load"] > depth["kubelet-a"] > depth[api]
    assert depth["watch"] > depth["balancer"] > depth[api]


def test_the_store_is_the_last_of_the_control_plane_to_stop() -> None:
    depth = depths(_parts("kubernetes"), FOUND_OUT)
    assert depth["controller-manager"] == depth["scheduler"] > depth["apiserver"] > depth["etcd"] == 0


@pytest.mark.parametrize("cluster", CLUSTERS)
def test_every_command_names_the_state_folder_and_the_load_its_seed(cluster: str) -> None:
    facts: Facts = {"workload": {"url": "http://127.0.0.1:1"}, "etcd": {"port": 2}}
    for part in _parts(cluster):
        command = part.command(facts)
        assert any("/state" in word for word in command), part.name
        if part.name == "load":
            assert command[command.index("--seed") + 1] == "3"
            assert command[command.index("--url") + 1] == "http://127.0.0.1:1"


def test_without_the_detector_alertmanager_tells_nobody() -> None:
    for watch in (True, False):
        parts = {part.name: part for part in parts_of(_plan(watch=watch), Ports())}
        configuration = parts["alertmanager"].configuration
        assert configuration is not None
        _, content = configuration({})
        assert ("webhook_configs" in content["receivers"][0]) is watch


def test_prometheus_is_told_of_another_port_of_alertmanager() -> None:
    ports = Ports()
    prometheus = next(part for part in parts_of(_plan(), ports) if part.name == "prometheus")
    assert prometheus.configuration is not None
    _, before = prometheus.configuration({})
    assert prometheus.configuration({})[1] == before
    ports.taken("alertmanager")
    _, after = prometheus.configuration({})
    assert before["alerting"] != after["alerting"]


def test_a_port_is_kept_until_it_is_taken() -> None:
    answers = iter([1, 2, 3])
    ports = Ports(lambda: next(answers))
    assert (ports.of("a"), ports.of("a"), ports.of("b")) == (1, 1, 2)
    ports.taken("a")
    assert ports.of("a") == 3
    assert ports.url("b") == "http://127.0.0.1:2"
    assert 0 < free_port() < 65536
