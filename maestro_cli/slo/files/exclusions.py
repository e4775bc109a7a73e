"""Maintenance that a contract takes out of a report, as a YAML file: `maestro: exclusions/v1`.

Invariant: what began before it was declared needs somebody else's approval; without it, or without a word on
when it was declared, it is told and not taken out. So does what takes more than a tenth of a month, alone or
with what was declared before it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import chain, islice, pairwise
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

import msgspec

from maestro_cli.config.strict import Document, read_yaml, suggestion
from maestro_cli.core.clock import from_rfc3339
from maestro_cli.core.people import is_same_person, why_no_name
from maestro_cli.slo.files import figures
from maestro_cli.slo.files.allowance import MONTH, MOST_OF_A_MONTH, Claim, too_much
from maestro_cli.slo.files.found import NAME, Place
from maestro_cli.slo.files.recurrence import Recurrence, instant, parse_rrule
from maestro_cli.slo.report.model import Exclusion

_LONGEST = timedelta(days=31)
_LOOKED_AT = (
    100  # times that it comes, which tell how much of a month it takes: over three months of each day
)
_YEARS = (2000, 2200)
_Time = tuple[str, datetime]  # the id of an exclusion, and the beginning of one of its times
_TIMES = ("%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M")


class ExclusionSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`start` is a time on the wall of `zone`, `declared` an instant; without `objectives` it is for all."""

    id: str
    owner: str
    reason: str
    start: str
    duration: str
    zone: str = "UTC"
    rrule: str = ""
    objectives: list[str] = []
    declared: str = ""
    approved_by: str = ""


class ExclusionsFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    maestro: Literal["exclusions/v1"]
    exclusions: list[ExclusionSpec] = []


