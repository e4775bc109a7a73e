"""How objectives are kept, of a context or of files on any Prometheus: measured, burning, what follows.

Invariant: reads alone. Objectives are measured at the same instant, and one that cannot be measured hides no
other: its row says why.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from maestro_cli.config.explanation import choice
from maestro_cli.config.settings import Endpoint
from maestro_cli.core.clock import from_rfc3339
from maestro_cli.core.daemon_pool import DaemonPool
from maestro_cli.core.errors import MaestroError, NotFound, TimedOut, UsageError
from maestro_cli.core.files import unusable
from maestro_cli.core.quantities import parse_duration_seconds
from maestro_cli.core.verdict import Verdict
from maestro_cli.slo.burn import BurnState
from maestro_cli.slo.burning import Burning, burn_query, read_rates, unanswered
from maestro_cli.slo.files.exclusions import Maintenance, excluding
from maestro_cli.slo.kept import Kept
from maestro_cli.slo.measuring.distribution import Distribution, distribution_of
from maestro_cli.slo.measuring.keeping import InMemory, KeptInMemory, KeptOnDisk, Nowhere, Store
from maestro_cli.slo.measuring.measure import Outside, measure, span_of
from maestro_cli.slo.measuring.model import Excluded, Measured
from maestro_cli.slo.measuring.recoveries import Recovered
from maestro_cli.slo.measuring.target import at_target
from maestro_cli.slo.measuring.window import Span, month_span, rolling, zone_named
from maestro_cli.slo.objectives import LONGEST_WINDOW_SECONDS, Objective
from maestro_cli.slo.ports import TooMuch
from maestro_cli.slo.slo_gate import GateAnswer, Reading, judge_experiment, judge_gate

if TYPE_CHECKING:
    from maestro_cli.services.changing import ChangeServices
    from maestro_cli.services.root import Services
    from maestro_cli.sources.prometheus_raw import RawPrometheus

T = TypeVar("T")
_NUMBER = re.compile(r"[0-9]{1,3}(\.[0-9]{1,12})?|\.[0-9]{1,12}")
AT_ONCE = 3  # objectives that are asked for at the same time; more only wait for one Prometheus
LEAST_EVERY_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class MeasureWanted:
    """What was asked for, as it was written. `file` and `prometheus` stand in for those of the context."""

    names: tuple[str, ...] = ()
    file: Path | None = None
    prometheus: str = ""
    at: str = ""
    month: str = ""
    window: str = ""
    zone: str = ""
    fresh: bool = False
    cross_check: bool = False  # also ask PromQL what it counts
    durations: bool = False  # also how long events took


def read_kept(services: Services, wanted: MeasureWanted) -> tuple[Kept, ...]:
    """Every objective asked for, by name. Raises UsageError, NotFound, InvalidFile, Unreachable, Refused."""
    objectives = wanted_objectives(services, wanted)
    now = services.clock.now()
    at = _instant(wanted, now)
    source = raw_metrics(services, wanted)
    has_others = any(not one.is_of_metrics for one in objectives)
    found_before = _recovered(services, now) if has_others and not wanted.prometheus else ()
    is_ours = wanted.file is None and not wanted.prometheus
    read = partial(
        _read,
        source=source,
        store=store_of(services, wanted, source, [_zone(one, wanted) for one in objectives]),
        before=found_before,
        wanted=wanted,
        at=at,
        now=now,
        terms=_exclusions(services) if is_ours else (),
    )
    found = tuple(beside_one_another(read, objectives))
    tell_without_chunks(source)
    if found and all(one.error is not None for one in found) and found[0].error is not None:
        raise found[0].error  # nothing could be measured: it is no matter of one of them
    return found


def _recovered(services: Services, now: datetime) -> Sequence[Recovered]:
    from maestro_cli.services.recoveries import recovered  # incidents and drills: who has no such objective

    return recovered(services, now)


def _exclusions(services: Services) -> Sequence[Maintenance]:
    from maestro_cli.services.excluding import exclusions_of  # the journal: who measures files alone

    return exclusions_of(services)


def beside_one_another(call: Callable[[Objective], T], objectives: Iterable[Objective]) -> list[T]:
    """What it gives for each, in order, or the first error; one is decoded while others are asked for."""
    with DaemonPool(AT_ONCE, "measure") as pool:
        return [one.result() for one in [pool.submit(partial(call, each)) for each in objectives]]


def read_slo_gate(services: Services, wanted: MeasureWanted, least: float) -> GateAnswer:
    """Whether a deploy may go on. Raises what `read_kept` raises, and UsageError for a share that is none."""
    if not 0 <= least < 1:
        raise UsageError(f"{least:g} is no share of a budget", fix="--left-at-least 0.25")
    found, left_out = with_budgets(read_kept(services, wanted), wanted)
    return replace(judge_gate([reading_of(one) for one in found], least), left_out=left_out)


def read_experiment_gate(
    services: Services, wanted: MeasureWanted, *, in_production: bool, by_what_was_seen: bool = False
) -> GateAnswer:
    """Whether the budget policy lets an experiment begin; by what was seen, gaps count for nothing.

    Raises what `read_kept` raises.
    """
    found, left_out = with_budgets(read_kept(services, wanted), wanted)
    readings = [reading_of(one) for one in found]
    if by_what_was_seen:
        readings = [
            reading if (left := one.seen_left) is None else replace(reading, left=(left, left))
            for one, reading in zip(found, readings, strict=True)
        ]
    judged = judge_experiment(readings, in_production=in_production)
    return replace(judged, left_out=left_out)


def with_budgets(found: Sequence[Kept], wanted: MeasureWanted) -> tuple[tuple[Kept, ...], tuple[str, ...]]:
    """Those that have an error budget, and the names of the others, which are in only when they are named."""
    if wanted.names:
        return tuple(found), ()
    without = tuple(one.objective.name for one in found if not one.has_budget)
    return tuple(one for one in found if one.has_budget), without


def what_if(services: Services, wanted: MeasureWanted, targets: Sequence[str]) -> tuple[Kept, list[Measured]]:
    """One objective as it is, and as it had been with each of the other targets."""
    other = [_used(partial(target_of, text), "--target 99.95%") for text in targets]
    (one,) = read_kept(services, wanted)
    if one.measured is None:
        return one, []
    measured = one.measured
    return one, [at_target(measured, target) for target in other]


def target_of(text: str) -> float:
    """`99.95%` or `0.9995`; a percentage is never taken for a ratio. Raises ValueError."""
    body = text.strip()
    number = body.removesuffix("%").strip()
    if not _NUMBER.fullmatch(number):
        raise ValueError(f"{text[:40]!r} is no target")
    exact = Decimal(number) / 100 if body.endswith("%") else Decimal(number)
    if not 0 < exact < 1:
        hint = f", write {number}%" if 1 < exact < 100 else ""
        raise ValueError(f"a target is above 0 and below 1{hint}")
    return float(exact)


def reading_of(one: Kept) -> Reading:
    """What a gate judges; of one that has no budget, nothing is left or all of it, by its verdict."""
    burning = one.burning
    state, blind = (BurnState.NO_DATA, "") if burning is None else (burning.state, burning.why)
    if one.measured is None:
        return Reading(one.objective.name, None, state, one.error.what if one.error is not None else "")
    left = one.left_bounds
    verdict = one.measured.judgement.verdict
    if left is None and verdict is not Verdict.INDETERMINATE:  # no budget: recoveries
        left = (float(verdict is Verdict.PASS),) * 2
    return Reading(one.objective.name, left, state, one.measured.judgement.reason, blind)


def follow_kept(
    services: Services, wanted: MeasureWanted, every: str, timeout: str
) -> Iterator[tuple[Kept, ...]]:
    """Each look; raises TimedOut after the time, if one is given."""
    pause = max(_seconds(every, "--every 30s"), LEAST_EVERY_SECONDS)
    limit = _seconds(timeout, "--timeout 10m") if timeout else None
    began = services.clock.monotonic()
    while True:
        yield read_kept(services, wanted)
        passed = services.clock.monotonic() - began
        if limit is not None and passed + pause > limit:
            raise TimedOut(f"the time of {timeout} is over", fix="a longer --timeout, or none")
        services.cancellation.pause(pause)


def _read(
    objective: Objective,
    source: RawPrometheus,
    store: Store,
    before: Sequence[Recovered],
    wanted: MeasureWanted,
    now: datetime,
    at: datetime,
    terms: Sequence[Maintenance],
) -> Kept:
    outside = Outside(source, now, store, before, at=at)
    try:
        span = _span(objective, wanted, at)
        out = excluding(terms, span.start, span.end, [objective.name])
        taken_out = [Excluded(one.start, one.end, one.id) for one in out.counted]
        measured = measure(objective, span, outside, taken_out)
    except MaestroError as error:
        return Kept(objective, None, None, error)
    if waiting := sorted({one.id for one in out.waiting if one.start < measured.measured.end}):
        text = f"not taken out until somebody else than the owner approves it: {', '.join(waiting)}"
        measured = replace(measured, notes=(*measured.notes, text))
    if wanted.cross_check:
        measured = replace(measured, notes=(*measured.notes, _cross_checked(measured, source)))
    is_over = bool(wanted.month) and measured.span.end <= now
    burning = None if is_over else _burning(source, objective, measured)
    durations = _durations(objective, span, outside) if wanted.durations else None
    return Kept(objective, measured, burning, distribution=durations)


def _durations(objective: Objective, span: Span, outside: Outside) -> Distribution | None:
    """For a look: where it cannot be had, all else is told without it."""
    try:
        found = distribution_of(objective, span, outside)
    except MaestroError:
        return None
    return found if found is not None and found.total else None


def _cross_checked(measured: Measured, source: RawPrometheus) -> str:
    from maestro_cli.slo.measuring.cross_check import cross_check

    try:
        return cross_check(measured, source)
    except (MaestroError, TooMuch) as error:
        return f"not compared with PromQL: {error}"


def _burning(source: RawPrometheus, objective: Objective, measured: Measured) -> Burning | None:
    """At the end of what was measured; None for what no metric tells.

    Whether no answer counts none is as measuring found it.
    """
    if not objective.is_of_metrics:
        return None
    rates: dict[float, float | None] = {}
    try:
        found = source.query(burn_query(objective), at=measured.measured.end).samples
    except MaestroError as error:
        why = error.what
    else:
        why = measured.judgement.reason if measured.is_untold else ""
        if not why:
            is_told = measured.good is not None
            rates = read_rates(found, objective, is_told=is_told)
            why = unanswered(found, objective, is_told=is_told)
            why = why and (measured.no_bucket or why)
    left, seconds = measured.budget_left, measured.span.seconds
    return Burning(objective, rates, left, why=why, window_seconds=seconds)


def raw_metrics(services: Services, wanted: MeasureWanted) -> RawPrometheus:
    """The Prometheus that is named, else the context's."""
    if wanted.prometheus:
        return services.raw_prometheus_of(Endpoint(url=wanted.prometheus))
    return services.raw_prometheus


