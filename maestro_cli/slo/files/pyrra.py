"""Objectives as files and resources of Pyrra: `pyrra.dev/v1alpha1`, kind ServiceLevelObjective.

Labels that begin with `pyrra.dev/` become alert labels; `pyrra.dev/service` names the service, else the
objective does. A grouping makes Pyrra judge each group: here all of them are one objective, which is said.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from maestro_cli.core.quantities import parse_duration_seconds
from maestro_cli.slo.files import figures
from maestro_cli.slo.files.found import Named, Place, Reading, checked_name, prometheus_labels
from maestro_cli.slo.files.promql import SELECTOR, as_written, indicator_of
from maestro_cli.slo.objectives import Alerting, Indicator, Latency, Notice, Objective, Threshold

_PREFIX = "pyrra.dev/"
_RUNBOOKS = ("pyrra.dev/runbook_url", "pyrra.dev/runbook", "maestro.io/runbook")


class Query(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    metric: str


class Ratio(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    errors: Query
    total: Query
    grouping: list[str] | None = None


class Bucket(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    success: Query
    total: Query
    grouping: list[str] | None = None


class Native(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    total: Query
    latency: str
    grouping: list[str] | None = None


class Gauge(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    metric: str
    grouping: list[str] | None = None


class PyrraIndicator(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    ratio: Ratio | None = None
    latency: Bucket | None = None
    latencyNative: Native | None = None
    bool_gauge: Gauge | None = None


class Alerts(msgspec.Struct, frozen=True):
    """What else Pyrra knows of its alerts is about its own."""

    disabled: bool | None = None
    burnrates: bool | None = None
    name: str = ""


class PyrraSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    target: str
    window: str
    indicator: PyrraIndicator
    description: str = ""
    alerting: Alerts = Alerts()
    partial_response_strategy: str = ""
    performanceOverAccuracy: bool = False
    ruleOutput: Any = None


class PyrraFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    apiVersion: Literal["pyrra.dev/v1alpha1"]
    kind: Literal["ServiceLevelObjective"]
    metadata: Named
    spec: PyrraSpec
    status: Any = None


def read(place: Place, reading: Reading) -> Objective:
    """Raises InvalidFile."""
    file = place.document.decode(PyrraFile)
    metadata, spec, at = file.metadata, file.spec, place.at("spec")
    name = checked_name(place.at("metadata", "name"), metadata.name)
    own = {
        key.removeprefix(_PREFIX): value for key, value in metadata.labels.items() if key.startswith(_PREFIX)
    }
    labels = prometheus_labels(place.at("metadata", "labels"), own)
    quiet = spec.alerting.disabled is True or spec.alerting.burnrates is False
    return Objective(
        name=name,
        title=name,
        service=labels.get("service", name),
        target=figures.percent(at.at("target"), spec.target),
        window_seconds=figures.seconds(at.at("window"), spec.window),
        indicator=_indicator(at.at("indicator"), spec.indicator, reading),
        labels=labels,
        runbook=next(filter(None, (metadata.annotations.get(key) for key in _RUNBOOKS)), ""),
        origin=place.origin,
        alerting=Alerting(spec.alerting.name, {}, Notice(quiet), Notice(quiet)),
    )


def _indicator(at: Place, given: PyrraIndicator, reading: Reading) -> Indicator:
    named = [(key, one) for key in given.__struct_fields__ if (one := getattr(given, key)) is not None]
    if len(named) != 1:
        raise at.fail("needs one of ratio, latency, latencyNative and bool_gauge")
    ((key, one),) = named
    at = at.at(key)
    if one.grouping:
        groups = ", ".join(one.grouping)
        reading.notes.append(at.note(f"grouping is ignored: all of {groups} together are one objective"))
    if isinstance(one, Ratio):
        bad, total = (
            _selector(at.at("errors"), one.errors.metric),
            _selector(at.at("total"), one.total.metric),
        )
        return indicator_of(total=total, bad=bad, good=None)
    if isinstance(one, Bucket):
        return _latency(at, one)
    if isinstance(one, Native):
        return Latency(_selector(at.at("total"), one.total.metric), _seconds(at, one.latency), native=True)
    assert isinstance(one, Gauge)
    return Threshold(_query(at, one.metric), "gte", 1.0)


def _latency(at: Place, one: Bucket) -> Indicator:
    good, total = _selector(at.at("success"), one.success.metric), _selector(at.at("total"), one.total.metric)
    found = indicator_of(total=total, bad=None, good=good)
    if not isinstance(found, Latency):
        raise at.at("success", "metric").fail("is no bucket of a histogram", fix='NAME_bucket{le="0.1"}')
    return found


def _seconds(at: Place, text: str) -> float:
    try:
        return parse_duration_seconds(text)
    except ValueError as error:
        raise at.at("latency").fail(str(error), fix="latency: 100ms") from error


def _selector(at: Place, metric: str) -> str:
    query = _query(at, metric)
    if not SELECTOR.fullmatch(query):
        raise at.at("metric").fail("is not a selector", fix='write http_requests_total{code=~"5.."}')
    return query


def _query(at: Place, metric: str) -> str:
    try:
        return at.at("metric").met(as_written(metric))
    except ValueError as error:
        raise at.at("metric").fail(f"is not a selector: it {error}") from error
