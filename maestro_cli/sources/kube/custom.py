"""Custom resources as plain JSON, of any group that a cluster serves. Invariant: a deletion is by uid."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from maestro_cli.core.errors import NotFound, Refused
from maestro_cli.sources.kube.api_server import ApiServer
from maestro_cli.sources.kube.paths import scoped, segment

MERGE_PATCH = "application/merge-patch+json"


class CustomResources:
    """`group_version` is as in `apiVersion`, `plural` the name of the resource in paths."""

    def __init__(self, api: ApiServer) -> None:
        self._api = api

    def served(self, group_version: str) -> frozenset[str] | None:
        """The resources that there are, by their plural; None where that may not be asked."""
        try:
            found = self._api.get(f"/apis/{group_version}", dict[str, Any])
        except NotFound:
            return frozenset()
        except Refused:
            return None
        return frozenset(str(one.get("name")) for one in found.get("resources") or ())

    def get(self, group_version: str, plural: str, namespace: str, name: str) -> Mapping[str, Any]:
        """Raises NotFound, Unreachable and Refused."""
        return self._api.get(_path(group_version, plural, namespace, name), dict[str, Any])

    def list(
        self, group_version: str, plural: str, namespace: str | None, *, selector: str = ""
    ) -> Sequence[Mapping[str, Any]]:
        """Those of a namespace, or of all (None); raises as `get`."""
        params: dict[str, str | int] = {"labelSelector": selector} if selector else {}
        path = f"/apis/{scoped(group_version, namespace, plural)}"
        return self._api.items(path, dict[str, Any], params)

    def create(self, plural: str, document: Mapping[str, Any], *, dry_run: bool = False) -> Mapping[str, Any]:
        """Raises InvalidObject where the cluster finds it wrong, ActionFailed where it is there already."""
        path = scoped(document["apiVersion"], document["metadata"]["namespace"], plural)
        return self._api.create(f"/apis/{path}", document, dict[str, Any], dry_run=dry_run)

    def delete(
        self, group_version: str, plural: str, namespace: str, name: str, *, uid: str, dry_run: bool = False
    ) -> None:
        """What it owns is deleted in the background. Raises StalePlan when another has that name."""
        options = {
            "apiVersion": "v1",
            "kind": "DeleteOptions",
            "preconditions": {"uid": uid},
            "propagationPolicy": "Background",
        }
        path = _path(group_version, plural, namespace, name)
        self._api.delete(path, options, dict[str, Any], dry_run=dry_run)

    def annotate(
        self, group_version: str, plural: str, namespace: str, name: str,
        annotations: Mapping[str, str | None], *, uid: str, dry_run: bool = False,
    ) -> Mapping[str, Any]:  # fmt: skip
        """Set annotations, or remove them where None, of the one with that uid; raises StalePlan."""
        patch = {"metadata": {"uid": uid, "annotations": dict(annotations)}}
        path = _path(group_version, plural, namespace, name)
        return self._api.patch(path, MERGE_PATCH, patch, dict[str, Any], dry_run=dry_run)


def _path(group_version: str, plural: str, namespace: str, name: str) -> str:
    return f"/apis/{scoped(group_version, namespace, plural)}/{segment(name)}"
