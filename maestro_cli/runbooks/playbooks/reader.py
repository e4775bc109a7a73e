"""From a YAML file to a `Playbook`.

Invariant: a file that is read can be matched and started: every key is known, every matcher, schedule and
step written in it can be used. Errors name file, line and key.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from maestro_cli.config.channels import DESTINATIONS, is_destination
from maestro_cli.config.strict import Document, dotted, read_yaml
from maestro_cli.core.canonical import digest
from maestro_cli.core.cron import parse_cron
from maestro_cli.core.errors import InvalidFile
from maestro_cli.core.quantities import parse_duration_seconds
from maestro_cli.core.untrusted import visible
from maestro_cli.runbooks.forms import is_variable
from maestro_cli.runbooks.linear_regex import line_regex
from maestro_cli.runbooks.model import Parameter
from maestro_cli.runbooks.playbooks.inline import inline_runbook
from maestro_cli.runbooks.playbooks.matchers import Matcher, read_matchers
from maestro_cli.runbooks.playbooks.model import (
    DEFAULT_RUNS_PER_HOUR,
    AlertTrigger,
    Correlation,
    IncidentTrigger,
    Notification,
    OnFailure,
    Playbook,
    PlaybookStep,
    Sample,
    Schedule,
)
from maestro_cli.runbooks.playbooks.spec import (
    CorrelationSpec,
    FailureSpec,
    IncidentEventSpec,
    ManualSpec,
    NotificationSpec,
    PlaybookSpec,
    ScheduleSpec,
    StepSpec,
    TriggerSpec,
    Value,
)
from maestro_cli.runbooks.reader import DEFAULT_PATTERN

MAX_ITEMS = 50  # of matchers, of alternatives, of steps
_MAX_SECONDS = 31 * 86_400.0
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_Place = tuple[str | int, ...]
T = TypeVar("T")


def read_playbook(path: Path) -> Playbook:
    """Read one file; raises InvalidFile with file:line and key."""
    document = read_yaml(path)
    return _Reading(document, document.decode(PlaybookSpec)).playbook()


class _Reading:
    """One file being read."""

    def __init__(self, document: Document, spec: PlaybookSpec) -> None:
        self._document, self._spec = document, spec
        self._fail = document.fail

    def playbook(self) -> Playbook:
        spec = self._spec
        if not _ID.fullmatch(spec.id):
            raise self._fail("is not an id", ("id",), fix="use letters, digits, '-', '_' and '.'")
        alerts, events, schedules = self._triggers(spec.trigger)
        limit = spec.policy.max_runs_per_hour
        if limit is not None and limit < 1:
            raise self._fail("must be at least 1", ("policy", "max_runs_per_hour"))
        return Playbook(
            id=spec.id,
            title=spec.title,
            file=self._document.file,
            digest=digest(self._document.data),
            alerts=alerts,
            events=events,
            schedules=schedules,
            parameters=None if spec.trigger.manual is None else self._parameters(spec.trigger.manual),
            correlation=self._correlation(spec.correlation, alerts),
            severity=spec.incident.severity,
            incident_title=spec.incident.title,
            roles={name: who for name, who in msgspec.structs.asdict(spec.incident.roles).items() if who},
            mode=spec.policy.mode,
            max_runs_per_hour=DEFAULT_RUNS_PER_HOUR if limit is None else limit,
            has_limit=limit is not None,
            steps=self._steps(),
            on_failure=self._on_failure(spec.on_failure),
            notifications=tuple(self._notification(*one) for one in enumerate(spec.notifications)),
            samples=tuple(
                Sample(one.name, _texts(one.labels), one.firing, one.expect or spec.id) for one in spec.tests
            ),
            places={dotted(path): line for path, line in self._document.lines.items()},
        )

    # Triggers

    def _triggers(
        self, spec: TriggerSpec
    ) -> tuple[tuple[AlertTrigger, ...], tuple[IncidentTrigger, ...], tuple[Schedule, ...]]:
        if all(one is None for one in (spec.alert, spec.incident, spec.schedule, spec.manual)):
            fix = "add alert, incident, schedule or manual"
            raise self._fail("is empty", ("trigger",), fix=fix)
        alerts = [self._alert(one.matchers, at) for one, at in self._each(spec.alert, "alert")]
        events = [self._event(one, at) for one, at in self._each(spec.incident, "incident")]
        schedules = [self._schedule(one, at) for one, at in self._each(spec.schedule, "schedule")]
        return tuple(alerts), tuple(events), tuple(schedules)

    def _each(self, found: T | list[T] | None, key: str) -> list[tuple[T, _Place]]:
        """The alternatives and their places; one may stand alone, without a list."""
        at: _Place = ("trigger", key)
        if found is None:
            return []
        if not isinstance(found, list):
            return [(found, at)]
        self._limit(found, at)
        return [(one, (*at, number)) for number, one in enumerate(found)]

    def _limit(self, items: Sequence[Any], at: _Place, fix: str = "") -> None:
        if not items:
            raise self._fail("is empty", at, fix=fix)
        if len(items) > MAX_ITEMS:
            raise self._fail(f"has more than {MAX_ITEMS}", at)

    def _alert(self, matchers: list[str], at: _Place) -> AlertTrigger:
        fix = "a playbook for every alert is none: add 'alertname=\"NAME\"'"
        self._limit(matchers, (*at, "matchers"), fix)
        return AlertTrigger(self._matchers(matchers, at))

    def _matchers(self, texts: list[str], at: _Place) -> tuple[Matcher, ...]:
        return read_matchers(texts, partial(self._bad_matcher, (*at, "matchers")))

    def _bad_matcher(self, at: _Place, number: int, what: str, why: str, fix: str) -> InvalidFile:
        return self._fail(what, (*at, number), why=why, fix=fix)

    def _event(self, spec: IncidentEventSpec, at: _Place) -> IncidentTrigger:
        waits = spec.event == "not-acknowledged"
        if waits is not bool(spec.after):
            fix = "add 'after: 10m'" if waits else "it is for not-acknowledged"
            raise self._fail("is missing" if waits else "has no meaning here", (*at, "after"), fix=fix)
        if len(spec.matchers) > MAX_ITEMS:
            raise self._fail(f"has more than {MAX_ITEMS}", (*at, "matchers"))
        after = self._seconds(spec.after, (*at, "after")) if waits else 0.0
        return IncidentTrigger(spec.event, after, tuple(spec.severity), self._matchers(spec.matchers, at))

    def _schedule(self, spec: ScheduleSpec, at: _Place) -> Schedule:
        try:
            cron = parse_cron(spec.cron)
        except ValueError as error:
            fix = "write five fields: 'MINUTE HOUR DAY MONTH WEEKDAY'"
            raise self._fail("is no schedule", (*at, "cron"), why=visible(str(error)), fix=fix) from error
        try:
            zone = ZoneInfo(spec.zone)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            fix = "use a name such as Europe/Berlin, or UTC"
            raise self._fail(
                f"{visible(spec.zone, 60)!r} is not a time zone", (*at, "zone"), fix=fix
            ) from error
        return Schedule(cron, zone, self._seconds(spec.within, (*at, "within")))

    def _seconds(self, text: str, at: _Place) -> float:
        try:
            seconds = parse_duration_seconds(text)
        except ValueError as error:
            raise self._fail(visible(str(error)), at) from error
        if not 0 < seconds <= _MAX_SECONDS:
            raise self._fail("must be longer than nothing and at most 31d", at)
        return seconds

    def _parameters(self, spec: ManualSpec) -> tuple[Parameter, ...]:
        found = []
        for name, one in spec.params.items():
            at: _Place = ("trigger", "manual", "params", name)
            if not is_variable(name):
                raise self._fail("cannot be a parameter", at, fix="use capitals, digits and '_'")
            pattern = one.pattern or DEFAULT_PATTERN
            try:
                compiled = line_regex(pattern)
            except ValueError as error:
                raise self._fail("is not a regular expression", (*at, "pattern"), why=str(error)) from error
            default = None if one.default is None else str(one.default)
            if default is not None and not compiled.matches(default):
                raise self._fail("does not match the pattern", (*at, "default"))
            found.append(Parameter(name, "", pattern, default, visible(one.description)))
        return tuple(found)

    # What follows

    def _correlation(
        self, spec: CorrelationSpec | None, alerts: tuple[AlertTrigger, ...]
    ) -> Correlation | None:
        if spec is None:
            return None
        if not alerts:
            raise self._fail("only alerts are correlated", ("correlation",), fix="add trigger.alert")
        for number, label in enumerate(spec.group_by):
            if not _LABEL.fullmatch(label):
                raise self._fail("is not a label", ("correlation", "group_by", number))
        if not 1 <= spec.threshold <= 1000:
            raise self._fail("must be from 1 to 1000", ("correlation", "threshold"))
        window = self._seconds(spec.window, ("correlation", "window"))
        return Correlation(tuple(spec.group_by), window, spec.threshold)

    def _steps(self) -> tuple[PlaybookStep, ...]:
        self._limit(self._spec.steps, ("steps",), "add '- runbook: ID'")
        return tuple(self._step(number, step) for number, step in enumerate(self._spec.steps))

    def _step(self, number: int, step: StepSpec) -> PlaybookStep:
        at: _Place = ("steps", number)
        if bool(step.runbook) is bool(step.inline):
            what = (
                "has both a runbook and inline steps"
                if step.runbook
                else "has neither a runbook nor inline steps"
            )
            raise self._fail(what, at, fix="write one of them")
        values = _texts(step.values)
        if step.runbook:
            if step.params:
                raise self._fail("the runbook has its own", (*at, "params"), fix="give values under 'with:'")
            if step.order != "file":
                raise self._fail("is for inline steps", (*at, "order"), fix="write it into the runbook")
            return PlaybookStep(step.runbook, values)
        title = visible(self._spec.title or self._spec.id, 200)
        book = inline_runbook(self._spec.id, title, number, step, self._document)
        return PlaybookStep(book.id, values, book)

    def _on_failure(self, spec: FailureSpec | str) -> OnFailure:
        if isinstance(spec, str):
            return OnFailure()
        if not spec.runbook and not spec.page:
            raise self._fail("says nothing", ("on_failure",), fix="write 'stop', a runbook, or whom to page")
        if spec.values and not spec.runbook:
            raise self._fail("is for a runbook", ("on_failure", "with"))
        if spec.page:
            self._reference(spec.page, ("on_failure", "page"))
        return OnFailure(PlaybookStep(spec.runbook, _texts(spec.values)) if spec.runbook else None, spec.page)

    def _notification(self, number: int, spec: NotificationSpec) -> Notification:
        at: _Place = ("notifications", number)
        self._reference(spec.to, (*at, "to"))
        self._limit(spec.on, (*at, "on"), "name the moments: begun, failed, …")
        return Notification(spec.to, tuple(spec.on))

    def _reference(self, text: str, at: _Place) -> None:
        if not is_destination(text):
            raise self._fail("is no channel and no reference", at, fix=f"write {DESTINATIONS}")


def _texts(values: Mapping[str, Value]) -> dict[str, str]:
    return {name: str(value) for name, value in values.items()}
