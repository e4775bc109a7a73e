"""From a YAML file to people, schedules and escalation policies.

Invariant: a file that is read can be used: every name in it is there, every time and zone is one, no step
tells nobody. Errors name file, line and key. A channel of a file is meant from the folder of the file.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from maestro_cli.config.channels import DESTINATIONS, NAMED, is_destination
from maestro_cli.config.strict import Document, dotted, read_yaml, suggestion
from maestro_cli.core.clock import from_rfc3339
from maestro_cli.core.quantities import parse_duration_seconds
from maestro_cli.core.untrusted import visible
from maestro_cli.incidents.people.oncall import OnCall, Person, Policy, Step, Target
from maestro_cli.incidents.people.oncall_spec import (
    HoursSpec,
    LayerSpec,
    OnCallFile,
    PolicySpec,
    ScheduleSpec,
    StepSpec,
)
from maestro_cli.incidents.people.schedule import Hours, Layer, Override, Schedule, first_instant

MAX_ITEMS = 200  # people, schedules, policies, layers, steps of one list
SHORTEST_HANDOFF = timedelta(hours=1)
LONGEST_HANDOFF = timedelta(days=366)
MAX_ROUNDS = 20
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,62}")
_PAGERDUTY_ID = re.compile(r"[A-Z0-9]{1,32}")
_TIME = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_Place = tuple[str | int, ...]


def read_oncall(path: Path) -> OnCall:
    """Read one file; raises InvalidFile with file:line and key."""
    return _Reading(read_yaml(path), path.parent.absolute()).oncall()


def recalled(data: Mapping[str, Any], name: str) -> OnCall:
    """The same from a snapshot; raises InvalidFile when another version wrote what this one cannot read."""
    return _Reading(Document(name, dict(data)), None).oncall()


class _Reading:
    """One file being read."""

    def __init__(self, document: Document, folder: Path | None) -> None:
        self._document, self._folder = document, folder
        self._fail = document.fail
        self._file = document.decode(OnCallFile)

    def oncall(self) -> OnCall:
        for key, items in (
            ("people", self._file.people),
            ("schedules", self._file.schedules),
            ("policies", self._file.policies),
        ):
            self._limit(list(items), (key,))
            for name in items:
                if not _NAME.fullmatch(name):
                    raise self._fail("is not a name", (key, name), fix="use letters, digits, . _ @ and -")
        people = {name: self._person(name) for name in self._file.people}
        schedules = {name: self._schedule(name, one) for name, one in self._file.schedules.items()}
        policies = tuple(self._policy(name, one) for name, one in self._file.policies.items())
        places = {dotted(path): line for path, line in self._document.lines.items()}
        return OnCall(people, schedules, policies, self._data(), self._document.file, places)

    def _data(self) -> dict[str, Any]:
        """What was read, with channels that mean the same in any folder."""
        data: dict[str, Any] = self._document.data
        if self._folder is None:
            return data
        people = {
            name: {**one, "channels": [self._channel(text) for text in one.get("channels") or []]}
            for name, one in (data.get("people") or {}).items()
        }
        policies = {name: self._anchored(one) for name, one in (data.get("policies") or {}).items()}
        return {**data, "people": people, "policies": policies}

    def _anchored(self, policy: Mapping[str, Any]) -> dict[str, Any]:
        def anchored(text: str) -> str:
            kind, _, name = text.partition(":")
            return f"{kind}:{self._channel(name)}" if kind == "channel" else text

        steps = [{**step, "tell": [anchored(text) for text in step["tell"]]} for step in policy["steps"]]
        return {**policy, "steps": steps}

    def _channel(self, reference: str) -> str:
        scheme, _, rest = reference.partition(":")
        if scheme != "file" or self._folder is None:
            return reference
        return f"file:{self._folder / Path(rest).expanduser()}"

    def _limit(self, items: Sequence[Any], at: _Place, *, empty: str = "") -> None:
        if empty and not items:
            raise self._fail("is empty", at, fix=empty)
        if len(items) > MAX_ITEMS:
            raise self._fail(f"has more than {MAX_ITEMS}", at)

    # People and schedules

    def _person(self, name: str) -> Person:
        spec = self._file.people[name]
        for number, channel in enumerate(spec.channels):
            self._reference(channel, ("people", name, "channels", number))
        channels = tuple(map(self._channel, spec.channels))
        return Person(name, visible(spec.name, 200), visible(spec.email, 200), channels)

    def _known(self, name: str, known: Mapping[str, Any], what: str, at: _Place) -> str:
        if name not in known:
            fix = suggestion(name, list(known)) or f"add it to {what}"
            raise self._fail(f"{visible(name, 60)!r} is not one of {what}", at, fix=fix)
        return name

    def _schedule(self, name: str, spec: ScheduleSpec) -> Schedule:
        at: _Place = ("schedules", name)
        if bool(spec.pagerduty) is bool(spec.layers or spec.overrides):
            what = "has both layers and pagerduty" if spec.pagerduty else "has no layer"
            raise self._fail(what, at, fix="write layers, or the id of a schedule at PagerDuty")
        if spec.pagerduty and not _PAGERDUTY_ID.fullmatch(spec.pagerduty):
            raise self._fail("is not the id of a schedule", (*at, "pagerduty"), fix="such as PI7DH85")
        zone = self._zone(spec.zone, (*at, "zone"))
        self._limit(spec.layers, (*at, "layers"))
        self._limit(spec.overrides, (*at, "overrides"))
        layers = tuple(self._layer(one, (*at, "layers", n)) for n, one in enumerate(spec.layers))
        overrides = []
        for number, one in enumerate(spec.overrides):
            place: _Place = (*at, "overrides", number)
            begin = self._instant(one.from_, zone, (*place, "from"))
            end = self._instant(one.until, zone, (*place, "until"))
            if end <= begin:
                raise self._fail("is not after its from", (*place, "until"))
            person = self._known(one.person, self._file.people, "people", (*place, "person"))
            overrides.append(Override(person, begin, end, visible(one.reason, 200)))
        return Schedule(name, zone, layers, tuple(overrides), spec.pagerduty)

    def _layer(self, spec: LayerSpec, at: _Place) -> Layer:
        self._limit(spec.people, (*at, "people"), empty="name who takes turns")
        self._limit(spec.hours, (*at, "hours"))
        for number, person in enumerate(spec.people):
            self._known(person, self._file.people, "people", (*at, "people", number))
        handoff = self._duration(spec.handoff, (*at, "handoff"))
        if not SHORTEST_HANDOFF <= handoff <= LONGEST_HANDOFF:
            raise self._fail("must be from 1h to 366d", (*at, "handoff"))
        start = self._wall(spec.start, (*at, "start"))
        if start.tzinfo is not None:
            raise self._fail("has an offset", (*at, "start"), fix="write the time on the schedule's wall")
        hours = tuple(self._hours(one, (*at, "hours", n)) for n, one in enumerate(spec.hours))
        return Layer(tuple(spec.people), start, handoff, hours)

    def _hours(self, spec: HoursSpec, at: _Place) -> Hours:
        days = frozenset(_DAYS.index(day) for day in spec.days)
        self._limit(spec.days, (*at, "days"), empty="name the days, or leave them out for all")
        begin, end = self._time(spec.from_, (*at, "from")), self._time(spec.until, (*at, "until"))
        return Hours(days, begin, end)

    # Policies

    def _policy(self, name: str, spec: PolicySpec) -> Policy:
        at: _Place = ("policies", name)
        self._limit(spec.steps, (*at, "steps"), empty="add '- {after: 0m, tell: [schedule:NAME]}'")
        steps = tuple(self._step(one, (*at, "steps", number)) for number, one in enumerate(spec.steps))
        for number, (before, after) in enumerate(pairwise(steps), start=1):
            if after.after <= before.after:
                raise self._fail("is not after the step before", (*at, "steps", number, "after"))
        if spec.repeat is None:
            return Policy(name, tuple(spec.severities), steps)
        every = self._duration(spec.repeat.every, (*at, "repeat", "every"))
        if every <= steps[-1].after:
            raise self._fail("must be longer than until the last step", (*at, "repeat", "every"))
        if not 1 <= spec.repeat.times <= MAX_ROUNDS:
            raise self._fail(f"must be from 1 to {MAX_ROUNDS}", (*at, "repeat", "times"))
        return Policy(name, tuple(spec.severities), steps, spec.repeat.times, every)

    def _step(self, spec: StepSpec, at: _Place) -> Step:
        self._limit(spec.tell, (*at, "tell"), empty="name a person, a schedule or a channel")
        after = self._duration(spec.after, (*at, "after"))
        return Step(after, tuple(self._target(one, (*at, "tell", n)) for n, one in enumerate(spec.tell)))

    def _target(self, text: str, at: _Place) -> Target:
        kind, _, name = text.partition(":")
        if kind == "person":
            self._known(name, self._file.people, "people", at)
        elif kind == "schedule":
            self._known(name, self._file.schedules, "schedules", at)
        elif kind == "channel":
            name = name if is_destination(name) else f"{NAMED}{name}"
            self._reference(name, at)
            name = self._channel(name)
        else:
            fix = "write person:NAME, schedule:NAME or channel:NAME"
            raise self._fail("is nobody to tell", at, fix=fix)
        return Target(kind, name)

    # Words

    def _reference(self, text: str, at: _Place) -> None:
        if not is_destination(text):
            raise self._fail("is no channel and no reference", at, fix=f"write {DESTINATIONS}")
        try:
            self._channel(text)
        except RuntimeError as error:
            fix = "write the whole path"
            raise self._fail("names the home of a user who is not there", at, fix=fix) from error

    def _zone(self, text: str, at: _Place) -> ZoneInfo:
        try:
            return ZoneInfo(text)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            fix = "use a name such as Europe/Berlin, or UTC"
            raise self._fail(f"{visible(text, 60)!r} is not a time zone", at, fix=fix) from error

    def _duration(self, text: str, at: _Place) -> timedelta:
        try:
            seconds = parse_duration_seconds(text)
        except ValueError as error:
            raise self._fail(visible(str(error)), at, fix="write 5m or 7d") from error
        if seconds > LONGEST_HANDOFF.total_seconds():
            raise self._fail("is longer than 366d", at)
        return timedelta(seconds=seconds)

    def _time(self, text: str, at: _Place) -> time:
        found = _TIME.fullmatch(text)
        if found is None:
            raise self._fail("is not a time of the day", at, fix='write "09:00"')
        return time(int(found.group(1)), int(found.group(2)))

    def _wall(self, text: str, at: _Place) -> datetime:
        try:
            found = datetime.fromisoformat(text)
        except ValueError as error:
            raise self._fail("is not a day and time", at, fix="write 2026-11-02 09:00") from error
        if not 1971 <= found.year <= 2999:
            raise self._fail("is not from 1971 to 2999", at)
        return found

    def _instant(self, text: str, zone: ZoneInfo, at: _Place) -> datetime:
        wall = self._wall(text, at)
        if wall.tzinfo is not None:
            return from_rfc3339(wall.isoformat())
        return first_instant(wall, zone).astimezone(UTC)
