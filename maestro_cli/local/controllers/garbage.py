"""Garbage collection by owner references.

Invariant: an object is deleted only when none of its owners exists, or each of them waits for what it owns
to go, and that was asked of the API server itself, not of a cache; finalizers `foregroundDeletion` and
`orphan` are kept to the letter.
"""

from __future__ import annotations

from collections.abc import Sequence

from maestro_cli.local.api import ApiError, Resource
from maestro_cli.local.controllers.queue import WorkQueue
from maestro_cli.local.controllers.world import OWNER, World
from maestro_cli.local.objects import (
    Object,
    is_deleting,
    key_of,
    metadata,
    name_of,
    namespace_of,
    split_key,
    uid_of,
)

_FOREGROUND, _ORPHAN = "foregroundDeletion", "orphan"


class GarbageCollector:
    """Deletes what lost its owners; works on keys `Kind|namespace/name`."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.queue = WorkQueue("garbage", self.sync)
        for informer in world.informers.values():
            informer.subscribe(self._changed)

    def _changed(self, old: Object | None, new: Object | None) -> None:
        thing = new or old or {}
        if new is None:
            for dependent in self._dependents(uid_of(thing)):
                self._add(dependent)
            self._wake_owners(thing)
        elif metadata(new).get("ownerReferences") and (old is None or _references(old) != _references(new)):
            self._add(new)
        if new is not None and is_deleting(new) and set(_finalizers(new)) & {_FOREGROUND, _ORPHAN}:
            self._add(new)

    def _add(self, thing: Object) -> None:
        self.queue.add(f"{thing['kind']}|{key_of(thing)}")

    def _wake_owners(self, gone: Object) -> None:
        for reference in metadata(gone).get("ownerReferences") or ():
            owner = self._owner(gone, reference)
            if owner is not None and _FOREGROUND in _finalizers(owner):
                self._add(owner)

    def _dependents(self, uid: str) -> list[Object]:
        return [thing for informer in self._world.informers.values() for thing in informer.by(OWNER, uid)]

    def _owner(self, thing: Object, reference: Object) -> Object | None:
        """The owner as the cache knows it."""
        informer = self._world.informers.get(reference["kind"])
        if informer is None:
            return None
        namespace = namespace_of(thing) if informer.resource.namespaced else ""
        found = informer.get(f"{namespace}/{reference['name']}" if namespace else reference["name"])
        return found if found is not None and uid_of(found) == reference["uid"] else None

    async def sync(self, key: str) -> None:
        """Look after one object: its finalizers if it is being deleted, else its owners."""
        kind, _, place = key.partition("|")
        informer = self._world.informers[kind]
        thing = informer.get(place)
        if thing is None:
            return
        if is_deleting(thing):
            await self._finish(informer.resource, thing)
            return
        references = metadata(thing).get("ownerReferences") or []
        lost = [reference for reference in references if await self._is_lost(thing, reference)]
        if references and len(lost) == len(references):
            await self._world.delete(informer.resource, thing, propagation=_propagation(thing))
        elif lost:
            kept = [reference for reference in references if reference not in lost]
            await self._set(informer.resource, thing, {"ownerReferences": kept})

    async def _is_lost(self, thing: Object, reference: Object) -> bool:
        if self._owner(thing, reference) is not None:
            return False
        informer = self._world.informers.get(reference["kind"])
        if informer is None or informer.resource.api_version != reference["apiVersion"]:
            return False  # a kind this collector does not know: leave it alone
        namespace, _ = split_key(key_of(thing))
        try:
            found = await self._world.client.get(
                informer.resource, namespace if informer.resource.namespaced else "", reference["name"]
            )
        except ApiError as refused:
            if refused.is_not_found:
                return True
            raise
        return uid_of(found) != str(reference["uid"])

    async def _finish(self, resource: Resource, owner: Object) -> None:
        dependents = self._dependents(uid_of(owner))
        if _ORPHAN in _finalizers(owner):
            for dependent in dependents:
                await self._disown(dependent, uid_of(owner))
            await self._release(resource, owner, _ORPHAN)
        elif _FOREGROUND in _finalizers(owner):
            for dependent in dependents:
                if is_deleting(dependent):
                    continue
                if await self._has_owner_to_stay(dependent):
                    await self._disown(dependent, uid_of(owner))
                    continue
                kind = self._world.informers[dependent["kind"]].resource
                # all the way down: what hangs below must be gone before the dependent is
                await self._world.delete(kind, dependent, propagation="Foreground")
            if not any(_blocks(thing, uid_of(owner)) for thing in self._dependents(uid_of(owner))):
                await self._release(resource, owner, _FOREGROUND)

    async def _has_owner_to_stay(self, thing: Object) -> bool:
        """Whether an owner exists that is not itself waiting for what it owns to go."""
        for reference in _references(thing):
            owner = self._owner(thing, reference)
            waits = owner is not None and is_deleting(owner) and _FOREGROUND in _finalizers(owner)
            if not waits and not await self._is_lost(thing, reference):
                return True
        return False

    async def _disown(self, thing: Object, uid: str) -> None:
        kept = [reference for reference in _references(thing) if reference["uid"] != uid]
        kind = self._world.informers[thing["kind"]].resource
        await self._set(kind, thing, {"ownerReferences": kept or None})

    async def _release(self, resource: Resource, owner: Object, finalizer: str) -> None:
        kept = [name for name in _finalizers(owner) if name != finalizer]
        await self._set(resource, owner, {"finalizers": kept or None})

    async def _set(self, resource: Resource, thing: Object, change: Object) -> None:
        guarded = change | {"resourceVersion": metadata(thing).get("resourceVersion")}
        try:
            changed = await self._world.client.patch(
                resource, namespace_of(thing), name_of(thing), {"metadata": guarded}
            )
        except ApiError as refused:
            if refused.is_not_found:
                return
            raise
        # taking away the last finalizer deletes the object: then the answer is its last state
        if not (is_deleting(changed) and not _finalizers(changed)):
            self._world.informers[resource.kind].note(changed)


def _finalizers(thing: Object) -> Sequence[str]:
    return metadata(thing).get("finalizers") or []


def _references(thing: Object) -> Sequence[Object]:
    return metadata(thing).get("ownerReferences") or []


def _blocks(dependent: Object, owner_uid: str) -> bool:
    return any(
        reference["uid"] == owner_uid and reference.get("blockOwnerDeletion")
        for reference in _references(dependent)
    )


def _propagation(thing: Object) -> str:
    """Keep what the object already asked for."""
    if _FOREGROUND in _finalizers(thing):
        return "Foreground"
    return "Orphan" if _ORPHAN in _finalizers(thing) else "Background"
