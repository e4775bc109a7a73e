"""How much each rule is used, and which never is.

Invariant: durable and cheap: a match is counted by the event of the signal that it is about; a watch that
starts says which rules it knows only when they changed, and a rule whose signals wait for more says so once a
day.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from maestro_cli.core.clock import from_rfc3339, seconds_between
from maestro_cli.incidents.intake.rules.model import RuleBook
from maestro_cli.incidents.register import Reads
from maestro_cli.journal.store import Journal

_A_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Usage:
    """Of one rule: since when a watch knows it, how many signals it matched, and when the last."""

    since: datetime | None = None
    signals: int = 0
    last_at: datetime | None = None


def usage_of_rules(reads: Reads) -> Mapping[str, Usage]:
    """By rule; those that are not in it were never watched with."""
    known = {row[0]: from_rfc3339(row[1]) for row in reads.query("SELECT rule, since FROM rule_known")}
    matched = {row[0]: row for row in reads.query("SELECT rule, signals, last_at FROM rule_matches")}
    return {
        rule: Usage(
            known.get(rule),
            matched[rule][1] if rule in matched else 0,
            from_rfc3339(matched[rule][2]) if rule in matched else None,
        )
        for rule in {*known, *matched}
    }


def unused_rules(book: RuleBook, usage: Mapping[str, Usage], now: datetime) -> dict[str, float]:
    """Of rules of a context with matchers that matched nothing for too long: for how many seconds by now."""
    found = {}
    for rule in book.rules:
        told = usage.get(rule.id, Usage())
        if not rule.matchers or rule.is_shipped or told.since is None:
            continue
        idle = seconds_between(max(told.since, told.last_at or told.since), now)
        if idle > book.unused_after_seconds:
            found[rule.id] = idle
    return found


def note_rules(journal: Journal, actor: str, book: RuleBook) -> None:
    """Say which rules a watch knows, where that is not what was said last."""
    rules = sorted(rule.id for rule in book.rules)
    with journal.transaction() as transaction:
        if [row[0] for row in transaction.query("SELECT rule FROM rule_known ORDER BY rule")] != rules:
            transaction.append("rules.loaded", "rules/incidents", actor, {"rules": rules})


def note_waiting(journal: Journal, actor: str, rule: str, signals: int, now: datetime) -> None:
    """Say that a rule matches, although its signals are too few to open an incident; once a day."""
    rows = journal.query("SELECT last_at FROM rule_matches WHERE rule = ?", (rule,))
    if rows and now - from_rfc3339(rows[0][0]) < _A_DAY:
        return
    data = {"rule": rule, "signals": signals, "waiting": True}
    with journal.transaction() as transaction:
        transaction.append("rules.matched", f"rule/{rule}", actor, data)
