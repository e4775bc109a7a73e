"""The sections of a post-mortem that quote the record: timeline, metrics, evidence, what was done, proof.

Invariant: pure; nothing here is for people to fill.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from statistics import fmean
from typing import Any

from maestro_cli.core.clock import from_rfc3339, seconds_between
from maestro_cli.core.markdown_parts import at, link, table, text
from maestro_cli.core.quantities import format_duration
from maestro_cli.core.untrusted import markdown_code
from maestro_cli.incidents.model import Signal
from maestro_cli.incidents.report.story import Story
from maestro_cli.incidents.report.surroundings import KIND as SURROUNDINGS
from maestro_cli.incidents.report.surroundings import Reading, Surroundings
from maestro_cli.incidents.timeline import Entry

MAX_SAME_ENTRIES = 5
MAX_LOG_SAMPLES = 5
MAX_DIFF_LINES = 60
MAX_COMMAND_LINES = 60
MAX_SIGNALS = 10
_RECOVERY = re.compile(r"recovery (?:time|point) \((RTO|RPO)\): ([^\n]{1,200})")
_RECOVERIES = {"RTO": "Recovery time (RTO)", "RPO": "Recovery point (RPO)"}


def happened(story: Story) -> Iterator[str]:
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
    yield from table(("Time", "Who", "What"), rows)


def _sameness(entry: Entry) -> tuple[str, str, int]:
    """Signals of one phase fold together; everything else stands alone."""
    if entry.kind == "incident.signal":
        return entry.kind, str(entry.data["phase"]), 0
    return entry.kind, "", entry.seq


def _row(entry: Entry) -> Sequence[str]:
    what = text(entry.text)
    if entry.kind == "incident.evidence" and entry.data["kind"] != SURROUNDINGS:
        what += f" ([evidence {entry.seq}](#evidence-{entry.seq}))"
    elif _command(entry):
        what += f" ([command {entry.seq}](#command-{entry.seq}))"
    elif entry.kind == "change.planned":
        what += f" ([change {entry.seq}](#change-{entry.seq}))"
    return entry.at.strftime("%Y-%m-%d %H:%M:%S"), text(entry.actor, 80), what


def _command(entry: Entry) -> str:
    """What an attempt at a step did, as it was recorded; "" for any other entry."""
    command = entry.data.get("command") if entry.kind == "step.intended" else None
    return command if isinstance(command, str) else ""


def signals(story: Story) -> Iterator[str]:
    yield "## Signals"
    if not story.signals:
        yield "None is recorded."
        return
    rows = [
        (
            link(signal.name or "unnamed", signal.generator_url),
            at(signal.starts_at) if signal.start_said is None else "not known",
            at(signal.resolved_at) if not signal.firing else "fires",
            text(signal.source, 40),
            text(_labels(signal), 200),
        )
        for signal in story.signals[:MAX_SIGNALS]
    ]
    more = len(story.signals) - MAX_SIGNALS
    if more > 0:
        rows.append((f"and {more} more", "", "", "", ""))
    yield from table(("Signal", "Since", "Until", "From", "Labels"), rows)


def _labels(signal: Signal) -> str:
    return ", ".join(f"{key}={value}" for key, value in sorted(signal.labels.items()) if key != "alertname")


def metrics(story: Story) -> Iterator[str]:
    """Plots and figures of what was read; the pictures stand in the folder that `pictures_folder` names."""
    yield "## Metrics"
    read = story.surroundings
    if read is None:
        yield f"Not read: {text(story.why_no_surroundings)}."
        return
    yield (
        f"Read from Prometheus at {at(read.at)}, every {format_duration(read.step_seconds)} from "
        f"{at(read.start)} to {at(read.end)}."
    )
    if read.failed_since is not None:
        age = format_duration(max(seconds_between(read.at, story.made_at), 0.0))
        yield (
            f"They are {age} old: at {at(read.failed_since)} they could not be read again "
            f"({text(read.error)})."
        )
    yield ""
    rows = [_figures(story, read, reading) for reading in read.readings]
    yield from table(("Series", "Before, mean", "During, mean", "During, most", "After, mean"), rows)
    for reading in read.readings:
        yield ""
        if reading.points:
            yield f"![{text(reading.title)}]({pictures_folder(story)}/{reading.name}.svg)"
            yield ""
        yield markdown_code(reading.query, limit_lines=20)


def pictures_folder(story: Story) -> str:
    """The folder beside the document that holds its pictures."""
    return f"{story.incident.id}.pictures"


def _figures(story: Story, read: Surroundings, reading: Reading) -> Sequence[str]:
    times = story.incident.times
    over = times.resolved_at or read.end
    before, during = reading.among(read.start, times.started_at), reading.among(times.started_at, over)
    after = reading.among(over, read.end) if times.resolved_at is not None else ()

    def shown(value: float | None) -> str:
        return "no data" if value is None else f"{value:.4g} {reading.unit}"

    def mean(values: Sequence[float]) -> float | None:
        return fmean(values) if values else None

    most = max(during) if during else None
    return (text(reading.title), *map(shown, (mean(before), mean(during), most, mean(after))))


def evidence(story: Story) -> Iterator[str]:
    yield "## Evidence"
    found = [one for one in story.of_kind("incident.evidence") if one.data["kind"] != SURROUNDINGS]
    if not found:
        yield "None was recorded."
    for entry in found:
        data = entry.data
        yield f"### Evidence {entry.seq}"
        yield f"**{text(data['title'])}**: {text(data['summary'], 500)}"
        yield ""
        yield f"- Source: {text(data['source'])}, at {at(from_rfc3339(data['at']))}"
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


def changes(story: Story) -> Iterator[str]:
    yield "## Changes"
    planned = story.of_kind("change.planned")
    if not planned:
        yield "None was made through maestro."
    for entry in planned:
        plan = entry.data.get("plan")
        if not isinstance(plan, dict):
            continue
        yield f"### Change {entry.seq}"
        digest = text(str(plan.get("digest", ""))[:16])
        yield f"**{text(plan.get('summary', entry.subject))}**: {text(entry.subject)} by {text(entry.actor)},"
        yield f"plan {digest}…"
        yield ""
        for after in story.of_kind("change."):
            if after.subject == entry.subject and after.seq != entry.seq:
                yield f"- {at(after.at)} {text(after.text)}"
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


def runs(story: Story) -> Iterator[str]:
    """Every run with who worked on it and what people answered, then its steps and what they ran."""
    yield "## Runbook steps"
    told = [f"- {at(one.at)} {_run_line(one)}" for one in story.of_kind("run.")]
    yield from told
    if told:
        yield ""
    rows = list(_step_rows(story))
    if rows:
        yield from table(("Time", "Run", "Step", "What", "Result", "Value", "Why"), rows)
    else:
        yield "No runbook step is recorded."
    yield from _commands(story)


def _step_rows(story: Story) -> Iterator[Sequence[str]]:
    """How each attempt at a step ended."""
    began = {
        (entry.subject, str(entry.data.get("step")), entry.data.get("attempt")): entry
        for entry in story.of_kind("step.intended")
    }
    for entry in story.of_kind("step.finished", "step.settled", "step.skipped"):
        data = entry.data
        first = began.get((entry.subject, str(data.get("step")), data.get("attempt")))
        title = (first or entry).data.get("title") or ""
        state = "skipped" if entry.kind == "step.skipped" else str(data.get("state", ""))
        value = data.get("value")
        yield (
            entry.at.strftime("%H:%M:%S"),
            text(entry.subject),
            text(data.get("step", "")),
            text(title, 120),
            text(state),
            "–" if value is None else text(value),
            text(data.get("reason") or ""),
        )


def _commands(story: Story) -> Iterator[str]:
    """What was run, each as a block of its own; the same one again says which it is."""
    seen: dict[tuple[str, str, str], int] = {}
    for entry in story.of_kind("step.intended"):
        command = _command(entry)
        if not command:
            continue
        step = str(entry.data.get("step", ""))
        yield ""
        yield f"### Command {entry.seq}"
        yield f"{at(entry.at)}, {text(entry.actor, 80)}: step {text(step)} of {text(entry.subject)}"
        yield ""
        first = seen.setdefault((entry.subject, step, command), entry.seq)
        if first != entry.seq:
            yield f"As [command {first}](#command-{first})."
        else:
            yield markdown_code(command, limit_lines=MAX_COMMAND_LINES)


def _run_line(entry: Entry) -> str:
    data = entry.data
    answer = f": {data['answer']}" if isinstance(data.get("answer"), str) else ""
    return text(f"{entry.subject}, {entry.actor}: {entry.text}{answer}", 400)


def recoveries(story: Story) -> Iterator[str]:
    """Recovery time and point, where a run of a disaster measured them; nothing without such a run."""
    for entry in story.of_kind("step.finished", "step.settled"):
        output = entry.data.get("output")
        for short, words in _RECOVERY.findall(output) if isinstance(output, str) else ():
            step = text(f"{entry.subject}, step {entry.data.get('step', '')}")
            yield f"- {_RECOVERIES[short]}: {text(words, 200)} (measured by {step})"


def proof(story: Story) -> Iterator[str]:
    yield "## Proof"
    yield (
        f"Written from the journal up to event {story.head.seq}; its hash proves that nothing before it "
        "was changed (`maestro journal verify`):"
    )
    yield ""
    yield markdown_code(f"{story.head.seq} {story.head.hash}")
