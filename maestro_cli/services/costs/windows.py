"""What was metered in a window of the context's cluster, and its prices; or a record of both.

Invariant: what a record says is asked of nobody else, so that its reports need no network.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from maestro_cli.core.archives import archive_kind
from maestro_cli.core.clock import from_rfc3339
from maestro_cli.core.errors import ActionFailed, NoData, UsageError
from maestro_cli.core.files import unusable, write_atomically
from maestro_cli.core.promql import promql_label
from maestro_cli.core.quantities import parse_duration_seconds
from maestro_cli.core.untrusted import visible
from maestro_cli.cost.metering.bins import hours_until
from maestro_cli.cost.metering.labels import LabelNames
from maestro_cli.cost.metering.measure import meter
from maestro_cli.cost.metering.model import Hours, Metered
from maestro_cli.cost.metering.readings import Meter
from maestro_cli.cost.metering.telemetry import LOKI, OTELCOL, ROTEL, SENDERS, TEMPO, TelemetryNames
from maestro_cli.cost.prices.model import PriceBook
from maestro_cli.cost.record import pack_record, read_record
from maestro_cli.services.costs.wanted import CostWindow

if TYPE_CHECKING:
    from maestro_cli.config.settings import CostTelemetry
    from maestro_cli.services.costs.root import CostServices


_EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class CostData:
    """What every view of costs is made of; `digest` is that of the record it was read of, else empty."""

    metered: Metered
    book: PriceBook
    digest: str = ""


def find_cost_data(services: CostServices, wanted: CostWindow) -> CostData:
    """Raises UsageError, NoData when nothing was measured or nothing prices it, InvalidFile, Unreachable."""
    if wanted.record is not None:
        if wanted.window or wanted.until:
            raise UsageError("a record says what its window is", fix="leave out --window and --until")
        found = read_record(wanted.record)
        book = found.book if wanted.prices is None else services.prices(wanted.prices).machines()
        return CostData(found.metered, book, found.digest)
    now = services.clock.now()
    hours = hours_of(wanted, now)
    book = services.prices(wanted.prices).machines()
    return CostData(meter_hours(services, hours, now), book)


def meter_hours(services: CostServices, hours: Hours, now: datetime) -> Metered:
    """Meter some hours of the context's cluster; raises NoData when nothing of them was measured."""
    metered = meter(services.raw_prometheus, _meter(services), hours, now)
    if not metered.coverage.any():
        raise _unmeasured(services, metered, now)
    return metered


def _unmeasured(services: CostServices, metered: Metered, now: datetime) -> NoData:
    """What is scraped by now, but not yet for the whole minutes that costs are told by, is not missing."""
    hours = metered.hours
    lacks, who = "kube_node_info", "kube-state-metrics"
    if (metered.present > 0).any():
        lacks, who = "container_cpu_usage_seconds_total", "cAdvisor"
    what = f"nothing was measured from {hours.start:%Y-%m-%d %H:%M} to {hours.end:%Y-%m-%d %H:%M} UTC"
    if hours.end > now and services.prometheus.query(services.cluster_series.of(lacks), at=now).samples:
        return NoData(
            f"{what} yet",
            why=f"Prometheus has {lacks} of {who} for less than the whole minutes that costs are told by",
            fix="the same in two minutes",
        )
    return NoData(
        what,
        why=f"Prometheus has no {lacks} of {who} in these hours",
        fix=f"another --window or --until, or look whether it scrapes {who}: maestro doctor",
    )


def hours_of(wanted: CostWindow, now: datetime) -> Hours:
    """Raises UsageError for what is no window or no instant."""
    until = end_of(wanted.until, now)
    try:
        seconds = parse_duration_seconds(wanted.window or wanted.usual)
    except ValueError as error:
        raise UsageError(str(error), fix="--window 24h") from error
    if not seconds > 0:
        raise UsageError(f"a window of {visible(wanted.window, 40)} has nothing in it", fix="--window 24h")
    return hours_until(until, max(1, math.ceil(seconds / 3600)))


def write_record(data: CostData, path: Path) -> str:
    """Write what was metered and its prices; gives the digest. Raises UsageError, ActionFailed."""
    packed, digest = pack_record(data.metered, data.book, archive_kind(path.name))
    try:
        write_atomically(path, packed, durable=True)
    except OSError as error:
        raise ActionFailed(f"{path} cannot be written", why=unusable(path, error)) from error
    return digest


def end_of(until: str, now: datetime) -> datetime:
    """What `--until` says, now without it; raises UsageError for what is no instant or not yet over."""
    instant = instant_of(until, now, "--until")
    if instant > now:
        raise UsageError(f"{visible(until, 60)} is in the future", fix="leave --until out for now")
    return instant


def instant_of(text: str, now: datetime, option: str) -> datetime:
    """What an option says, now without one; raises UsageError."""
    if not text:
        return now
    try:
        found = from_rfc3339(text if "T" in text or " " in text else f"{text}T00:00:00Z")
        if found < _EARLIEST:
            raise ValueError("nothing was measured then")
        return found
    except (ValueError, OverflowError) as error:
        raise UsageError(
            f"{visible(text, 60)!r} is no time", fix=f"{option} 2026-10-04T02:00:00Z, or a day: 2026-10-04"
        ) from error


def _meter(services: CostServices) -> Meter:
    costs = services.context.costs
    shipped = LabelNames()
    return Meter(
        cluster=services.context_name,
        match=services.cluster_series.match,
        labels=LabelNames(
            team=tuple(costs.labels.team) or shipped.team,
            model=tuple(costs.labels.model) or shipped.model,
            version=tuple(costs.labels.version) or shipped.version,
        ),
        destination=costs.sends_to or "",
        telemetry=_telemetry(costs.telemetry),
    )


def _telemetry(told: CostTelemetry) -> TelemetryNames:
    """Raises UsageError for what is no name of a label."""
    said = told.programs
    each = {LOKI: said.loki, TEMPO: said.tempo, OTELCOL: said.otelcol, ROTEL: said.rotel}
    programs = {program: match for program, match in each.items() if match is not None}
    try:
        for name in (*told.match, *told.senders, *(label for match in programs.values() for label in match)):
            promql_label(name)
    except ValueError as error:
        raise UsageError(f"costs.telemetry of the context: {error}", fix="senders: [tenant]") from error
    return TelemetryNames(told.match, tuple(told.senders) or SENDERS, programs)
