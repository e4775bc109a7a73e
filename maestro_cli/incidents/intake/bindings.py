"""What playbooks say of signals before there is an incident: which belong together, and its title.

Invariant: pure; without a playbook that says otherwise, signals belong together by their workload. How many
fire is counted in what the sender holds now, so that nothing has to be remembered of those that open nothing.
"""

from __future__ import annotations

import urllib.parse
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from maestro_cli.core.facts.alerts import Alert
from maestro_cli.incidents.intake.correlation import capped, incident_key, key_part, title_of
from maestro_cli.runbooks.playbooks.matching import match_alert
from maestro_cli.runbooks.playbooks.model import Playbook

MAX_KNOWN = 2000  # alerts of which the playbook is remembered


class Bindings:
    """The playbooks that a detector knows."""

    def __init__(self, playbooks: Sequence[Playbook] = ()) -> None:
        self._playbooks = tuple(one for one in playbooks if one.alerts)
        self._known: dict[frozenset[tuple[str, str]], Playbook | None] = {}  # by labels; each is asked often

    def playbook(self, labels: Mapping[str, str]) -> Playbook | None:
        """The playbook that a firing alert with these labels chooses."""
        if not self._playbooks:
            return None
        asked = frozenset(labels.items())
        if asked not in self._known:
            if len(self._known) >= MAX_KNOWN:
                self._known.clear()
            self._known[asked] = match_alert(self._playbooks, labels, firing=True).playbook
        return self._known[asked]

    def key(self, labels: Mapping[str, str]) -> str:
        """The key that signals of one incident share."""
        found = self.playbook(labels)
        if found is None or found.correlation is None:
            return incident_key(labels)
        parts = (key_part(labels.get(label, "")) for label in found.correlation.group_by)
        return "/".join(("playbook", urllib.parse.quote(found.id, safe=""), *parts))

    def title(self, alert: Alert) -> str:
        found = self.playbook(alert.labels)
        if found is None or not found.incident_title:
            return title_of(alert)
        return capped(found.title_for(alert.labels), 200)

    def roles(self, labels: Mapping[str, str]) -> Mapping[str, str]:
        found = self.playbook(labels)
        return {} if found is None else found.roles

    def too_few(self, firing: Sequence[Alert]) -> Mapping[str, str]:
        """Of signals that fire, the keys of those that open no incident yet, each with the reason."""
        if not any(map(_waits, self._playbooks)):
            return {}
        groups: dict[str, list[Alert]] = defaultdict(list)
        waiting: dict[str, Playbook] = {}
        for alert in firing:
            found = self.playbook(alert.labels)
            if found is not None and _waits(found):
                key = self.key(alert.labels)
                groups[key].append(alert)
                waiting[key] = found
        return {
            key: f"fewer signals than playbook {found.id} waits for"
            for key, found in waiting.items()
            if not _are_enough([one.starts_at for one in groups[key]], found)
        }


def _waits(playbook: Playbook) -> bool:
    """Whether it takes more than one signal to open an incident."""
    return playbook.correlation is not None and playbook.correlation.threshold > 1


def _are_enough(starts: Sequence[datetime], playbook: Playbook) -> bool:
    """Whether so many began within the window of one another."""
    correlation = playbook.correlation
    assert correlation is not None  # callers have asked
    window, count = timedelta(seconds=correlation.window_seconds), correlation.threshold
    ordered = sorted(starts)
    return any(last - first <= window for first, last in zip(ordered, ordered[count - 1 :], strict=False))
