"""The words of a post-mortem, in Markdown: what it was, what it cost, why it was, and where people write.

Invariant: pure. Everything that came from outside (labels, logs, events, names, notes) passes through
`core.untrusted`; the placeholder for people is written here alone, inside the parts that are theirs. Times
are UTC.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from maestro_cli.core.clock import from_rfc3339
from maestro_cli.core.markdown_parts import at, table, text
from maestro_cli.core.money import amount_words
from maestro_cli.core.quantities import format_duration
from maestro_cli.core.untrusted import markdown_text
from maestro_cli.incidents.clock import Phase, Standing
from maestro_cli.incidents.model import Times
from maestro_cli.incidents.people.model import Task, Turn
from maestro_cli.incidents.report import record_text as record
from maestro_cli.incidents.report.credit import credit_lines
from maestro_cli.incidents.report.human import PLACEHOLDER, part, sections_to_fill, with_parts
from maestro_cli.incidents.report.story import Story

_WHYS = 5


def document(story: Story, written: Mapping[str, str] | None = None) -> str:
    """The whole document, with what people wrote in their parts before; its head counts what is to fill."""
    sections = (
        _summary, _impact, _clock, _cause, record.happened, record.signals, record.metrics, record.evidence,
        record.changes, record.runs, _learning, record.proof,
    )  # fmt: skip
    body = "\n".join(line for section in sections for line in (*section(story), ""))
    if written:
        body = with_parts(body, written) or body
    return "\n".join((*_head(story, sections_to_fill(body)), "", body)).rstrip() + "\n"


def _head(story: Story, to_fill: int) -> Iterator[str]:
    incident = story.incident
    yield f"# Post-mortem of incident {incident.number}: {text(incident.title)}"
    yield ""
    drill = ", a drill" if incident.drill else ""
    yield from table(
        ("", ""),
        (
            ("Incident", f"{incident.id}{drill}"),
            ("Severity", incident.severity.value),
            ("State", incident.state.value),
            ("Workload", text(incident.workload or incident.key)),
            ("Owner", text(incident.owner or "nobody")),
            *((turn.role.value.capitalize(), _turn(turn)) for turn in story.turns),
            ("From", _began(incident.times)),
            ("Until", at(incident.times.resolved_at)),
            ("Written", f"{at(story.made_at)}, from the journal"),
            ("To fill", f"{to_fill} sections to fill" if to_fill else "nothing"),
        ),
    )
    if incident.drill:
        yield ""
        yield "> **This was a drill.** The fault was injected on purpose."


def _began(times: Times) -> str:
    if times.start_known:
        return at(times.started_at)
    return f"not known; the first signal came at {at(times.started_at)}, without a start to believe"


def _turn(turn: Turn) -> str:
    until = f" to {at(turn.until)}" if turn.until is not None else ""
    return f"{text(turn.person, 80)}, from {at(turn.since)}{until}"


def _summary(story: Story) -> Iterator[str]:
    yield "## Summary"
    incident, times = story.incident, story.incident.times
    names = sorted({signal.name for signal in story.signals})
    shown = ", ".join(text(name, 80) for name in names[:5]) + (" and others" if len(names) > 5 else "")
    end = times.resolved_at
    lasted = (
        f"It was resolved after {'' if times.start_known else 'at least '}"
        f"{format_duration((end - times.started_at).total_seconds())}."
        if end is not None
        else f"It is {incident.state.value}."
    )
    signals = "1 signal" if incident.signals == 1 else f"{incident.signals} signals"
    yield f"{signals} ({shown}) opened it at {at(times.opened_at)}. {lasted}"
    triage = story.of_kind("incident.suspects")
    if triage:
        yield f"Triage concluded: {text(triage[-1].data['conclusion'])}."
    for entry in story.of_kind("incident.mitigated")[-1:]:
        yield f"It was mitigated by: {text(entry.data.get('note') or entry.data.get('run') or 'not said')}."
    yield ""
    yield from part("summary", [f"{PLACEHOLDER}: say in two sentences what users saw and why."])


def _impact(story: Story) -> Iterator[str]:
    yield "## Impact"
    facts = story.impact
    if facts is None:
        yield "- Users: not measured; no metric was read."
    else:
        yield from _users(facts)
    yield from credit_lines(story)
    yield from record.recoveries(story)
    yield from part("impact", [f"- Revenue, customers, regions: {PLACEHOLDER}"])
    yield ""
    yield "### Cost"
    cost = story.cost
    rows = []
    for line in cost.lines:
        inputs = ", ".join(
            f"{name} {'missing' if value is None else f'{value:.6g}'}" for name, value in line.inputs.items()
        )
        amount = (
            f"{amount_words(line.amount)} {text(cost.currency, 10)}"
            if line.amount is not None
            else "not known"
        )
        rows.append((line.name, markdown_text(line.formula), markdown_text(inputs), amount))
    yield from table(("What", "Formula", "Inputs", "Amount"), rows)
    yield ""
    if cost.total is not None:
        yield f"In total {amount_words(cost.total)} {text(cost.currency, 10)}."
    else:
        known = any(line.amount is not None for line in cost.lines)
        least = f"At least {amount_words(cost.known)} {text(cost.currency, 10)}; t" if known else "T"
        yield f"{least}he total is not known. Missing: {markdown_text(', '.join(cost.missing))}."
    command = f"maestro cost show --incident {story.incident.number}"
    yield f"What all machines cost meanwhile, and who caused it: `{command}`."


def _users(facts: Mapping[str, Any]) -> Iterator[str]:
    requests, errors, ratio = facts.get("requests"), facts.get("errors"), facts.get("error_ratio")
    so_far = " (so far, at triage)" if facts["measured"] == "budget" else ""
    if requests is None or errors is None:
        yield "- Users: not measured; no request was counted."
    else:
        share = f", {100 * ratio:.2f} %" if ratio is not None else ""
        yield f"- Users: {errors:.0f} of {requests:.0f} requests failed{share}{so_far}."
    spent = facts.get("budget_spent")
    if spent is None:
        why = text(facts.get("why_unknown") or "no objective was given")
        yield f"- Error budget: not known; {why}."
    else:
        yield (
            f"- Error budget of {text(facts.get('objective'))}: {100 * spent:.3f} % spent, "
            f"burning at {facts['burn']:.1f} times the allowed rate{so_far}."
        )


_PHASES = {
    Phase.DETECT: "detected (T1 − T0)",
    Phase.ACK: "acknowledged (T2 − T1)",
    Phase.TRIAGE: "triaged (T3 − T1)",
    Phase.MITIGATE: "mitigated (T4 − T0)",
    Phase.RESOLVE: "resolved (T5 − T0)",
    Phase.POSTMORTEM: "post-mortem (T6 − T5)",
}


def _clock(story: Story) -> Iterator[str]:
    yield "## Clock"
    rows = []
    for item in story.clock:
        took = "–" if item.seconds is None else format_duration(item.seconds)
        budget = "–" if item.budget_seconds is None else format_duration(item.budget_seconds)
        verdict = item.standing.value.upper() if item.standing is Standing.BREACHED else item.standing.value
        opened = "–" if item.since_open_seconds is None else format_duration(item.since_open_seconds)
        rows.append((_PHASES[item.phase], took, budget, verdict, opened))
    yield from table(("Phase", "Took", "Budget", "Verdict", "Since opening"), rows)
    yield ""
    if story.incident.times.start_known:
        yield f"T0 is {at(story.incident.times.started_at)}, the earliest start of a signal."
    else:
        yield f"T0 is {_began(story.incident.times)}."


def _cause(story: Story) -> Iterator[str]:
    yield "## Cause"
    triage = story.of_kind("incident.suspects")
    if not triage:
        yield "No triage is recorded."
    else:
        data = triage[-1].data
        onset = data["onset"]
        began = at(from_rfc3339(onset["at"]))
        yield f"Onset: {began}, read from {text(onset['basis'])}. {text(data['conclusion'])}."
        if data["failed"]:
            yield f"Not collected: {text(', '.join(data['failed']))}."
        for place, suspect in enumerate(data["suspects"], 1):
            yield ""
            subject = text(suspect["subject"])  # begins with its kind, but a release names the workload
            if not suspect["subject"].startswith(suspect["kind"]):
                subject = f"{text(suspect['kind'])} {subject}"
            yield f"{place}. **{subject}**, score {suspect['score']:.2f}"
            yield from (f"   - for: {text(reason)}" for reason in suspect["reasons_for"])
            yield from (f"   - against: {text(reason)}" for reason in suspect["reasons_against"])
            fix = suspect.get("fix")
            if fix:
                parameters = ", ".join(f"{name} {value}" for name, value in fix["parameters"].items())
                yield f"   - suggested: {text(fix['kind'])} {text(fix['name'])} ({text(parameters)})"
    yield ""
    yield from part("cause", [f"{PLACEHOLDER}: confirm or correct the cause."])


def _learning(story: Story) -> Iterator[str]:
    yield "## Five whys"
    yield from part("whys", [f"{number}. {PLACEHOLDER}: why?" for number in range(1, _WHYS + 1)])
    yield ""
    yield "## What went well, what did not, where we were lucky"
    words = ("Went well", "Went badly", "Lucky")
    yield from part("lessons", [f"- {word}: {PLACEHOLDER}" for word in words])
    yield ""
    yield "## Action items"
    if story.tasks:
        yield from table(("Task", "Action", "Kind", "Owner", "Due", "State"), map(_task, story.tasks))
        yield ""
    kinds = ("prevent", "detect sooner", "mitigate faster")
    rows = ((PLACEHOLDER, kind, "–", "–") for kind in kinds)
    yield from part("actions", table(("Action", "Kind", "Owner", "Due"), rows))


def _task(task: Task) -> tuple[str, ...]:
    due = "–" if task.due_at is None else task.due_at.strftime("%Y-%m-%d")
    number, owner = f"\\#{task.number}", text(task.owner or "–", 80)
    return number, text(task.text), task.kind.value, owner, due, task.state.value
