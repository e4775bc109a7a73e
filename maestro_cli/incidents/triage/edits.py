"""Reading who edited what the workload uses, and what became of it.

Invariant: asks for no more than `MAX_READ` config maps, and never for a Secret's content.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from itertools import pairwise
from typing import Any

from maestro_cli.changes.model import Change
from maestro_cli.core.facts.cluster import ConfigMap, Workload
from maestro_cli.core.facts.edits import WrittenObjects
from maestro_cli.incidents.ports import Cluster
from maestro_cli.incidents.triage.configuration import (
    MAX_READ,
    ConfigEdit,
    Routing,
    Use,
    edits_of,
    routing_of,
    uses_of,
)
from maestro_cli.incidents.triage.measure import Telemetry
from maestro_cli.incidents.triage.past import changes_since_known, edits_by_changes
from maestro_cli.incidents.triage.rounds import Outcome, Round

_SERVE = "--serve"
Outcomes = Mapping[str, Outcome[Any]]


class Edits:
    """What one workload uses, and the collectors that ask about it."""

    def __init__(self, first: Outcomes, target: Workload | None, start: datetime) -> None:
        self._start = start
        written: WrittenObjects | None = first["written"].value if "written" in first else None
        self._objects = written.objects if written is not None else ()
        self._changes: tuple[Change, ...] = (first["changes"].value or ()) if "changes" in first else ()
        self.uses: tuple[Use, ...] = uses_of(target, self._objects) if target is not None else ()
        self.declared = declared_versions(target.template) if target is not None else frozenset()

    def add_to(
        self, turn: Round, cluster: Cluster | None, telemetry: Telemetry | None, now: datetime, step: float
    ) -> None:
        """Ask for the content of the config maps, and for the versions that the metrics saw."""
        configs = [use for use in self.uses if use.ref.kind == "ConfigMap"]
        if cluster is not None:
            for use in configs[:MAX_READ]:
                turn.add(f"config {use.subject}", _config(cluster, use))
        if telemetry is not None and self.uses:
            names = {use.subject: use.ref for use in self.uses}
            turn.add("versions", lambda: telemetry.read_versions(names, self._start, now, step))

    def facts(self, second: Outcomes) -> tuple[tuple[ConfigEdit, ...], Routing | None]:
        """The edits, newest first, with what they changed where that is known; and the routing."""
        configs: list[ConfigMap] = [
            item.value for name, item in second.items() if name.startswith("config ") and item.value
        ]
        versions = (second["versions"].value or {}) if "versions" in second else {}
        edits = edits_of(self.uses, self._objects, versions, edits_by_changes(self._changes), self._start)
        routing = routing_of(configs)
        differ = {f"configmap {one.namespace}/{one.name}": one for one in configs}
        told = []
        for edit in edits:
            config = differ.pop(edit.subject, None)  # the newest edit of each object alone
            if config is not None and not edit.changes:
                edit = replace(edit, changes=changes_since_known(config, self._changes))
            is_routing = edit.routing or (routing is not None and edit.subject == routing.subject)
            told.append(replace(edit, routing=is_routing))
        return tuple(told), routing


def _config(cluster: Cluster, use: Use) -> Callable[[], ConfigMap]:
    return lambda: cluster.get_config_map(use.ref.namespace, use.ref.name)


def declared_versions(template: Mapping[str, Any]) -> frozenset[tuple[str, int]]:
    """The model versions that the arguments of a template name, `--serve MODEL=VERSION`."""
    found = set()
    containers = (template.get("spec") or {}).get("containers") or ()
    for container in containers:
        for option, value in pairwise(container.get("args") or ()):
            model, _, version = str(value).partition("=")
            if option == _SERVE and version.isascii() and version.isdigit():
                found.add((model, int(version[:9])))
    return frozenset(found)
