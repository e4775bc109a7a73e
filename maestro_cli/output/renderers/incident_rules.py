"""Rules of incidents, and what a signal comes to by them, as views."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from maestro_cli.core.quantities import format_duration
from maestro_cli.output.views import Column, Fields, Heading, Listing, Report

if TYPE_CHECKING:
    from maestro_cli.incidents.intake.rules.explanation import RuleExplanation
    from maestro_cli.incidents.intake.rules.model import Rule, RuleBook

Other = tuple[str, str]  # a rule's id, and why not it


def rules_view(book: RuleBook) -> Listing[Rule]:
    columns: tuple[Column[Rule], ...] = (
        Column("id", lambda one: one.id),
        Column("takes", _takes),
        Column("grouped", lambda one: one.told),
        Column("opens at", lambda one: one.threshold + one.is_storm, right=True),
        Column("within", lambda one: format_duration(one.window_seconds), wide=True),
        Column("reopens for", lambda one: format_duration(one.reopen_window_seconds), wide=True),
        Column("file", lambda one: f"{one.file}:{one.line}" if one.file else "built in", wide=True),
    )
    every = (*book.rules, *((book.storm,) if book.storm is not None else ()))
    return Listing("incident-rule-list/v1", columns, every, document=_document)


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
        Column("rule", lambda one: one.rule.id),
        Column("key", lambda one: one.key),
        Column("would", lambda one: one.would),
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
    others: tuple[Column[Other], ...] = (
        Column("rule", lambda other: other[0]),
        Column("why not", lambda other: other[1]),
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
        "incident": None if one.incident is None else one.incident.id,
    }
