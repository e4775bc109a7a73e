"""The parts of the real control plane: etcd, API server, controller manager, scheduler.

Invariant: each keeps its port while it restarts, so that one of them can be killed and come back without
the others noticing more than a pause.
"""

from __future__ import annotations

import signal
import ssl
from collections.abc import Callable, Sequence
from functools import cache

from maestro_cli.local.kubernetes.commands import (
    ControlPlane,
    apiserver_command,
    controller_manager_command,
    etcd_command,
    scheduler_command,
)
from maestro_cli.local.kubernetes.readiness import api_serving
from maestro_cli.local.ports import Ports
from maestro_cli.local.supervisor.model import CLUSTER, Facts, Part
from maestro_cli.local.supervisor.readiness import serving

ETCD, APISERVER = "etcd", "apiserver"
# All four are told at once when the supervisor dies. An API server that is asked to end without its etcd
# waits for it for ever; etcd's log on the disk is made for a sudden end.
_AT_ONCE = signal.SIGKILL


def control_plane_parts(plane: ControlPlane, ports: Ports) -> tuple[Part, ...]:
    """All four; the API server is what the others know as the cluster."""
    store, components = (_tls(plane, is_store=one) for one in (True, False))

    def etcd(facts: Facts) -> Sequence[str]:
        return etcd_command(plane, ports.of(ETCD))

    def apiserver(facts: Facts) -> Sequence[str]:
        return apiserver_command(plane, ports.of(APISERVER), int(facts[ETCD]["port"]))

    return (
        Part(ETCD, etcd, serving(ports, ETCD, "/health", store), port_name=ETCD, orphan_signal=_AT_ONCE),
        Part(
            APISERVER,
            apiserver,
            api_serving(plane, ports, APISERVER),
            needs=(ETCD,),
            port_name=APISERVER,
            fact=CLUSTER,
            orphan_signal=_AT_ONCE,
        ),
        _component(plane, ports, "controller-manager", controller_manager_command, components),
        _component(plane, ports, "scheduler", scheduler_command, components),
    )


def _component(
    plane: ControlPlane,
    ports: Ports,
    name: str,
    command: Callable[[ControlPlane, int], list[str]],
    tls: Callable[[], ssl.SSLContext],
) -> Part:
    def of_port(facts: Facts) -> Sequence[str]:
        return command(plane, ports.of(name))

    ready = serving(ports, name, "/healthz", tls)
    return Part(name, of_port, ready, needs=(CLUSTER,), port_name=name, orphan_signal=_AT_ONCE)


def _tls(plane: ControlPlane, *, is_store: bool) -> Callable[[], ssl.SSLContext]:
    """Trusts our authority; for etcd its own, with the certificate that it asks for."""

    @cache
    def made() -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=plane.pki.etcd_ca if is_store else plane.pki.ca)
        if is_store:
            context.load_cert_chain(*plane.pki.etcd)
        return context

    return made
