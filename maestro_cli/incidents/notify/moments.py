"""What happens to an incident that people may be told of.

Invariant: pure; a moment is one event of the journal, and one that changes nothing (a late acknowledgement,
the same severity again) is none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, get_args

from maestro_cli.config.channels import Moment
from maestro_cli.journal.model import Event

MOMENTS: tuple[Moment, ...] = get_args(Moment)
_Data = Mapping[str, Any]


def _always(moment: Moment) -> Callable[[_Data], Moment | None]:
    return lambda data: moment


def _acknowledged(data: _Data) -> Moment | None:
    return None if data.get("late") else "acknowledged"


def _severity(data: _Data) -> Moment | None:
    """sev1 is the gravest, so the lower word is the higher severity."""
    now, was = str(data["severity"]), str(data["was"])
    if now == was:
        return None
    return "severity-raised" if now < was else "severity-lowered"


_OF_KIND: Mapping[str, Callable[[_Data], Moment | None]] = {
    "incident.opened": _always("opened"),
    "incident.reopened": _always("reopened"),
    "incident.acked": _acknowledged,
    "incident.severity_set": _severity,
    "incident.triaged": _always("triaged"),
    "incident.mitigated": _always("mitigated"),
    "incident.resolved": _always("resolved"),
    "incident.dismissed": _always("dismissed"),
    "incident.merged": _always("merged"),
    "incident.breached": _always("overdue"),
    "incident.handed_over": _always("left-to-people"),
    "incident.updated": _always("update"),
    "incident.postmortem_published": _always("published"),
}
KINDS = tuple(_OF_KIND)

# PagerDuty's events have three actions; of the other moments it could be told nothing.
PAGERDUTY_ACTIONS: Mapping[str, str] = {
    "opened": "trigger", "reopened": "trigger", "severity-raised": "trigger", "left-to-people": "trigger",
    "escalated": "trigger", "acknowledged": "acknowledge", "resolved": "resolve", "dismissed": "resolve",
    "merged": "resolve",
}  # fmt: skip


def moment_of(event: Event) -> Moment | None:
    """What people may be told of an event; None of any other."""
    judge = _OF_KIND.get(event.kind)
    return judge(event.data) if judge is not None else None
