"""The Helm releases of one cluster.

Invariant: read from the cluster itself, with the access that maestro has; only Helm writes them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from maestro_cli.config.settings import ClusterEndpoint
from maestro_cli.core.errors import MaestroError, NotFound
from maestro_cli.core.facts.releases import Release
from maestro_cli.core.refs import ObjectRef
from maestro_cli.sources.helm import program
from maestro_cli.sources.helm.stored import release_of
from maestro_cli.sources.kube.paths import scoped

MAX_REVISIONS = 32  # Helm keeps ten unless it is told otherwise


class Objects(Protocol):
    """What is asked of a cluster."""

    def get_object(self, path: str, params: Mapping[str, str | int] | None = None) -> dict[str, Any]: ...


class HelmReleases:
    """Methods raise Unreachable, Refused and InvalidFile besides what they say."""

    def __init__(self, objects: Objects, endpoint: ClusterEndpoint) -> None:
        self._objects = objects
        self._endpoint = endpoint

    def history(self, ref: ObjectRef) -> tuple[Release, ...]:
        """Its newest revisions, oldest first; raises NotFound when Helm has none of that name."""
        path = scoped("/api/v1", ref.namespace, "secrets")
        found = self._objects.get_object(path, {"labelSelector": f"owner=helm,name={ref.name}"})
        secrets = sorted(found.get("items") or (), key=_number, reverse=True)
        releases = [release_of(secret, ref) for secret in secrets[:MAX_REVISIONS]]
        if not releases:
            raise NotFound(
                f"there is no Helm release {ref.name!r} in namespace {ref.namespace}",
                why="no Secret has the labels owner=helm and that name",
                fix=f"helm list --all --namespace {ref.namespace}",
            )
        return tuple(sorted(releases, key=lambda one: one.revision))

    def has_program(self) -> bool:
        """Whether `helm` is on the path."""
        return bool(program.find_program())

    def roll_back(self, ref: ObjectRef, revision: int, *, seconds: float, dry_run: bool = False) -> None:
        """Have Helm begin to go back to a revision, waiting at most so long for what it installs.

        Raises ActionFailed when Helm does not, Unreachable without the program, OutcomeUnknown.
        """
        command = ["rollback", ref.name, str(revision), "--wait", "--timeout", f"{max(1, int(seconds))}s"]
        line = program.words(self._endpoint, *command, namespace=ref.namespace)
        if dry_run:
            program.run([*line, "--dry-run"])
            return
        history = self.history(ref)
        goal = [one.content for one in history if one.revision == revision]

        def has_begun() -> bool:
            try:
                newest = self.history(ref)[-1]
            except MaestroError:
                return False  # a look that failed tells nothing
            is_own = newest.description == f"Rollback to {revision}" or newest.content in goal
            return newest.revision > history[-1].revision and is_own

        program.begin(line, has_begun)


def _number(secret: Mapping[str, Any]) -> int:
    """The revision by its label; each is decoded only when it may be needed."""
    meta = secret.get("metadata") or {}
    text = str((meta.get("labels") or {}).get("version", ""))
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
