"""Who has acknowledged an incident, as its events tell it.

Invariant: what a watcher acknowledged and then left to people, and what was before an incident was reopened,
is acknowledged by nobody.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from maestro_cli.core.clock import from_rfc3339
from maestro_cli.incidents.model import Incident
from maestro_cli.journal.model import Event

KINDS = ("incident.acked", "incident.reopened", "incident.handed_over", "incident.response_begun")


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """By whom and when; `is_new` unless it stood before, `is_late` when it came after the end."""

    incident: Incident
    by: str
    at: datetime
    is_new: bool
    is_late: bool

    @property
    def remark(self) -> str:
        """What is to be known besides that it is acknowledged now; "" when there is nothing."""
        number, state = self.incident.number, self.incident.state.value
        if not self.is_new:
            when = self.at.astimezone().strftime("%Y-%m-%d %H:%M:%S %Z")
            return f"incident #{number} was acknowledged already: by {self.by}, {when}"
        if self.is_late:
            return f"incident #{number} is {state}: the acknowledgement is late, and moves nothing"
        return ""


def standing_ack(events: Iterable[Event], actor: str, *, is_open: bool) -> Event | None:
    """The acknowledgement that makes another one by `actor` say nothing new; `events` are of KINDS, in order.

    A person who acknowledges after a watcher says something new, for a watcher may leave it to people; after
    the end everybody does, once.
    """
    stands: dict[str, Event] = {}  # by actor, oldest first
    watchers = set()
    for event in events:
        if event.kind == "incident.reopened":
            stands = {}
        elif event.kind == "incident.handed_over":
            stands.pop(event.actor, None)
        elif event.kind == "incident.response_begun":
            watchers.add(event.actor)
        elif not is_open or not event.data["late"]:
            stands.setdefault(event.actor, event)
    others = (event for who, event in stands.items() if is_open and who not in watchers)
    return stands.get(actor) or next(others, None)


def acknowledged(incident: Incident, event: Event, *, is_new: bool) -> Acknowledgement:
    """The acknowledgement that this event tells."""
    at = from_rfc3339(event.time)
    return Acknowledgement(incident, event.actor, at, is_new, bool(event.data["late"]))
