"""What a real Prometheus says of two days of model servers: versions nobody asked, and cold caches."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from maestro_cli.config.settings import Endpoint
from maestro_cli.cost.cluster_series import ANY_CLUSTER
from maestro_cli.cost.waste.model import Kind, NotJudged, Waste
from maestro_cli.cost.waste.served import served_waste
from maestro_cli.sources.prometheus import Prometheus
from maestro_cli.sources.prometheus_raw import RawPrometheus
from tests.contract.recorded_prometheus import recorded_prometheus, running_prometheus
from tests.patience import wait_for

pytestmark = pytest.mark.contract
END = datetime(2026, 10, 3, tzinfo=UTC)
STEP = 60
POINTS = 2 * 86_400 // STEP
PLACE = 'namespace="ml",deployment="fraud",job="serving",instance="a"'


def _line(name: str, labels: str, point: int, value: float) -> str:
    at = END - timedelta(seconds=(POINTS - point) * STEP)
    return f"{name}{{{labels}}} {value} {at.timestamp():.0f}"


def _history() -> str:
    """Version 1 is never asked, version 2 is, version 3 comes after a day; lookups never hit.

    Of version 4 a counter comes with a burst of requests in it, and does not grow; of 5 none is told.
    """
    versions = {number: f'{PLACE},model="fraud",version="{number}"' for number in (1, 2, 3, 4, 5)}
    first = {1: 0, 2: 0, 3: POINTS // 2, 4: 0, 5: 0}
    points = range(POINTS + 1)
    info = [_line("maestro_model_info", f'{versions[number]},digest="d{number}"', point, 1)
            for number in versions for point in points if point >= first[number]]  # fmt: skip
    asked = [
        _line("maestro_inference_requests_total", f'{versions[2]},code="200"', p, 10 * p) for p in points
    ]
    asked += [_line("maestro_inference_requests_total", f'{versions[1]},code="200"', p, 7) for p in points]
    asked += [
        _line("maestro_inference_requests_total", f'{versions[4]},code="200"', p, 900)
        for p in range(POINTS // 2, POINTS + 1)
    ]
    misses = [
        _line("maestro_prediction_cache_lookups_total", f'{PLACE},result="miss"', p, 10 * p) for p in points
    ]
    up = [_line("up", 'job="serving",instance="a"', point, 1) for point in points]
    families = (
        ("maestro_model_info", "gauge", info),
        ("maestro_inference_requests", "counter", asked),
        ("maestro_prediction_cache_lookups", "counter", misses),
        ("up", "gauge", up),
    )
    lines = [line for name, kind, found in families for line in (f"# TYPE {name} {kind}", *found)]
    return "\n".join([*lines, "# EOF", ""])


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with recorded_prometheus(tmp_path_factory.mktemp("served"), _history(), block_hours=64) as found:
        yield found


def test_the_version_that_nobody_asked_is_idle_and_the_cache_that_never_hits_is_cold(url: str) -> None:
    found = list(served_waste(Prometheus(Endpoint(url)), ANY_CLUSTER, END, 2 * 86_400))
    assert [(one.kind, one.name) for one in found if isinstance(one, Waste)] == [
        (Kind.IDLE_MODEL, "fraud: fraud@1"), (Kind.COLD_CACHE, "fraud"),
    ]  # fmt: skip
    (untold,) = (one for one in found if isinstance(one, NotJudged))
    assert untold.why == "no requests are told of 1 loaded version"


def test_a_window_of_which_half_was_measured_judges_nothing(url: str) -> None:
    found = list(served_waste(Prometheus(Endpoint(url)), ANY_CLUSTER, END, 4 * 86_400))
    assert [type(one) for one in found] == [NotJudged, NotJudged]


def test_series_are_counted_by_what_prometheus_holds(tmp_path: Path) -> None:
    """Rules write series of their own: three of `many`, one of `one`."""
    many = " or ".join(f'label_replace(vector(1), "n", "{number}", "", "")' for number in range(3))
    rules = (
        f"groups: [{{name: g, rules: [{{record: many, expr: '{many}'}}, {{record: one, expr: vector(1)}}]}}]"
    )
    (tmp_path / "rules.yml").write_text(rules)
    config = "global: {evaluation_interval: 1s}\nrule_files: [rules.yml]\n"
    with running_prometheus(tmp_path, config=config) as found:
        raw = RawPrometheus(Endpoint(found))
        seen = '{__name__=~"many|one"}'
        wait_for(lambda: len(raw.query(seen).samples) == 4, "rules to be evaluated")
        head = raw.head_series()
    assert head.by_metric["many"] == 3
    assert head.by_metric["one"] == 1
