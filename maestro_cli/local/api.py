"""A plain client of the Kubernetes API: the same for the light cluster and a real kube-apiserver.

Invariant: only public, versioned paths are used; every refusal arrives as `ApiError` with the
server's own code and reason, every broken connection as `Unreachable`.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from maestro_cli.core.errors import ExitCode, InvalidFile, MaestroError, Unreachable
from maestro_cli.local.kubeconfig import KubeConfig, load_kubeconfig
from maestro_cli.local.objects import Object

# httpx imports its own command line, and with it click and rich, unless that cannot be imported: 90 ms
# of CPU in each of the platform's processes, which all start at once
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]

import httpx  # noqa: E402

MERGE_PATCH = "application/merge-patch+json"
STRATEGIC_PATCH = "application/strategic-merge-patch+json"
JSON_PATCH = "application/json-patch+json"
_REQUEST_SECONDS = 30.0
_KUBECONFIG_WAIT_SECONDS = 30.0


class ApiError(MaestroError):
    """The API server refused: HTTP code, Status reason and message."""

    exit_code = ExitCode.ACTION_FAILED

    def __init__(self, code: int, reason: str, message: str) -> None:
        super().__init__(message or f"HTTP {code}", why=reason)
        self.code = code
        self.reason = reason

    @property
    def is_not_found(self) -> bool:
        return self.code == 404

    @property
    def is_conflict(self) -> bool:
        return self.code == 409 and self.reason != "AlreadyExists"

    @property
    def is_already_exists(self) -> bool:
        return self.code == 409 and self.reason == "AlreadyExists"

    @property
    def is_gone(self) -> bool:
        """The resource version asked for is too old, or from before the server lost its memory."""
        return self.code in {410, 504} or self.reason in {"Expired", "Gone"}


@dataclass(frozen=True, slots=True)
class Resource:
    """One kind and where it lives."""

    group: str
    version: str
    plural: str
    kind: str
    namespaced: bool = True

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    def path(self, namespace: str = "", name: str = "", subresource: str = "") -> str:
        """`/api/v1/namespaces/ml/pods/p1/status`; without a namespace, the whole cluster's list."""
        parts = ["/apis" if self.group else "/api", self.api_version]
        if self.namespaced and namespace:
            parts += ["namespaces", namespace]
        parts += [part for part in (self.plural, name, subresource) if part]
        return "/".join(parts)


NAMESPACES = Resource("", "v1", "namespaces", "Namespace", namespaced=False)
NODES = Resource("", "v1", "nodes", "Node", namespaced=False)
PODS = Resource("", "v1", "pods", "Pod")
SERVICES = Resource("", "v1", "services", "Service")
ENDPOINTS = Resource("", "v1", "endpoints", "Endpoints")
EVENTS = Resource("", "v1", "events", "Event")
CONFIG_MAPS = Resource("", "v1", "configmaps", "ConfigMap")
SECRETS = Resource("", "v1", "secrets", "Secret")
SERVICE_ACCOUNTS = Resource("", "v1", "serviceaccounts", "ServiceAccount")
DEPLOYMENTS = Resource("apps", "v1", "deployments", "Deployment")
REPLICA_SETS = Resource("apps", "v1", "replicasets", "ReplicaSet")
JOBS = Resource("batch", "v1", "jobs", "Job")
DISRUPTION_BUDGETS = Resource("policy", "v1", "poddisruptionbudgets", "PodDisruptionBudget")
ENDPOINT_SLICES = Resource("discovery.k8s.io", "v1", "endpointslices", "EndpointSlice")
LEASES = Resource("coordination.k8s.io", "v1", "leases", "Lease")
_RBAC = "rbac.authorization.k8s.io"
CLUSTER_ROLES = Resource(_RBAC, "v1", "clusterroles", "ClusterRole", namespaced=False)
CUSTOM_RESOURCE_DEFINITIONS = Resource(
    "apiextensions.k8s.io", "v1", "customresourcedefinitions", "CustomResourceDefinition", namespaced=False
)
CLUSTER_ROLE_BINDINGS = Resource(_RBAC, "v1", "clusterrolebindings", "ClusterRoleBinding", namespaced=False)


