"""The real Prometheus takes the rules and evaluates them as promised: a burn fires and clears, silence not.

`promtool test rules` evaluates recorded series with Prometheus's own engine; the series are written here.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from maestro_cli.config.locations import shipped
from maestro_cli.config.strict import dump_yaml
from maestro_cli.slo.alert_files import group_document, read_alert_files
from maestro_cli.slo.files.reading import read_objectives
from maestro_cli.slo.objectives import Counters, Objective
from maestro_cli.slo.rules.alerts import ALERT_NAME, RuleOptions, rule_file
from maestro_cli.slo.rules.naming import MAESTRO
from maestro_cli.slo.rules.recording import remembered_records, told_records
from maestro_cli.slo.windows import PROFILES

pytestmark = pytest.mark.contract
SELECTOR = 'namespace="ml", deployment="fraud"'
REQUESTS = f"requests_total{{{SELECTOR}}}"
MINUTE = 4  # samples: production rules are evaluated every 15 s


def objective(**values: Any) -> Objective:
    fields: dict[str, Any] = {
        "name": "answers",
        "title": "answers",
        "service": "fraud",
        "target": 0.999,
        "window_seconds": 2592000.0,
        "indicator": Counters(REQUESTS, f'requests_total{{{SELECTOR}, code=~"5.."}}'),
        "labels": {"namespace": "ml", "deployment": "fraud"},
    }
    return Objective(**{**fields, **values})


def by_good(**values: Any) -> Objective:
    return objective(indicator=Counters(REQUESTS, good=f'requests_total{{{SELECTOR}, code="200"}}'), **values)


def promtool(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    program = shutil.which("promtool")
    assert program is not None, "promtool is missing; it comes with prometheus"
    return subprocess.run(
        [program, *arguments], cwd=folder, capture_output=True, text=True, timeout=60, check=False
    )


def check(rules: dict[str, Any], folder: Path) -> subprocess.CompletedProcess[str]:
    (folder / "rules.yaml").write_text(dump_yaml(rules), encoding="utf-8")
    return promtool("check", "rules", "rules.yaml", folder=folder)


def series(code: str, *stretches: tuple[int, int]) -> dict[str, str]:
    """A counter of one answer code: so much more a sample, for so many samples."""
    values, value = ["0"], 0
    for step, samples in stretches:
        for _ in range(samples):
            value += step
            values.append(str(value))
    return {
        "series": f'requests_total{{namespace="ml", deployment="fraud", code="{code}"}}',
        "values": " ".join(values),
    }


def evaluate(
    one: Objective, inputs: list[dict[str, str]], expected: dict[str, list[str]], folder: Path, profile: str
) -> str:
    """What promtool says against alerts: time → burn windows that must fire, and no other."""
    chosen = PROFILES[profile]
    document = rule_file([one], chosen)
    alerts = {r["labels"]["burn_window"]: r for r in document["groups"][0]["rules"] if "alert" in r}
    for alert in alerts.values():
        del alert["annotations"]  # promtool compares them too; they have a test of their own
    (folder / "rules.yaml").write_text(dump_yaml(document), encoding="utf-8")
    test = {
        "rule_files": ["rules.yaml"],
        "evaluation_interval": f"{chosen.interval_seconds:g}s",
        "tests": [
            {
                "interval": f"{chosen.interval_seconds:g}s",
                "input_series": inputs,
                "alert_rule_test": [
                    {
                        "alertname": ALERT_NAME,
                        "eval_time": time,
                        "exp_alerts": [{"exp_labels": alerts[w]["labels"]} for w in windows],
                    }
                    for time, windows in expected.items()
                ],
            }
        ],
    }
    (folder / "test.json").write_text(json.dumps(test), encoding="utf-8")
    result = promtool("test", "rules", "test.json", folder=folder)
    return result.stdout + result.stderr if result.returncode else ""


@pytest.mark.parametrize("profile", PROFILES)
def test_prometheus_accepts_the_rules_that_ship(tmp_path: Path, profile: str) -> None:
    read = read_objectives(shipped("deploy") / "objectives")
    objectives = [one for one in read if one.is_watched]
    result = check(rule_file(objectives, PROFILES[profile]), tmp_path)
    assert result.returncode == 0, result.stderr
    spans, windows = len(PROFILES[profile].spans_seconds), len(PROFILES[profile].windows)
    present = sum(
        len(records(one, MAESTRO)) for one in objectives for records in (told_records, remembered_records)
    )
    assert f"SUCCESS: {len(objectives) * (spans + windows) + present} rules found" in result.stdout


@pytest.mark.parametrize("profile", PROFILES)
def test_prometheus_accepts_the_alerts_that_ship_at_either_pace(tmp_path: Path, profile: str) -> None:
    groups = read_alert_files(shipped("deploy") / "alerts")
    document = {"groups": [group_document(group, PROFILES[profile]) for group in groups]}
    result = check(document, tmp_path)
    assert result.returncode == 0, result.stderr
    assert f"SUCCESS: {sum(len(group.rules) for group in groups)} rules found" in result.stdout


def test_prometheus_accepts_the_alert_files_as_they_are(tmp_path: Path) -> None:
    files = sorted(str(file) for file in (shipped("deploy") / "alerts").glob("*.yaml"))
    result = promtool("check", "rules", *files, folder=tmp_path)
    assert result.returncode == 0, result.stdout + result.stderr


def test_the_check_can_fail(tmp_path: Path) -> None:
    rules = rule_file([objective(indicator=Counters("requests_total{", "errors_total"))], PROFILES["drill"])
    assert check(rules, tmp_path).returncode != 0


@pytest.mark.parametrize(
    "text", ["{{ .Nope }}", "{{", "a \"quoted\" 'name'", "\u202e", "$labels {{ $value }}"]
)
def test_no_title_can_break_the_rules(tmp_path: Path, text: str) -> None:
    one = objective(title=text, runbook=text, service=text, labels={"namespace": text})
    result = check(rule_file([one], PROFILES["drill"]), tmp_path)
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize("one", [objective(), by_good()], ids=["bad", "good"])
def test_a_burn_fires_and_clears_in_the_drill(tmp_path: Path, one: Objective) -> None:
    """60 s well, 30 s at 20 % errors, then well again: a step is a second."""
    inputs = [series("200", (100, 60), (80, 30), (100, 90)), series("500", (0, 60), (20, 30), (0, 90))]
    expected = {"59s": [], "74s": ["20s", "1m"], "90s": ["20s", "1m"], "150s": [], "175s": []}
    assert evaluate(one, inputs, expected, tmp_path, "drill") == ""


def test_the_expectation_can_fail(tmp_path: Path) -> None:
    inputs = [series("200", (100, 60), (80, 30)), series("500", (0, 60), (20, 30))]
    assert "exp" in evaluate(objective(), inputs, {"75s": []}, tmp_path, "drill")


@pytest.mark.parametrize("one", [objective(), by_good()], ids=["bad", "good"])
def test_a_page_needs_the_long_and_the_short_window_in_production(tmp_path: Path, one: Objective) -> None:
    """An hour well, ten minutes at 50 % errors, an hour well again."""
    stretches = 60 * MINUTE, 10 * MINUTE, 60 * MINUTE
    inputs = [
        series("200", (100, stretches[0]), (50, stretches[1]), (100, stretches[2])),
        series("500", (0, stretches[0]), (50, stretches[1]), (0, stretches[2])),
    ]
    expected = {
        "59m": [],
        "69m": ["1h", "6h", "1d", "3d"],
        "80m": ["6h", "1d", "3d"],  # the hour is still bad, its last five minutes are not
    }
    assert evaluate(one, inputs, expected, tmp_path, "production") == ""


def test_errors_within_the_budget_do_not_fire(tmp_path: Path) -> None:
    inputs = [series("200", (9999, 180)), series("500", (1, 180))]
    assert evaluate(objective(), inputs, {"100s": [], "170s": []}, tmp_path, "drill") == ""


@pytest.mark.parametrize("one", [objective(), by_good()], ids=["bad", "good"])
def test_no_data_does_not_fire(tmp_path: Path, one: Objective) -> None:
    unrelated = [{"series": "up", "values": "1x180"}]
    assert evaluate(one, unrelated, {"90s": [], "170s": []}, tmp_path, "drill") == ""


@pytest.mark.parametrize("one", [objective(), by_good()], ids=["bad", "good"])
def test_no_traffic_does_not_fire(tmp_path: Path, one: Objective) -> None:
    inputs = [series("200", (0, 180)), series("500", (0, 180))]
    assert evaluate(one, inputs, {"90s": [], "170s": []}, tmp_path, "drill") == ""


def test_data_that_ends_during_a_burn_clears(tmp_path: Path) -> None:
    inputs = [series("200", (80, 60)), series("500", (20, 60))]
    expected: dict[str, list[str]] = {"50s": ["20s", "1m", "30s"], "150s": []}
    assert evaluate(objective(), inputs, expected, tmp_path, "drill") == ""


@pytest.mark.parametrize(
    ("one", "codes"),
    [(by_good(), ["500"]), (objective(), ["500"])],
    ids=["no good series at all", "bad alone"],
)
def test_a_service_that_never_answered_well_burns(tmp_path: Path, one: Objective, codes: list[str]) -> None:
    inputs = [series(code, (10, 120)) for code in codes]
    assert evaluate(one, inputs, {"100s": ["20s", "1m", "30s"]}, tmp_path, "drill") == ""


def test_a_service_without_an_error_series_is_well(tmp_path: Path) -> None:
    assert evaluate(objective(), [series("200", (10, 120))], {"100s": []}, tmp_path, "drill") == ""


@pytest.mark.parametrize(
    ("bad", "is_known"),
    [
        (f'requests_total{{{SELECTOR}, code=~"5.."}}', True),
        (f'requests_total{{{SELECTOR}, cod=~"5.."}}', False),
        (f"failed_total{{{SELECTOR}}}", True),
        ("failed_total{namespace='prod'}", False),
        ("faled_total", False),
    ],
    ids=["a label of all events", "no such label", "counted before", "counted elsewhere", "no such metric"],
)
def test_that_nothing_failed_is_recorded_where_a_failure_was_or_would_be_counted(
    tmp_path: Path, bad: str, is_known: bool
) -> None:
    """A process that counted failures is gone for longer than a sample lives; the one now had none yet."""
    one = objective(indicator=Counters(REQUESTS, bad))
    document = rule_file([one], PROFILES["production"], RuleOptions(absent=True))
    (tmp_path / "rules.yaml").write_text(dump_yaml(document), encoding="utf-8")
    failed = {"series": f"failed_total{{{SELECTOR}, pod='a'}}", "values": "3x40 stale _x400"}
    silent = 'ALERTS{alertname="ObjectiveWithoutData",alertstate="firing"}'
    ratio = 'slo:error_ratio:rate5m{objective="answers"}'
    asked = {f"count({ratio}) == 1": is_known, f"{ratio} == 0": is_known, f"count({silent})": not is_known}
    checks = [
        {"expr": f"count({one})", "eval_time": "100m", "exp_samples": [{"labels": "{}", "value": 1}] * holds}
        for one, holds in asked.items()
    ]
    test = {
        "rule_files": ["rules.yaml"],
        "evaluation_interval": "15s",
        "tests": [
            {
                "interval": "15s",
                "input_series": [series("200", (10, 440)), failed],
                "promql_expr_test": checks,
            }
        ],
    }
    (tmp_path / "test.json").write_text(json.dumps(test), encoding="utf-8")
    result = promtool("test", "rules", "test.json", folder=tmp_path)
    assert result.returncode == 0, result.stdout + result.stderr


def test_an_alert_says_how_bad_it_is(tmp_path: Path) -> None:
    document = rule_file([objective(title="the {{ answers }}")], PROFILES["drill"])
    (tmp_path / "rules.yaml").write_text(dump_yaml(document), encoding="utf-8")
    description = "99.9 % = 43m12s of 30 days; measured over {} and {}: 20% bad"
    expected = [
        {
            "exp_labels": {**rule["labels"]},
            "exp_annotations": {
                "summary": f"the {{{{ answers }}}} spends its error budget over {factor} times too fast",
                "description": description.format(long, short),
            },
        }
        for rule, factor, long, short in zip(
            [rule for rule in document["groups"][0]["rules"] if "alert" in rule],
            ("14.4", "6", "2"), ("20s", "1m", "30s"), ("5s", "10s", "10s"), strict=True,
        )
    ]  # fmt: skip
    test = {
        "rule_files": ["rules.yaml"],
        "evaluation_interval": "1s",
        "tests": [
            {
                "interval": "1s",
                "input_series": [series("200", (80, 120)), series("500", (20, 120))],
                "alert_rule_test": [{"alertname": ALERT_NAME, "eval_time": "100s", "exp_alerts": expected}],
            }
        ],
    }
    (tmp_path / "test.json").write_text(json.dumps(test), encoding="utf-8")
    result = promtool("test", "rules", "test.json", folder=tmp_path)
    assert result.returncode == 0, result.stdout + result.stderr
