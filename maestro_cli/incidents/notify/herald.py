"""Puts into the outbox what channels shall be told of incidents.

Invariant: an event is told to a channel once, whichever of several processes sees it first and however often:
the message's key is the channel and the event. What is old is no news; that an incident which is still open
was opened is news for a day, and that an alert of a pager ended for ever.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from maestro_cli.config.channels import NAMED, Channel, PagerDuty, Route
from maestro_cli.core.clock import Clock, from_rfc3339, to_rfc3339
from maestro_cli.core.untrusted import visible
from maestro_cli.incidents.model import Incident
from maestro_cli.incidents.notify.moments import KINDS, PAGERDUTY_ACTIONS, moment_of
from maestro_cli.incidents.register import find_incident
from maestro_cli.incidents.response.occasions import facts_of
from maestro_cli.incidents.timeline import describe
from maestro_cli.journal.messages import Delivery, Message, Standing
from maestro_cli.journal.model import Event
from maestro_cli.journal.outbox import Outbox
from maestro_cli.journal.store import Journal
from maestro_cli.runbooks.playbooks.template import fill

RECENT = timedelta(hours=1)
STILL_OPEN = timedelta(days=1)
MAX_TEXT = 4000
TIMEOUT_SECONDS = 5.0
_OPENING = {moment for moment, action in PAGERDUTY_ACTIONS.items() if action == "trigger"}
_TOLD = (
    "SELECT json_extract(content, '$.moment') AS moment,"
    " coalesce(json_extract(content, '$.at'), queued_at) > ? AS later"
    " FROM outbox WHERE channel = ? AND incident = ? AND standing <> 'dropped'"
)
_ENDS = ", ".join(f"'{moment}'" for moment, action in PAGERDUTY_ACTIONS.items() if action == "resolve")
_OPEN_ALERTS = (
    "SELECT DISTINCT incident FROM outbox AS o WHERE channel = ? AND incident <> '' AND standing <> 'dropped'"
    " AND NOT EXISTS (SELECT 1 FROM outbox AS e WHERE e.channel = o.channel AND e.incident = o.incident"
    f" AND e.seq >= o.seq AND json_extract(e.content, '$.moment') IN ({_ENDS}))"
)


class Herald:
    """Looks for news again and again; safe beside others that look at the same journal."""

    def __init__(
        self,
        journal: Journal,
        outbox: Outbox,
        channels: Mapping[str, Channel],
        routes: Sequence[Route],
        *,
        clock: Clock,
    ) -> None:
        self._journal, self._outbox, self._clock = journal, outbox, clock
        self._channels, self._routes = channels, tuple(routes)
        self._pagers = tuple(name for name, one in channels.items() if isinstance(one, PagerDuty))
        self._seen = 0

    def look(self) -> tuple[Delivery, ...]:
        """Accept a message for whatever is new; what is accepted is durable, and answered.

        Asks for nothing and writes nothing where nothing is new.
        """
        if not self._routes and not self._pagers:
            return ()
        now = self._clock.now()
        head = self._journal.head().seq
        first = self._seen or self._first(now)
        found = self._journal.events(kinds=KINDS, after=first)
        if not self._seen:
            found = [*self._older_of_open_alerts(first), *found]
        accepted = tuple(
            self._outbox.accept(message) for event in found for message in self.messages(event, now)
        )
        self._seen = max(head, found[-1].seq) if found else head
        return accepted

    def tell(self) -> None:
        """Look, and try what waits at each channel in order, until one does not take a message or has had as
        long as one attempt may take. A channel that is left alone at this moment is."""
        seconds_left: dict[str, float] = {}
        for message in self.look():
            left = seconds_left.setdefault(message.channel, TIMEOUT_SECONDS)
            if message.standing is not Standing.WAITING or left <= 0:
                continue
            if self._outbox.channel(message.channel).is_paused(self._clock.now()):
                continue
            began = self._clock.monotonic()
            after = self._outbox.deliver(message.id)
            took = self._clock.monotonic() - began
            seconds_left[message.channel] = left - took if after.standing.is_over else 0.0

    def messages(self, event: Event, now: datetime) -> tuple[Message, ...]:
        """What an event makes one tell, to each channel once, by the first route that leads to it.

        A pager with an alert of the incident is told that it was acknowledged or ended whatever the routes
        say and however old that is: an alert that stays open wakes people for nothing.
        """
        moment = moment_of(event)
        if moment is None:
            return ()
        incident = find_incident(self._journal, str(event.data["incident"]))
        made: dict[str, Message] = {}
        for route in self._routes if _is_news(event, moment, incident, now) else ():
            if moment not in route.on or not _takes(route, incident):
                continue
            for name in route.to:
                if name not in made and _can_tell(self._channels[name], moment):
                    made[name] = message_of(event, moment, incident, route, name)
        for name in self._pagers if PAGERDUTY_ACTIONS.get(moment, "trigger") != "trigger" else ():
            if name not in made and self._has_alert(name, incident.id, event.time):
                made[name] = message_of(event, moment, incident, Route(to=[name]), name)
        return tuple(made.values())

    def _has_alert(self, pager: str, incident: str, at: str) -> bool:
        """Whether a pager was or shall be told of an incident by then, and nothing that opens it after."""
        rows = self._journal.query(_TOLD, (at, f"{NAMED}{pager}", incident))
        reopened = any(row["later"] and row["moment"] in _OPENING for row in rows)
        return not reopened and any(not row["later"] for row in rows)

    def _older_of_open_alerts(self, first: int) -> Iterator[Event]:
        """What happened up to `first` to incidents of which a pager was told, but no end."""
        for name in self._pagers:
            for row in self._journal.query(_OPEN_ALERTS, (f"{NAMED}{name}",)):
                for event in self._journal.events(subject=f"incident/{row['incident']}", kinds=KINDS):
                    if event.seq <= first:
                        yield event

    def _first(self, now: datetime) -> int:
        """An event before whatever may be news, found by a few looks at single events."""
        since = to_rfc3339(now - STILL_OPEN)
        newest = int(self._journal.query("SELECT max(seq) AS seq FROM events")[0]["seq"] or 0)
        back = 1024
        while newest > back:
            rows = self._journal.query("SELECT time FROM events WHERE seq = ?", (newest - back,))
            if rows and rows[0]["time"] < since:
                return newest - back
            back *= 2
        return 0


def _is_news(event: Event, moment: str, incident: Incident, now: datetime) -> bool:
    age = now - from_rfc3339(event.time)
    return age <= RECENT or (moment == "opened" and incident.state.is_open and age <= STILL_OPEN)


def _takes(route: Route, incident: Incident) -> bool:
    return (
        (not incident.drill or route.drills)
        and (not route.severity or incident.severity.value in route.severity)
        and (not route.namespaces or incident.namespace in route.namespaces)
    )


def _can_tell(channel: Channel, moment: str) -> bool:
    return not isinstance(channel, PagerDuty) or moment in PAGERDUTY_ACTIONS


def message_of(event: Event, moment: str, incident: Incident, route: Route, channel: str) -> Message:
    """One message; its text is plain, and each form spells what is markup in its channel."""
    happened = describe(event.kind, event.data)
    text = f"{incident.severity.value} #{incident.number} {incident.title}: {happened}"
    if route.template is not None:
        more = {"moment": moment, "happened": happened, "state": incident.state.value}
        text = fill(route.template, {"incident": {**facts_of(incident)["incident"], **more}}, strict=False)
    content: dict[str, Any] = {
        "text": visible(text, MAX_TEXT),
        "moment": moment,
        "at": event.time,
        "actor": visible(event.actor, 200),
        "number": incident.number,
        "title": visible(incident.title, 300),
        "severity": incident.severity.value,
        "state": incident.state.value,
        "namespace": incident.namespace or "",
        "workload": str(incident.workload) if incident.workload is not None else "",
        "owner": visible(incident.owner or "", 200),
        "incident": incident.id,
    }
    return Message(
        key=f"notify/{channel}/{event.hash[:16]}",
        channel=f"{NAMED}{channel}",
        content=content,
        incident=incident.id,
        timeout_seconds=TIMEOUT_SECONDS,
    )
