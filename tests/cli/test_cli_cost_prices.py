"""`maestro cost prices` as a person or a script calls it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from maestro_cli.config.locations import config_dir
from tests.cli.program import Result, check_golden, maestro
from tests.cli.test_cli_cost import EVIL

FORMATS = ("table", "json", "csv", "md")
FILE = f"""currency: EUR
versions:
- since: 2026-01-01
  CPU: 0.03
  RAM: 0.004
  nodes:
  - {{type: m5.large, region: eu, hourly: 0.1}}
  - {{type: "{EVIL.encode("unicode_escape").decode().replace("x1b", "e")}", capacity: spot, hourly: 0.5}}
- since: 2026-07-01
  CPU: 0.06
  RAM: 0.008
"""


def lab(tmp_path: Path) -> None:
    """A context whose prices stand beside its settings, and that has no Prometheus."""
    config_dir().mkdir(parents=True, exist_ok=True)
    (config_dir() / "prices.yaml").write_text(FILE, encoding="utf-8")
    (config_dir() / "config.yaml").write_text(
        "current_context: lab\ncontexts: {lab: {costs: {prices: prices.yaml}}}\n", encoding="utf-8"
    )


def prices(*arguments: str) -> Result:
    return maestro("cost", "prices", *arguments)


@pytest.mark.parametrize("form", FORMATS)
def test_what_held_is_the_same_in_every_format(tmp_path: Path, form: str) -> None:
    lab(tmp_path)
    result = prices("show", "--at", "2026-03-01", "-o", form)
    assert (result.code, result.err) == (0, "")
    assert "\x1b" not in result.out
    assert "\u202e" not in result.out
    check_golden(f"cost-prices.{form}", re.sub(r"\S*/prices\.yaml", "FOLDER/prices.yaml", result.out))


def test_each_instant_has_the_prices_of_its_version(tmp_path: Path) -> None:
    lab(tmp_path)
    found = json.loads(prices("show", "--at", "2026-07-01T00:00:00Z", "-o", "json").out)
    assert [one["price"] for one in found["prices"]] == [0.06, 0.008]
    assert (found["since"], found["kinds"]) == ("2026-07-01T00:00:00.000000Z", None)
    early = prices("show", "--at", "2025-12-31T23:59:59Z")
    assert (early.code, early.out) == (15, "")
    assert prices("show", "--at", "soon").code == 2


def test_without_a_file_of_prices_there_is_nothing_to_show() -> None:
    config_dir().mkdir(parents=True, exist_ok=True)
    (config_dir() / "config.yaml").write_text(
        "current_context: lab\ncontexts: {lab: {costs: {hourly_rate: 1}}}\n", encoding="utf-8"
    )
    result = prices("show")
    assert (result.code, result.out) == (15, "")
    assert "--prices FILE" in result.err


def test_a_file_in_another_currency_than_the_figures_of_the_context_is_refused(tmp_path: Path) -> None:
    lab(tmp_path)
    (config_dir() / "config.yaml").write_text(
        "current_context: lab\ncontexts: {lab: {costs: {prices: prices.yaml, hourly_rate: 1}}}\n",
        encoding="utf-8",
    )
    result = prices("show")
    assert result.code == 3
    assert "the figures of the context are in USD" in result.err


def test_lint_names_the_line_of_a_mistake_and_of_what_is_odd(tmp_path: Path) -> None:
    file = tmp_path / "prices.yaml"
    file.write_text("CPU: 0.03\nRAM: 0.004\nnodes:\n- {type: a, hourly: 1400}\n", encoding="utf-8")
    odd = prices("lint", str(file), "-o", "json")
    (finding,) = json.loads(odd.out)["items"]
    assert (odd.code, finding["level"], finding["line"]) == (0, "warning", 4)
    assert prices("lint", str(file), "--strict").code == 10
    file.write_text("CPU: 0.03\nRMA: 0.004\n", encoding="utf-8")
    wrong = prices("lint", str(file))
    assert wrong.code == 10
    assert f"{file}:2" in wrong.out
    assert "did you mean 'RAM'" in wrong.out
