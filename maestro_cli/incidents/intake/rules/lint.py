"""What is wrong with rules beyond what makes a file unreadable.

Invariant: a finding names its rule, file, line and key; an error is something that will not work, a warning
something that surprises. Nothing is asked but the journal.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations

from maestro_cli.config.strict import suggestion
from maestro_cli.core.quantities import format_duration
from maestro_cli.core.untrusted import visible
from maestro_cli.incidents.intake.rules.model import Rule, RuleBook
from maestro_cli.runbooks.alerts import AlertRule
from maestro_cli.runbooks.playbooks.lint import PlaybookFinding

RULES: Mapping[str, str] = {
    "invalid": "the file cannot be read as incident rules",
    "never-reached": "an earlier rule takes every signal that this one could",
    "contradiction": "no signal can satisfy all the matchers of a rule",
    "unused": "a rule matched no signal for a long time",
    "unknown-alert": "no known alert has the name that a matcher asks for",
    "unknown-severity": "a severity word that the table does not know",
}


def lint_rules(
    book: RuleBook,
    known: Sequence[AlertRule],
    words: Iterable[str],
    unused: Mapping[str, float],
    *,
    judge_names: bool = True,
) -> tuple[PlaybookFinding, ...]:
    """Every finding; `known` are the alerts that rule files define, `words` the severities of signals that
    came, `unused` the rules that matched nothing, each for so many seconds.

    `judge_names`: whether the known alerts are all that there are.
    """
    found = [
        *_never_reached(book.rules),
        *(one for rule in book.rules for one in _contradictions(rule)),
        *(
            one
            for rule in book.rules
            for one in _unknown_alerts(rule, known if judge_names and not rule.is_shipped else ())
        ),
        *(_unused(rule, unused[rule.id]) for rule in book.rules if rule.id in unused),
        *_unknown_words(book, known, words),
    ]
    return tuple(sorted(found, key=lambda one: (one.file, one.line, one.rule, one.text)))


def _of(rule: Rule, name: str, key: str, text: str, *, is_error: bool = True) -> PlaybookFinding:
    return PlaybookFinding(name, "error" if is_error else "warning", rule.file, rule.line, text, key)


def _never_reached(rules: Sequence[Rule]) -> Iterator[PlaybookFinding]:
    """Of rules of one file: that a nearer file takes what a farther one would is what it is for."""
    told: set[str] = set()
    for earlier, later in combinations(rules, 2):
        if later.id in told or not later.file or earlier.file != later.file:
            continue
        if not set(earlier.matchers) <= set(later.matchers):
            continue
        told.add(later.id)
        text = f"rule {later.id} is never reached: {earlier.id}, which comes first, takes all that it could"
        yield _of(later, "never-reached", later.id, text, is_error=False)


def _contradictions(rule: Rule) -> Iterator[PlaybookFinding]:
    for one, other in combinations(rule.matchers, 2):
        if one.excludes(other):
            text = f"no signal is both {visible(str(one), 100)} and {visible(str(other), 100)}"
            yield _of(rule, "contradiction", f"{rule.id}.matchers", text)


def _unused(rule: Rule, seconds: float) -> PlaybookFinding:
    text = f"rule {rule.id} matched no signal for {format_duration(seconds)}"
    return _of(rule, "unused", rule.id, text, is_error=False)


def _unknown_alerts(rule: Rule, known: Sequence[AlertRule]) -> Iterator[PlaybookFinding]:
    names = sorted({one.name for one in known})
    for one in rule.matchers:
        is_name = bool(names) and one.label == "alertname" and one.is_positive
        if is_name and not any(one.holds({"alertname": name}) for name in names):
            text = f"no known alert satisfies {visible(str(one), 100)}; {suggestion(one.value, names)}"
            yield _of(rule, "unknown-alert", f"{rule.id}.matchers", text)


def _unknown_words(
    book: RuleBook, known: Sequence[AlertRule], seen: Iterable[str]
) -> Iterator[PlaybookFinding]:
    table = book.policy.severities
    for rule in book.rules:
        for one in rule.matchers:
            if one.label == "severity" and one.operator == "=" and one.value.lower() not in table:
                text = f"{_unknown(one.value, book)}; add it under severities:"
                yield _of(rule, "unknown-severity", f"{rule.id}.matchers", text, is_error=False)
    for alert in known:
        word = alert.labels.get("severity", "").strip().lower()
        if word and word not in table and "{{" not in word:
            text = f"alert {visible(alert.name, 60)}: {_unknown(word, book)}"
            yield PlaybookFinding(
                "unknown-severity", "warning", alert.file, alert.line, text, "labels.severity"
            )
    for word in sorted({one.strip().lower() for one in seen} - set(table) - {""}):
        text = f"signals came with it: {_unknown(word, book)}"
        where = next((rule.file for rule in book.rules if rule.file), "")
        yield PlaybookFinding("unknown-severity", "warning", where, 1, text, "severities")


def _unknown(word: str, book: RuleBook) -> str:
    counts = book.policy.unknown_severity.value
    return f"severity {visible(word, 60)!r} is not in the table and counts as {counts}"
