"""What playbooks and rules say of signals before there is an incident: which belong together, and its title.

Invariant: pure. The `correlation` of the playbook that a signal chooses comes first, then the first rule
that takes the signal; one mechanism counts for both. How many fire is counted in what the sender holds now,
so that nothing has to be remembered of those that open nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from maestro_cli.core.facts.alerts import Alert
from maestro_cli.incidents.intake.correlation import capped, start_of, title_of
from maestro_cli.incidents.intake.rules.model import FlapLimit, Rule, RuleBook, rule_of_playbook
from maestro_cli.runbooks.playbooks.matching import match_alert
from maestro_cli.runbooks.playbooks.model import Playbook
from maestro_cli.runbooks.playbooks.template import fill

MAX_KNOWN = 2000  # signals of which the playbook and the rule are remembered


@dataclass(frozen=True, slots=True)
class Bound:
    """What is known of a signal by its labels alone."""

    playbook: Playbook | None
    rule: Rule
    key: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """Signals of one key that are too few to open an incident."""

    rule: Rule
    signals: int

    @property
    def reason(self) -> str:
        named = self.rule.id if self.rule.is_of_playbook else f"rule {self.rule.id}"
        return f"fewer signals than {named} waits for"


class Bindings:
    """The playbooks and the rules that a detector knows."""

    def __init__(self, playbooks: Sequence[Playbook] = (), book: RuleBook = RuleBook()) -> None:
        self._playbooks = tuple(one for one in playbooks if one.alerts)
        self.book = book
        own = ((one.id, rule_of_playbook(one)) for one in self._playbooks)
        self._of_playbooks = {name: rule for name, rule in own if rule is not None}
        self._waits = any(one.threshold > 1 for one in (*book.rules, *self._of_playbooks.values()))
        every = (
            *book.rules,
            *self._of_playbooks.values(),
            *((book.storm,) if book.storm is not None else ()),
        )
        self._by_id = {one.id: one for one in every}
        self.needs_topology = any(one.is_by_topology and "node" in one.same for one in every)
        self.resolves = any(one.resolve_on != "never" for one in every)
        self.damps = any(one.flapping is not None for one in every)
        self._known: dict[frozenset[tuple[str, str]], Bound] = {}  # by labels; each is asked often

    def rule_of_id(self, name: str) -> Rule | None:
        """The rule of that id, None when there is none any more."""
        return self._by_id.get(name)

    def flapping_of(self, name: str) -> FlapLimit | None:
        """From how many returns on a signal of that rule flaps, None when never."""
        rule = self._by_id.get(name)
        return rule.flapping if rule is not None else None

    def bound(self, labels: Mapping[str, str]) -> Bound:
        """The playbook and the rule of a firing signal, and the key that signals of one incident share."""
        asked = frozenset(labels.items())
        found = self._known.get(asked)
        if found is None:
            if len(self._known) >= MAX_KNOWN:
                self._known.clear()
            playbook = match_alert(self._playbooks, labels, firing=True).playbook if self._playbooks else None
            own = self._of_playbooks.get(playbook.id) if playbook is not None else None
            rule = own or self.book.match(labels)
            found = self._known[asked] = Bound(playbook, rule, rule.key(labels))
        return found

    def key(self, labels: Mapping[str, str]) -> str:
        """The key that signals of one incident share."""
        return self.bound(labels).key

    def title(self, alert: Alert, storm: Rule | None = None) -> str:
        """The title of the incident that an alert opens, or of the storm that it is in."""
        if storm is not None:
            return capped(fill(storm.title, {"labels": alert.labels}, strict=False), 200)
        found = self.bound(alert.labels)
        if found.playbook is not None and found.playbook.incident_title:
            return capped(found.playbook.title_for(alert.labels), 200)
        if found.rule.title:
            return capped(fill(found.rule.title, {"labels": alert.labels}, strict=False), 200)
        return title_of(alert)

    def roles(self, labels: Mapping[str, str]) -> Mapping[str, str]:
        found = self.bound(labels).playbook
        return {} if found is None else found.roles

    def too_few(self, firing: Sequence[Alert], now: datetime) -> Mapping[str, Waiting]:
        """Of signals that fire, the keys of those that open no incident yet, and what they wait for."""
        if not self._waits:
            return {}
        groups: dict[str, list[datetime]] = defaultdict(list)
        waiting: dict[str, Rule] = {}
        for alert in firing:
            found = self.bound(alert.labels)
            if found.rule.threshold > 1:
                groups[found.key].append(start_of(alert, now))
                waiting[found.key] = found.rule
        return {
            key: Waiting(rule, len(groups[key]))
            for key, rule in waiting.items()
            if not _are_enough(groups[key], rule)
        }


def _are_enough(starts: Sequence[datetime], rule: Rule) -> bool:
    """Whether so many began within the window of one another."""
    window, count = timedelta(seconds=rule.window_seconds), rule.threshold
    ordered = sorted(starts)
    return any(last - first <= window for first, last in zip(ordered, ordered[count - 1 :], strict=False))
