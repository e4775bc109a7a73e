"""What is wrong with playbooks beyond what makes one unreadable.

Invariant: a finding names its rule, file, line and key; an error is something that will not work or is not
safe, a warning something that surprises. Nothing is run but rehearsals.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

from maestro_cli.config.strict import suggestion
from maestro_cli.core.errors import InvalidFile, MaestroError, UsageError
from maestro_cli.core.untrusted import visible
from maestro_cli.runbooks.alerts import AlertRule
from maestro_cli.runbooks.catalog import RunbookCatalog
from maestro_cli.runbooks.lint import Finding
from maestro_cli.runbooks.model import Runbook
from maestro_cli.runbooks.parameters import check_value
from maestro_cli.runbooks.playbooks.model import AlertTrigger, Playbook, PlaybookStep
from maestro_cli.runbooks.playbooks.readiness import Readiness
from maestro_cli.runbooks.playbooks.template import INCIDENT_NAMES, placeholders, unread

RULES: Mapping[str, str] = {
    "invalid": "the file cannot be read as a playbook",
    "unknown-runbook": "a step names a runbook that is not there or cannot be read",
    "unknown-parameter": "a step gives a value that its runbook does not take",
    "missing-value": "a step lacks a value that its runbook needs",
    "bad-value": "a value is not what its parameter allows",
    "placeholder": "a placeholder cannot be filled in",
    "unknown-alert": "no known alert can satisfy the matchers",
    "not-auto": "the mode is auto, and the playbook may not run by itself",
    "tie": "two playbooks take the same alert with as many matchers",
}
Level = Literal["error", "warning"]
_SCOPES = {"alerts": ("labels", "incident"), "events": ("labels", "incident"), "schedules": ("schedule",)}


@dataclass(frozen=True, slots=True)
class PlaybookFinding(Finding):
    """One thing to mend; `key` is where in the file, such as `steps[0].with.DEPLOY`."""

    key: str = ""


def lint_file(error: InvalidFile) -> PlaybookFinding:
    """The finding for a file that cannot be read."""
    parts = (error.what.removeprefix(f"{error.where}: "), error.why, error.fix)
    words = "; ".join(part for part in parts if part)
    return PlaybookFinding("invalid", "error", error.file, error.line or 1, words, error.key)


def lint(
    playbook: Playbook, runbooks: RunbookCatalog, readiness: Readiness, known: Sequence[AlertRule]
) -> tuple[PlaybookFinding, ...]:
    """Every finding in one playbook, by line; with no known alerts, matchers are not judged."""
    found = [
        *_steps(playbook, runbooks),
        *_titles(playbook),
        *(_unknown_alerts(playbook, known) if known else ()),
        *_not_auto(playbook, readiness),
    ]
    return tuple(sorted(found, key=lambda one: (one.line, one.rule)))


def lint_ties(playbooks: Sequence[Playbook], known: Sequence[AlertRule]) -> tuple[PlaybookFinding, ...]:
    """Pairs of playbooks of which only the id decides; where alerts are known, of one that meets both."""
    found = []
    for one, other in combinations(sorted(playbooks, key=lambda each: each.id), 2):
        if any(_tie(left, right, known) for left in one.alerts for right in other.alerts):
            text = f"takes an alert that {one.id} takes with as many matchers; {one.id} comes first by its id"
            found.append(_of(other, "tie", "trigger.alert", text, "warning"))
    return tuple(found)


def _of(playbook: Playbook, rule: str, key: str, text: str, level: Level = "error") -> PlaybookFinding:
    return PlaybookFinding(rule, level, playbook.file, playbook.line_of(key), f"{key}: {text}", key)


def _steps(playbook: Playbook, runbooks: RunbookCatalog) -> Iterator[PlaybookFinding]:
    steps = [(f"steps[{number}]", step) for number, step in enumerate(playbook.steps)]
    if playbook.on_failure.step is not None:
        steps.append(("on_failure", playbook.on_failure.step))
    for key, step in steps:
        try:
            book = step.inline or runbooks.get(step.runbook)
        except MaestroError as error:
            yield _of(playbook, "unknown-runbook", f"{key}.runbook", f"{error.what}; {error.fix}".strip("; "))
            continue
        yield from _values(playbook, key, step, book)


def _values(playbook: Playbook, key: str, step: PlaybookStep, book: Runbook) -> Iterator[PlaybookFinding]:
    parameters = {one.name: one for one in book.parameters}
    for name, text in step.values.items():
        at = f"{key}.with.{name}"
        if name not in parameters:
            fix = suggestion(name, list(parameters)) if parameters else "it takes none"
            yield _of(playbook, "unknown-parameter", at, f"is not a parameter of {book.id}; {fix}")
            continue
        yield from _placeholders(playbook, at, text)
        if "{{" not in text:
            try:
                check_value(parameters[name], text, "given")
            except UsageError as error:
                yield _of(playbook, "bad-value", at, f"{error.what}: {error.why}")
    for parameter in parameters.values():
        from_alert = parameter.source and not playbook.schedules
        if parameter.name not in step.values and parameter.default is None and not from_alert:
            where = f", which a schedule has not: {parameter.source}" if parameter.source else ""
            text = f"{book.id} needs {parameter.name}{where}"
            yield _of(playbook, "missing-value", key, text)


def _titles(playbook: Playbook) -> Iterator[PlaybookFinding]:
    yield from _placeholders(playbook, "incident.title", playbook.incident_title)


def _placeholders(playbook: Playbook, key: str, text: str) -> Iterator[PlaybookFinding]:
    for braces in unread(text):
        what = f"{visible(braces, 60)} stays as it is; write {{{{ labels.NAME }}}}"
        yield _of(playbook, "placeholder", key, what)
    for scope, name in placeholders(text):
        why = _unfilled(playbook, scope, name)
        if why:
            yield _of(playbook, "placeholder", key, f"{{{{ {scope}.{name} }}}} {why}")


def _unfilled(playbook: Playbook, scope: str, name: str) -> str:
    """Why there may be no such value, in words; empty when there is one."""
    if scope == "incident" and name not in INCIDENT_NAMES:
        return f"is not known; {suggestion(name, INCIDENT_NAMES)}"
    if scope == "schedule" and name != "at":
        return "is not known; there is schedule.at"
    if scope == "params":
        found = {one.name: one for one in playbook.parameters or ()}.get(name)
        if found is None:
            return "is not declared under trigger.manual.params"
        others = playbook.alerts or playbook.events or playbook.schedules
        return "has no default, and not only people start it" if others and found.default is None else ""
    lacking = [words for words, scopes in _SCOPES.items() if getattr(playbook, words) and scope not in scopes]
    if lacking:
        return f"has no value when one of its {lacking[0]} starts it"
    if scope == "schedule" and not playbook.schedules:
        return "has no value: it has no schedule"
    return ""


def _unknown_alerts(playbook: Playbook, known: Sequence[AlertRule]) -> Iterator[PlaybookFinding]:
    for number, trigger in enumerate(playbook.alerts):
        if any(_can_meet(trigger, rule) for rule in known):
            continue
        is_list = f"trigger.alert[{number}]" in playbook.places
        key = f"trigger.alert[{number}].matchers" if is_list else "trigger.alert.matchers"
        yield _of(playbook, "unknown-alert", key, f"no known alert can satisfy {visible(str(trigger), 200)}")


def _can_meet(trigger: AlertTrigger, rule: AlertRule) -> bool:
    """Whether an alert of this rule could satisfy it; labels that only the series has could be anything."""
    labels = {name: text for name, text in rule.labels.items() if "{{" not in text} | {"alertname": rule.name}
    return all(one.holds(labels) for one in trigger.matchers if one.label in labels)


def _tie(left: AlertTrigger, right: AlertTrigger, known: Collection[AlertRule]) -> bool:
    if len(left.matchers) != len(right.matchers):
        return False
    if any(one.excludes(other) for one in left.matchers for other in right.matchers):
        return False
    return not known or any(_can_meet(left, rule) and _can_meet(right, rule) for rule in known)


def _not_auto(playbook: Playbook, readiness: Readiness) -> Iterator[PlaybookFinding]:
    if playbook.mode == "auto":
        for key, text in readiness.against(playbook):
            yield _of(playbook, "not-auto", key, f"{text}; it only suggests until then")
