"""Unit tests that are written for rules pass with those rules, by promtool, and fail with others."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from maestro_cli.config.locations import shipped
from maestro_cli.config.strict import dump_yaml
from maestro_cli.slo.files.reading import read_objectives
from maestro_cli.slo.objectives import Counters, Latency, Objective
from maestro_cli.slo.rules.alerts import RuleOptions, rule_file
from maestro_cli.slo.rules.naming import NAMES, SLOTH
from maestro_cli.slo.rules.unit_tests import unit_tests
from maestro_cli.slo.windows import PROFILES
from tests.contract.slo.sloth.cases import cases

pytestmark = pytest.mark.contract
ALL = RuleOptions(absent=True, budget=True)
DAY = 86400.0


def objective(indicator: Any, name: str = "answers", target: float = 0.999) -> Objective:
    return Objective(
        name=name, title=name, service="fraud", target=target, window_seconds=30 * DAY, indicator=indicator,
        labels={"team": "risk"},
    )  # fmt: skip


SELECTORS = (
    objective(Counters("r_total", bad='r_total{code=~"5.."}'), "codes"),
    objective(Counters('r_total{job!="x"}', good='r_total{job!="x",code!~"5..|429"}'), "not"),
    objective(Counters('r_total{a="b\\\\c"}', bad='e_total{why=~`(timeout|refused)`,a="b\\"c"}'), "quotes"),
    objective(Latency("wait_seconds", 1.0), "le"),
    objective(Counters("r_total", bad='r_total{code=~"[45]\\\\d+",path=~"/api/.*"}'), "expressions", 0.95),
)


def run(
    folder: Path, objectives: list[Objective], profile: str, options: RuleOptions, broken: str = ""
) -> str:
    """What promtool says; `broken` is taken out of the rules."""
    rules = rule_file(objectives, PROFILES[profile], options)
    (folder / "rules.yaml").write_text(dump_yaml(rules).replace(broken, "") if broken else dump_yaml(rules))
    groups = [group["name"] for group in rules["groups"]]
    made = unit_tests(objectives, PROFILES[profile], options, "rules.yaml", groups)
    assert made.without == ()
    (folder / "tests.yaml").write_text(dump_yaml(made.document))
    program = shutil.which("promtool")
    assert program is not None, "promtool is missing; it comes with prometheus"
    for words in (["check", "rules", "rules.yaml"], ["test", "rules", "tests.yaml"]):
        done = subprocess.run(
            [program, *words], cwd=folder, capture_output=True, text=True, timeout=120, check=False
        )
        if done.returncode:
            break
    return done.stdout + done.stderr if done.returncode else ""


@pytest.mark.parametrize(("names", "profile"), [("maestro", "production"), ("sloth", "drill")])
def test_they_pass_for_what_ships(tmp_path: Path, names: str, profile: str) -> None:
    objectives = list(read_objectives(shipped("deploy") / "objectives"))
    options = RuleOptions(names=NAMES[names], absent=True, budget=True, least_bad=10)
    counted = [one for one in objectives if one.is_watched and one.counters is not None]
    assert counted
    assert run(tmp_path, counted, profile, options) == ""


@pytest.mark.parametrize("one", SELECTORS, ids=lambda one: one.name)
def test_series_are_made_up_for_any_selector(tmp_path: Path, one: Objective) -> None:
    assert run(tmp_path, [one], "production", ALL) == ""


@pytest.mark.parametrize(
    "broken",
    ['code=~"5.."', "0 * ", "\n    for: 5m", "14.4 * "],
    ids=["counts everything as bad", "half the events", "tells at once", "another limit"],
)
def test_they_fail_for_other_rules(tmp_path: Path, broken: str) -> None:
    assert "FAILED" in run(tmp_path, [SELECTORS[0]], "production", ALL, broken)


def test_what_cannot_be_made_up_is_said() -> None:
    impossible = objective(Counters("r_total", bad='r_total{code=~"5.*",code="200"}'), "impossible")
    every = [case.objective for case in cases() if case.objective.counters is None]
    made = unit_tests([impossible, *every], PROFILES["production"], ALL, "rules.yaml", [])
    assert made.without == ("impossible", *(one.name for one in every))
    assert made.document["tests"] == []


def test_few_bad_events_tell_nobody(tmp_path: Path) -> None:
    """The series of the tests have more: above what is asked for nothing fires, so that the tests fail."""
    options = RuleOptions(names=SLOTH, least_bad=1e12)
    assert "FAILED" in run(tmp_path, [SELECTORS[0]], "production", options)
