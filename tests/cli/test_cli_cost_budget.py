"""`maestro cost budget` and `forecast` as a person or a script calls them, from a record."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from maestro_cli.cost.metering.model import Metered
from maestro_cli.cost.record import pack_record
from tests.cli.program import Result, check_golden, maestro
from tests.unit.cost.budgets.metered_month import BOOK, metered_days

FORMATS = ("table", "wide", "json", "yaml", "csv", "md", "jsonpath={.items[*].verdict}")
BUDGETS = """maestro: budgets/v1
budgets:
  all: {amount: 600, idle: cluster, owner: platform}
  ml: {amount: 300, scope: {namespace: ml}, owner: risk}
  web: {amount: 10, scope: {team: shop}}
  early: {amount: 580, forecast: fail}
  nobody: {amount: 5, scope: {namespace: elsewhere}}
"""
DIGEST = 64


def record(folder: Path, metered: Metered) -> Path:
    packed, _ = pack_record(metered, BOOK, "zip")
    (folder / "record.zip").write_bytes(packed)
    (folder / "budgets.yaml").write_text(BUDGETS, encoding="utf-8")
    return folder


@pytest.fixture
def month(tmp_path: Path) -> Path:
    """Six weeks and two days until 18 March; on the 12th `ml/deploy/batch` was there."""
    return record(tmp_path, metered_days(44, dear=38))


def cost(folder: Path, *arguments: str) -> Result:
    return maestro("cost", *arguments, "--from", "record.zip", cwd=folder)


def plain(result: Result) -> str:
    digest = next((word for word in result.out.replace('"', " ").split() if len(word) == DIGEST), "")
    return result.out.replace(digest, "DIGEST") if digest else result.out


@pytest.mark.parametrize("form", FORMATS)
def test_budgets_are_the_same_in_every_format(month: Path, form: str) -> None:
    found = cost(month, "budget", "list", "--file", "budgets.yaml", "-o", form)
    assert (found.code, found.err) == (10, "")
    check_golden(f"cost-budget-list.{form.partition('=')[0]}", plain(found))


@pytest.mark.parametrize("form", ["table", "json", "csv", "md"])
def test_a_budget_is_shown_with_what_made_its_days_dear(month: Path, form: str) -> None:
    found = cost(month, "budget", "show", "ml", "--file", "budgets.yaml", "-o", form)
    assert (found.code, found.err) == (0, "")
    check_golden(f"cost-budget-show.{form}", plain(found))


@pytest.mark.parametrize("form", ["table", "json", "csv"])
def test_the_month_is_forecast(month: Path, form: str) -> None:
    found = cost(month, "forecast", "--by", "namespace", "-o", form)
    assert (found.code, found.err) == (0, "")
    check_golden(f"cost-forecast.{form}", plain(found))


def test_the_dear_day_is_explained_by_what_was_new(month: Path) -> None:
    found = json.loads(cost(month, "budget", "show", "ml", "--file", "budgets.yaml", "-o", "json").out)
    (dear,) = found["items"][0]["anomalies"]
    assert (dear["day"], dear["reference"]) == ("2026-03-12", "2026-03-05")
    first = dear["differences"][0]
    assert (first["workload"], first["way"]) == ("ml/deploy/batch", "new")
    assert dear["explained"] == pytest.approx(1.0, abs=0.05)


@pytest.mark.parametrize(
    ("name", "code"), [("all", 0), ("ml", 0), ("web", 10), ("early", 10), ("nobody", 15)]
)
def test_the_exit_code_is_the_verdict(month: Path, name: str, code: int) -> None:
    assert cost(month, "budget", "show", name, "--file", "budgets.yaml").code == code


def test_a_month_that_was_not_measured_is_no_pass(tmp_path: Path) -> None:
    folder = record(tmp_path, metered_days(44, missing=tuple(range(28, 34))))
    found = json.loads(cost(folder, "budget", "list", "-f", "budgets.yaml", "-o", "json").out)
    verdicts = {one["budget"]: one["verdict"] for one in found["items"]}
    assert verdicts == {
        "all": "INDETERMINATE", "ml": "INDETERMINATE", "web": "FAIL", "early": "INDETERMINATE",
        "nobody": "INDETERMINATE",
    }  # fmt: skip
    only = cost(folder, "budget", "show", "ml", "-f", "budgets.yaml")
    assert only.code == 15


def test_the_end_of_a_month_is_of_that_month(tmp_path: Path) -> None:
    folder = record(tmp_path, metered_days(27))  # 2 to 28 February
    found = json.loads(cost(folder, "forecast", "-o", "json").out)
    assert (found["month"], found["total"]["days_left"]) == ("2026-02", pytest.approx(0.0, abs=1e-6))


def test_the_first_day_of_a_month_has_no_interval(tmp_path: Path) -> None:
    folder = record(tmp_path, metered_days(1))
    assert cost(folder, "forecast").code == 0  # of one whole day, without an interval
    found = json.loads(cost(folder, "forecast", "-o", "json").out)
    assert (found["total"]["low"], found["total"]["reason"]) == (
        None,
        "fewer than seven whole days: no interval",
    )


@pytest.mark.parametrize(
    ("arguments", "code", "what"),
    [
        (["budget", "show", "mll", "-f", "budgets.yaml"], 6, "there is no budget 'mll'"),
        (["budget", "list", "-f", "nowhere.yaml"], 3, "nowhere.yaml: cannot be read"),
        (["forecast", "--by", "tema"], 2, "costs cannot be told by 'tema'"),
    ],
)
def test_what_there_is_not_is_refused(month: Path, arguments: list[str], code: int, what: str) -> None:
    found = cost(month, *arguments)
    assert (found.code, found.err.splitlines()[0]) == (code, f"maestro: error: {what}")


def test_a_record_and_a_currency_have_to_fit(month: Path) -> None:
    (month / "budgets.yaml").write_text("maestro: budgets/v1\nbudgets: {ml: {amount: 5, currency: USD}}\n")
    found = cost(month, "budget", "list", "-f", "budgets.yaml")
    assert (found.code, "is in USD" in found.err) == (3, True)
