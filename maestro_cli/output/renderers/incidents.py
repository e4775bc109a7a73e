"""Incidents, their clock, timeline and suspects as views."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from maestro_cli.core.canonical import plain
from maestro_cli.core.clock import seconds_between, youth
from maestro_cli.core.quantities import DURATION_CHARACTERS, format_duration
from maestro_cli.output.renderers.incident_findings import (
    age_of,
    evidence_document,
    evidence_view,
    suspects_view,
    triage_age,
)
from maestro_cli.output.renderers.people import (
    standing_document,
    standing_rows,
    tasks_words,
    update_words,
)
from maestro_cli.output.tones import severity_tone
from maestro_cli.output.views import Column, Fields, Heading, Listing, Report

if TYPE_CHECKING:
    from maestro_cli.incidents.clock import PhaseReading
    from maestro_cli.incidents.details import Details
    from maestro_cli.incidents.model import Incident, IncidentSilence, Link, Signal
    from maestro_cli.incidents.people.model import Standing
    from maestro_cli.incidents.timeline import Entry


def incidents_view(
    incidents: Sequence[Incident],
    now: datetime,
    people: Mapping[str, Standing] | None = None,
    empty: str = "no incidents",
) -> Listing[Incident]:
    """Newest first; JSON has every field of each, and `people` where it is given, by incident id. `empty` is
    what is said where there is none: that all is quiet says who has looked."""
    columns: tuple[Column[Incident], ...] = (
        Column("no", lambda incident: f"#{incident.number}", right=True),
        Column(
            "severity",
            lambda incident: incident.severity.value,
            tone=lambda incident: severity_tone(incident.severity.value),
            priority=1,
        ),
        Column(
            "state",
            lambda incident: incident.state.value,
            tone=lambda incident: "bad" if incident.state.is_open else "good",
            priority=1,
        ),
        Column(
            "age",
            lambda incident: _age(incident, now),
            right=True,
            priority=1,
            ages=DURATION_CHARACTERS,
            order=lambda incident: youth(incident.times.opened_at),
        ),
        Column("firing", _firing, right=True),
        Column("reported", lambda incident: incident.reported or None, right=True, priority=3),
        Column("where", lambda incident: incident.workload or incident.namespace, priority=1),
        Column("title", lambda incident: incident.title, priority=1),
        Column("owner", lambda incident: incident.owner),
        Column("seq", lambda incident: str(incident.seq), right=True, wide=True),
        *(_people_columns(people, now) if people is not None else ()),
        Column("drill", lambda incident: incident.drill, wide=True),
        Column("id", lambda incident: incident.id, wide=True),
    )
    return Listing(
        "incident-list/v1",
        columns,
        incidents,
        document=lambda incident: incident_document(incident, now, people),
        empty=empty,
    )


def _people_columns(people: Mapping[str, Standing], now: datetime) -> tuple[Column[Incident], ...]:
    return (
        Column(
            "update",
            lambda incident: update_words(people[incident.id], now),
            tone=lambda incident: "bad" if people[incident.id].clock.is_overdue(now) else "",
            ages=f"{DURATION_CHARACTERS} in overdue (snoozed)",
            order=lambda incident: people[incident.id].clock.due_at,
        ),
        Column(
            "tasks",
            lambda incident: tasks_words(people[incident.id]),
            tone=lambda incident: "bad" if people[incident.id].overdue_tasks else "",
            priority=3,
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


def incident_line(incident: Incident, now: datetime) -> str:
    """One incident on one line: what it is now."""
    owner = incident.owner or "nobody's"
    where = incident.workload or incident.namespace or "-"
    return (
        f"{now.astimezone():%H:%M:%S}  #{incident.number} {incident.severity.value} {incident.state.value}"
        f"  {signals_words(incident)}  {owner}  {where}  {incident.title}"
    )


def _age(incident: Incident, now: datetime) -> str:
    return format_duration(seconds_between(incident.times.opened_at, now))


def incident_view(details: Details) -> Report:
    """One incident whole; JSON has `incident`, `clock`, `signals`, `triage`, `triage_at`, `evidence`,
    `links`, `silences`, `detection`, `watch`, and `people` where they are known."""
    incident, times = details.incident, details.incident.times
    rows: list[tuple[str, object]] = [
        ("incident", f"#{incident.number}  {incident.id}" + ("  (drill)" if incident.drill else "")),
        ("title", incident.title),
        ("state", _state(details)),
        ("severity", incident.severity.value),
        ("owner", incident.owner),
        ("where", incident.workload or incident.namespace),
        ("began", times.started_at if times.start_known else "not known: no sender told a start to believe"),
        ("opened", times.opened_at),
        ("detected", _detected(details)),
        ("resolved", times.resolved_at),
        ("signals", signals_words(incident) + _unwatched(details)),
        ("seq", incident.seq),
    ]
    if details.people is not None:
        rows += standing_rows(details.people, details.now)
    blocks: list[Any] = [Fields(rows), Heading("Clock"), clock_view(details.clock)]
    blocks += [Heading("Signals"), signals_view(details.signals)]
    if details.triage is not None:
        blocks += [Heading(f"Suspects, as of {triage_age(details)}"), suspects_view(details.triage)]
    if details.evidence:
        blocks += [Heading("Evidence"), evidence_view(details.evidence, details.now)]
    if details.links:
        blocks += [Heading("Links"), links_view(details)]
    if details.silences:
        blocks += [Heading("Silences"), incident_silences_view(details.silences, details.now)]
    document = {
        "incident": incident_document(incident),
        "clock": [plain(reading) for reading in details.clock],
        "signals": [plain(signal) for signal in details.signals],
        "triage": details.triage,
        "triage_at": details.triage_at or None,
        "evidence": [evidence_document(item, details.now) for item in details.evidence],
        "links": [_link_document(link, details) for link in details.links],
        "silences": [plain(silence) for silence in details.silences],
        "detection": {
            "rule_seconds": details.detection.rule_seconds,
            "own_seconds": details.detection.own_seconds,
        },
        "watch": plain(details.sight),
    }
    if details.people is not None:
        document["people"] = standing_document(details.people, details.now)
    return Report("incident/v1", document, tuple(blocks))


def _state(details: Details) -> str:
    incident = details.incident
    text = incident.state.value
    if incident.merged_into:
        text += f" into {_named(incident.merged_into, details)}"
    if incident.reopen_count:
        text += f", reopened {incident.reopen_count} times" if incident.reopen_count > 1 else ", reopened"
    if incident.same_as:
        text += f"; as {_named(incident.same_as, details)} was"
    return text


def _detected(details: Details) -> str | None:
    """How long the rule took and how long maestro; None where no metric shows the beginning."""
    rule, own = details.detection.rule_seconds, details.detection.own_seconds
    if rule is None or own is None:
        return None
    return f"{format_duration(rule)} until the rule fired, then {format_duration(own)} until it was opened"


def signals_words(incident: Incident) -> str:
    """How many fire of those that can; reports of people, which no watch reads, are counted apart."""
    firing = _firing(incident)
    parts = [f"{firing} firing"] if firing is not None else []
    parts += [f"{incident.reported} reported"] if incident.reported else []
    return ", ".join(parts)


def _firing(incident: Incident) -> str | None:
    """None where people alone tell of it: what they report does not fire."""
    if incident.reported and not incident.alerts:
        return None
    return f"{incident.firing} of {incident.alerts}"


def _signal_state(signal: Signal) -> str:
    if signal.is_report:
        return "reported"
    return "firing" if signal.firing else "resolved"


def _unwatched(details: Details) -> str:
    """What makes the count of firing signals stale, with its age; "" while somebody sees them."""
    read = [signal for signal in details.signals if not signal.is_report]
    if not details.incident.state.is_open or not read:
        return ""
    sight = details.sight
    if sight.watchers and sight.blind_since is None:
        return ""
    if sight.blind_since is not None:
        return f"; stale: not read since {age_of(sight.blind_since, details.now)}"
    last = max(signal.changed_at for signal in read)
    return f"; stale: nobody watches, recorded {age_of(last, details.now)}"


def _named(incident_id: str, details: Details) -> str:
    number = details.numbers.get(incident_id)
    return f"#{number}" if number is not None else incident_id


def links_view(details: Details) -> Listing[Link]:
    """What other incident or page is what to this one."""
    columns: tuple[Column[Link], ...] = (
        Column("link", lambda link: link.words),
        Column("with", lambda link: _named(link.target, details), priority=0),
        Column("note", lambda link: link.note, priority=1, folds=True),
        Column("by", lambda link: link.actor, priority=3),
    )
    return Listing(
        "incident-links/v1", columns, details.links, document=lambda link: _link_document(link, details)
    )


def _link_document(link: Link, details: Details) -> dict[str, Any]:
    document: dict[str, Any] = plain(link)
    return document | {"words": link.words, "number": details.numbers.get(link.target)}


def incident_silences_view(silences: Sequence[IncidentSilence], now: datetime) -> Listing[IncidentSilence]:
    """The silences made for one incident; those that ended say when."""
    columns: tuple[Column[IncidentSilence], ...] = (
        Column("silences", lambda silence: silence.matchers),
        Column("until", lambda silence: silence.until),
        Column("standing", lambda silence: _standing(silence, now), priority=1),
        Column("by", lambda silence: silence.actor, priority=3),
        Column("change", lambda silence: silence.change, wide=True),
    )
    return Listing("incident-silences/v1", columns, silences, empty="no silence was made for it")


def _standing(silence: IncidentSilence, now: datetime) -> str:
    if silence.end is not None:
        return silence.end.value
    return "over" if silence.until <= now else f"{format_duration(seconds_between(now, silence.until))} left"


def clock_view(clock: Sequence[PhaseReading]) -> Listing[PhaseReading]:
    columns: tuple[Column[PhaseReading], ...] = (
        Column("phase", lambda reading: reading.phase.value),
        Column("took", lambda reading: _duration(reading.seconds), right=True),
        Column("budget", lambda reading: _duration(reading.budget_seconds), right=True),
        Column("since opening", lambda reading: _duration(reading.since_open_seconds), right=True),
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
            _signal_state,
            tone=lambda signal: {"firing": "bad", "resolved": "good"}.get(_signal_state(signal), ""),
            priority=1,
        ),
        Column("since", lambda signal: signal.starts_at if signal.start_said is None else None),
        Column("source", lambda signal: signal.source),
        Column("labels", lambda signal: _labels(signal.labels), priority=2, folds=True),
    )
    return Listing("incident-signals/v1", columns, signals, empty="no signals")


def _labels(labels: Mapping[str, str]) -> str:
    shown = [f"{name}={value}" for name, value in sorted(labels.items()) if name != "alertname"]
    return " ".join(shown)


def timeline_view(entries: Sequence[Entry]) -> Listing[Entry]:
    """One line an event; JSON has the event's data as well."""
    columns: tuple[Column[Entry], ...] = (
        Column("time", lambda entry: entry.at.astimezone().strftime("%H:%M:%S.%f")[:-3]),
        Column("actor", lambda entry: entry.actor),
        Column("what", lambda entry: entry.text, priority=1, folds=True),
        Column("kind", lambda entry: entry.kind, wide=True),
        Column("subject", lambda entry: entry.subject, wide=True),
        Column("seq", lambda entry: str(entry.seq), right=True, wide=True),
    )
    return Listing("incident-timeline/v1", columns, entries)


def _duration(seconds: float | None) -> str | None:
    return None if seconds is None else format_duration(seconds)
