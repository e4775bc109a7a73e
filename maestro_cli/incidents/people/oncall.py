"""People, schedules and escalation policies as data.

Invariant: what a policy or a schedule names is there; a channel is a reference to an address,
never the address.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from maestro_cli.incidents.people.schedule import Schedule


@dataclass(frozen=True, slots=True)
class Person:
    """`channels` are where they are told, all of them at once; `email` is by which PagerDuty knows them."""

    id: str
    name: str = ""
    email: str = ""
    channels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Target:
    """Whom a step tells: `kind` is person, schedule or channel, `name` its name or reference."""

    kind: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind}:{self.name}"


@dataclass(frozen=True, slots=True)
class Step:
    """Told once the incident has been open and not acknowledged for so long."""

    after: timedelta
    tell: tuple[Target, ...]


@dataclass(frozen=True, slots=True)
class Policy:
    """For incidents of these severities, all where there are none; every step again `times` more times, each
    round `every` later than the one before."""

    name: str
    severities: tuple[str, ...]
    steps: tuple[Step, ...]
    times: int = 0
    every: timedelta = timedelta(0)

    def moments(self) -> Iterator[tuple[int, int, timedelta, Step]]:
        """Round and number (from 1), since the opening, and step, in order of time."""
        for round_number in range(self.times + 1):
            for number, step in enumerate(self.steps, start=1):
                yield round_number + 1, number, round_number * self.every + step.after, step


@dataclass(frozen=True, slots=True)
class OnCall:
    """One file; `data` is what it was read from, `file` where, `places` the line of each key in it."""

    people: Mapping[str, Person]
    schedules: Mapping[str, Schedule]
    policies: tuple[Policy, ...]
    data: Mapping[str, Any]
    file: str
    places: Mapping[str, int]

    def policy_for(self, severity: str) -> Policy | None:
        """The first in the file that is for it."""
        fitting = (one for one in self.policies if not one.severities or severity in one.severities)
        return next(fitting, None)

    def snapshot(self, policy: Policy) -> dict[str, Any]:
        """A file of that policy alone, to be read again whatever becomes of the file."""
        return {**self.data, "policies": {policy.name: self.data["policies"][policy.name]}}
