"""What an objective asks Prometheus is PromQL, and tells the share of bad events."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from maestro_cli.slo.burning import ratio_query
from maestro_cli.slo.files.promql import indicator_of
from maestro_cli.slo.objectives import Counters, ErrorRatio, Indicator, Latency, Objective, Queries, Threshold
from maestro_cli.slo.rules.recording import bad_events

pytestmark = pytest.mark.contract
COUNTED = "0+10x20"
LOADED = [
    ("all_total{a='1'}", COUNTED), ("all_total{a='2'}", COUNTED), ("bad_total{a='1'}", "0+1x20"),
    ("s_count{a='1'}", COUNTED), ("s_bucket{a='1',le='0.1'}", "0+9x20"),
    ("s_bucket{a='1',le='1.0'}", COUNTED),
    ("calls_total{deployment='big'}", "0+100x20"), ("calls_total{deployment='small'}", "0+1x20"),
    ("failures_total{deployment='big'}", "0+1x20"), ("failures_total{deployment='small'}", "0+1x20"),
    ("coded_total{code='200'}", COUNTED), ("went_total{job='web'}", "_ _ _ _ _ 7 stale"),
    ("up{a='1'}", "_ 1 1 1 1 1 1 1 0 NaN 1"), ("ratio{a='1'}", "0.25x20"),
]  # fmt: skip
_ALL, _CODED = "sum(rate(all_total[$window]))", "sum(rate(coded_total[$window]))"
_BAD, _NONE = "sum(rate(bad_total[$window]))", "sum(rate(no_total[$window]))"
# an indicator, and the share of bad events over the 10 minutes that end after 10
ASKED: list[tuple[str, Indicator, float | None]] = [
    ("counters", Counters("all_total", "bad_total"), 0.05),
    ("weighted", Counters("calls_total", "failures_total"), 2 / 101),  # where the small one alone has 1
    ("good", Counters("all_total", good="bad_total"), 0.95),
    ("without-bad", Counters("coded_total", 'coded_total{code="500"}'), 0.0),
    ("a-label-misspelt", Counters("coded_total", 'coded_total{kode="500"}'), None),
    ("bad-never-counted", Counters("all_total", "no_total"), None),  # it may be a slip of the pen
    ("bad-counted-before", Counters("all_total", "went_total"), 0.0),
    ("bad-counted-elsewhere", Counters("all_total", "went_total{job='x'}"), None),
    ("apart", Counters("all_total{a='1'}", "all_total{a='3'}"), None),
    ("sum-without-an-answer", Queries(_ALL, f"{_BAD} + {_NONE}"), None),
    ("one-of-the-total", Queries(_CODED, 'sum(rate(coded_total{code="5"}[$window]))'), 0.0),
    ("its-label-misspelt", Queries(_CODED, 'sum(rate(coded_total{c="5"}[$window]))'), None),
    ("without-all", Counters("no_total", "bad_total"), None),
    ("latency", Latency("s", 0.1), 0.1),
    ("latency-of-prometheus-3", Latency("s", 1.0), 0.0),
    ("latency-of-all", Latency('s{a="1"}', 0.1, total="all_total"), 0.55),
    ("no-bucket", Latency("s", 0.2), None),
    ("queries", Queries("sum(rate(all_total[$window]))", "sum(rate(bad_total[$window]))"), 0.05),
    ("read-of-rates", indicator_of(total="sum(rate(all_total[1m]))", bad=f"{_BAD} + {_BAD}", good=None), 0.1),
    ("error-ratio", ErrorRatio("avg_over_time(ratio[$window])"), 0.25),
    ("threshold", Threshold("up", "gte", 1.0), 1 / 9),  # NaN is neither
]


def objective(indicator: Indicator) -> Objective:
    return Objective("a", "a", "a", 0.9, 2592000.0, indicator, {})


def test_every_query_tells_the_share_of_bad_events(tmp_path: Path) -> None:
    """One run of promtool for all; a latency of native histograms can only be checked to be PromQL."""
    native = objective(Latency("s", 0.1, native=True, total="all_total")).error_ratio("10m", "")
    tests: list[dict[str, Any]] = [{"expr": native, "eval_time": "10m", "exp_samples": []}]
    for _, indicator, value in ASKED:
        # rounded, as rate() extrapolates; of all workloads together, weighted by their events
        expr = f"round({ratio_query(objective(indicator), '10m')}, 0.0001)"
        samples = [] if value is None else [{"labels": "{}", "value": round(value, 4)}]
        tests.append({"expr": expr, "eval_time": "10m", "exp_samples": samples})
    for good, bad in (("bad_total", 190), ("no_total", 200)):  # what fails from its start has no good series
        events = bad_events(objective(Counters("all_total", good=good)), "10m")
        tests.append({"expr": f"round({events})", "eval_time": "10m"})
        tests[-1]["exp_samples"] = [{"labels": "{}", "value": bad}]
    series = [{"series": name, "values": values} for name, values in LOADED]
    test = {"interval": "1m", "input_series": series, "promql_expr_test": tests}
    document = {"rule_files": [], "evaluation_interval": "1m", "tests": [test]}
    (tmp_path / "test.json").write_text(json.dumps(document), encoding="utf-8")
    program = shutil.which("promtool")
    assert program is not None, "promtool is missing; it comes with prometheus"
    done = subprocess.run(
        [program, "test", "rules", "test.json"],
        cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
