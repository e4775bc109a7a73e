"""The containers of a pod template. Invariant: a container is always named, never "all of them"."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from maestro_cli.core.errors import NotFound, UsageError
from maestro_cli.core.facts.cluster import Workload
from maestro_cli.core.untrusted import visible


def containers_of(template: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The containers of a template, init containers last, as `kubectl set` takes them."""
    spec = template.get("spec") or {}
    found = [*(spec.get("containers") or ()), *(spec.get("initContainers") or ())]
    return [item for item in found if isinstance(item, Mapping) and item.get("name")]


def container_named(workload: Workload, name: str) -> Mapping[str, Any]:
    """That container; raises NotFound."""
    for container in containers_of(workload.template):
        if container["name"] == name:
            return container
    raise NotFound(
        f"{workload.ref} has no container {visible(name, 60)!r}", why=f"it has: {names_of(workload)}"
    )


def only_container(workload: Workload, *, fix: str) -> str:
    """The name of the workload's one container; raises UsageError when there are several."""
    names = [str(container["name"]) for container in containers_of(workload.template)]
    if len(names) != 1:
        raise UsageError(
            f"{workload.ref} has {len(names) or 'no'} containers: say which",
            why=f"it has: {names_of(workload)}",
            fix=fix,
        )
    return names[0]


def names_of(workload: Workload) -> str:
    return ", ".join(str(container["name"]) for container in containers_of(workload.template)) or "none"


def with_container(template: Mapping[str, Any], name: str, changes: Mapping[str, Any]) -> Mapping[str, Any]:
    """The template with these fields of one container replaced."""
    spec = dict(template["spec"])
    for place in ("containers", "initContainers"):
        if spec.get(place):
            spec[place] = [
                {**container, **changes} if container.get("name") == name else container
                for container in spec[place]
            ]
    return {**template, "spec": spec}
