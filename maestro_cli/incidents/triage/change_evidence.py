"""Evidence of what people changed: maestro's own changes, and edits of configuration by anybody.

Invariant: of Secrets there are names and times alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from maestro_cli.core.canonical import plain
from maestro_cli.core.clock import to_rfc3339
from maestro_cli.core.quantities import counted
from maestro_cli.incidents.triage.configuration import ConfigEdit
from maestro_cli.incidents.triage.model import Evidence
from maestro_cli.incidents.triage.page import Outcome, Page
from maestro_cli.incidents.triage.past import told

MAX_EDITS = 50


class ChangeEvidence(Page):
    """Who changed what."""

    def _changes(self, first: Mapping[str, Outcome]) -> Evidence:
        outcome, title = first.get("changes"), "Changes by maestro"
        query = f"changes applied since {to_rfc3339(self._start)}"
        if outcome is None:
            return self._nothing("changes", title, "journal", "there is no journal to ask")
        if outcome.error:
            return self._nothing("changes", title, "journal", outcome.error, query)
        found = [told(change) for change in outcome.value]
        summary = f"{counted(len(found), 'change')} since {to_rfc3339(self._start)}"
        if found:
            summary += f", the last: {found[0].summary} by {found[0].actor} at {to_rfc3339(found[0].at)}"
        runs = first["runs"].value or () if "runs" in first else ()
        summary += f"; {counted(len(runs), 'run')} of runbooks" if runs else ""
        facts = {"changes": [plain(one) for one in found], "runs": [plain(one) for one in runs]}
        return self._made("changes", title, query, "journal", summary, facts, outcome.seconds)

    def _config(self, first: Mapping[str, Outcome], second: Mapping[str, Outcome]) -> Evidence:
        title = "Edits of what the workload uses"
        outcome = self._cluster_outcome(first, "written", "config", title)
        if isinstance(outcome, Evidence):
            return outcome
        unread = [*outcome.value.unread, *_unread(second)]
        edits = self._case.edits
        facts: dict[str, Any] = {
            "uses": {use.subject: use.words for use in self._case.uses},
            "edits": [plain(edit) for edit in edits[:MAX_EDITS]],
            "unread": unread,
        }
        routing = self._case.routing
        if routing is not None:
            named = sorted(f"{model} {version}" for model, version in routing.versions)
            facts["routing"] = {"document": routing.subject, "names": named}
        if edits:
            summary = f"{counted(len(edits), 'edit')}, the last of {_words(edits[0])}"
        else:
            used = counted(len(self._case.uses), "object")
            summary = f"no edit of {used} is known since {to_rfc3339(self._start)}"
        summary += f"; {len(unread)} could not be read" if unread else ""
        query = f"metadata of config maps, secrets, services and autoscalers, since {to_rfc3339(self._start)}"
        return self._made("config", title, query, "cluster", summary, facts, outcome.seconds)


def _words(edit: ConfigEdit) -> str:
    who = f" by {edit.by}" if edit.by else ""
    return f"{edit.subject}{who} at {to_rfc3339(edit.at)}"


def _unread(second: Mapping[str, Outcome]) -> list[str]:
    asked = {name: item for name, item in second.items() if name.startswith("config ")}
    found = [f"{name.removeprefix('config ')}: {item.error}" for name, item in asked.items() if item.error]
    versions = second.get("versions")
    return [*found, *([f"metrics: {versions.error}"] if versions is not None and versions.error else [])]
