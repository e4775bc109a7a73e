"""The table of parts."""

from __future__ import annotations

from pathlib import Path

from maestro_cli.local.ports import Ports, free_port
from maestro_cli.local.programs import Programs
from maestro_cli.local.supervisor.parts import Plan, depths, parts_of


def _plan(*, watch: bool = True) -> Plan:
    return Plan(
        state=Path("/state"),
        id="local-0-1",
        profile="drill",
        interval_seconds=1.0,
        cluster="lite",
        load_seed=3,
        load_rate=50.0,
        programs=Programs("/bin/prometheus", "/bin/alertmanager"),
        watch=watch,
    )


def test_the_parts_of_a_platform() -> None:
    names = [part.name for part in parts_of(_plan(), Ports())]
    assert names == [
        "cluster", "controllers", "kubelet-a", "kubelet-b", "kubelet-c", "balancer",
        "metrics", "prometheus", "alertmanager", "load", "watch",
    ]  # fmt: skip
    assert "watch" not in [part.name for part in parts_of(_plan(watch=False), Ports())]


def test_users_of_the_cluster_stop_before_it() -> None:
    depth = depths(parts_of(_plan(), Ports()))
    assert depth["load"] > depth["kubelet-a"] > depth["cluster"]
    assert depth["watch"] > depth["balancer"] > depth["cluster"]


def test_every_command_of_ours_names_the_state_folder_and_the_load_its_seed() -> None:
    facts = {"workload": {"url": "http://127.0.0.1:1"}}
    for part in parts_of(_plan(), Ports()):
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
