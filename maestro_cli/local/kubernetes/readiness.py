"""When the real API server counts as ready.

Invariant: whoever sees the cluster ready finds every kubeconfig, its own namespaces and the rights of every
identity.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from maestro_cli.core.errors import MaestroError
from maestro_cli.local.certificates import CONTEXT, IDENTITIES, write_kubeconfig, write_kubeconfigs
from maestro_cli.local.kubeconfig import KubeConfig
from maestro_cli.local.kubernetes.commands import ControlPlane
from maestro_cli.local.kubernetes.extensions import service_monitors
from maestro_cli.local.ports import LOOPBACK, Ports
from maestro_cli.local.roles import cluster_roles
from maestro_cli.local.supervisor.model import Readiness
from maestro_cli.local.supervisor.readiness import answers

if TYPE_CHECKING:
    from maestro_cli.local.api import ApiClient

COMPONENT_USERS = {
    "controller-manager": "system:kube-controller-manager",
    "scheduler": "system:kube-scheduler",
}
_OWN_NAMESPACES = ("default", "kube-system", "kube-node-lease")


def api_serving(plane: ControlPlane, ports: Ports, port_name: str) -> Readiness:
    """Ready once it says so, has its namespaces and has been given our roles; known by port and URL."""

    @cache
    def authority() -> ssl.SSLContext:
        return ssl.create_default_context(cafile=plane.pki.ca)

    async def look(pid: int) -> Mapping[str, Any] | None:
        port = ports.of(port_name)
        url = f"https://{LOOPBACK}:{port}"
        tls = authority()
        if not await answers(port, "/readyz", tls):
            return None
        try:
            await _set_up(KubeConfig(url, tls, plane.pki.token("admin")))
            for identity in IDENTITIES:
                await _try_rights(KubeConfig(url, tls, plane.pki.token(identity)))
        except MaestroError:
            return None  # namespaces and rights come a moment after the answer that they are there
        _write_kubeconfigs(plane, url)
        return {"port": port, "url": url}

    return look


async def _set_up(config: KubeConfig) -> None:
    """Raises ApiError or Unreachable while something is missing."""
    from maestro_cli.local import api

    client = api.ApiClient(config, "supervisor")
    try:
        for name in _OWN_NAMESPACES:
            await client.get(api.NAMESPACES, "", name)
        for role in cluster_roles():
            await _put(client, role)
        await _define(client, service_monitors())
    finally:
        await client.close()


async def _try_rights(config: KubeConfig) -> None:
    """Raises ApiError while the identity may not yet do what all of them may."""
    from maestro_cli.local import api

    client = api.ApiClient(config, "supervisor")
    try:
        await client.get(api.NAMESPACES, "", "default")
    finally:
        await client.close()


async def _put(client: ApiClient, role: Mapping[str, Any]) -> None:
    """Have it exactly so: what an earlier version left, or somebody changed, is replaced."""
    from maestro_cli.local import api

    resource = api.CLUSTER_ROLES if role["kind"] == "ClusterRole" else api.CLUSTER_ROLE_BINDINGS
    try:
        await client.create(resource, dict(role))
    except api.ApiError as refused:
        if not refused.is_already_exists:
            raise
        await client.update(resource, dict(role))


async def _define(client: ApiClient, definition: Mapping[str, Any]) -> None:
    """Have an extension's kind served. A definition that is there already is somebody's, and stays.

    Raises ApiError or Unreachable while it is not served yet.
    """
    from maestro_cli.local import api

    try:
        await client.create(api.CUSTOM_RESOURCE_DEFINITIONS, dict(definition))
    except api.ApiError as refused:
        if not refused.is_already_exists:
            raise
    spec = definition["spec"]
    await client.request("GET", f"/apis/{spec['group']}/{spec['versions'][0]['name']}")


def _write_kubeconfigs(plane: ControlPlane, url: str) -> None:
    for component, user in COMPONENT_USERS.items():
        token, path = plane.pki.token(user), plane.kubeconfig(component)
        write_kubeconfig(path, server=url, ca=plane.pki.ca, token=token, context=CONTEXT)
    write_kubeconfigs(plane.state, plane.pki, url)
