"""What starts playbooks besides alerts: ticks of schedules, and what happens to incidents.

Invariant: an occasion has one key for ever, made of what it is and not of who sees it. It is due only for a
while, so that a watcher which starts late does not do what is long past. An incident of which every signal
has resolved is no occasion, and neither is a drill's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from maestro_cli.core.clock import from_rfc3339, to_rfc3339
from maestro_cli.core.cron import began_at
from maestro_cli.incidents.model import OPEN_STATES, Incident, Signal
from maestro_cli.incidents.register import list_incidents, signals_of
from maestro_cli.journal.model import Event
from maestro_cli.journal.store import Journal
from maestro_cli.runbooks.playbooks.matchers import mismatch
from maestro_cli.runbooks.playbooks.model import IncidentTrigger, Playbook
from maestro_cli.runbooks.playbooks.running import Occasion
from maestro_cli.runbooks.playbooks.template import Facts

RECENT = timedelta(minutes=15)  # how long what happened to an incident may start a playbook
_KINDS = {
    "incident.opened": "opened",
    "incident.reopened": "reopened",
    "incident.severity_set": "severity-raised",
}
Due = tuple[Playbook, Occasion]


def facts_of(incident: Incident) -> Facts:
    """What `{{ incident.NAME }}` stands for."""
    return {
        "incident": {
            "id": incident.id,
            "number": str(incident.number),
            "title": incident.title,
            "severity": incident.severity.value,
            "namespace": incident.namespace or "",
            "owner": incident.owner or "",
        }
    }


def due_ticks(playbooks: Sequence[Playbook], now: datetime) -> Iterator[Due]:
    """The newest tick of each schedule that may still start its playbook."""
    for playbook in playbooks:
        for schedule in playbook.schedules:
            at = began_at(schedule.cron, schedule.zone, timedelta(seconds=schedule.within_seconds), now)
            if at is not None:
                tick = to_rfc3339(at)
                facts = {"schedule": {"at": tick}, "params": defaults_of(playbook)}
                yield (
                    playbook,
                    Occasion(
                        f"schedule/{playbook.id}/{tick}", "schedule", f"{schedule}, at {tick}", facts=facts
                    ),
                )


def due_events(playbooks: Sequence[Playbook], journal: Journal, now: datetime) -> Iterator[Due]:
    """What happened lately to open incidents, for the playbooks that it starts."""
    able = [one for one in playbooks if one.events]
    for incident in list_incidents(journal, states=OPEN_STATES, drills=False) if able else ():
        signals = signals_of(journal, incident.id)
        if is_quiet(incident):
            continue
        happened = list(_happened(journal, incident, now))
        for playbook in able:
            for trigger in playbook.events:
                for key, event in _of(trigger, incident, happened, now):
                    signal = _fitting(trigger, signals, hearsay=playbook.mode != "auto")
                    if signal is not None:
                        yield playbook, _occasion(playbook, incident, signal, key, event)


def defaults_of(playbook: Playbook) -> dict[str, str]:
    """The values of a playbook's parameters when no person gives any."""
    return {one.name: one.default for one in playbook.parameters or () if one.default is not None}


def newest_firing(signals: Sequence[Signal]) -> Signal | None:
    """The signal whose labels fill in: the newest that fires; a person's report never resolves."""
    return next((one for one in reversed(signals) if one.firing), None)


def is_quiet(incident: Incident) -> bool:
    """Whether it ended, or had signals of a source of which none fires."""
    return not incident.state.is_open or (incident.firing == 0 and incident.signals_cleared_at is not None)


def _happened(journal: Journal, incident: Incident, now: datetime) -> Iterator[Event]:
    for event in journal.events(subject=incident.subject, kinds=tuple(_KINDS)):
        if now - from_rfc3339(event.time) > RECENT:
            continue
        if event.kind == "incident.severity_set" and not event.data["severity"] < event.data["was"]:
            continue  # sev1 is the gravest
        yield event


def _of(
    trigger: IncidentTrigger, incident: Incident, happened: Sequence[Event], now: datetime
) -> Iterator[tuple[str, str]]:
    """A key for each time that this happened, and what it was."""
    if trigger.severities and incident.severity.value not in trigger.severities:
        return
    if trigger.event != "not-acknowledged":
        for event in happened:
            if _KINDS[event.kind] == trigger.event:
                yield f"event/{event.seq}", trigger.event
        return
    since = incident.times.opened_at + timedelta(seconds=trigger.after_seconds)
    if incident.times.acked_at is None and since <= now <= since + RECENT:
        seconds = f"{trigger.after_seconds:g}"
        yield f"unacknowledged/{incident.id}/{seconds}", f"not acknowledged for {seconds}s"


def _fitting(trigger: IncidentTrigger, signals: Sequence[Signal], *, hearsay: bool) -> Signal | None:
    """The newest that fits; one that a webhook alone tells of may propose (`hearsay`), and runs nothing."""
    firing = [one for one in signals if one.firing and not mismatch(trigger.matchers, one.labels)]
    return newest_firing([one for one in firing if hearsay or not one.is_hearsay])


def _occasion(playbook: Playbook, incident: Incident, signal: Signal, key: str, event: str) -> Occasion:
    labels: Mapping[str, str] = dict(signal.labels)
    return Occasion(
        f"{key}/{playbook.id}",
        "incident",
        f"incident #{incident.number} {event}",
        incident=incident.id,
        facts={"labels": labels, "params": defaults_of(playbook), **facts_of(incident)},
        annotations=dict(signal.annotations),
    )
