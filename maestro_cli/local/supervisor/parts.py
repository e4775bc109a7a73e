"""The table of parts: what each one runs, what it needs, and when it counts as ready.

Invariant: the cluster contributes its own parts; the others need only that there is one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from maestro_cli.config.locations import shipped
from maestro_cli.local.alertmanager import WEBHOOK_PATH, alertmanager_command, alertmanager_config
from maestro_cli.local.callers import FIRST, Caller, callers
from maestro_cli.local.clusters import CLUSTERS
from maestro_cli.local.keys import key_file
from maestro_cli.local.ports import LOOPBACK, Ports
from maestro_cli.local.prometheus import prometheus_command, prometheus_config
from maestro_cli.local.supervisor.model import CLUSTER, SERVICE, WORKLOAD, Facts, Part, Plan, fact_of
from maestro_cli.local.supervisor.module import module_part, python
from maestro_cli.local.supervisor.readiness import announced, serving

NODES = ("a", "b", "c")  # node-a in zone-a, and so on
# What the workload task finds out, and the parts that it takes.
FOUND_OUT = {
    fact_of(fact, caller.service, FIRST.service): parts
    for caller in callers(second=True)
    for fact, parts in (
        (SERVICE, ("balancer",)),
        (WORKLOAD, tuple(f"kubelet-{letter}" for letter in NODES)),
    )
}


def parts_of(plan: Plan, ports: Ports) -> tuple[Part, ...]:
    """Every part of this platform, in the order they are shown."""
    parts = [*CLUSTERS[plan.cluster].parts(plan, ports)]
    parts += [_kubelet(plan, index, letter) for index, letter in enumerate(NODES, 1)]
    parts += [module_part(plan.state, name, needs=(CLUSTER,)) for name in ("balancer", "metrics")]
    parts += [_prometheus(plan, ports), _alertmanager(plan, ports)]
    parts += [_load(plan, caller) for caller in callers(second=plan.second)]
    if plan.watch:
        parts.append(_watch(plan, ports))
    return tuple(parts)


def _kubelet(plan: Plan, index: int, letter: str) -> Part:
    """One node; its pods are children of it, and get little time to drain when the platform goes down."""
    options = ["--node", f"node-{letter}", "--zone", f"zone-{letter}", "--index", str(index)]
    options += ["--region", plan.region]
    options += ["--shutdown-grace", "0.5"]
    return module_part(plan.state, "kubelet", *options, name=f"kubelet-{letter}", needs=(CLUSTER,))


def _load(plan: Plan, caller: Caller) -> Part:
    workload = fact_of(WORKLOAD, caller.service, FIRST.service)
    traffic = shipped("deploy") / "models" / caller.service / "traffic.json"

    def command(facts: Facts) -> Sequence[str]:
        options = ["--state", str(plan.state), "--url", str(facts[workload]["url"]), "--name", caller.part]
        options += ["--deployment", caller.service, "--traffic", str(traffic)]
        options += ["--seed", str(plan.load_seed), "--rate", str(plan.load_rate * caller.share)]
        options += ["--key-file", str(key_file(plan.state, "load"))]
        return python("maestro_cli.local.load", *options)

    return Part(caller.part, command, announced(plan.state, caller.part), needs=(workload,))


def _watch(plan: Plan, ports: Ports) -> Part:
    def command(facts: Facts) -> Sequence[str]:
        options = ["--listen", f"{LOOPBACK}:{ports.of('watch')}"]
        options += ["--token-file", str(plan.token_file), "--announce-state", str(plan.state)]
        return python("maestro_cli", "--context", "local", "watch", *options)

    needs = ("prometheus", "alertmanager", SERVICE)
    return Part("watch", command, announced(plan.state, "watch"), needs=needs, port_name="watch")


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
            load_urls=[url for one in callers(second=plan.second) if (url := _url(facts, one.part))],
            interval_seconds=plan.interval_seconds,
            pods_key_file=key_file(plan.state, "prometheus"),
        )

    return Part(
        "prometheus",
        command,
        serving(ports, "prometheus", "/-/ready"),
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
        serving(ports, "alertmanager", "/-/ready"),
        port_name="alertmanager",
        configuration=configuration,
    )


def _url(facts: Facts, name: str) -> str | None:
    return str(facts[name]["url"]) if name in facts else None
