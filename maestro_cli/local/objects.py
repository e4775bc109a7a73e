"""Reading Kubernetes objects as plain JSON.

Invariant: nothing here changes an object; a missing field reads as its Kubernetes default.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

Object = dict[str, Any]
_INTEGER = re.compile(r"[+-]?[0-9]{1,19}")


def metadata(thing: Object) -> Object:
    """The metadata of an object, or an empty dict."""
    found = thing.get("metadata")
    return found if isinstance(found, dict) else {}


def name_of(thing: Object) -> str:
    return str(metadata(thing).get("name", ""))


def namespace_of(thing: Object) -> str:
    return str(metadata(thing).get("namespace", ""))


def uid_of(thing: Object) -> str:
    return str(metadata(thing).get("uid", ""))


def key_of(thing: Object) -> str:
    """`namespace/name`, or `name` for what belongs to no namespace."""
    namespace = namespace_of(thing)
    return f"{namespace}/{name_of(thing)}" if namespace else name_of(thing)


def split_key(key: str) -> tuple[str, str]:
    """The (namespace, name) behind a key; namespace is "" for cluster-wide objects."""
    namespace, slash, name = key.partition("/")
    return (namespace, name) if slash else ("", key)


def labels_of(thing: Object) -> dict[str, str]:
    return metadata(thing).get("labels") or {}


def annotations_of(thing: Object) -> dict[str, str]:
    return metadata(thing).get("annotations") or {}


def is_deleting(thing: Object) -> bool:
    return metadata(thing).get("deletionTimestamp") is not None


def controller_of(thing: Object) -> Object | None:
    """The owner reference that has `controller: true`, if any."""
    for reference in metadata(thing).get("ownerReferences") or ():
        if reference.get("controller"):
            return dict(reference)
    return None


def controller_reference(owner: Object) -> Object:
    """The owner reference that makes `owner` the controller of something."""
    return {
        "apiVersion": owner["apiVersion"],
        "kind": owner["kind"],
        "name": name_of(owner),
        "uid": uid_of(owner),
        "controller": True,
        "blockOwnerDeletion": True,
    }


def condition(thing: Object, kind: str) -> Object | None:
    """The status condition of that type, or None."""
    for entry in (thing.get("status") or {}).get("conditions") or ():
        if entry.get("type") == kind:
            return dict(entry)
    return None


def condition_is_true(thing: Object, kind: str) -> bool:
    found = condition(thing, kind)
    return found is not None and found.get("status") == "True"


def pod_phase(pod: Object) -> str:
    return str((pod.get("status") or {}).get("phase") or "Pending")


def pod_is_active(pod: Object) -> bool:
    """Counts for its controller: not finished and not being deleted."""
    return not is_deleting(pod) and pod_phase(pod) not in {"Succeeded", "Failed"}


def pod_is_ready(pod: Object) -> bool:
    return condition_is_true(pod, "Ready")


def pod_is_available(pod: Object, min_ready_seconds: int, now: datetime) -> bool:
    """Ready for at least `min_ready_seconds`."""
    found = condition(pod, "Ready")
    if found is None or found.get("status") != "True":
        return False
    since = parse_time(found.get("lastTransitionTime"))
    return min_ready_seconds == 0 or (
        since is not None and (now - since).total_seconds() >= min_ready_seconds
    )


def selector_matches(selector: Mapping[str, Any] | None, labels: Mapping[str, str]) -> bool:
    """Whether a LabelSelector matches; None matches nothing, an empty one everything."""
    if selector is None:
        return False
    wanted = selector.get("matchLabels") or {}
    if any(labels.get(name) != value for name, value in wanted.items()):
        return False
    return all(requirement_holds(entry, labels) for entry in selector.get("matchExpressions") or ())


def requirement_holds(requirement: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """One `matchExpressions` entry: In, NotIn, Exists, DoesNotExist (and Gt, Lt of node affinity)."""
    name, values = requirement.get("key", ""), requirement.get("values") or []
    value = labels.get(name)
    match requirement.get("operator"):
        case "In":
            return value in values
        case "NotIn":
            return value not in values
        case "Exists":
            return value is not None
        case "DoesNotExist":
            return value is None
        case "Gt":
            return _difference(value, values) > 0
        case "Lt":
            return _difference(value, values) < 0
    return False


def _difference(value: str | None, values: Sequence[str]) -> int:
    """By how much a label is greater than the one value; nothing when either is no whole number."""
    if value is None or len(values) != 1:
        return 0
    if not (_INTEGER.fullmatch(value) and _INTEGER.fullmatch(values[0])):
        return 0
    return int(value) - int(values[0])


def labels_match(wanted: Mapping[str, str], labels: Mapping[str, str]) -> bool:
    """A Service-style selector: every pair present; an empty one matches nothing."""
    return bool(wanted) and all(labels.get(name) == value for name, value in wanted.items())


def timestamp(now: datetime) -> str:
    """RFC 3339 with whole seconds: metav1.Time."""
    return now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def micro_timestamp(now: datetime) -> str:
    """RFC 3339 with six digits: metav1.MicroTime."""
    return now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def parse_time(text: Any) -> datetime | None:
    """The instant behind a metav1.Time or MicroTime, or None when absent or unreadable."""
    if not isinstance(text, str):
        return None
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except ValueError:
        return None


def pruned(value: Any) -> Any:
    """The value without nulls, empty maps and empty lists: Go's semantic equality for templates."""
    if isinstance(value, dict):
        slim = {name: pruned(item) for name, item in value.items()}
        return {name: item for name, item in slim.items() if item is not None and item not in ({}, [])}
    if isinstance(value, list):
        return [pruned(item) for item in value]
    return value


def set_condition(conditions: Iterable[Object], new: Object) -> list[Object]:
    """The list with `new` in place of the condition of its type.

    `lastTransitionTime` stays when the status did not change; nothing changes when status, reason
    and message are the same.
    """
    result: list[Object] = []
    placed = False
    for old in conditions:
        if old.get("type") != new["type"]:
            result.append(old)
            continue
        placed = True
        if old.get("status") == new["status"]:
            new = {**new, "lastTransitionTime": old.get("lastTransitionTime", new["lastTransitionTime"])}
            same = all(old.get(name) == new.get(name) for name in ("reason", "message"))
            if same:
                new = old
        result.append(new)
    return result if placed else [*result, new]
