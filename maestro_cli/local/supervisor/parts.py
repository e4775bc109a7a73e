"""The table of parts: what each one runs, what it needs, and when it counts as ready.

Invariant: a command line and a configuration are functions of the plan, the ports and what other parts
announced. A part is restarted when the announcement of something it needs changes; a configured program is
told to read its configuration again instead.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from maestro_cli.local.alertmanager import WEBHOOK_PATH, alertmanager_command, alertmanager_config
from maestro_cli.local.ports import LOOPBACK, Ports
from maestro_cli.local.programs import Programs
from maestro_cli.local.prometheus import prometheus_command, prometheus_config

Facts = Mapping[str, Mapping[str, Any]]
NODES = ("a", "b", "c")  # node-a in zone-a, and so on
# Facts that no process announces: the workload task finds them out.
SERVICE = "service"  # the load balancer listens for Service fraud: {"url": ...}
WORKLOAD = "workload"  # every replica is available: {"url": ...}


@dataclass(frozen=True, slots=True)
class Plan:
    """What `up` asked for."""

    state: Path
    id: str
    profile: str
    interval_seconds: float
    cluster: str
    load_seed: int
    load_rate: float
    programs: Programs
    watch: bool

    @property
    def config(self) -> Path:
        """Where `up` put what the supervisor reads, and where generated configuration goes."""
        return self.state / "config"

    @property
    def token_file(self) -> Path:
        """The bearer token of the webhook."""
        return self.state / "webhook.token"


@dataclass(frozen=True, slots=True)
class Part:
    """One process. With `health_path` it is ready when that path answers 200 on its port, else when it
    announced itself; `configuration` is the file it reads and what belongs in it now.
    """

    name: str
    command: Callable[[Facts], Sequence[str]]
    needs: tuple[str, ...] = ()
    announces: str = ""
    health_path: str = ""
    port_name: str = ""
    configuration: Callable[[Facts], tuple[Path, Mapping[str, Any]]] | None = None


def parts_of(plan: Plan, ports: Ports) -> tuple[Part, ...]:
    """Every part of this platform, in the order they are shown."""
    parts = [_cluster(plan, ports), _python(plan, "controllers", needs=("cluster",))]
    parts += [_kubelet(plan, index, letter) for index, letter in enumerate(NODES, 1)]
    parts += [_python(plan, "balancer", needs=("cluster",)), _python(plan, "metrics", needs=("cluster",))]
    parts += [_prometheus(plan, ports), _alertmanager(plan, ports), _load(plan)]
    if plan.watch:
        parts.append(_watch(plan, ports))
    return tuple(parts)


def depths(parts: Sequence[Part]) -> dict[str, int]:
    """How far each part is from one that needs nothing; the deepest are stopped first."""
    by_name = {part.name: part for part in parts}
    virtual = {SERVICE: ("balancer",), WORKLOAD: tuple(f"kubelet-{letter}" for letter in NODES)}

    def depth(name: str) -> int:
        needs = by_name[name].needs if name in by_name else virtual.get(name, ())
        return 1 + max((depth(need) for need in needs), default=-1)

    return {part.name: depth(part.name) for part in parts}


def _python(plan: Plan, name: str, *, needs: tuple[str, ...] = ()) -> Part:
    command = [sys.executable, "-P", "-m", f"maestro_cli.local.{name}", "--state", str(plan.state)]
    return Part(name, lambda facts: command, needs=needs, announces=name)


def _cluster(plan: Plan, ports: Ports) -> Part:
    """On a port that it keeps: kubeconfigs stay right when it is restarted."""

    def command(facts: Facts) -> Sequence[str]:
        options = ["--state", str(plan.state), "--port", str(ports.of("cluster"))]
        return [sys.executable, "-P", "-m", "maestro_cli.local.cluster", *options]

    return Part("cluster", command, announces="cluster", port_name="cluster")


def _kubelet(plan: Plan, index: int, letter: str) -> Part:
    """One node; its pods are children of it, and get little time to drain when the platform goes down."""
    name = f"kubelet-{letter}"
    command = [sys.executable, "-P", "-m", "maestro_cli.local.kubelet", "--state", str(plan.state)]
    command += ["--node", f"node-{letter}", "--zone", f"zone-{letter}", "--index", str(index)]
    command += ["--shutdown-grace", "0.5"]
    return Part(name, lambda facts: command, needs=("cluster",), announces=name)


def _load(plan: Plan) -> Part:
    def command(facts: Facts) -> Sequence[str]:
        options = ["--state", str(plan.state), "--url", str(facts[WORKLOAD]["url"])]
        options += ["--seed", str(plan.load_seed), "--rate", str(plan.load_rate)]
        return [sys.executable, "-P", "-m", "maestro_cli.local.load", *options]

    return Part("load", command, needs=(WORKLOAD,), announces="load")


def _watch(plan: Plan, ports: Ports) -> Part:
    def command(facts: Facts) -> Sequence[str]:
        options = ["--listen", f"{LOOPBACK}:{ports.of('watch')}"]
        options += ["--token-file", str(plan.token_file), "--announce-state", str(plan.state)]
        return [sys.executable, "-P", "-m", "maestro_cli", "--context", "local", "watch", *options]

    needs = ("prometheus", "alertmanager", SERVICE)
    return Part("watch", command, needs=needs, announces="watch", port_name="watch")


def _prometheus(plan: Plan, ports: Ports) -> Part:
    file = plan.config / "prometheus.yaml"

    def command(facts: Facts) -> Sequence[str]:
        data = plan.state / "prometheus"
        port = ports.of("prometheus")
        return prometheus_command(plan.programs.prometheus, port=port, config=file, data=data)

    def configuration(facts: Facts) -> tuple[Path, Mapping[str, Any]]:
        return file, prometheus_config(
            alertmanager_url=ports.url("alertmanager"),
            rules=plan.config / "rules.yaml",
            metrics_url=_url(facts, "metrics"),
            load_url=_url(facts, "load"),
            interval_seconds=plan.interval_seconds,
        )

    return Part(
        "prometheus",
        command,
        health_path="/-/ready",
        port_name="prometheus",
        configuration=configuration,
    )


def _alertmanager(plan: Plan, ports: Ports) -> Part:
    file = plan.config / "alertmanager.yaml"

    def command(facts: Facts) -> Sequence[str]:
        data = plan.state / "alertmanager"
        port = ports.of("alertmanager")
        return alertmanager_command(plan.programs.alertmanager, port=port, config=file, data=data)

    def configuration(facts: Facts) -> tuple[Path, Mapping[str, Any]]:
        webhook = f"{ports.url('watch')}{WEBHOOK_PATH}" if plan.watch else None
        return file, alertmanager_config(webhook, plan.token_file)

    return Part(
        "alertmanager",
        command,
        health_path="/-/ready",
        port_name="alertmanager",
        configuration=configuration,
    )


def _url(facts: Facts, name: str) -> str | None:
    return str(facts[name]["url"]) if name in facts else None