@dataclass(frozen=True, slots=True)
class WatchEvent:
    """ADDED, MODIFIED, DELETED or BOOKMARK, and the object."""

    type: str
    object: Object


class ApiClient:
    """One connection pool to one API server; use it from one event loop."""

    def __init__(self, config: KubeConfig, agent: str) -> None:
        headers = {"user-agent": f"maestro-{agent}", "accept": "application/json"}
        if config.token:
            headers["authorization"] = f"Bearer {config.token}"
        self._http = httpx.AsyncClient(
            base_url=config.server,
            verify=config.tls,
            headers=headers,
            timeout=httpx.Timeout(_REQUEST_SECONDS),
            # less than uvicorn's 5 s keep-alive, so that no request goes into a closing connection
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=20, keepalive_expiry=4.0),
            trust_env=False,
        )

    async def close(self) -> None:
        await self._http.aclose()

    async def request(
        self,
        method: str,
        path: str,
        *,
        parameters: Mapping[str, str] | None = None,
        body: Any = None,
        content_type: str = "application/json",
    ) -> Object:
        """One JSON request; raises ApiError for a refusal and Unreachable for a broken connection."""
        content = None if body is None else msgspec.json.encode(body)
        headers = {"content-type": content_type} if content is not None else None
        try:
            answer = await self._http.request(
                method, path, params=dict(parameters or {}), content=content, headers=headers
            )
        except httpx.HTTPError as broken:
            raise Unreachable(f"no answer from the API server to {method} {path}", why=repr(broken)) from None
        if answer.status_code >= 400:
            raise _refusal(answer.status_code, answer.content)
        return _decode_object(answer.content)

    async def get(self, resource: Resource, namespace: str, name: str) -> Object:
        return await self.request("GET", resource.path(namespace, name))

    async def list(
        self,
        resource: Resource,
        namespace: str = "",
        *,
        label_selector: str = "",
        field_selector: str = "",
        page_size: int = 500,
    ) -> tuple[list[Object], str]:
        """All objects, with apiVersion and kind filled in, and the resource version of the list."""
        items: list[Object] = []
        parameters = _selectors(label_selector, field_selector) | {"limit": str(page_size)}
        while True:
            page = await self.request("GET", resource.path(namespace), parameters=parameters)
            for item in page.get("items") or ():
                item.setdefault("apiVersion", resource.api_version)
                item.setdefault("kind", resource.kind)
                items.append(item)
            more = page.get("metadata", {}).get("continue")
            if not more:
                return items, str(page.get("metadata", {}).get("resourceVersion", ""))
            parameters["continue"] = more

    async def create(self, resource: Resource, body: Object, namespace: str = "") -> Object:
        return await self.request("POST", resource.path(namespace), body=_typed(resource, body))

    async def create_subresource(
        self, resource: Resource, namespace: str, name: str, subresource: str, body: Object
    ) -> Object:
        """POST to `binding`, `eviction`, `token`."""
        return await self.request("POST", resource.path(namespace, name, subresource), body=body)

    async def update(self, resource: Resource, body: Object, subresource: str = "") -> Object:
        """PUT the object where its metadata says it lives; its resourceVersion guards against races."""
        meta = body["metadata"]
        path = resource.path(meta.get("namespace", ""), meta["name"], subresource)
        return await self.request("PUT", path, body=_typed(resource, body))

    async def patch(
        self,
        resource: Resource,
        namespace: str,
        name: str,
        patch: Any,
        *,
        subresource: str = "",
        kind: str = MERGE_PATCH,
    ) -> Object:
        path = resource.path(namespace, name, subresource)
        return await self.request("PATCH", path, body=patch, content_type=kind)

    async def delete(
        self,
        resource: Resource,
        namespace: str,
        name: str,
        *,
        uid: str = "",
        grace_seconds: int | None = None,
        propagation: str = "",
    ) -> Object:
        """DELETE with an optional uid precondition; answers the object, or a Status once it is gone."""
        options: Object = {"apiVersion": "v1", "kind": "DeleteOptions"}
        if uid:
            options["preconditions"] = {"uid": uid}
        if grace_seconds is not None:
            options["gracePeriodSeconds"] = grace_seconds
        if propagation:
            options["propagationPolicy"] = propagation
        return await self.request("DELETE", resource.path(namespace, name), body=options)

    async def watch(
        self,
        resource: Resource,
        namespace: str = "",
        *,
        resource_version: str,
        label_selector: str = "",
        field_selector: str = "",
        timeout_seconds: int = 300,
    ) -> AsyncIterator[WatchEvent]:
        """Events after a resource version until the server ends the watch.

        Raises ApiError (also for an ERROR event, e.g. 410 Expired) and Unreachable.
        """
        parameters = _selectors(label_selector, field_selector) | {
            "watch": "true",
            "resourceVersion": resource_version,
            "allowWatchBookmarks": "true",
            "timeoutSeconds": str(timeout_seconds),
        }
        # a server that vanished without closing is noticed once its own time limit is past
        timeout = httpx.Timeout(_REQUEST_SECONDS, read=timeout_seconds + 30.0)
        try:
            async with self._http.stream(
                "GET", resource.path(namespace), params=parameters, timeout=timeout
            ) as answer:
                if answer.status_code >= 400:
                    raise _refusal(answer.status_code, await answer.aread())
                async for line in _lines(answer):
                    yield _event(line, resource)
        except httpx.HTTPError as broken:
            raise Unreachable(f"the watch of {resource.plural} broke", why=repr(broken)) from None


