"""Objectives as files of Sloth (`version: prometheus/v1`) and its resource PrometheusServiceLevel.

An objective is named `SERVICE-NAME`, as Sloth names it. Labels of the service, of the objective and of its
alerts become alert labels; plugins that compute an indicator are refused, those that make rules are ignored.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Literal

import msgspec

from maestro_cli.slo.files import figures
from maestro_cli.slo.files.found import Labels, Named, Place, Reading, checked_name, prometheus_labels
from maestro_cli.slo.files.promql import MIXED, as_written, has_no_window, indicator_of, mixes_units
from maestro_cli.slo.objectives import WINDOW, Alerting, ErrorRatio, Indicator, Notice, Objective

RUNBOOKS = ("runbook_url", "runbook", "maestro.io/runbook")
_CAMEL = {"error_query": "errorQuery", "total_query": "totalQuery", "error_ratio_query": "errorRatioQuery"}


class Raw(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    error_ratio_query: str


class Events(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    error_query: str
    total_query: str


class Plugin(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    id: str
    options: dict[str, str] = {}


class Sli(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    raw: Raw | None = None
    events: Events | None = None
    plugin: Plugin | None = None


class Alert(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    disable: bool = False
    labels: Labels = {}
    annotations: dict[str, str] = {}


class Alerts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str = ""
    labels: Labels = {}
    annotations: dict[str, str] = {}
    page_alert: Alert = Alert()
    ticket_alert: Alert = Alert()


class Slo(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    objective: float
    sli: Sli
    description: str = ""
    labels: Labels = {}
    plugins: Any = None
    alerting: Alerts = Alerts()


class SlothFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    version: Literal["prometheus/v1"]
    service: str
    slos: list[Slo]
    labels: Labels = {}
    slo_plugins: Any = None


class RawResource(Raw, frozen=True):
    error_ratio_query: str = msgspec.field(name="errorRatioQuery")


class EventsResource(Events, frozen=True):
    error_query: str = msgspec.field(name="errorQuery")
    total_query: str = msgspec.field(name="totalQuery")


class SliResource(Sli, frozen=True):
    raw: RawResource | None = None
    events: EventsResource | None = None


class AlertsResource(Alerts, frozen=True):
    page_alert: Alert = msgspec.field(name="pageAlert", default=Alert())
    ticket_alert: Alert = msgspec.field(name="ticketAlert", default=Alert())


class SloResource(Slo, frozen=True, kw_only=True):
    sli: SliResource
    alerting: AlertsResource = AlertsResource()


class SpecResource(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    service: str
    slos: list[SloResource]
    labels: Labels = {}
    slo_plugins: Any = None


class SlothResource(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    apiVersion: Literal["sloth.slok.dev/v1"]
    kind: Literal["PrometheusServiceLevel"]
    metadata: Named
    spec: SpecResource
    status: Any = None


def read_file(place: Place, reading: Reading) -> Iterator[Objective]:
    """Raises InvalidFile."""
    file = place.document.decode(SlothFile)
    labels = prometheus_labels(place.at("labels"), file.labels)
    return _objectives(place, reading, file.service, labels, file.slos, bool(file.slo_plugins))


def read_resource(place: Place, reading: Reading) -> Iterator[Objective]:
    """Raises InvalidFile."""
    spec, place = place.document.decode(SlothResource).spec, place.at("spec")
    labels = prometheus_labels(place.at("labels"), spec.labels)
    return _objectives(place, reading, spec.service, labels, spec.slos, bool(spec.slo_plugins))


def _objectives(
    place: Place, reading: Reading, service: str, labels: dict[str, str], slos: Sequence[Slo], plugins: bool
) -> Iterator[Objective]:
    if plugins:
        reading.notes.append(place.note("slo_plugins are ignored: they change the rules of Sloth alone"))
    for number, slo in enumerate(slos):
        at = place.at("slos", number)
        if slo.plugins:
            reading.notes.append(at.note("plugins are ignored: they change the rules of Sloth alone"))
        name = checked_name(at.at("name"), f"{service}-{slo.name}")
        alerts = slo.alerting
        own = prometheus_labels(at.at("labels"), slo.labels)
        told = prometheus_labels(at.at("alerting", "labels"), alerts.labels)
        yield Objective(
            name=name,
            title=f"{service} {slo.name}",
            service=service,
            target=figures.percent(at.at("objective"), slo.objective),
            window_seconds=figures.DEFAULT_WINDOW_SECONDS,
            indicator=_indicator(at.at("sli"), slo.sli),
            labels={**labels, **own, **told},
            runbook=next(filter(None, (alerts.annotations.get(key) for key in RUNBOOKS)), ""),
            origin=at.origin,
            alerting=Alerting(
                alerts.name,
                dict(alerts.annotations),
                _notice(at.at("alerting", "page_alert"), alerts.page_alert),
                _notice(at.at("alerting", "ticket_alert"), alerts.ticket_alert),
            ),
        )


def _notice(at: Place, alert: Alert) -> Notice:
    labels = prometheus_labels(at.at("labels"), alert.labels)
    return Notice(alert.disable, labels, dict(alert.annotations))


def _indicator(at: Place, sli: Sli) -> Indicator:
    if sli.plugin is not None:
        fix = "write what it makes as events: error_query and total_query"
        raise at.at("plugin").fail("is computed by a plugin of Sloth", why="a plugin is a program", fix=fix)
    if (sli.raw is None) == (sli.events is None):
        raise at.fail("needs either 'events' or 'raw'")
    if sli.raw is not None:
        return ErrorRatio(_query(at.at("raw"), "error_ratio_query", sli.raw))
    found = indicator_of(
        total=_query(at.at("events"), "total_query", sli.events),
        bad=_query(at.at("events"), "error_query", sli.events),
        good=None,
    )
    if has_no_window(found):
        raise at.at("events").fail("says no range", fix="write [{{.window}}] where the range goes")
    if mixes_units(found):
        raise at.at("events").fail(**MIXED)
    return found


def _query(at: Place, key: str, of: Any) -> str:
    """A query that says where the range goes, as Sloth wants it; raises InvalidFile."""
    camel = _CAMEL[key]
    place = at.at(camel if (*at.path, camel) in at.document.lines else key)
    try:
        query = place.met(as_written(getattr(of, key)))
    except ValueError as error:
        raise place.fail(f"is not a query: it {error}") from error
    if WINDOW not in query:
        raise place.fail("says no range", fix="write [{{.window}}] where the range goes")
    return query