def wanted_objectives(services: Services, wanted: MeasureWanted) -> Sequence[Objective]:
    """By name; raises NotFound, InvalidFile."""
    from maestro_cli.slo.files.reading import read_objectives

    if wanted.file is not None:
        if not wanted.file.exists():
            raise NotFound(
                f"{wanted.file} is not there", fix="name a file of objectives, or a folder of them"
            )
        known = {one.name: one for one in read_objectives(wanted.file)}
    else:
        known = services.objectives
    for name in wanted.names:
        if name not in known:
            raise NotFound(f"there is no objective {name!r}", **choice(name, known))
    if not known:
        raise NotFound("there is no objective", fix="--file PATH, or `objectives` of the context")
    return [known[name] for name in dict.fromkeys(wanted.names or sorted(known))]


def store_of(
    services: ChangeServices,
    wanted: MeasureWanted,
    source: RawPrometheus,
    zones: Iterable[str] = (),
    memory: KeptInMemory | None = None,
) -> Store:
    """Where what was measured is kept on this machine: nowhere, if nobody can tell which Prometheus it is.

    `zones` are those of the calendars whose periods are measured; `memory` keeps what cannot be kept on disk.
    """
    from maestro_cli.config.locations import cache_dir

    identity = None if wanted.fresh else source.identity()
    if identity is None:
        return Nowhere() if wanted.fresh or memory is None else InMemory(memory, zones)
    context = "" if wanted.prometheus else services.context_name
    folder = cache_dir() / "slo"
    return KeptOnDisk(folder, f"{context}\x00{identity}", zones, memory, partial(_tell_unkept, folder))


