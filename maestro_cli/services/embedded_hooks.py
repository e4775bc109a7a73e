"""What the embedded platform's own parts can be made to do. Satisfies chaos.ports.EmbeddedHooks.

Invariant: a lease is an annotation under a name of its own, written to the very pod; whoever asks through a
Service asks as callers do, at the address where the load balancer listens.
"""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from maestro_cli.chaos.ports import ActiveFault, Asked
from maestro_cli.core.clock import Clock
from maestro_cli.core.errors import NotFound, Unreachable
from maestro_cli.core.fault_leases import PREFIX, FaultLease, annotation_of, read_leases

if TYPE_CHECKING:
    from maestro_cli.core.facts.cluster import Pod
    from maestro_cli.sources.kube import KubeCluster

_ADDRESS = "maestro.io/local-endpoint"
_EACH = 2  # connections for each pod behind a Service: the load balancer spreads them evenly
_MOST_HEADER = 8000  # bytes; a line of a request's head


class EmbeddedPlatformHooks:
    """`state` is the platform's folder."""

    def __init__(self, cluster: KubeCluster, state: Path, clock: Clock) -> None:
        self._cluster, self._state, self._clock = cluster, state, clock

    # Leases of pods

    def active(self, pod: Pod) -> tuple[ActiveFault, ...]:
        """Those that are written on the very pod, over or not."""
        found = self._object(pod)
        if found["metadata"]["uid"] != pod.uid:
            return ()
        leases = read_leases(found["metadata"].get("annotations") or {})
        return tuple(ActiveFault(one.note, one.kind, one.note, 0) for one in leases)

    def start(self, pod: Pod, order: Mapping[str, Any]) -> None:
        ends = self._clock.now() + timedelta(seconds=order["seconds"])
        lease = FaultLease(order["note"], order["kind"], ends, order["parameters"])
        self._annotate(pod, *annotation_of(lease))

    def end(self, pod: Pod, fault: str) -> None:
        self._annotate(pod, f"{PREFIX}{fault}", None)

    def scratch_bytes(self, pod: Pod) -> int | None:
        from maestro_cli.local.kubelet.leased import smallest_scratch

        found = smallest_scratch(self._object(pod))
        return None if found is None else found[1]

    def _object(self, pod: Pod) -> dict[str, Any]:
        return self._cluster.get_object(_path(pod.namespace, "pods", pod.name))

    def _annotate(self, pod: Pod, name: str, text: str | None) -> None:
        patch = {"metadata": {"uid": pod.uid, "annotations": {name: text}}}
        self._cluster.merge_object(_path(pod.namespace, "pods", pod.name), patch)

    # The way to pods

    def round_trips(self, namespace: str, pods: Sequence[str], asked: Asked) -> Sequence[float | None]:
        """One after the other, each connection held, so that every pod behind a Service gets some."""
        trips: list[float | None] = []
        for service, there in self._services(namespace, pods).items():
            host, _, port = self._address(namespace, service).rpartition(":")
            with contextlib.ExitStack() as held:
                for _ in range(_EACH * there):
                    connection = _dialled(host, int(port), asked.timeout_seconds)
                    held.enter_context(connection or contextlib.nullcontext())
                    trips.append(None if connection is None else _round_trip(connection, asked))
        return trips

    def _services(self, namespace: str, pods: Sequence[str]) -> dict[str, int]:
        """The Services with one of these pods, and how many pods each has. Raises NotFound."""
        there: dict[str, set[str]] = {}
        for one in self._cluster.list_endpoints(namespace):
            there.setdefault(one.service, set()).add(one.pod)
        found = {name: len(behind) for name, behind in sorted(there.items()) if behind & set(pods)}
        if not found:
            raise NotFound(f"no Service of {namespace} is before {', '.join(pods)}")
        return found

    def _address(self, namespace: str, service: str) -> str:
        found = self._cluster.get_object(_path(namespace, "services", service))
        address = (found["metadata"].get("annotations") or {}).get(_ADDRESS)
        if not address:
            raise NotFound(f"no load balancer listens for Service {service} of {namespace}")
        return str(address)

    # Kubelets

    def stop_kubelet(self, node: str, seconds: float, note: str, *, with_pods: bool = False) -> None:
        from maestro_cli.local.stopped_parts import kubelet_part, stop_part

        until = self._clock.now() + timedelta(seconds=seconds)
        stop_part(self._state, kubelet_part(node), self._clock, note, until, with_all=with_pods)

    def resume_kubelet(self, node: str, note: str) -> None:
        from maestro_cli.local.stopped_parts import kubelet_part, resume_part

        resume_part(self._state, kubelet_part(node), self._clock, note)

    def stopped_for(self, node: str) -> str | None:
        from maestro_cli.local.stopped_parts import is_stopped, kubelet_part, stopped_for

        part = kubelet_part(node)
        return stopped_for(self._state, part) if is_stopped(self._state, part, self._clock) else None


def _path(namespace: str, plural: str, name: str) -> str:
    return f"/api/v1/namespaces/{namespace}/{plural}/{name}"


def _dialled(host: str, port: int, timeout_seconds: float) -> socket.socket | None:
    """None where it is not taken in time. Raises Unreachable where nobody listens: that tells of no fault."""
    try:
        return socket.create_connection((host, port), timeout_seconds)
    except TimeoutError:
        return None
    except OSError as error:
        why = f"{host}:{port}: {error.strerror or error}"
        raise Unreachable(
            "the load balancer takes no connection", why=why, fix="maestro local status"
        ) from error


def _round_trip(connection: socket.socket, asked: Asked) -> float | None:
    """Seconds from the first byte that was asked to the first of an answer."""
    lines, left, number = ["GET /v2 HTTP/1.1", "Host: localhost"], asked.size, 0
    while left > 0:
        lines.append(f"X-Padding-{number}: {'x' * min(left, _MOST_HEADER)}")
        left, number = left - _MOST_HEADER, number + 1
    began = time.monotonic()
    try:
        connection.sendall("\r\n".join([*lines, "", ""]).encode("ascii"))
        return time.monotonic() - began if connection.recv(1) else None
    except OSError:
        return None
