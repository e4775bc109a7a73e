"""Objectives as OpenSLO v1 files: https://openslo.com, `apiVersion: openslo/v1`.

`metadata.labels` name the workload an SLO belongs to and become alert labels; with the
annotation `maestro.io/alerts: none` nobody is told of its burn. A metric source is
Prometheus, or `type: maestro` with `recovery: rto` or `rpo` for what drills and incidents measure. Alerts
come from the burn of the budget: kinds that define others are taken and said to be ignored.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Literal

import msgspec

from maestro_cli.slo.files import figures
from maestro_cli.slo.files.found import Labels, Place, Reading, checked_name, prometheus_labels
from maestro_cli.slo.files.openslo_metrics import SliSpec, indicator_of_sli
from maestro_cli.slo.objectives import Alerting, Calendar, Method, Notice, Objective, Recovery, Slices

RUNBOOK, ALERTS = "maestro.io/runbook", "maestro.io/alerts"
_Op = Literal["lte", "gte", "lt", "gt"]
_NO_SLUG = re.compile(r"[^a-z0-9]+")
_SLO_MINUTE = 60.0  # timeSliceWindow: 5 means minutes


class Metadata(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    displayName: str = ""
    labels: Labels = {}
    annotations: dict[str, str] = {}


class Indicator(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    spec: SliSpec
    metadata: Metadata | None = None


class CalendarSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    startTime: str
    timeZone: str


class Window(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    duration: str
    isRolling: bool | None = None
    calendar: CalendarSpec | None = None


class Target(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    displayName: str = ""
    op: _Op | None = None
    value: float | None = None
    target: float | None = None
    targetPercent: float | None = None
    timeSliceTarget: float | None = None
    timeSliceWindow: str | int | float | None = None
    indicator: Indicator | None = None
    indicatorRef: str = ""
    compositeWeight: float | None = None


class SloSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    service: str
    objectives: list[Target]
    description: str = ""
    indicator: Indicator | None = None
    indicatorRef: str = ""
    timeWindow: list[Window] = []
    budgetingMethod: Literal["Occurrences", "Timeslices", "RatioTimeslices"] = "Occurrences"
    alertPolicies: list[Any] | None = None


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    apiVersion: Literal["openslo/v1"]
    metadata: Metadata


class SloFile(_File, frozen=True, kw_only=True):
    kind: Literal["SLO"]
    spec: SloSpec


class SliFile(_File, frozen=True, kw_only=True):
    kind: Literal["SLI"]
    spec: SliSpec


class _SourceSpec(msgspec.Struct, frozen=True):
    type: str


class SourceFile(_File, frozen=True, kw_only=True):
    kind: Literal["DataSource"]
    spec: _SourceSpec


class OtherFile(_File, frozen=True, kw_only=True):
    kind: Literal["Service", "AlertPolicy", "AlertCondition", "AlertNotificationTarget"]
    spec: Any = None


KINDS = {
    "SLO": SloFile,
    "SLI": SliFile,
    "DataSource": SourceFile,
    **dict.fromkeys(("Service", "AlertPolicy", "AlertCondition", "AlertNotificationTarget"), OtherFile),
}


def prepare(place: Place, reading: Reading) -> None:
    """Take what others refer to; raises InvalidFile."""
    kind = place.document.data.get("kind")
    if kind == "SLI":
        sli = place.document.decode(SliFile)
        reading.indicators[sli.metadata.name] = (place.at("spec"), sli.spec)
    elif kind == "DataSource":
        source = place.document.decode(SourceFile)
        reading.sources[source.metadata.name] = source.spec.type
    elif kind != "SLO":
        other = place.document.decode(OtherFile)
        if other.kind != "Service":
            reading.notes.append(
                place.note(f"{other.kind} {other.metadata.name} is ignored: alerts are on the budget's burn")
            )


def read(place: Place, reading: Reading) -> Iterator[Objective]:
    """The objectives of an SLO; raises InvalidFile."""
    slo = place.document.decode(SloFile)
    name = checked_name(place.at("metadata", "name"), slo.metadata.name)
    labels = prometheus_labels(place.at("metadata", "labels"), slo.metadata.labels)
    if not slo.spec.objectives:
        raise place.at("spec", "objectives").fail("needs an objective", fix="- target: 0.999")
    if slo.spec.alertPolicies:
        at = place.at("spec", "alertPolicies")
        reading.notes.append(at.note("alertPolicies are ignored: alerts are on the budget's burn"))
    window_seconds, calendar = _window(place.at("spec"), slo.spec, reading)
    title = slo.metadata.displayName or slo.metadata.name
    alerting = _alerting(place.at("metadata", "annotations", ALERTS), slo.metadata.annotations)
    for number, target in enumerate(slo.spec.objectives):
        at = place.at("spec", "objectives", number)
        several = len(slo.spec.objectives) > 1
        suffix = _NO_SLUG.sub("-", target.displayName.lower()).strip("-") or str(number + 1)
        indicator, is_recovery = _indicator(place, at, slo.spec, target, reading)
        method, slices = _slices(at, slo.spec, target, window_seconds)
        yield Objective(
            name=f"{name}-{suffix}" if several else name,
            title=f"{title}: {target.displayName or number + 1}" if several else title,
            service=slo.spec.service,
            target=_target(at, target, is_recovery),
            window_seconds=window_seconds,
            indicator=indicator,
            labels=labels,
            runbook=slo.metadata.annotations.get(RUNBOOK, ""),
            method=method,
            slices=slices,
            calendar=calendar,
            origin=at.origin if several else place.origin,
            alerting=alerting,
        )


def _alerting(at: Place, annotations: Mapping[str, str]) -> Alerting:
    given = annotations.get(ALERTS, "burn")
    if given not in ("burn", "none"):
        raise at.fail("is not one of the choices", fix="none, or burn: what there is without it")
    quiet = given == "none"
    return Alerting(page=Notice(quiet), ticket=Notice(quiet))


def _target(at: Place, target: Target, is_recovery: bool) -> float:
    if is_recovery and target.target is None and target.targetPercent is None:
        return 1.0
    if (target.target is None) == (target.targetPercent is None):
        raise at.fail("needs either 'target' or 'targetPercent'", fix="target: 0.999")
    if target.target is not None:
        return figures.ratio(at.at("target"), target.target)
    return figures.percent(at.at("targetPercent"), target.targetPercent or 0.0, otherwise="target")


def _window(at: Place, spec: SloSpec, reading: Reading) -> tuple[float, Calendar | None]:
    if not spec.timeWindow:
        reading.notes.append(at.note("has no timeWindow: taken as 30 days, rolling"))
        return figures.DEFAULT_WINDOW_SECONDS, None
    if len(spec.timeWindow) > 1:
        raise at.at("timeWindow").fail("needs exactly one time window", fix="write an SLO for each")
    (window,) = spec.timeWindow
    at = at.at("timeWindow", 0)
    if window.calendar is None:
        if window.isRolling is False:
            raise at.at("isRolling").fail(
                "a window that does not roll needs its calendar",
                fix="add calendar: {startTime: …, timeZone: …}",
            )
        return figures.seconds(at.at("duration"), window.duration), None
    if window.isRolling:
        raise at.at("isRolling").fail("a window of the calendar does not roll", fix="take one of the two out")
    calendar, seconds = figures.calendar(
        at, window.duration, window.calendar.startTime, window.calendar.timeZone
    )
    return seconds, calendar


def _slices(at: Place, spec: SloSpec, target: Target, window: float) -> tuple[Method, Slices | None]:
    method = Method(spec.budgetingMethod)
    if method is Method.OCCURRENCES:
        return method, None
    given = target.timeSliceWindow
    if given is None:
        raise at.fail(f"{method.value} need a timeSliceWindow", fix="timeSliceWindow: 1m")
    if isinstance(given, str):
        seconds = figures.seconds(at.at("timeSliceWindow"), given)
    else:
        seconds = given * _SLO_MINUTE
    if not 0 < seconds < window:
        raise at.at("timeSliceWindow").fail("is no part of the window", fix="timeSliceWindow: 1m")
    if seconds % _SLO_MINUTE:
        fix = f"timeSliceWindow: {max(round(seconds / _SLO_MINUTE), 1)}m"
        raise at.at("timeSliceWindow").fail(
            "is not a whole number of minutes", why="events are counted by the minute", fix=fix
        )
    if method is Method.RATIO_TIMESLICES:
        return method, Slices(seconds, target.timeSliceTarget or 0.0)
    if target.timeSliceTarget is None or not 0 < target.timeSliceTarget <= 1:
        key = at if target.timeSliceTarget is None else at.at("timeSliceTarget")
        raise key.fail("Timeslices need a timeSliceTarget above 0 and at most 1", fix="timeSliceTarget: 0.99")
    return method, Slices(seconds, target.timeSliceTarget)


def _indicator(place: Place, at: Place, spec: SloSpec, target: Target, reading: Reading) -> tuple[Any, bool]:
    """The indicator, and whether it is a recovery; of an objective that has one of its own, that one."""
    is_own = target.indicator is not None or bool(target.indicatorRef)
    if is_own and (spec.indicator is not None or spec.indicatorRef):
        raise at.fail("has an indicator, and the SLO has one too", fix="keep one of them")
    if target.compositeWeight is not None:
        text = "each objective is judged by itself, not as one composite; compositeWeight is ignored"
        reading.notes.append(at.note(text))
    given, named = (target.indicator, target.indicatorRef) if is_own else (spec.indicator, spec.indicatorRef)
    where = at if is_own else place.at("spec")
    if (given is None) == (not named):
        raise where.fail("needs either 'indicator' or 'indicatorRef'")
    if given is not None:
        where, sli = where.at("indicator", "spec"), given.spec
    elif named in reading.indicators:
        where, sli = reading.indicators[named]
    else:
        raise where.at("indicatorRef").fail(
            "names an SLI that is not there", fix="put its file into the same folder"
        )
    found = indicator_of_sli(where, sli, reading, at, target.op, target.value)
    return found, isinstance(found, Recovery)
