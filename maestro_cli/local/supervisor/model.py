"""What `up` asked for, and what a part is.

Invariant: a command line and a configuration are functions of the plan, the ports and what other parts
are known by. A part is restarted when the facts of something it needs change; a configured program is
told to read its configuration again instead.
"""

from __future__ import annotations

import signal
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from maestro_cli.local.programs import Programs

Facts = Mapping[str, Mapping[str, Any]]
# Asked of a process by its pid: what it is known by once it is ready, None before.
Readiness = Callable[[int], Awaitable[Mapping[str, Any] | None]]

CLUSTER = "cluster"  # the API serves, and every identity has its rights and its kubeconfig: {"url", "port"}
# Facts that no process stands for: the workload task finds them out.
SERVICE = "service"  # the load balancer listens for Service fraud: {"url": ...}
WORKLOAD = "workload"  # every replica is available: {"url": ...}


def fact_of(fact: str, service: str, first: str) -> str:
    """What such a fact of that service is called: those of the first service have the plain names."""
    return fact if service == first else f"{fact}-{service}"


@dataclass(frozen=True, slots=True)
class Plan:
    """What `up` asked for. `cluster_program` is the program of the real control plane."""

    state: Path
    id: str
    profile: str
    interval_seconds: float
    cluster: str
    load_seed: int
    load_rate: float
    programs: Programs
    watch: bool
    cluster_program: str = ""
    second: bool = False  # the second model service is there as well
    region: str = "local"  # what its nodes say of where they are

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
    """One process. `port_name` is the port it is told to listen on; `configuration` is the file it reads
    and what belongs in it now; `fact` is what others know it by, when that is not its name; `orphan_signal`
    is what it gets when the supervisor dies.
    """

    name: str
    command: Callable[[Facts], Sequence[str]]
    ready: Readiness
    needs: tuple[str, ...] = ()
    port_name: str = ""
    configuration: Callable[[Facts], tuple[Path, Mapping[str, Any]]] | None = None
    fact: str = ""
    orphan_signal: signal.Signals = signal.SIGTERM

    @property
    def known_as(self) -> str:
        """The name of its facts."""
        return self.fact or self.name
