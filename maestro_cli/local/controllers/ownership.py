"""Adopting and releasing: who controls what a selector matches.

Invariant: an object has one controller at most; only an orphan is adopted, only one's own is
released, and nothing is adopted by an owner that is being deleted.
"""

from __future__ import annotations

from collections.abc import Sequence

from maestro_cli.local.api import ApiError, Resource
from maestro_cli.local.controllers.world import NAMESPACE, OWNER, World
from maestro_cli.local.objects import (
    Object,
    controller_of,
    controller_reference,
    is_deleting,
    labels_of,
    metadata,
    namespace_of,
    selector_matches,
    uid_of,
)


async def claim(world: World, owner: Object, resource: Resource) -> list[Object]:
    """The objects the owner controls, after adopting matching orphans and releasing strangers."""
    informer = world.informers[resource.kind]
    selector = owner["spec"].get("selector")
    mine: list[Object] = []
    for thing in informer.by(OWNER, uid_of(owner)):
        controller = controller_of(thing)
        if controller is None or controller.get("uid") != uid_of(owner):
            continue
        if is_deleting(owner) or selector_matches(selector, labels_of(thing)):
            mine.append(thing)
        else:
            await _set_owners(world, resource, thing, _without(thing, uid_of(owner)))
    if is_deleting(owner):
        return mine
    for thing in informer.by(NAMESPACE, namespace_of(owner)):
        if controller_of(thing) is None and not is_deleting(thing):
            if not selector_matches(selector, labels_of(thing)):
                continue
            owners = [*(metadata(thing).get("ownerReferences") or ()), controller_reference(owner)]
            adopted = await _set_owners(world, resource, thing, owners)
            if adopted is not None:
                mine.append(adopted)
    return mine


def _without(thing: Object, uid: str) -> list[Object]:
    return [entry for entry in metadata(thing).get("ownerReferences") or () if entry.get("uid") != uid]


async def _set_owners(
    world: World, resource: Resource, thing: Object, owners: Sequence[Object]
) -> Object | None:
    patch = {
        "metadata": {
            "ownerReferences": list(owners) or None,
            "resourceVersion": metadata(thing).get("resourceVersion"),
        }
    }
    try:
        return await world.patch(resource, thing, patch)
    except ApiError as refused:
        if refused.is_not_found:
            return None
        raise
