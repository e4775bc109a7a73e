"""The words of a post-mortem, in Markdown.

Invariant: pure. Everything that came from outside (labels, logs, events, names, notes) passes through
`core.untrusted`; the placeholder for people is written here alone. Times are UTC.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any

from maestro_cli.core.clock import from_rfc3339
from maestro_cli.core.quantities import format_duration
from maestro_cli.core.untrusted import markdown_code, markdown_text
from maestro_cli.incidents.clock import Phase, Standing
from maestro_cli.incidents.report.story import PLACEHOLDER, Story, sections_to_fill
from maestro_cli.incidents.timeline import Entry

MAX_SAME_ENTRIES = 5
MAX_LOG_SAMPLES = 5
MAX_DIFF_LINES = 60
_WHYS = 5


def document(story: Story) -> str:
    """The whole document; its head counts the places to fill."""
    body = "\n".join(
        line
        for section in (
            _summary, _impact, _clock, _cause, _timeline, _evidence, _changes, _runs, _learning, _proof,
        )
        for line in (*section(story), "")
    )  # fmt: skip
    return "\n".join((*_head(story, sections_to_fill(body)), "", body)).rstrip() + "\n"


def _text(value: object, limit: int = 300) -> str:
    return markdown_text(str(value), limit)


def _at(instant: datetime | None) -> str:
    return "–" if instant is None else instant.strftime("%Y-%m-%d %H:%M:%S UTC")


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    for row in rows:
        yield f"| {' | '.join(row)} |"


def _head(story: Story, to_fill: int) -> Iterator[str]:
    incident = story.incident
    yield f"# Post-mortem of incident {incident.number}: {_text(incident.title)}"
    yield ""
    drill = ", a drill" if incident.drill else ""
    yield from _table(
        ("", ""),
        (
            ("Incident", f"{incident.id}{drill}"),
            ("Severity", incident.severity.value),
            ("State", incident.state.value),
            ("Workload", _text(incident.workload or incident.key)),
            ("Owner", _text(incident.owner or "nobody")),
            ("From", _at(incident.times.started_at)),
            ("Until", _at(incident.times.resolved_at)),
            ("Written", f"{_at(story.made_at)}, from the journal"),
            ("To fill", f"{to_fill} sections to fill" if to_fill else "nothing"),
        ),
    )


def _summary(story: Story) -> Iterator[str]:
    yield "## Summary"
    incident, times = story.incident, story.incident.times
    names = sorted({signal.name for signal in story.signals})
    shown = ", ".join(_text(name, 80) for name in names[:5]) + (" and others" if len(names) > 5 else "")
    end = times.resolved_at
    lasted = (
        f"It was resolved after {format_duration((end - times.started_at).total_seconds())}."
        if end is not None
        else f"It is {incident.state.value}."
    )
    yield f"{incident.signals} signals ({shown}) opened it at {_at(times.opened_at)}. {lasted}"
    triage = story.of_kind("incident.suspects")
    if triage:
        yield f"Triage concluded: {_text(triage[-1].data['conclusion'])}."
    for entry in story.of_kind("incident.mitigated")[-1:]:
        yield f"It was mitigated by: {_text(entry.data.get('note') or entry.data.get('run') or 'not said')}."
    yield ""
    yield f"{PLACEHOLDER}: say in two sentences what users saw and why."


def _impact(story: Story) -> Iterator[str]:
    yield "## Impact"
    facts = story.impact
    if facts is None:
        yield "- Users: not measured; no metric was read."
    else:
        yield from _users(facts)
    yield f"- Revenue, customers, regions: {PLACEHOLDER}"
    yield ""
    yield "### Cost"
    cost = story.cost
    rows = []
    for line in cost.lines:
        inputs = ", ".join(
            f"{name} {'missing' if value is None else f'{value:.6g}'}" for name, value in line.inputs.items()
        )
        amount = f"{line.amount:.2f} {_text(cost.currency, 10)}" if line.amount is not None else "not known"
        rows.append((line.name, markdown_text(line.formula), markdown_text(inputs), amount))
    yield from _table(("What", "Formula", "Inputs", "Amount"), rows)
    yield ""
    if cost.total is not None:
        yield f"In total {cost.total:.2f} {_text(cost.currency, 10)}."
    else:
        known = any(line.amount is not None for line in cost.lines)
        least = f"At least {cost.known:.2f} {_text(cost.currency, 10)}; t" if known else "T"
        yield f"{least}he total is not known. Missing: {markdown_text(', '.join(cost.missing))}."


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
        why = _text(facts.get("why_unknown") or "no objective was given")
        yield f"- Error budget: not known; {why}."
    else:
        yield (
            f"- Error budget of {_text(facts.get('objective'))}: {100 * spent:.3f} % spent, "
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
    yield from _table(("Phase", "Took", "Budget", "Verdict", "Since opening"), rows)
    yield ""
    yield f"T0 is {_at(story.incident.times.started_at)}, the earliest start of a signal."


def _cause(story: Story) -> Iterator[str]:
    yield "## Cause"
    triage = story.of_kind("incident.suspects")
    if not triage:
        yield "No triage is recorded."
    else:
        data = triage[-1].data
        onset = data["onset"]
        began = _at(from_rfc3339(onset["at"]))
        yield f"Onset: {began}, read from {_text(onset['basis'])}. {_text(data['conclusion'])}."
        if data["failed"]:
            yield f"Not collected: {_text(', '.join(data['failed']))}."
        for place, suspect in enumerate(data["suspects"], 1):
            yield ""
            subject = _text(suspect["subject"])  # begins with its kind, but a release names the workload
            if not suspect["subject"].startswith(suspect["kind"]):
                subject = f"{_text(suspect['kind'])} {subject}"
            yield f"{place}. **{subject}**, score {suspect['score']:.2f}"
            yield from (f"   - for: {_text(reason)}" for reason in suspect["reasons_for"])
            yield from (f"   - against: {_text(reason)}" for reason in suspect["reasons_against"])
            fix = suspect.get("fix")
            if fix:
                parameters = ", ".join(f"{name} {value}" for name, value in fix["parameters"].items())
                yield f"   - suggested: {_text(fix['kind'])} {_text(fix['name'])} ({_text(parameters)})"
    yield ""
    yield f"{PLACEHOLDER}: confirm or correct the cause."


def _timeline(story: Story) -> Iterator[str]:
    yield "## Timeline"
    yield "Times are UTC."
    yield ""
    rows: list[Sequence[str]] = []
    for _, group in groupby(story.entries, key=_sameness):
        same = list(group)
        rows += [_row(entry) for entry in same[:MAX_SAME_ENTRIES]]
        if len(same) > MAX_SAME_ENTRIES:
            last = same[-1].at.strftime("%H:%M:%S")
            rows.append((f"until {last}", "", f"and {len(same) - MAX_SAME_ENTRIES} more like these"))
    yield from _table(("Time", "Who", "What"), rows)


def _sameness(entry: Entry) -> tuple[str, str, int]:
    """Signals of one phase fold together; everything else stands alone."""
    if entry.kind == "incident.signal":
        return entry.kind, str(entry.data["phase"]), 0
    return entry.kind, "", entry.seq


def _row(entry: Entry) -> Sequence[str]:
    return entry.at.strftime("%Y-%m-%d %H:%M:%S"), _text(entry.actor, 80), _text(entry.text)


def _evidence(story: Story) -> Iterator[str]:
    yield "## Evidence"
    found = story.of_kind("incident.evidence")
    if not found:
        yield "None was recorded."
    for entry in found:
        data = entry.data
        yield f"### {_text(data['title'])}"
        yield _text(data["summary"], 500)
        yield ""
        yield f"- Source: {_text(data['source'])}, at {_at(from_rfc3339(data['at']))}"
        if data["query"]:
            yield "- Query:"
            yield ""
            yield markdown_code(data["query"], limit_lines=20)
        yield from _samples(data)
        yield ""


def _samples(data: Mapping[str, Any]) -> Iterator[str]:
    """The lines of trouble that logs held, as they were written."""
    groups = data["facts"].get("groups") if data["kind"] == "logs" else None
    bad = [group for group in groups or () if group["bad"]][:MAX_LOG_SAMPLES]
    if not bad:
        return
    yield "- Lines:"
    yield ""
    lines = (
        f"{group['since']} since the onset, {group['before']} before: {group['sample']}" for group in bad
    )
    yield markdown_code("\n".join(line.replace("\n", " ") for line in lines))


def _changes(story: Story) -> Iterator[str]:
    yield "## Changes"
    planned = story.of_kind("change.planned")
    if not planned:
        yield "None was made through maestro."
    for entry in planned:
        plan = entry.data.get("plan")
        if not isinstance(plan, dict):
            continue
        yield f"### {_text(plan.get('summary', entry.subject))}"
        digest = _text(str(plan.get("digest", ""))[:16])
        yield f"{_text(entry.subject)} by {_text(entry.actor)}, plan {digest}…"
        for after in story.of_kind("change."):
            if after.subject == entry.subject and after.seq != entry.seq:
                yield f"- {_at(after.at)} {_text(after.text)}"
        lines = (plan.get("diff") or {}).get("lines") or []
        if lines:
            yield ""
            yield markdown_code("\n".join(_diff(lines)), limit_lines=MAX_DIFF_LINES)
        yield ""


def _diff(lines: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for line in lines:
        path = str(line.get("path", "")).replace("\n", " ")
        for sign, value in (("-", line.get("before")), ("+", line.get("after"))):
            if value is not None:
                yield f"{sign} {path}: {str(value)[:500]}".replace("\n", " ")


def _runs(story: Story) -> Iterator[str]:
    yield "## Runbook steps"
    ends = story.of_kind("step.finished", "step.settled", "step.skipped")
    if not ends:
        yield "No runbook step is recorded."
        return
    rows = []
    for entry in ends:
        data = entry.data
        state = "skipped" if entry.kind == "step.skipped" else str(data.get("state", ""))
        value = data.get("value")
        rows.append(
            (
                entry.at.strftime("%H:%M:%S"),
                _text(entry.subject),
                _text(data.get("step", "")),
                _text(state),
                "–" if value is None else _text(value),
                _text(data.get("reason") or ""),
            )
        )
    yield from _table(("Time", "Run", "Step", "Result", "Value", "Why"), rows)


def _learning(story: Story) -> Iterator[str]:
    yield "## Five whys"
    for number in range(1, _WHYS + 1):
        yield f"{number}. {PLACEHOLDER}: why?"
    yield ""
    yield "## What went well, what did not, where we were lucky"
    for word in ("Went well", "Went badly", "Lucky"):
        yield f"- {word}: {PLACEHOLDER}"
    yield ""
    yield "## Action items"
    kinds = ("prevent", "detect sooner", "mitigate faster")
    yield from _table(("Action", "Kind", "Owner", "Due"), ((PLACEHOLDER, kind, "–", "–") for kind in kinds))


def _proof(story: Story) -> Iterator[str]:
    yield "## Proof"
    yield (
        f"Written from the journal up to event {story.head.seq}; its hash proves that nothing before it "
        "was changed (`maestro journal verify`):"
    )
    yield ""
    yield markdown_code(f"{story.head.seq} {story.head.hash}")