@dataclass(frozen=True, slots=True)
class Maintenance:
    """One exclusion, which may come again; `start` is a time on the wall of `zone`."""

    id: str
    owner: str
    reason: str
    start: datetime
    zone: str
    duration: timedelta
    rule: Recurrence | None = None
    rrule: str = ""
    objectives: tuple[str, ...] = ()
    declared_at: datetime | None = None
    approved_by: str = ""
    origin: str = ""
    journal: str = ""  # of one that is in no file: the place and hash of the last event of it, `12:9f…`

    def is_for(self, objective: str) -> bool:
        return not self.objectives or objective in self.objectives

    def between(self, start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
        """Each time that it comes and touches what is between two instants, whole, in UTC."""
        zone = ZoneInfo(self.zone)
        starts = iter((self.start,)) if self.rule is None else self.rule.starts(self.start, zone)
        for at in starts:
            begin = instant(at, zone)
            if begin >= end:
                return
            if begin + self.duration > start:
                yield begin, begin + self.duration

    @property
    def times(self) -> tuple[datetime, ...]:
        """The first times on the wall that it begins at."""
        starts = (
            iter((self.start,)) if self.rule is None else self.rule.starts(self.start, ZoneInfo(self.zone))
        )
        return tuple(islice(starts, _LOOKED_AT))

    @property
    def is_large(self) -> bool:
        """Whether it takes more than a tenth of thirty days."""
        times = self.times
        most = max(bisect_left(times, at + MONTH) - index for index, at in enumerate(times)) if times else 0
        return most * self.duration > MOST_OF_A_MONTH

    @property
    def is_approved(self) -> bool:
        """By somebody else than its owner."""
        by = self.approved_by
        return bool(by.strip()) and not is_same_person(by, self.owner) and not why_no_name(by)

    def claims(self, start: datetime, end: datetime) -> Iterator[Claim]:
        """The times of it that need no approval alone: declared before they begin, and not large."""
        if self.is_approved or self.declared_at is None or self.is_large:
            return
        for begin, over in self.between(start, end):
            if self.declared_at <= begin:
                yield Claim(self.declared_at, begin, over, self.id)


@dataclass(frozen=True, slots=True)
class Excluding:
    """What is taken out, and what is not since nobody approved it.

    What counts for some objectives and waits for others is in both, each with the names of its own.
    """

    counted: tuple[Exclusion, ...]
    waiting: tuple[Exclusion, ...]


def excluding(
    maintenance: Iterable[Maintenance], start: datetime, end: datetime, names: Sequence[str]
) -> Excluding:
    """What each of these objectives loses between two instants; in the order of time."""
    every = tuple(maintenance)
    alone = uncontested(every, start, end, names)
    counted, waiting = [], []  # type: list[Exclusion], list[Exclusion]
    for one in every:
        theirs = [name for name in names if one.is_for(name)]
        for begin, over in one.between(start, end) if theirs else ():
            yes = tuple(name for name in theirs if one.is_approved or (one.id, begin) in alone[name])
            if len(yes) == len(theirs):
                counted.append(_exclusion(one, begin, over, one.objectives))
            elif not yes:
                waiting.append(_exclusion(one, begin, over, one.objectives))
            else:
                no = tuple(name for name in theirs if name not in set(yes))
                counted.append(_exclusion(one, begin, over, yes))
                waiting.append(_exclusion(one, begin, over, no))
    return Excluding(
        *(tuple(sorted(each, key=lambda one: (one.start, one.id))) for each in (counted, waiting))
    )


def _exclusion(one: Maintenance, begin: datetime, over: datetime, objectives: tuple[str, ...]) -> Exclusion:
    return Exclusion(
        one.id, begin, over, one.reason, one.owner, one.approved_by, one.rrule, objectives, one.journal
    )


def uncontested(
    maintenance: Iterable[Maintenance], start: datetime, end: datetime, names: Sequence[str]
) -> Mapping[str, Set[_Time]]:
    """Which times between two instants count without approval, by what each objective loses itself."""
    around = start - 2 * MONTH, end + 2 * MONTH
    every = [one for one in maintenance if any(map(one.is_for, names))]
    claims = {one.id: tuple(one.claims(*around)) for one in every}
    whose = {name: tuple(one.id for one in every if one.is_for(name)) for name in names}
    found: dict[tuple[str, ...], Set[_Time]] = {}
    for mine in dict.fromkeys(whose.values()):  # objectives that lose the same are judged once
        theirs = list(chain.from_iterable(map(claims.__getitem__, mine)))
        found[mine] = set(map(_time, theirs)) - set(map(_time, too_much(theirs)))
    return {name: found[mine] for name, mine in whose.items()}


def _time(claim: Claim) -> _Time:
    return claim.id, claim.start


def read_exclusions(paths: Iterable[Path], known: Collection[str] | None = None) -> tuple[Maintenance, ...]:
    """Of several files; `known` are the names of objectives, where they are to be checked.

    Raises InvalidFile for what is none, and for an id that comes twice.
    """
    found: dict[str, Maintenance] = {}
    for one, place in chain.from_iterable(_read(read_yaml(path)) for path in paths):
        if one.id in found:
            raise place.at("id").fail(
                f"{one.id!r} is also in {found[one.id].origin}", fix="rename one of them"
            )
        for number, name in enumerate(one.objectives):
            if known is not None and name not in known:
                at = place.at("objectives", number)
                raise at.fail("there is no such objective", fix=suggestion(name, known))
        found[one.id] = one
    return tuple(found.values())


def _read(document: Document) -> Iterator[tuple[Maintenance, Place]]:
    for number, spec in enumerate(document.decode(ExclusionsFile).exclusions):
        place = Place(document, ("exclusions", number))
        yield _apart(place, _maintenance(place, spec)), place


def new_maintenance(spec: ExclusionSpec, where: str) -> Maintenance:
    """As `maintenance_of`, of one that is declared now: it is over before it comes again."""
    return _apart(Place(Document(where, {})), maintenance_of(spec, where))


def maintenance_of(spec: ExclusionSpec, where: str) -> Maintenance:
    """The maintenance that was said elsewhere than in a file. Raises InvalidFile, which names the key."""
    return _maintenance(Place(Document(where, {})), spec)


def _apart(place: Place, one: Maintenance) -> Maintenance:
    if any(after - before < one.duration for before, after in pairwise(one.times)):
        fix = "a shorter duration, or one exclusion without an rrule"
        raise place.at("duration").fail("is longer than until it comes again", fix=fix)
    return one


def _maintenance(place: Place, spec: ExclusionSpec) -> Maintenance:
    if not NAME.fullmatch(spec.id):
        raise place.at("id").fail("is not a name", fix="use letters, digits, '-', '_' and '.'")
    for key in ("owner", "reason"):
        if not getattr(spec, key).strip():
            raise place.at(key).fail("is empty", fix="say who, and why")
    zone = figures.zone_at(place.at("zone"), spec.zone)
    start = _start(place.at("start"), spec.start)
    duration = timedelta(seconds=figures.seconds(place.at("duration"), spec.duration))
    if duration > _LONGEST:
        raise place.at("duration").fail("is longer than 31 days", fix="change the objective instead")
    if spec.approved_by and is_same_person(spec.approved_by, spec.owner):
        raise place.at("approved_by").fail("is its owner", fix="have somebody else approve it")
    if why := why_no_name(spec.approved_by):
        raise place.at("approved_by").fail("is nobody's name", why=why, fix="write it in one alphabet")
    rule = None
    if spec.rrule:
        try:
            rule = parse_rrule(spec.rrule)
        except ValueError as error:
            raise place.at("rrule").fail(str(error), fix="FREQ=WEEKLY;BYDAY=SU") from error
        if not rule.begins_with(start.date()):
            raise place.at("start").fail("is on none of the days of its rrule", fix="begin on one of them")
    return Maintenance(
        spec.id, spec.owner, spec.reason, start, zone.key, duration, rule, spec.rrule, tuple(spec.objectives),
        _declared(place.at("declared"), spec.declared), spec.approved_by, place.origin,
    )  # fmt: skip


def _start(place: Place, text: str) -> datetime:
    for form in _TIMES:
        try:
            found = datetime.strptime(text, form)
        except ValueError:
            continue
        if not _YEARS[0] <= found.year <= _YEARS[1]:
            raise place.fail(f"is not between {_YEARS[0]} and {_YEARS[1]}")
        return found
    raise place.fail(
        "is not a time on the wall", fix='write "2026-10-04T02:00"; the zone is a key of its own'
    )


def _declared(place: Place, text: str) -> datetime | None:
    if not text:
        return None
    try:
        return from_rfc3339(text).astimezone(UTC)
    except ValueError as error:
        raise place.fail("is not an instant", fix='write "2026-09-30T10:00:00Z"') from error
