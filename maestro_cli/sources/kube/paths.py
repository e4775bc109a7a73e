"""REST paths. Invariant: a name is one path segment, so that no name can reach another object."""

from __future__ import annotations

from urllib.parse import quote

from maestro_cli.core.errors import UsageError


def scoped(group_version: str, namespace: str | None, resource: str) -> str:
    """The path of a list: of one namespace, or of all (None)."""
    if namespace is None:
        return f"{group_version}/{resource}"
    return f"{group_version}/namespaces/{segment(namespace)}/{resource}"


def segment(name: str) -> str:
    """A name as a path segment; raises UsageError for one that is none."""
    if name in ("", ".", ".."):
        raise UsageError(f"{name!r} is not a Kubernetes name")
    return quote(name, safe="")
