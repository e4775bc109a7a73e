"""Adopting and releasing: who controls what a selector matches; pods made and deleted for their owner.

Invariant: an object has one controller at most; only an orphan is adopted, only one's own is
released, and nothing is adopted by an owner that is being deleted.
"""

from __future__ import annotations

from collections.abc import Sequence

from maestro_cli.local.api import PODS, ApiError, Resource
from maestro_cli.local.controllers.queue import WorkQueue
from maestro_cli.local.controllers.world import NAMESPACE, OWNER, World
from maestro_cli.local.informer import Informer
from maestro_cli.local.objects import (
    Object,
    controller_of,
    controller_reference,
    is_deleting,
    key_of,
    labels_of,
    metadata,
    name_of,
    namespace_of,
    selector_matches,
    uid_of,
)
from maestro_cli.local.recorder import EventRecorder


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


def tell_owners(world: World, owners: Informer, queue: WorkQueue) -> None:
    """Queue an owner of this kind when it changes, when a pod of its does, and when an orphan may be its."""

    def changed(old: Object | None, new: Object | None) -> None:
        for pod in (old, new):
            owner = controller_of(pod) if pod is not None else None
            if pod is None or (owner is None and is_deleting(pod)):
                continue
            if owner is not None:
                if owner.get("kind") == owners.resource.kind:
                    queue.add(f"{namespace_of(pod)}/{owner['name']}")
                continue
            for one in owners.by(NAMESPACE, namespace_of(pod)):
                if selector_matches(one["spec"].get("selector"), labels_of(pod)):
                    queue.add(key_of(one))

    owners.subscribe(lambda old, new: queue.add(key_of(new or old or {})))
    world.pods.subscribe(changed)


async def create_pod(
    world: World, recorder: EventRecorder, owner: Object, finalizers: Sequence[str] = ()
) -> Object:
    """A pod of the owner's template, which the owner controls. Raises ApiError, which an event tells too."""
    template = owner["spec"]["template"]
    kept = {name: value for name, value in metadata(template).items() if name == "annotations"}
    held = [*(metadata(template).get("finalizers") or ()), *finalizers]
    meta = kept | ({"finalizers": held} if held else {})
    meta |= {
        "generateName": f"{name_of(owner)}-",
        "namespace": namespace_of(owner),
        "labels": labels_of(template),
        "ownerReferences": [controller_reference(owner)],
    }
    try:
        pod = await world.create(PODS, {"metadata": meta, "spec": template["spec"]}, namespace_of(owner))
    except ApiError as refused:
        recorder.record(owner, "FailedCreate", f"Error creating: {refused.what}", warning=True)
        raise
    recorder.record(owner, "SuccessfulCreate", f"Created pod: {name_of(pod)}")
    return pod


async def delete_pod(world: World, recorder: EventRecorder, owner: Object, pod: Object) -> None:
    """Delete a pod its owner does not want any more."""
    await world.delete(PODS, pod)
    recorder.record(owner, "SuccessfulDelete", f"Deleted pod: {name_of(pod)}")
