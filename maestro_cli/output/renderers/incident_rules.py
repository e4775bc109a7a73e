"""Rules of incidents, and what a signal comes to by them, as views."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from maestro_cli.core.canonical import plain
from maestro_cli.core.clock import seconds_between, to_rfc3339
from maestro_cli.core.quantities import format_duration
from maestro_cli.output.views import Column, Fields, Heading, Listing, Report

if TYPE_CHECKING:
    from maestro_cli.incidents.intake.rules.explanation import RuleExplanation
    from maestro_cli.incidents.intake.rules.model import Rule, RuleBook
    from maestro_cli.incidents.intake.rules.usage import Usage

Other = tuple[str, str]  # a rule's id, and why not it


def rules_view(
    book: RuleBook, usage: Mapping[str, Usage], unused: Mapping[str, float], now: datetime
) -> Listing[Rule]:
    """The rules in order; `unused` are those that matched nothing, each for so many seconds."""
    columns: tuple[Column[Rule], ...] = (
        Column("id", lambda one: one.id),
        Column("takes", _takes, priority=1, folds=True),
        Column("grouped", lambda one: one.told),
        Column("opens at", lambda one: one.threshold + one.is_storm, right=True, priority=3),
        Column("within", lambda one: format_duration(one.window_seconds), wide=True),
        Column("reopens for", lambda one: format_duration(one.reopen_window_seconds), wide=True),
        Column("resolved by", lambda one: _RESOLVED[one.resolve_on], wide=True),
        Column(
            "matched", lambda one: usage[one.id].signals if one.id in usage else 0, right=True, priority=1
        ),
        Column(
            "last",
            lambda one: _last(one, usage, unused, now),
            tone=lambda one: "warn" if one.id in unused else "",
            priority=1,
        ),
        Column("file", lambda one: f"{one.file}:{one.line}" if one.file else "built in", wide=True),
    )
    every = (*book.rules, *((book.storm,) if book.storm is not None else ()))
    return Listing(
        "incident-rule-list/v1",
        columns,
        every,
        document=lambda one: _document(one) | _usage(one, usage, unused),
    )


_RESOLVED = {"never": "people", "all": "the last signal", "first": "the first signal"}


def _last(rule: Rule, usage: Mapping[str, Usage], unused: Mapping[str, float], now: datetime) -> str:
    last_at = usage[rule.id].last_at if rule.id in usage else None
    told = f"{format_duration(seconds_between(last_at, now))} ago" if last_at is not None else "never"
    return f"{told}; unused for {format_duration(unused[rule.id])}" if rule.id in unused else told


def _usage(rule: Rule, usage: Mapping[str, Usage], unused: Mapping[str, float]) -> dict[str, Any]:
    one = usage.get(rule.id)
    return {
        "matched_signals": one.signals if one is not None else 0,
        "last_matched_at": to_rfc3339(one.last_at) if one is not None and one.last_at is not None else None,
        "watched_since": to_rfc3339(one.since) if one is not None and one.since is not None else None,
        "is_unused": rule.id in unused,
    }


def _takes(rule: Rule) -> str:
    if rule.is_storm:
        return f"over {rule.threshold} incidents at once"
    return ", ".join(map(str, rule.matchers)) or "every signal"


def _document(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.id,
        "matchers": [str(one) for one in rule.matchers],
        "group_by": list(rule.group_by) if rule.by_labels else None,
        "threshold": rule.threshold,
        "window_seconds": rule.window_seconds,
        "reopen_window_seconds": rule.reopen_window_seconds,
        "flapping": None if rule.flapping is None else plain(rule.flapping),
        "resolve_on": rule.resolve_on,
        "title": rule.title,
        "file": rule.file,
        "line": rule.line,
    }


def explanations_view(told: Sequence[RuleExplanation]) -> Report | Listing[RuleExplanation]:
    """One signal in full; several as a list."""
    return _explanation(told[0]) if len(told) == 1 else _explanations(told)


def _explanations(told: Sequence[RuleExplanation]) -> Listing[RuleExplanation]:
    columns: tuple[Column[RuleExplanation], ...] = (
        Column("alert", lambda one: one.labels.get("alertname", "")),
        Column("rule", lambda one: one.rule.id, priority=1),
        Column("key", lambda one: one.key, priority=3),
        Column("would", lambda one: one.would, priority=1),
        Column("labels", _labels, wide=True),
    )
    return Listing("incident-rule-explanations/v1", columns, told, document=_told)


def _explanation(one: RuleExplanation) -> Report:
    rows: list[tuple[str, object]] = [
        ("signal", _labels(one)),
        ("severity", _severity(one)),
        ("rule", one.rule.id),
        ("why", one.why),
        ("grouped", one.rule.told),
        ("key", one.key),
        ("would", one.would),
    ]
    if one.flapping is not None:
        within = format_duration(one.flapping.within_seconds)
        times, until = one.flapping.returns, to_rfc3339(one.flapping.until)
        rows.append(("flaps", f"it came back {times} times within {within}; held until {until}"))
    others: tuple[Column[Other], ...] = (
        Column("rule", lambda other: other[0]),
        Column("why not", lambda other: other[1], priority=1, folds=True),
    )
    blocks: list[Fields | Heading | Listing[Any]] = [Fields(rows)]
    if one.others:
        blocks += [Heading("Other rules"), Listing("incident-rule-others/v1", others, one.others)]
    return Report("incident-rule-explanation/v1", _told(one), tuple(blocks))


def _severity(one: RuleExplanation) -> str:
    if one.severity is None:
        return "none: it never opens an incident"
    known = "" if one.is_word_known else " (the table does not have its word)"
    return f"{one.severity.value}{known}"


def _labels(one: RuleExplanation) -> str:
    return " ".join(f"{name}={value}" for name, value in sorted(one.labels.items()))


def _told(one: RuleExplanation) -> dict[str, Any]:
    return {
        "labels": dict(one.labels),
        "severity": None if one.severity is None else one.severity.value,
        "is_severity_known": one.is_word_known,
        "rule": one.rule.id,
        "why": one.why,
        "others": [{"rule": name, "why_not": why} for name, why in one.others],
        "key": one.key,
        "would": one.would,
        "flapping": None if one.flapping is None else plain(one.flapping),
        "incident": None if one.incident is None else one.incident.id,
    }
