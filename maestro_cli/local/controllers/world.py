"""What the controllers see of the cluster: one informer a kind, shared by all.

Invariant: an index is declared here, before anything runs, so that every lookup is cheap.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import UTC, datetime

from maestro_cli.local import api
from maestro_cli.local.api import ApiClient, ApiError, Resource
from maestro_cli.local.informer import Informer
from maestro_cli.local.objects import Object, labels_of, metadata, name_of, namespace_of, uid_of
from maestro_cli.local.recorder import EventRecorder

OWNER, NAMESPACE, NODE, SERVICE = "owner", "namespace", "node", "service"
_KINDS = (
    api.NAMESPACES,
    api.NODES,
    api.LEASES,
    api.PODS,
    api.SERVICES,
    api.ENDPOINTS,
    api.ENDPOINT_SLICES,
    api.CONFIG_MAPS,
    api.SECRETS,
    api.DEPLOYMENTS,
    api.REPLICA_SETS,
    api.JOBS,
    api.DISRUPTION_BUDGETS,
)


class World:
    """The client, the informers and the clock of the controllers."""

    def __init__(self, client: ApiClient) -> None:
        self.client = client
        self.informers: dict[str, Informer] = {}
        for resource in _KINDS:
            informer = Informer(client, resource)
            informer.index(OWNER, _owners)
            informer.index(NAMESPACE, lambda thing: (namespace_of(thing),))
            self.informers[resource.kind] = informer
        self.pods.index(NODE, _node)
        self.informers["EndpointSlice"].index(SERVICE, _service)

    @property
    def pods(self) -> Informer:
        return self.informers["Pod"]

    @property
    def nodes(self) -> Informer:
        return self.informers["Node"]

    @property
    def services(self) -> Informer:
        return self.informers["Service"]

    @property
    def deployments(self) -> Informer:
        return self.informers["Deployment"]

    @property
    def replica_sets(self) -> Informer:
        return self.informers["ReplicaSet"]

    @property
    def jobs(self) -> Informer:
        return self.informers["Job"]

    @property
    def budgets(self) -> Informer:
        return self.informers["PodDisruptionBudget"]

    def now(self) -> datetime:
        return datetime.now(UTC)

    def recorder(self, component: str) -> EventRecorder:
        return EventRecorder(self.client, component)

    async def create(self, resource: Resource, body: Object, namespace: str) -> Object:
        """Create, and see it at once."""
        made = await self.client.create(resource, body, namespace)
        self.informers[resource.kind].note(made)
        return made

    async def update(self, resource: Resource, body: Object, subresource: str = "") -> Object:
        """Replace (guarded by resourceVersion), and see it at once."""
        made = await self.client.update(resource, body, subresource)
        self.informers[resource.kind].note(made)
        return made

    async def patch(self, resource: Resource, thing: Object, patch: Object, subresource: str = "") -> Object:
        """Merge-patch exactly this object (its uid is sent along), and see it at once."""
        guarded = {**patch, "metadata": {**patch.get("metadata", {}), "uid": uid_of(thing)}}
        made = await self.client.patch(
            resource, namespace_of(thing), name_of(thing), guarded, subresource=subresource
        )
        self.informers[resource.kind].note(made)
        return made

    async def delete(self, resource: Resource, thing: Object, propagation: str = "") -> None:
        """Delete exactly this object (by uid); one that is gone already is fine."""
        informer = self.informers[resource.kind]
        try:
            answer = await self.client.delete(
                resource, namespace_of(thing), name_of(thing), uid=uid_of(thing), propagation=propagation
            )
        except ApiError as refused:
            if refused.is_not_found or refused.is_conflict:  # gone, or another one of that name
                informer.forget(thing)
                return
            raise
        if answer.get("kind") == resource.kind and metadata(answer).get("deletionTimestamp"):
            informer.note(answer)
        elif answer.get("kind") == "Status":
            informer.forget(thing)

    async def synced(self) -> None:
        """Wait until every informer has its first list."""
        await asyncio.gather(*(informer.synced() for informer in self.informers.values()))


def _owners(thing: Object) -> Iterable[str]:
    return [str(reference.get("uid")) for reference in metadata(thing).get("ownerReferences") or ()]


def _node(pod: Object) -> Iterable[str]:
    return [pod["spec"].get("nodeName") or ""]


def _service(piece: Object) -> Iterable[str]:
    return [f"{namespace_of(piece)}/{labels_of(piece).get('kubernetes.io/service-name', '')}"]
