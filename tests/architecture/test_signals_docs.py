"""The page of signals says what the program does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from maestro_cli.config.intake import Anomalies
from maestro_cli.incidents.intake.anomalies import judging
from maestro_cli.incidents.intake.anomalies.model import PROFILES, Measure
from maestro_cli.incidents.intake.anomalies.patrol import (
    HOLD,
    LONGEST,
    MAX_SERIES,
    MAX_SERVICES,
    OVERLAP,
)
from maestro_cli.incidents.intake.anomalies.patrol import SOURCE as ANOMALIES_SOURCE
from maestro_cli.incidents.intake.anomalies.queries import QUERIES, WINDOW
from maestro_cli.incidents.intake.blindness import API_SOURCE, PROMETHEUS_SOURCE, WEBHOOK_SOURCE
from maestro_cli.incidents.intake.warnings import SOURCE as WARNINGS_SOURCE
from maestro_cli.incidents.intake.warnings import TABLE
from maestro_cli.incidents.response.duty import CONFIRM_SECONDS
from maestro_cli.services.intake import ANOMALIES_SECONDS, WARNINGS_SECONDS
from maestro_cli.sources.webhook_receiver import MAX_BODY_BYTES

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "signals.md").read_text(encoding="utf-8")
WORDS = " ".join(PAGE.split())


def test_the_table_of_warnings_is_the_programs() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (sev\d) \| (\d+) \| (\d+) s \| (\d+) s \|$", PAGE, re.MULTILINE)
    assert rows == [
        (
            reason,
            rule.severity.value,
            str(rule.threshold),
            f"{rule.window_seconds:g}",
            f"{rule.quiet_seconds:g}",
        )
        for reason, rule in TABLE.items()
    ]


def test_every_source_is_in_the_table() -> None:
    named = re.findall(r"^\| `([a-z-]+)` \| [^|]+ \| [^|]+ \|$", PAGE, re.MULTILINE)
    assert named == [API_SOURCE, WEBHOOK_SOURCE, PROMETHEUS_SOURCE, WARNINGS_SOURCE, ANOMALIES_SOURCE]


@pytest.mark.parametrize("measure", list(Measure))
def test_every_measure_is_told(measure: Measure) -> None:
    assert f"`{measure.value}`" in WORDS
    assert measure in PROFILES


@pytest.mark.parametrize(
    ("said", "figure", "told"),
    [
        ("every 30 s", WARNINGS_SECONDS, 30),
        ("every 60 s", ANOMALIES_SECONDS, 60),
        ("above 5 MiB", MAX_BODY_BYTES, 5 * 2**20),
        ("within a minute is left to people", CONFIRM_SECONDS, 60),
        ("the three newest samples are all 8 MADs off", judging.ENTER_MADS, 8),
        ("the three newest samples", judging.SAMPLES, 3),
        ("half an hour around it", judging.NEAR.total_seconds(), 1800),
        ("of the three hours before", judging.ROLLING.total_seconds(), 3 * 3600),
        ("once there is an hour of them", judging.LEAST_ROLLING_POINTS * judging.SAMPLE_SECONDS, 3600),
        ("fewer than 50 requests or judged answers", judging.LEAST_EVENTS, 50),
        ("after half an hour without a verdict", HOLD.total_seconds(), 1800),
        ("or after a day", LONGEST.total_seconds(), 86_400),
        ("have more than 10,000 series", MAX_SERIES, 10_000),
        ("have more than 10,000 series", Anomalies().max_series, 10_000),
        ("500 services are judged", MAX_SERVICES, 500),
        ("only their last five minutes", OVERLAP.total_seconds(), 300),
        ("by six queries", len(QUERIES) + 1, 6),
    ],
)
def test_every_figure_is_the_programs(said: str, figure: float, told: float) -> None:
    assert said in WORDS
    assert figure == told


def test_the_window_of_a_sample_is_told() -> None:
    assert "in the two minutes of a sample" in WORDS
    assert WINDOW == "2m"