def tell_without_chunks(source: RawPrometheus) -> None:
    """That remote read was waited for in vain, where it was."""
    if source.why_no_chunks:
        _tell(source.why_no_chunks)


def _tell_unkept(folder: Path, error: OSError) -> None:
    why = unusable(folder, error)
    _tell(f"what was measured cannot be kept, and is asked for again with each look: {folder}: {why}")


def _tell(text: str) -> None:
    from maestro_cli.output.diagnostics import note_once

    note_once(text)


def _span(objective: Objective, wanted: MeasureWanted, at: datetime) -> Span:
    zone = _zone(objective, wanted)
    if wanted.month:
        month = _used(partial(month_span, wanted.month, zone), "--month 2026-10")
        if month.start >= at:
            raise UsageError(f"{month.label} has not begun", fix="a month that has")
        return month
    if wanted.window:
        seconds = _seconds(wanted.window, "--window 30d")
        if seconds > LONGEST_WINDOW_SECONDS:
            raise UsageError(
                f"{wanted.window} is longer than five years",
                why="every minute is measured",
                fix="--window 30d",
            )
        return rolling(at, seconds, zone)
    return span_of(objective, at)


def _zone(objective: Objective, wanted: MeasureWanted) -> str:
    zone = wanted.zone or (objective.calendar.zone if objective.calendar is not None else "UTC")
    return str(_used(partial(zone_named, zone), "--zone Europe/Berlin"))


