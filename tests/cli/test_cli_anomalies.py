"""`maestro incident anomalies`, and what `maestro status` says of them."""

from __future__ import annotations

import io
import json
from datetime import timedelta
from pathlib import Path

import pytest

from maestro_cli.config.locations import state_dir
from maestro_cli.core.clock import SystemClock
from maestro_cli.incidents.intake.anomalies.model import Anomaly, Baseline, Measure, Service
from maestro_cli.incidents.intake.anomalies.patrol import Patrol
from maestro_cli.incidents.intake.anomalies.projection import AnomalyProjection
from maestro_cli.incidents.projection import IncidentProjection
from maestro_cli.journal.store import Journal
from maestro_cli.output.formats import parse_format
from maestro_cli.output.renderers.anomalies import anomalies_view
from maestro_cli.output.writer import OutputOptions, emit
from tests.cli.program import check_golden, maestro
from tests.unit.incidents.test_anomaly_patrol import Recorded
from tests.unit.incidents.world import T0

FOUND = Anomaly(
    Service("ml\x1b[31m", "fraud\u202e"),
    Measure.ERROR_RATIO,
    T0,
    "error ratio 4.1 %, usually 0.1 % to 0.3 % at this hour on working days (50 points), 14 MADs,"
    " for 3 samples",
    0.041,
    14.2,
    Baseline(0.002, 0.0003, 0.001, 0.003, 50, "at this hour on working days"),
    "inc-01k9x3e7qhm400",
)


@pytest.mark.parametrize("form", ["table", "wide", "json", "csv", "md"])
def test_the_list_is_the_same_in_every_format(form: str) -> None:
    out = io.StringIO()
    view = anomalies_view((FOUND,), T0 + timedelta(minutes=7))
    emit(view, OutputOptions(parse_format(form), is_plain=True), out)
    assert "\x1b" not in out.getvalue()
    assert "\u202e" not in out.getvalue()
    check_golden(f"incident-anomalies.{form}", out.getvalue())


def test_what_is_unusual_is_listed_and_makes_no_status_worse(configured: Path) -> None:
    nothing = maestro("incident", "anomalies")
    assert (nothing.code, nothing.err) == (0, "nothing is unusual, as far as a watch has looked\n")
    path, clock = state_dir() / "journal" / "prod.sqlite", SystemClock()
    journal = Journal(path, projections=(IncidentProjection(), AnomalyProjection()), clock=clock)
    metrics = Recorded()
    began = clock.now() - timedelta(minutes=4)
    metrics.latency = lambda at: 0.5 if at > began else 0.1
    Patrol(metrics, journal, clock, "watch").look()
    journal.close()
    (item,) = json.loads(maestro("incident", "anomalies", "-o", "json").out)["items"]
    assert (item["service"], item["measure"], item["incident"]) == ("fraud", "latency", None)
    assert "MADs, for 3 samples" in item["why"]
    status = json.loads(maestro("status", "-o", "json").out)
    assert (status["anomalies"], status["well"]) == ([item], None)
