"""Playbooks as read. Invariant: frozen data; each has at least one trigger and one step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from maestro_cli.core.cron import Cron
from maestro_cli.runbooks.model import Parameter, Runbook
from maestro_cli.runbooks.playbooks.matchers import Matcher, mismatch
from maestro_cli.runbooks.playbooks.spec import IncidentEvent, Mode, Moment
from maestro_cli.runbooks.playbooks.template import Facts, fill

ROLES = ("commander", "ops", "scribe", "liaison")
DEFAULT_RUNS_PER_HOUR = 2


@dataclass(frozen=True, slots=True)
class AlertTrigger:
    """A firing alert whose labels satisfy every matcher."""

    matchers: tuple[Matcher, ...]

    def mismatch(self, labels: Mapping[str, str]) -> str:
        return mismatch(self.matchers, labels)

    def __str__(self) -> str:
        return ", ".join(map(str, self.matchers))


@dataclass(frozen=True, slots=True)
class IncidentTrigger:
    """What happens to an incident; `after_seconds` is how long nobody acknowledged it."""

    event: IncidentEvent
    after_seconds: float = 0.0
    severities: tuple[str, ...] = ()
    matchers: tuple[Matcher, ...] = ()

    def __str__(self) -> str:
        words = [f"incident {self.event}"]
        words += [f"for {self.after_seconds:g}s"] if self.after_seconds else []
        words += [f"of {' or '.join(self.severities)}"] if self.severities else []
        return " ".join([*words, *map(str, self.matchers)])


@dataclass(frozen=True, slots=True)
class Schedule:
    """Instants: `within_seconds` is how late the playbook may still start."""

    cron: Cron
    zone: ZoneInfo
    within_seconds: float

    def __str__(self) -> str:
        return f"schedule {self.cron.text} {self.zone.key}"


@dataclass(frozen=True, slots=True)
class Correlation:
    """Signals with the same values of `group_by` are one incident, which opens once `threshold` of them fire
    that began within `window_seconds` of one another."""

    group_by: tuple[str, ...]
    window_seconds: float
    threshold: int


@dataclass(frozen=True, slots=True)
class PlaybookStep:
    """One runbook, or the one that was made of `inline` steps; values may hold placeholders."""

    runbook: str
    values: Mapping[str, str]
    inline: Runbook | None = None

    def parameters(self, labels: Mapping[str, str], more: Facts | None = None) -> dict[str, str]:
        """What the runbook is given; raises UsageError for a label or another value that there is not."""
        facts = {"labels": labels, **(more or {})}
        return {name: fill(text, facts, strict=True) for name, text in self.values.items()}


@dataclass(frozen=True, slots=True)
class OnFailure:
    """What follows a step that failed; `page` refers to a webhook's address."""

    step: PlaybookStep | None = None
    page: str = ""


@dataclass(frozen=True, slots=True)
class Notification:
    """`to` refers to a webhook's address."""

    to: str
    on: tuple[Moment, ...]


@dataclass(frozen=True, slots=True)
class Sample:
    """A sample alert and the id of the playbook it must choose, `none` when it is none."""

    name: str
    labels: Mapping[str, str]
    firing: bool
    expect: str


@dataclass(frozen=True, slots=True)
class Playbook:
    """One YAML file. `places` has the line of each key, `digest` is the SHA-256 (hex) of its content.

    `held_back` says why an `auto` one only suggests now; its mode then is `suggest`.
    """

    id: str
    steps: tuple[PlaybookStep, ...]
    title: str = ""
    file: str = ""
    digest: str = ""
    alerts: tuple[AlertTrigger, ...] = ()
    events: tuple[IncidentTrigger, ...] = ()
    schedules: tuple[Schedule, ...] = ()
    parameters: tuple[Parameter, ...] | None = None  # None: not to be started by hand
    correlation: Correlation | None = None
    severity: str = "sev3"
    incident_title: str = ""
    roles: Mapping[str, str] = field(default_factory=dict)
    mode: Mode = "suggest"
    max_runs_per_hour: int = DEFAULT_RUNS_PER_HOUR
    has_limit: bool = True
    on_failure: OnFailure = OnFailure()
    notifications: tuple[Notification, ...] = ()
    samples: tuple[Sample, ...] = ()
    places: Mapping[str, int] = field(default_factory=dict, compare=False, repr=False)
    held_back: str = ""

    def title_for(self, labels: Mapping[str, str], more: Facts | None = None) -> str:
        """The incident's title for this alert; a missing value reads `?`."""
        facts = {"labels": labels, **(more or {})}
        return fill(self.incident_title or self.title or self.id, facts, strict=False)

    def matching(self, labels: Mapping[str, str]) -> AlertTrigger | None:
        """The alternative that takes an alert, the one with the most matchers."""
        fitting = [one for one in self.alerts if not one.mismatch(labels)]
        return max(fitting, key=lambda one: len(one.matchers), default=None)

    def mismatch(self, labels: Mapping[str, str]) -> str:
        """Why it does not take an alert, in words; empty when it does."""
        if not self.alerts:
            return "no alert starts it"
        if self.matching(labels) is not None:
            return ""
        return "; ".join(one.mismatch(labels) for one in self.alerts)

    @property
    def triggers(self) -> tuple[str, ...]:
        """What starts it, in words."""
        by_hand = ("by hand",) if self.parameters is not None else ()
        return (*map(str, self.alerts), *map(str, self.events), *map(str, self.schedules), *by_hand)

    @property
    def why_not_auto(self) -> str:
        """Why nothing is run by itself, in words; empty when its mode is auto."""
        if self.mode == "auto":
            return ""
        kept = f": {self.held_back}" if self.held_back else ""
        return f"the mode of playbook {self.id} is {self.mode}, not auto{kept}"

    @property
    def started_by_hand(self) -> str:
        """What to type to start it for an incident, less the incident."""
        first = self.steps[0]
        is_plain = len(self.steps) == 1 and first.inline is None
        return f"maestro runbook run {first.runbook}" if is_plain else f"maestro playbook run {self.id}"

    def line_of(self, key: str) -> int:
        """The line of a key such as `policy.mode`, or of the nearest above it that has one."""
        while key and key not in self.places:
            key = key[: max(key.rfind("."), key.rfind("["), 0)]
        return self.places.get(key, 1)