def _instant(wanted: MeasureWanted, now: datetime) -> datetime:
    """As of when: an instant that is over, or now."""
    given = [name for name in ("at", "month", "window") if getattr(wanted, name)]
    if "month" in given and len(given) > 1:
        raise UsageError("a month is a window of its own", fix="leave out --at and --window")
    if not wanted.at:
        return now
    at = _used(partial(_parsed, wanted.at, wanted.zone or "UTC"), "--at 2026-10-31T12:00:00Z")
    if at > now:
        raise UsageError(f"{wanted.at} is still to come", fix="an instant that is over")
    return at


def _parsed(text: str, zone: str) -> datetime:
    """RFC 3339, or the same without an offset in the zone; raises ValueError."""
    try:
        return from_rfc3339(text)
    except ValueError:
        local = datetime.fromisoformat(text)
        if local.tzinfo is not None:
            raise
        return local.replace(tzinfo=zone_named(zone))


def _seconds(text: str, example: str) -> float:
    seconds = _used(partial(parse_duration_seconds, text), example)
    if seconds <= 0:
        raise UsageError(f"{text} is no time", fix=example)
    return seconds


def _used(read: Callable[[], T], example: str) -> T:
    try:
        return read()
    except ValueError as error:
        raise UsageError(str(error), fix=example) from error
