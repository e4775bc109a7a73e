"""Incidents, their clock, timeline and suspects as views."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from maestro_cli.core.canonical import plain
from maestro_cli.core.clock import seconds_between
from maestro_cli.core.quantities import format_duration
from maestro_cli.output.renderers.people import (
    standing_document,
    standing_rows,
    tasks_words,
    update_words,
)
from maestro_cli.output.views import Column, Fields, Heading, Listing, Report

if TYPE_CHECKING:
    from maestro_cli.incidents.clock import PhaseReading
    from maestro_cli.incidents.model import Incident, Signal
    from maestro_cli.incidents.people.model import Standing
    from maestro_cli.incidents.timeline import Entry

_GRAVE = ("sev1", "sev2")


def incidents_view(
    incidents: Sequence[Incident], now: datetime, people: Mapping[str, Standing] | None = None
) -> Listing[Incident]:
    """Newest first; JSON has every field of each, and `people` where it is given, by incident id."""
    columns: tuple[Column[Incident], ...] = (
        Column("no", lambda incident: f"#{incident.number}", right=True),
        Column(
            "severity",
            lambda incident: incident.severity.value,
            tone=lambda incident: "bad" if incident.severity.value in _GRAVE else "warn",
        ),
        Column(
            "state",
            lambda incident: incident.state.value,
            tone=lambda incident: "bad" if incident.state.is_open else "good",
        ),
        Column("age", lambda incident: _age(incident, now), right=True),
        Column("firing", lambda incident: f"{incident.firing} of {incident.signals}", right=True),
        Column("where", lambda incident: incident.workload or incident.namespace),
        Column("title", lambda incident: incident.title),
        Column("owner", lambda incident: incident.owner),
        *(_people_columns(people, now) if people is not None else ()),
        Column("drill", lambda incident: incident.drill, wide=True),
        Column("id", lambda incident: incident.id, wide=True),
    )
    return Listing(
        "incident-list/v1",
        columns,
        incidents,
        document=lambda incident: incident_document(incident, now, people),
        empty="no incidents; all quiet",
    )


def _people_columns(people: Mapping[str, Standing], now: datetime) -> tuple[Column[Incident], ...]:
    return (
        Column(
            "update",
            lambda incident: update_words(people[incident.id], now),
            tone=lambda incident: "bad" if people[incident.id].clock.is_overdue(now) else "",
        ),
        Column(
            "tasks",
            lambda incident: tasks_words(people[incident.id]),
            tone=lambda incident: "bad" if people[incident.id].overdue_tasks else "",
        ),
        Column("commander", lambda incident: people[incident.id].roles.get("commander"), wide=True),
    )


def incident_document(
    incident: Incident, now: datetime | None = None, people: Mapping[str, Standing] | None = None
) -> dict[str, Any]:
    document: dict[str, Any] = plain(incident)
    document["workload"] = None if incident.workload is None else str(incident.workload)
    if people is not None and now is not None:
        document["people"] = standing_document(people[incident.id], now)
    return document


def _age(incident: Incident, now: datetime) -> str:
    return format_duration(seconds_between(incident.times.opened_at, now))


def incident_view(
    incident: Incident,
    clock: Sequence[PhaseReading],
    signals: Sequence[Signal],
    suspects: Mapping[str, Any] | None,
    evidence: Sequence[Mapping[str, Any]],
    people: Standing | None = None,
    now: datetime | None = None,
) -> Report:
    """One incident whole; JSON has `incident`, `clock`, `signals`, `triage`, `evidence`, and `people` where
    they are given, as they stand `now`."""
    times = incident.times
    rows: list[tuple[str, object]] = [
        ("incident", f"#{incident.number}  {incident.id}" + ("  (drill)" if incident.drill else "")),
        ("title", incident.title),
        ("state", incident.state.value),
        ("severity", incident.severity.value),
        ("owner", incident.owner),
        ("where", incident.workload or incident.namespace),
        ("began", times.started_at),
        ("opened", times.opened_at),
        ("resolved", times.resolved_at),
        ("signals", f"{incident.firing} of {incident.signals} firing"),
    ]
    if people is not None and now is not None:
        rows += standing_rows(people, now)
    blocks: list[Any] = [Fields(rows), Heading("Clock"), clock_view(clock)]
    blocks += [Heading("Signals"), signals_view(signals)]
    if suspects is not None:
        blocks += [Heading("Suspects"), suspects_view(suspects)]
    if evidence:
        blocks += [Heading("Evidence"), evidence_view(evidence)]
    document = {
        "incident": incident_document(incident),
        "clock": [plain(reading) for reading in clock],
        "signals": [plain(signal) for signal in signals],
        "triage": suspects,
        "evidence": list(evidence),
    }
    if people is not None and now is not None:
        document["people"] = standing_document(people, now)
    return Report("incident/v1", document, tuple(blocks))


def clock_view(clock: Sequence[PhaseReading]) -> Listing[PhaseReading]:
    columns: tuple[Column[PhaseReading], ...] = (
        Column("phase", lambda reading: reading.phase.value),
        Column("took", lambda reading: _duration(reading.seconds), right=True),
        Column("budget", lambda reading: _duration(reading.budget_seconds), right=True),
        Column(
            "standing",
            lambda reading: reading.standing.value,
            tone=lambda reading: {"breached": "bad", "met": "good"}.get(reading.standing.value, ""),
        ),
    )
    return Listing("incident-clock/v1", columns, clock)


def signals_view(signals: Sequence[Signal]) -> Listing[Signal]:
    columns: tuple[Column[Signal], ...] = (
        Column("signal", lambda signal: signal.name),
        Column(
            "state",
            lambda signal: "firing" if signal.firing else "resolved",
            tone=lambda signal: "bad" if signal.firing else "good",
        ),
        Column("since", lambda signal: signal.starts_at),
        Column("source", lambda signal: signal.source),
        Column("labels", lambda signal: _labels(signal.labels)),
    )
    return Listing("incident-signals/v1", columns, signals, empty="no signals")


def _labels(labels: Mapping[str, str]) -> str:
    shown = [f"{name}={value}" for name, value in sorted(labels.items()) if name != "alertname"]
    return " ".join(shown)


def suspects_view(triage: Mapping[str, Any]) -> Listing[Mapping[str, Any]]:
    """Suspects as recorded in the journal, first the most probable."""
    columns: tuple[Column[Mapping[str, Any]], ...] = (
        Column("score", lambda suspect: f"{suspect['score']:.2f}", right=True),
        Column("kind", lambda suspect: suspect["kind"]),
        Column("suspect", lambda suspect: suspect["subject"]),
        Column("for", lambda suspect: "; ".join(suspect["reasons_for"])),
        Column("against", lambda suspect: "; ".join(suspect["reasons_against"])),
        Column("fix", lambda suspect: _fix(suspect.get("fix"))),
    )
    return Listing("incident-suspects/v1", columns, triage["suspects"], empty=str(triage["conclusion"]))


def _fix(fix: Mapping[str, Any] | None) -> str | None:
    if not fix:
        return None
    parameters = " ".join(f"{name}={value}" for name, value in fix["parameters"].items())
    return f"{fix['name']} {parameters}".strip()


def evidence_view(evidence: Sequence[Mapping[str, Any]]) -> Listing[Mapping[str, Any]]:
    columns: tuple[Column[Mapping[str, Any]], ...] = (
        Column("kind", lambda item: item["kind"]),
        Column(
            "finding",
            lambda item: item["summary"] if item["ok"] else f"not available: {item['error']}",
            tone=lambda item: "" if item["ok"] else "warn",
        ),
        Column("source", lambda item: item["source"]),
        Column("query", lambda item: item["query"], wide=True),
    )
    return Listing("incident-evidence/v1", columns, evidence)


def timeline_view(entries: Sequence[Entry]) -> Listing[Entry]:
    """One line an event; JSON has the event's data as well."""
    columns: tuple[Column[Entry], ...] = (
        Column("time", lambda entry: entry.at.astimezone().strftime("%H:%M:%S.%f")[:-3]),
        Column("actor", lambda entry: entry.actor),
        Column("what", lambda entry: entry.text),
        Column("kind", lambda entry: entry.kind, wide=True),
        Column("subject", lambda entry: entry.subject, wide=True),
        Column("seq", lambda entry: str(entry.seq), right=True, wide=True),
    )
    return Listing("incident-timeline/v1", columns, entries)


def _duration(seconds: float | None) -> str | None:
    return None if seconds is None else format_duration(seconds)
