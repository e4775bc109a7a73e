"""Signals, incidents and the states an incident goes through.

Invariant: ack, owner and severity are attributes with times, never states, so a late one cannot move an
incident; a transition that the table does not list does not exist.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from maestro_cli.core.refs import WorkloadRef


class Severity(StrEnum):
    SEV1 = "sev1"
    SEV2 = "sev2"
    SEV3 = "sev3"
    SEV4 = "sev4"


class State(StrEnum):
    DETECTED = "detected"
    TRIAGING = "triaging"
    MITIGATING = "mitigating"
    MONITORING = "monitoring"
    RESOLVED = "resolved"
    POSTMORTEM = "postmortem"
    CLOSED = "closed"
    DISMISSED = "dismissed"
    MERGED = "merged"

    @property
    def is_open(self) -> bool:
        return self in OPEN_STATES


OPEN_STATES = (State.DETECTED, State.TRIAGING, State.MITIGATING, State.MONITORING)
OVER_STATES = (State.CLOSED, State.DISMISSED, State.MERGED)  # nothing more happens to it

REPORT_SOURCE = "user"  # of a signal that a person reported

# event kind → (states it may come from, state it leads to)
TRANSITIONS: Mapping[str, tuple[tuple[State, ...], State]] = {
    "incident.triage_started": ((State.DETECTED,), State.TRIAGING),
    "incident.triaged": ((State.TRIAGING,), State.MITIGATING),
    "incident.mitigated": ((State.MITIGATING,), State.MONITORING),
    "incident.resolved": (OPEN_STATES, State.RESOLVED),
    "incident.reopened": ((State.RESOLVED, State.POSTMORTEM), State.TRIAGING),
    "incident.postmortem_published": ((State.RESOLVED,), State.POSTMORTEM),
    "incident.closed": ((State.RESOLVED, State.POSTMORTEM), State.CLOSED),
    "incident.dismissed": (OPEN_STATES, State.DISMISSED),
    "incident.merged": (OPEN_STATES, State.MERGED),
}


@dataclass(frozen=True, slots=True)
class Signal:
    """One alert or user report of an incident, in its latest form; labels are untrusted text.

    `content` is the digest of what matters in it, `flaps` how often it came back after it had resolved.
    """

    fingerprint: str
    content: str
    firing: bool
    name: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    starts_at: datetime
    source: str  # alertmanager-api, alertmanager-webhook, prometheus, kubernetes, user
    incident: str
    first_seen_at: datetime
    changed_at: datetime
    resolved_at: datetime | None = None
    flaps: int = 0
    generator_url: str = ""
    start_said: datetime | None = None  # by its sender, where it is not believed; `starts_at` is when it came

    @property
    def is_report(self) -> bool:
        """Whether a person tells of it: it does not fire, and no watch reads it."""
        return self.source == REPORT_SOURCE

    @property
    def is_hearsay(self) -> bool:
        """Whether a webhook message alone tells of it: such a signal may propose, and starts nothing."""
        return self.source.endswith("webhook")


@dataclass(frozen=True, slots=True)
class Times:
    """The clock's stored instants; T0 to T6 in order. Where `start_known` is false no sender told a start
    that is believed, and T0 is when the first signal came: the incident began then, or earlier."""

    started_at: datetime  # T0: the earliest start of its signals
    opened_at: datetime  # T1
    acked_at: datetime | None = None  # T2
    triaged_at: datetime | None = None  # T3
    mitigated_at: datetime | None = None  # T4
    resolved_at: datetime | None = None  # T5
    published_at: datetime | None = None  # T6
    start_known: bool = True


@dataclass(frozen=True, slots=True)
class Incident:
    """What people respond to. `seq` is the last event that changed state, owner, roles, severity or ack:
    pass it back as `expected_seq`; signals and evidence do not move it, or a storm would refuse every
    command. `signals_cleared_at` is when its last firing signal resolved, None while one fires.
    `merged_into` is the id of the incident that its signals went to."""

    id: str
    number: int
    key: str
    title: str
    severity: Severity
    state: State
    owner: str | None
    drill: bool
    namespace: str | None
    workload: WorkloadRef | None
    opened_by: str
    times: Times
    signals: int
    firing: int
    signals_cleared_at: datetime | None
    reopen_count: int
    same_as: str | None
    seq: int
    merged_into: str | None = None
    opened_from: str = ""  # the source of its first signal
    reported: int = 0  # how many of its signals people reported; the others are alerts, which fire or do not

    @property
    def subject(self) -> str:
        return f"incident/{self.id}"

    @property
    def alerts(self) -> int:
        """How many of its signals can fire."""
        return self.signals - self.reported


class LinkKind(StrEnum):
    """What another incident, or a page, is to this one."""

    RELATED = "related"
    CAUSED_BY = "caused-by"
    DUPLICATE = "duplicate"


@dataclass(frozen=True, slots=True)
class Link:
    """`target` is an incident's id or a URL (untrusted text); `reverse`: it was made from the other end."""

    kind: LinkKind
    target: str
    note: str
    at: datetime
    actor: str
    reverse: bool = False

    @property
    def words(self) -> str:
        """`caused-by`, or what that is from the other end: `caused`."""
        other = {LinkKind.CAUSED_BY: "caused", LinkKind.DUPLICATE: "duplicated-by"}
        return other.get(self.kind, self.kind.value) if self.reverse else self.kind.value


class SilenceEnd(StrEnum):
    """Why a silence does not hold although its time is not over."""

    ENDED = "ended"
    NOT_MADE = "not made"  # its change was refused or failed


@dataclass(frozen=True, slots=True)
class IncidentSilence:
    """A silence for an incident: the change that makes it, which alerts, and until when."""

    change: str
    matchers: str
    until: datetime
    at: datetime
    actor: str
    ended_at: datetime | None = None
    end: SilenceEnd | None = None


@dataclass(frozen=True, slots=True)
class IngestReport:
    """What one delivery did. `opened`, `reopened` and `cleared` hold incident ids; `ignored` counts by
    reason (watchdog, severity none, suppressed, resolved and unknown, continues after close)."""

    opened: tuple[str, ...] = ()
    reopened: tuple[str, ...] = ()
    cleared: tuple[str, ...] = ()
    attached: int = 0
    changed: int = 0
    refired: int = 0
    resolved: int = 0
    duplicates: int = 0
    ignored: Mapping[str, int] | None = None

    @property
    def changed_anything(self) -> bool:
        return bool(self.attached or self.changed or self.refired or self.resolved)
