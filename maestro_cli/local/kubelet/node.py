"""The node object and its lease.

Invariant: the node says Ready only while its lease is renewed; every `nodeInfo` field is filled in,
because strict clients insist on them.
"""

from __future__ import annotations

import asyncio
import logging
import os
import platform
import uuid
from datetime import UTC, datetime
from pathlib import Path

from maestro_cli import __version__
from maestro_cli.core.errors import MaestroError
from maestro_cli.local.api import LEASES, NAMESPACES, NODES, STRATEGIC_PATCH, ApiClient, ApiError
from maestro_cli.local.kubelet.environment import HOST_ADDRESS
from maestro_cli.local.kubelet.settings import Settings
from maestro_cli.local.kubelet.usage import of_machine
from maestro_cli.local.objects import Object, micro_timestamp, set_condition, timestamp, uid_of
from maestro_cli.local.recorder import EventRecorder

_LOG = logging.getLogger(__name__)
_LEASE_NAMESPACE = "kube-node-lease"
_STATUS_EVERY_RENEWALS = 60  # an unchanged status is written again every five minutes, as upstream
_PRESSURES = {
    "MemoryPressure": ("KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
    "DiskPressure": ("KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
    "PIDPressure": ("KubeletHasSufficientPID", "kubelet has sufficient PID available"),
}
_TRANSITIONS = {
    "MemoryPressure": "NodeHasSufficientMemory",
    "DiskPressure": "NodeHasNoDiskPressure",
    "PIDPressure": "NodeHasSufficientPID",
    "Ready": "NodeReady",
}


def node_labels(settings: Settings) -> dict[str, str]:
    """The well-known labels of this node."""
    machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    return {
        "kubernetes.io/hostname": settings.node,
        "kubernetes.io/os": platform.system().lower(),
        "kubernetes.io/arch": machine,
        "node.kubernetes.io/instance-type": "process",  # what deploy/local/prices.yaml prices
        "topology.kubernetes.io/region": settings.region,
        "topology.kubernetes.io/zone": settings.zone,
    }


def node_status(settings: Settings, port: int, conditions: list[Object], now: datetime) -> Object:
    """The whole status of a healthy node."""
    _cpu, _used, memory = of_machine()
    amounts = {
        "cpu": str(os.cpu_count() or 1),
        "memory": settings.capacity_memory or f"{memory // 1024}Ki",
        "pods": str(settings.max_pods),
        "ephemeral-storage": "10Gi",
    }
    return {
        "capacity": amounts,
        "allocatable": amounts,
        "addresses": [
            {"type": "InternalIP", "address": HOST_ADDRESS},
            {"type": "Hostname", "address": settings.node},
        ],
        "daemonEndpoints": {"kubeletEndpoint": {"Port": port}},
        "nodeInfo": _node_info(),
        "conditions": _healthy(conditions, timestamp(now)),
    }


def _healthy(conditions: list[Object], now: str) -> list[Object]:
    told = [(kind, "False", *words) for kind, words in _PRESSURES.items()]
    told.append(("Ready", "True", "KubeletReady", "kubelet is posting ready status"))
    for kind, status, reason, message in told:
        new = {
            "type": kind,
            "status": status,
            "reason": reason,
            "message": message,
            "lastTransitionTime": now,
        }
        conditions = set_condition(conditions, new)
    return [entry | {"lastHeartbeatTime": now} for entry in conditions]


def _node_info() -> Object:
    version = f"maestro-{__version__}"
    return {
        "machineID": _first_line("/etc/machine-id") or f"{uuid.getnode():032x}",
        "systemUUID": str(uuid.UUID(int=uuid.getnode())),
        "bootID": _first_line("/proc/sys/kernel/random/boot_id") or "unknown",
        "kernelVersion": platform.release(),
        "osImage": platform.platform(terse=True),
        "containerRuntimeVersion": f"process://{__version__}",
        "kubeletVersion": f"v1.37.0-{version}",
        "kubeProxyVersion": f"v1.37.0-{version}",
        "operatingSystem": platform.system().lower(),
        "architecture": {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine()),
    }


def _first_line(path: str) -> str:
    try:
        return Path(path).read_text(encoding="ascii").strip()
    except OSError:
        return ""


class NodeAgent:
    """Registers the node and keeps its lease and status alive."""

    def __init__(self, client: ApiClient, settings: Settings, port: int, recorder: EventRecorder) -> None:
        self._client = client
        self._recorder = recorder
        self._settings = settings
        self._port = port
        self._lease: Object | None = None
        self._leaving = False
        self._telling = asyncio.Lock()  # one status at a time: none that says ready after one that says going

    async def register(self) -> Object:
        """Create the node, or take over the one there is; its object."""
        labels = node_labels(self._settings)
        name = self._settings.node
        body = {"metadata": {"name": name, "labels": labels}, "spec": {"providerID": f"process://{name}"}}
        try:
            node = await self._client.create(NODES, body)
        except ApiError as refused:
            if not refused.is_already_exists:
                raise
            node = await self._client.patch(NODES, "", name, {"metadata": {"labels": labels}})
        self._recorder.record(node, "Starting", "Starting kubelet.")
        await self._write_status(node)
        await self._renew(node)
        return node

    async def run(self) -> None:
        """Renew until cancelled; a node that was deleted registers again."""
        renewals = 0
        while True:
            await asyncio.sleep(self._settings.lease_renew)
            try:
                node = await self._client.get(NODES, "", self._settings.node)
                await self._renew(node)
                renewals += 1
                if renewals % _STATUS_EVERY_RENEWALS == 0 or not _says_ready(node):
                    await self._write_status(node)
            except ApiError as refused:
                if refused.is_not_found:
                    await self._register_again()
                elif not refused.is_conflict:
                    _LOG.warning("lease: %s", refused.what)
                self._lease = None
            except MaestroError as problem:
                _LOG.warning("lease: %s", problem.what)

    async def _register_again(self) -> None:
        try:
            await self.register()
        except MaestroError as problem:
            _LOG.warning("register: %s", problem.what)

    async def leave(self) -> None:
        """Say that the node is going: not ready, from now on."""
        now = timestamp(datetime.now(UTC))
        words = {"reason": "KubeletStopped", "message": "kubelet was told to stop"}
        down = {"type": "Ready", "status": "False", "lastTransitionTime": now, "lastHeartbeatTime": now}
        try:
            node = await self._client.get(NODES, "", self._settings.node)
            self._leaving = True
            async with self._telling:
                await self._patch_status({"conditions": [down | words]})
            self._say_status(node, "NodeNotReady")
        except MaestroError as problem:
            _LOG.info("leaving unannounced: %s", problem.what)

    async def _write_status(self, node: Object) -> None:
        before = (node.get("status") or {}).get("conditions") or []
        status = node_status(self._settings, self._port, before, datetime.now(UTC))
        async with self._telling:
            if self._leaving:
                return
            await self._patch_status(status)
        known = {entry.get("type"): entry.get("status") for entry in before}
        for kind, event in _TRANSITIONS.items():
            if known.get(kind) != ("True" if kind == "Ready" else "False"):
                self._say_status(node, event)

    def _say_status(self, node: Object, event: str) -> None:
        self._recorder.record(node, event, f"Node {self._settings.node} status is now: {event}")

    async def _patch_status(self, status: Object) -> None:
        """Strategic: conditions merge by type, so those that others wrote stay."""
        await self._client.patch(
            NODES,
            "",
            self._settings.node,
            {"status": status},
            subresource="status",
            kind=STRATEGIC_PATCH,
        )

    async def _renew(self, node: Object) -> None:
        name, now = self._settings.node, micro_timestamp(datetime.now(UTC))
        if self._lease is None:
            try:
                self._lease = await self._client.get(LEASES, _LEASE_NAMESPACE, name)
            except ApiError as refused:
                if not refused.is_not_found:
                    raise
                await self._create_lease(node, now)
                return
        spec = self._lease["spec"] | {
            "renewTime": now,
            "holderIdentity": name,
            "leaseDurationSeconds": self._settings.lease_duration,
        }
        self._lease = await self._client.update(LEASES, self._lease | {"spec": spec})

    async def _create_lease(self, node: Object, now: str) -> None:
        owner = {"apiVersion": "v1", "kind": "Node", "name": self._settings.node, "uid": uid_of(node)}
        spec = {
            "holderIdentity": self._settings.node,
            "leaseDurationSeconds": self._settings.lease_duration,
            "acquireTime": now,
            "renewTime": now,
        }
        body = {
            "metadata": {
                "name": self._settings.node,
                "namespace": _LEASE_NAMESPACE,
                "ownerReferences": [owner],
            },
            "spec": spec,
        }
        try:
            self._lease = await self._client.create(LEASES, body, _LEASE_NAMESPACE)
        except ApiError as refused:
            if not refused.is_not_found:
                raise
            await self._client.create(NAMESPACES, {"metadata": {"name": _LEASE_NAMESPACE}})
            self._lease = await self._client.create(LEASES, body, _LEASE_NAMESPACE)


def _says_ready(node: Object) -> bool:
    conditions = (node.get("status") or {}).get("conditions") or ()
    return any(entry.get("type") == "Ready" and entry.get("status") == "True" for entry in conditions)