def _selectors(label_selector: str, field_selector: str) -> dict[str, str]:
    pairs = {"labelSelector": label_selector, "fieldSelector": field_selector}
    return {name: value for name, value in pairs.items() if value}


def _typed(resource: Resource, body: Object) -> Object:
    return {"apiVersion": resource.api_version, "kind": resource.kind, **body}


def _decode_object(content: bytes) -> Object:
    try:
        decoded = msgspec.json.decode(content) if content else {}
    except msgspec.DecodeError as broken:
        raise Unreachable("the API server answered something that is not JSON", why=str(broken)) from None
    return decoded if isinstance(decoded, dict) else {}


def _refusal(code: int, content: bytes) -> ApiError:
    try:
        status = msgspec.json.decode(content)
    except msgspec.DecodeError:
        status = {}
    if not isinstance(status, dict):
        status = {}
    message = str(status.get("message") or content[:200].decode("utf-8", "replace"))
    return ApiError(code, str(status.get("reason") or ""), message)


async def _lines(answer: httpx.Response) -> AsyncIterator[bytes]:
    rest = b""
    async for chunk in answer.aiter_bytes():
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            if line.strip():
                yield line


def _event(line: bytes, resource: Resource) -> WatchEvent:
    event = _decode_object(line)
    thing = event.get("object") or {}
    if event.get("type") == "ERROR":
        raise ApiError(int(thing.get("code") or 500), str(thing.get("reason", "")), str(thing.get("message")))
    thing.setdefault("apiVersion", resource.api_version)
    thing.setdefault("kind", resource.kind)
    return WatchEvent(str(event.get("type")), thing)


async def connect(kubeconfig: Path, agent: str) -> ApiClient:
    """A client once the kubeconfig is there (waits up to 30 s for it) and the API server answers.

    Raises InvalidFile, or Unreachable when the server does not answer in that time.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + _KUBECONFIG_WAIT_SECONDS
    while True:
        # read again each time: a new cluster process may be about to replace the file of an old one
        client: ApiClient | None = None
        try:
            client = ApiClient(load_kubeconfig(kubeconfig), agent)
            await client.request("GET", "/version")
            return client
        except (Unreachable, ApiError, InvalidFile):
            if client is not None:
                await client.close()
            if loop.time() >= deadline:
                raise
            await asyncio.sleep(0.05)
