"""Which request a URL is.

Invariant: a path names a kind of the table, one of the reviews, or nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

from maestro_cli.local.cluster.kinds import BY_PATH, REVIEWS, Kind
from maestro_cli.local.cluster.status import Names

_REVIEWS = {(one.group, one.plural): one.names for one in REVIEWS}


@dataclass(frozen=True, slots=True)
class Route:
    """A resource path: kind, and as far as it is given namespace, name and subresource."""

    kind: Kind
    namespace: str = ""
    name: str = ""
    subresource: str = ""


@dataclass(frozen=True, slots=True)
class Review:
    """A path to which a question is posted."""

    names: Names


def resolve(path: str) -> Route | Review | None:
    """The resource a path names, or None."""
    parts = path.strip("/").split("/")
    if parts[0] == "api" and len(parts) > 2:
        group, version, rest = "", parts[1], parts[2:]
    elif parts[0] == "apis" and len(parts) > 3:
        group, version, rest = parts[1], parts[2], parts[3:]
    else:
        return None
    if version == "v1" and len(rest) == 1 and (group, rest[0]) in _REVIEWS:
        return Review(_REVIEWS[group, rest[0]])
    if "" in rest:
        return None
    namespace = ""
    if rest[0] == "namespaces" and len(rest) > 2 and (group, version, rest[2]) in BY_PATH:
        namespace, rest = rest[1], rest[2:]
    kind = BY_PATH.get((group, version, rest[0]))
    if kind is None or len(rest) > 3 or (bool(namespace) and not kind.namespaced):
        return None
    if len(rest) > 1 and kind.namespaced and not namespace:
        return None
    name, subresource = ([*rest[1:], "", ""])[:2]
    return Route(kind, namespace, name, subresource)
