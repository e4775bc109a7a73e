"""What logs and traces cost, in figures that can be checked by hand, and what is told where nobody knows."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from types import MappingProxyType

import numpy as np
import pytest

from maestro_cli.cost.allocation.allocate import allocate
from maestro_cli.cost.allocation.model import Component, RowKind
from maestro_cli.cost.allocation.sharing import Sharing, Spread
from maestro_cli.cost.cluster_series import ANY_CLUSTER
from maestro_cli.cost.metering.bins import Grid
from maestro_cli.cost.metering.collectors import exporters_query
from maestro_cli.cost.metering.model import Matrix, Signal, TelemetryRef
from maestro_cli.cost.metering.telemetry import (
    COUNTERS,
    OTELCOL,
    Exporters,
    Telemetry,
    TelemetryNames,
    Told,
    sender_of,
    telemetry_of,
    telemetry_query,
)
from maestro_cli.cost.metering.telemetry import LOKI as LOKI_PROGRAM
from maestro_cli.cost.prices.model import PriceBook, PriceVersion
from tests.unit.cost.allocation.test_allocation_rules import LISTED, START, THREE, of

NAN = float("nan")
PRICED = PriceVersion(
    START - timedelta(days=1),
    LISTED,
    LISTED,
    per_gib_logged=0.5,
    per_million_spans=0.3,
    per_million_log_records=0.1,
)
BOOK = PriceBook.of("EUR", [PRICED])
COUNTED = replace(
    THREE,
    telemetry=(
        TelemetryRef(Signal.LOGS, "ml"), TelemetryRef(Signal.LOGS), TelemetryRef(Signal.SPANS, "web"),
        TelemetryRef(Signal.LOG_RECORDS, "ml"),
    ),
    telemetry_amounts=np.array([[4.0], [2.0], [10.0], [1.0]]),
)  # fmt: skip


def test_a_namespace_pays_for_what_it_sent_and_nobody_for_what_nobody_is_told_to_have_sent() -> None:
    found = allocate(COUNTED, BOOK).allocation
    assert of(found, "ml").costs[Component.LOGS] == pytest.approx(4 * 0.5 + 1 * 0.1)
    assert of(found, "web").costs == {
        **of(allocate(THREE, BOOK).allocation, "web").costs,
        Component.TRACES: 3.0,
    }
    assert of(found, "", kind=RowKind.OVERHEAD).costs == {Component.LOGS: 1.0}
    assert found.bill[Component.LOGS] == pytest.approx(3.1)
    assert found.bill[Component.TRACES] == 3.0
    assert found.unpriced == ()


def test_what_nobody_is_told_to_have_sent_is_shared_as_overhead_is() -> None:
    found = allocate(COUNTED, BOOK, sharing=Sharing(overhead=Spread.EVEN)).allocation
    assert [row.kind for row in found.rows if row.kind is RowKind.OVERHEAD] == []
    assert of(found, "ml").costs[Component.SHARED] == pytest.approx(1 / 3)


def test_what_is_priced_and_never_counted_makes_the_bill_a_lower_bound() -> None:
    """Else no data would be judged better than data of some hours."""
    logged = PriceBook.of("EUR", [replace(PRICED, per_million_spans=None, per_million_log_records=None)])
    found = allocate(THREE, logged).allocation
    assert Component.LOGS not in found.bill
    assert "no logs in the bill: nobody counted them (per_gib_logged prices them)" in found.notes
    assert found.unpriced == ("logs of 1 hours in which nobody counted them",)
    assert allocate(replace(THREE, until=START), logged).allocation.unpriced == ()


def test_an_hour_in_which_no_price_held_lacks_no_count() -> None:
    """Of a price that begins within the window."""
    before = replace(PRICED, per_gib_logged=None, per_million_spans=None, per_million_log_records=None)
    later = replace(PRICED, since=START + timedelta(hours=1))
    assert allocate(THREE, PriceBook.of("EUR", [before, later])).allocation.unpriced == ()


def test_what_was_counted_and_has_no_price_is_told() -> None:
    bare = replace(PRICED, per_gib_logged=None, per_million_log_records=None)
    found = allocate(COUNTED, PriceBook.of("EUR", [bare])).allocation
    assert "no logs in the bill: 6 GiB without a price (per_gib_logged)" in found.notes
    assert Component.LOGS not in found.bill


def test_hours_in_which_nobody_counted_make_the_bill_a_lower_bound() -> None:
    gone = replace(COUNTED, telemetry_amounts=np.array([[NAN], [NAN], [10.0], [1.0]]))
    found = allocate(gone, BOOK).allocation
    assert found.unpriced == ("logs of 1 hours in which nobody counted them",)
    begun = replace(gone, until=START)  # an hour that has not begun was missed by nobody
    assert allocate(begun, BOOK).allocation.unpriced == ()


def counted(
    *told: tuple[str, str, str, list[float]], exporters: Exporters = MappingProxyType({})
) -> Telemetry:
    """By metric, job and sender; `ml` and `web` are namespaces."""
    grids: dict[int, Grid[Told]] = {}
    for metric, job, sender, amounts in told:
        (number,) = [index for index, one in enumerate(COUNTERS) if one.metric == metric]
        grid = grids.setdefault(number, Grid[Told](len(amounts)))
        grid.rows[COUNTERS[number].program, job, sender] = np.array(amounts)
    return telemetry_of(grids, ("ml", "web"), 2, exporters)


def rows(found: Telemetry) -> dict[tuple[str, str], list[float]]:
    return {
        (ref.signal.value, ref.namespace): row
        for ref, row in zip(found.refs, listed(found.amounts), strict=True)
    }


def listed(matrix: Matrix) -> list[list[float]]:
    return [[float(one) for one in row] for row in matrix]


LOKI, TEMPO = "loki_distributor_bytes_received_total", "tempo_distributor_spans_received_total"
SPANS = "otelcol_receiver_accepted_spans"


def test_a_tenant_is_a_namespace_only_where_there_is_one_of_that_name() -> None:
    found = counted(
        (LOKI, "loki", "ml", [1.0, 2.0]), (LOKI, "loki", "fake", [3.0, NAN]), (LOKI, "loki", "", [0.5, 0.5])
    )
    assert rows(found) == {("logs", ""): [3.5, 0.5], ("logs", "ml"): [1.0, 2.0]}
    assert found.notes == ()


def test_what_collectors_pass_on_counts_once_and_who_else_counted_is_told() -> None:
    found = counted(
        (SPANS, "agents", "", [5.0, 5.0]),
        (SPANS, "gateway", "", [6.0, 6.0]),
        (TEMPO, "tempo", "web", [4.0, 4.0]),
    )
    assert rows(found) == {("spans", "web"): [4.0, 4.0]}
    assert found.notes == (
        "spans are counted by Tempo (job tempo); OpenTelemetry collector (job gateway), "
        "OpenTelemetry collector (job agents) count them too: costs.telemetry says who is paid",
    )
    without = counted(
        (SPANS, "agents", "", [5.0, 5.0]), (SPANS, "gateway", "", [6.0, 6.0]), (TEMPO, "t", "", [0.0, 0.0])
    )
    assert rows(without) == {("spans", ""): [6.0, 6.0]}


def test_collectors_side_by_side_that_name_other_senders_add_up() -> None:
    """One a team, each under a job of its own; what names a sender again, or not all, may be passed on."""
    apart = ((SPANS, "of-ml", "ml", [5.0, 5.0]), (SPANS, "of-web", "web", [4.0, NAN]))
    found = counted(*apart)
    assert rows(found) == {("spans", "ml"): [5.0, 5.0], ("spans", "web"): [4.0, 0.0]}
    assert found.notes == (
        "spans are added up of OpenTelemetry collector (job of-ml), OpenTelemetry collector (job of-web), "
        "which name different senders: where one passes on to another, "
        "costs.telemetry says who is paid",
    )
    again = counted(*apart, (SPANS, "agents", "web", [1.0, 1.0]))
    assert rows(again) == rows(found)
    assert "(job agents) count them too" in again.notes[1]
    gateway = counted(*apart, (SPANS, "gateway", "", [9.0, 5.0]))
    assert rows(gateway) == {("spans", ""): [9.0, 5.0]}
    assert rows(counted(*apart, (TEMPO, "tempo", "ml", [1.0, 1.0]))) == {("spans", "ml"): [1.0, 1.0]}


def test_a_job_whose_collectors_send_to_different_places_is_named_where_it_is_paid() -> None:
    """Agents and a gateway: what passes both counts twice, and nobody can tell which is last."""
    apart: Exporters = {
        (OTELCOL, "pods", Signal.SPANS): {"otlp/gateway", "otlphttp"},
        (OTELCOL, "small", Signal.SPANS): {"otlp"},
        (OTELCOL, "pods", Signal.LOG_RECORDS): {"loki"},
    }
    found = counted((SPANS, "pods", "", [5.0, 5.0]), (SPANS, "small", "", [1.0, 1.0]), exporters=apart)
    assert rows(found) == {("spans", ""): [5.0, 5.0]}
    assert found.notes[1:] == (
        "spans are added up of all in OpenTelemetry collector (job pods), of which only some send by "
        "otlp/gateway, otlphttp: where these pass on to others of the job each counts twice, "
        "costs.telemetry says who is paid",
    )


def test_a_program_s_own_labels_stand_in_place_of_those_of_all() -> None:
    names = TelemetryNames({"env": "prod"}, programs={OTELCOL: {"app": "gateway"}, LOKI_PROGRAM: {}})
    query = telemetry_query(ANY_CLUSTER, names, 3600)
    assert 'tempo_distributor_spans_received_total{env="prod"}[' in query
    assert 'otelcol_receiver_accepted_spans{app="gateway"}[' in query
    assert "loki_distributor_bytes_received_total[" in query
    sent = exporters_query(ANY_CLUSTER, names)
    assert 'otelcol_exporter_sent_spans{app="gateway"}' in sent
    assert 'rotel_exporter_sent_spans_total{env="prod"}' in sent


def test_the_namespace_that_a_collector_may_have_of_itself_names_no_sender_unless_said() -> None:
    own = {"k8s_namespace_name": "observability"}
    assert sender_of(own, TelemetryNames()) == ""
    assert sender_of(own, TelemetryNames(senders=("k8s_namespace_name",))) == "observability"


def test_both_spellings_of_a_counter_are_one() -> None:
    """A collector that was brought up to date."""
    found = counted((SPANS, "otel", "", [5.0, NAN]), (f"{SPANS}_total", "otel", "", [NAN, 7.0]))
    assert rows(found) == {("spans", ""): [5.0, 7.0]}


def test_an_hour_in_which_a_signal_was_not_counted_is_missing_in_every_row_of_it() -> None:
    found = counted((LOKI, "loki", "ml", [1.0, NAN]), (LOKI, "loki", "web", [NAN, NAN]))
    assert np.isnan(found.amounts[:, 1]).all()
    assert found.amounts[:, 0].tolist() == [1.0, 0.0]


def test_nothing_counted_is_nothing() -> None:
    assert counted().refs == ()
