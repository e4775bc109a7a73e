"""The one JSON patch of a change.

Invariant: it tests the uid and the resourceVersion that the caller planned with, and leaves alone every
annotation that it does not name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from maestro_cli.core.errors import StalePlan
from maestro_cli.core.refs import ObjectRef
from maestro_cli.sources.kube.api_server import JSON_PATCH, ApiServer, InvalidObject
from maestro_cli.sources.kube.objects import Meta


class Described(Protocol):
    metadata: Meta


M = TypeVar("M", bound=Described)
Operation = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Precondition:
    """The very object, unchanged since it was read."""

    ref: ObjectRef
    uid: str
    resource_version: str

    def check(self, current: Meta) -> None:
        """Raises StalePlan when it is not so."""
        if current.uid != self.uid:
            raise StalePlan(
                f"{self.ref} is another object than the one that was planned for",
                why=f"uid {current.uid}, planned {self.uid}",
                fix="plan again",
            )
        if current.resource_version != self.resource_version:
            raise StalePlan(
                f"{self.ref} changed since the plan was made",
                why=f"resourceVersion {current.resource_version}, planned {self.resource_version}",
                fix="plan again",
            )


def patched(
    api: ApiServer, path: str, expected: Precondition, parts: Mapping[str, Any],
    annotations: Mapping[str, str | None], kind: type[M], *, dry_run: bool,
    within: str = "/spec/",
) -> M:  # fmt: skip
    """Replace parts of an object and annotations where the precondition holds, and give what became of it."""
    current = api.get(path, kind).metadata
    expected.check(current)
    patch = marked_patch(expected, parts, current.annotations or {}, annotations, within)
    try:
        return api.patch(path, JSON_PATCH, patch, kind, dry_run=dry_run)
    except InvalidObject:
        # A failed `test` is 422 too, and does not say so.
        expected.check(api.get(path, kind).metadata)
        raise


def marked_patch(
    expected: Precondition, parts: Mapping[str, Any], current: Mapping[str, str],
    wanted: Mapping[str, str | None], within: str = "/spec/",
) -> Sequence[Operation]:  # fmt: skip
    """Replace these parts of the object, of its spec or `within`; set annotations, or remove them when None.

    `add` replaces what is there, and a part may not be there, as `paused` while it is false.
    """
    return [
        {"op": "test", "path": "/metadata/uid", "value": expected.uid},
        {"op": "test", "path": "/metadata/resourceVersion", "value": expected.resource_version},
        *({"op": "add", "path": f"{within}{name}", "value": parts[name]} for name in sorted(parts)),
        *_annotations(current, wanted),
    ]


def _annotations(current: Mapping[str, str], wanted: Mapping[str, str | None]) -> Sequence[Operation]:
    operations: list[Operation] = []
    if not current and any(value is not None for value in wanted.values()):
        operations.append({"op": "add", "path": "/metadata/annotations", "value": {}})
    for name, value in sorted(wanted.items()):
        path = "/metadata/annotations/" + name.replace("~", "~0").replace("/", "~1")
        if value is not None:
            operations.append({"op": "add", "path": path, "value": value})
        elif name in current:
            operations.append({"op": "remove", "path": path})
    return operations
