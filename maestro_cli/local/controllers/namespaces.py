"""The end of namespaces. Invariant: one is finalized only when nothing is left in it."""

from __future__ import annotations

from maestro_cli.local.api import EVENTS, NAMESPACES, ApiError
from maestro_cli.local.controllers.queue import WorkQueue
from maestro_cli.local.controllers.world import NAMESPACE, World
from maestro_cli.local.objects import Object, is_deleting, name_of

_LOOK_AGAIN_SECONDS = 0.5


class NamespaceController:
    """Empties and finalizes namespaces that are being deleted."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.queue = WorkQueue("namespace", self.sync)
        world.informers["Namespace"].subscribe(self._changed)

    def _changed(self, _old: Object | None, new: Object | None) -> None:
        if new is not None and is_deleting(new):
            self.queue.add(name_of(new))

    async def sync(self, name: str) -> None:
        """Delete what is in one namespace; finalize it once it is empty."""
        namespace = self._world.informers["Namespace"].get(name)
        if namespace is None or not is_deleting(namespace):
            return
        left = 0
        for informer in self._world.informers.values():
            if not informer.resource.namespaced:
                continue
            for thing in informer.by(NAMESPACE, name):
                left += 1
                if not is_deleting(thing):
                    await self._world.delete(informer.resource, thing)
        if left:
            self.queue.add_after(name, _LOOK_AGAIN_SECONDS)
            return
        events, _version = await self._world.client.list(EVENTS, name)
        for event in events:
            await self._delete_event(name, name_of(event))
        spec = {name: value for name, value in namespace["spec"].items() if name != "finalizers"}
        body = namespace | {"spec": spec | {"finalizers": []}}
        try:
            await self._world.client.update(NAMESPACES, body, "finalize")
        except ApiError as refused:
            if not refused.is_not_found:
                raise

    async def _delete_event(self, namespace: str, name: str) -> None:
        try:
            await self._world.client.delete(EVENTS, namespace, name)
        except ApiError as refused:
            if not refused.is_not_found:
                raise
