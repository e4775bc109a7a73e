"""What is wrong with a runbook beyond what makes it unreadable.

Invariant: a finding names its rule, file and line; an error is something that will not work or is not safe,
a warning something that is missing. Nothing is run.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from maestro_cli.core.errors import InvalidFile, UsageError
from maestro_cli.core.untrusted import visible
from maestro_cli.runbooks.graph import Graph
from maestro_cli.runbooks.linear_regex import line_regex
from maestro_cli.runbooks.links import dead_links
from maestro_cli.runbooks.model import Runbook, Step
from maestro_cli.runbooks.quoting import placeholders, unquoted_uses
from maestro_cli.runbooks.substitution import into_promql, names_in_promql

RULES: Mapping[str, str] = {
    "invalid": "the file cannot be read as a runbook",
    "unquoted-value": "a value stands without quotes in a shell step",
    "placeholder": "a placeholder in angle brackets was left in a shell step",
    "promql": "Prometheus cannot parse a query",
    "dead-link": "a link leads nowhere",
    "unknown-alert": "no rule defines an alert that is listed",
    "no-verify": "a step alters the world and nothing verifies it",
    "no-undo": "a step alters the world and nothing takes it back",
    "runme": "something that Runme would do has no meaning here",
    "overtakes": "a step alters the world and does not wait for an answer that is asked before it",
    "missing-section": "a section that people look for is missing",
}
SECTIONS = ("Meaning", "Impact", "Diagnosis", "Mitigation", "Verification", "Escalation")
_SAMPLES = ("5m", "1", "fraud", "x")
CheckQueries = Callable[[Sequence[str]], Mapping[int, str]]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to mend; `line` counts from 1."""

    rule: str
    level: Literal["error", "warning"]
    file: str
    line: int
    text: str


def lint_file(error: InvalidFile) -> Finding:
    """The finding for a file that cannot be read."""
    parts = (error.what.removeprefix(f"{error.where}: "), error.why, error.fix)
    return Finding("invalid", "error", error.file, error.line or 1, "; ".join(filter(None, parts)))


def lint(book: Runbook, known_alerts: Collection[str], check_queries: CheckQueries) -> tuple[Finding, ...]:
    """Every finding in one runbook, in the order of its lines.

    `known_alerts` are the names that rules define; with none, alerts are not judged.
    """
    found = [
        *_shell_findings(book),
        *_query_findings(book, check_queries),
        *(_of(book, "dead-link", line, text) for line, text in dead_links(book.text, Path(book.file))),
        *_alert_findings(book, known_alerts),
        *_missing_parts(book),
        *(_of(book, "runme", line, text, "warning") for line, text in book.notes),
        *_overtaking(book),
        *_missing_sections(book),
    ]
    return tuple(sorted(found, key=lambda finding: (finding.line, finding.rule)))


def _of(
    book: Runbook, rule: str, line: int, text: str, level: Literal["error", "warning"] = "error"
) -> Finding:
    return Finding(rule, level, book.file, line, text)


def _fences(book: Runbook, kinds: Iterable[str]) -> Iterator[Step]:
    for step in book.steps:
        for one in (step, *step.parts):
            if one.kind in kinds:
                yield one


def _shell_findings(book: Runbook) -> Iterator[Finding]:
    names = {parameter.name for parameter in book.parameters}
    names |= {name for step in book.steps for name in (step.capture, step.item)}
    for step in _fences(book, ("sh", "bash")):
        for use in unquoted_uses(step.body):
            if use.name in names:
                text = f'{step.path}: write "${use.name}": without quotes a shell splits it and expands *'
                yield _of(book, "unquoted-value", step.line + 1 + use.line, text)
        for use in placeholders(step.body):
            text = f"{step.path}: {use.name} was left to fill in; make it a parameter"
            yield _of(book, "placeholder", step.line + 1 + use.line, text)


def _query_findings(book: Runbook, check_queries: CheckQueries) -> Iterator[Finding]:
    steps, queries = [], []
    for step in _fences(book, ("promql",)):
        try:
            queries.append(into_promql(step.body.strip(), _sample(book, step)))
        except UsageError:
            continue  # no sample can stand there; the run will say it of the real value
        steps.append(step)
    for number, fault in sorted(check_queries(queries).items()):
        yield _of(book, "promql", steps[number].line, f"{steps[number].path}: {fault}")


def _sample(book: Runbook, step: Step) -> dict[str, str]:
    """A value for each variable of a query: the default, else one that its pattern takes."""
    values = dict.fromkeys(names_in_promql(step.body), "1")
    for parameter in book.parameters:
        fitting = [one for one in _SAMPLES if line_regex(parameter.pattern).matches(one)]
        values[parameter.name] = parameter.default or (fitting[0] if fitting else "x")
    return values


def _alert_findings(book: Runbook, known: Collection[str]) -> Iterator[Finding]:
    for alert in book.alerts if known else ():
        if alert not in known:
            line = next((n for n, line in enumerate(book.text.splitlines(), start=1) if alert in line), 1)
            yield _of(book, "unknown-alert", line, f"no rule defines the alert {visible(alert, 80)}")


def _missing_parts(book: Runbook) -> Iterator[Finding]:
    for step in book.steps:
        if not step.mutates:
            continue
        if not step.verify and step.kind != "change":
            yield _of(
                book, "no-verify", step.line, f"{step.path} alters the world; add a verify fence", "warning"
            )
        if step.undo is None and step.kind != "change":
            text = f"{step.path} alters the world; add an undo fence, or a change step in its place"
            yield _of(book, "no-undo", step.line, text, "warning")


def _overtaking(book: Runbook) -> Iterator[Finding]:
    graph = Graph(book.steps, book.is_by_needs)
    for number, step in enumerate(book.steps):
        for other in book.steps[:number] if step.mutates and step.needs else ():
            asks = other.approve or any(one.kind in ("manual", "ask") for one in (other, *other.parts))
            if asks and not graph.waits_for(step, other.path):
                text = f"{step.path} goes on while {other.path} waits for a person; name it in needs"
                text += " if it must not"
                yield _of(book, "overtakes", step.line, text, "warning")


def _missing_sections(book: Runbook) -> Iterator[Finding]:
    if not book.alerts:
        return
    there = {heading.text.lower() for heading in book.headings}
    missing = [section for section in SECTIONS if section.lower() not in there]
    if missing:
        yield _of(book, "missing-section", 1, f"add the sections {', '.join(missing)}", "warning")
