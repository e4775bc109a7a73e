"""One object of any kind: as text, and with its events, its owners and what it owns.

Invariant: an owner or an owned object is one of that uid, never one of that name; what the caller may not
read is told as missing, only the object itself must be readable.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

import msgspec

from maestro_cli.core.errors import MaestroError, NotFound
from maestro_cli.core.facts.cluster import ClusterEvent
from maestro_cli.core.facts.inspection import Description, ObjectCondition, OwnedObject, OwnerLink
from maestro_cli.core.facts.inventory import NodeLine, PodLine, WorkloadLine
from maestro_cli.core.refs import ObjectRef, ref_of
from maestro_cli.core.untrusted import Untrusted
from maestro_cli.sources.kube import objects
from maestro_cli.sources.kube.api_server import ApiServer
from maestro_cli.sources.kube.facts import event_facts, untrusted
from maestro_cli.sources.kube.inventory import METADATA_ONLY, Inventory, node_line, pod_line
from maestro_cli.sources.kube.kinds import Kinds
from maestro_cli.sources.kube.object_text import shown_document
from maestro_cli.sources.kube.owned import owned_by
from maestro_cli.sources.kube.paths import scoped
from maestro_cli.sources.kube.workload_lines import daemon_set_line, deployment_line, stateful_set_line

MOST_OWNERS = 8
MOST_ASKED = 16  # objects whose events are asked for one by one
_ONE_METADATA = METADATA_ONLY.replace("PartialObjectMetadataList", "PartialObjectMetadata")
# Conditions that are good news when they are true are most; of these True is bad news.
_BAD_WHEN_TRUE = ("Pressure", "Unavailable", "Failure", "Failed", "DisruptionTarget")
T = TypeVar("T")


class _Conditions(msgspec.Struct):
    conditions: list[objects.Condition] | None = None


class _Any(msgspec.Struct):
    """What every object may have."""

    metadata: objects.Meta
    kind: str = ""
    status: _Conditions | None = None


class Describing:
    """The objects of one cluster, one at a time; methods raise Unreachable, Refused and NotFound."""

    def __init__(self, api: ApiServer, inventory: Inventory) -> None:
        self._api, self._inventory, self._kinds = api, inventory, Kinds(api)

    def document(self, ref: ObjectRef) -> tuple[dict[str, Any], tuple[str, ...]]:
        """The object as it may be shown, and the dotted keys whose values are hidden."""
        return shown_document(self._api.get(self._kinds.path(ref), dict[str, Any]))

    def whole(self, ref: ObjectRef) -> dict[str, Any]:
        """The object as it is, with what was applied and its secrets: to be compared, never to be shown."""
        return self._api.get(self._kinds.path(ref), dict[str, Any])

    def describe(self, ref: ObjectRef, zone_of: Callable[[str], str]) -> Description:
        """The object with all that belongs to it; `zone_of` as in `Inventory.pods`."""
        body = self._api.get(self._kinds.path(ref), msgspec.Raw)
        found = self._api.decoded(body, _Any)
        meta, missing = found.metadata, list[str]()

        def tried(what: str, read: Callable[[], tuple[T, ...]]) -> tuple[T, ...]:
            try:
                return read()
            except MaestroError as error:
                missing.append(f"{what}: {error.what}" + (f": {error.why}" if error.why else ""))
                return ()

        owned = tried("what it owns", lambda: owned_by(self._api, self._inventory, ref, meta, body, zone_of))
        conditions = found.status.conditions if found.status is not None else None
        return Description(
            ref=ref,
            uid=meta.uid,
            created_at=meta.created_at,
            deleting_since=objects.utc(meta.deletion_timestamp),
            labels=untrusted(meta.labels),
            annotations=_notes(meta.annotations),
            line=self._line(ref.kind, body, zone_of),
            conditions=tuple(map(_condition, conditions or ())),
            owners=tuple(self._owners(ref, meta)),
            owned=owned,
            events=tried("events", lambda: self._events(ref, meta.uid, owned)),
            missing=tuple(missing),
        )

    def _line(
        self, kind: str, body: msgspec.Raw, zone_of: Callable[[str], str]
    ) -> PodLine | NodeLine | WorkloadLine | None:
        decoded = self._api.decoded
        match kind:
            case "Pod":
                return pod_line(decoded(body, objects.PodObject), zone_of)
            case "Node":
                return node_line(decoded(body, objects.NodeObject))
            case "Deployment":
                return deployment_line(decoded(body, objects.Deployment))
            case "StatefulSet":
                return stateful_set_line(decoded(body, objects.StatefulSet))
            case "DaemonSet":
                return daemon_set_line(decoded(body, objects.DaemonSet))
        return None

    def _owners(self, ref: ObjectRef, meta: objects.Meta) -> Iterator[OwnerLink]:
        """Its controller, that one's controller, and so on, as far as they are there."""
        for _ in range(MOST_OWNERS):
            owner = meta.controller or next(iter(meta.owner_references or ()), None)
            if owner is None:
                return
            above = ref_of(owner.kind, ref.namespace, owner.name)
            try:
                if not self._kinds.place(owner.kind).is_namespaced:
                    above = ObjectRef(owner.kind, "", owner.name)
                meta = self._api.get(self._kinds.path(above), _Any, accept=_ONE_METADATA).metadata
            except MaestroError as error:
                yield OwnerLink(above, owner.uid, "gone" if isinstance(error, NotFound) else "unknown")
                return
            is_same = meta.uid == owner.uid
            yield OwnerLink(above, owner.uid, "there" if is_same else "gone")
            if not is_same:
                return

    def _events(self, ref: ObjectRef, uid: str, owned: tuple[OwnedObject, ...]) -> tuple[ClusterEvent, ...]:
        """Its own, and those of what belongs to a workload, oldest first.

        Of a few objects the cluster is asked for the events of each, since a namespace may have any number.
        """
        path = scoped("/api/v1", ref.namespace or None, "events")
        about = {uid: ref, **(dict(_owned(owned)) if ref.namespace else {})}
        uids = {*about, *([ref.name] if not ref.namespace else [])}  # kubelets tell of their node by its name
        if len(about) > MOST_ASKED:
            found = self._api.gather(path, objects.EventObject, _event)
        else:
            found = [one for each in about.values() for one in self._events_of(path, each)]
        events = {
            event.uid or event.name: event for involved, event in found if involved in uids or not involved
        }
        return tuple(sorted(events.values(), key=lambda one: (one.last_seen_at, one.name)))

    def _events_of(self, path: str, ref: ObjectRef) -> Sequence[tuple[str, ClusterEvent]]:
        fields = f"involvedObject.kind={ref.kind},involvedObject.name={ref.name}"
        return self._api.gather(path, objects.EventObject, _event, {"fieldSelector": fields})


def _owned(owned: tuple[OwnedObject, ...]) -> Iterator[tuple[str, ObjectRef]]:
    for one in owned:
        yield one.uid, one.ref
        yield from _owned(one.owned)


def _event(event: objects.EventObject) -> tuple[str, ClusterEvent]:
    return event.involved_object.uid, event_facts(event)


def _notes(annotations: Mapping[str, str] | None) -> dict[str, str]:
    """Annotations as they may be shown."""
    shown, _ = shown_document({"metadata": {"annotations": dict(annotations or {})}})
    return untrusted(shown["metadata"]["annotations"])


def _condition(condition: objects.Condition) -> ObjectCondition:
    is_bad_news = any(word in condition.type for word in _BAD_WHEN_TRUE)
    is_good = condition.status == ("False" if is_bad_news else "True")
    is_unsure = condition.status == "Unknown" and condition.type != "Ready"
    return ObjectCondition(
        type=Untrusted(condition.type),
        status=Untrusted(condition.status),
        health="good" if is_good else "warn" if is_unsure else "bad",
        reason=Untrusted(condition.reason or ""),
        message=Untrusted(condition.message or ""),
        changed_at=objects.utc(condition.last_transition_time),
    )
