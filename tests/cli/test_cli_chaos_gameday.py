"""`maestro chaos gameday`: a plan, its steps and its report."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.cli.looks import looks, misses
from tests.cli.program import check_golden, maestro

PLAN = """maestro: gameday/v1
title: Friday
description: Two looks and a break.
roles: {lead: ana, scribe: "bo <b>"}
steps:
  - {experiment: ./looks.yaml, seed: 3, watch: the dashboard of fraud}
  - {break: 10ms}
  - {experiment: ./miss.yaml, seed: 3}
"""
FORMATS = ["table", "json", "yaml", "csv", "md"]


@pytest.fixture
def day(configured: Path, tmp_path: Path) -> Path:
    (tmp_path / "looks.yaml").write_text(looks())
    (tmp_path / "miss.yaml").write_text(misses())
    (tmp_path / "day.yaml").write_text(PLAN)
    return tmp_path


def steady(text: str) -> str:
    """Without what differs from run to run."""
    text = re.sub(r"exp-[0-9a-z]{14}", "RUN", text)
    return re.sub(r"(seconds\W+|,|\s)0\.\d+(s?)\b", r"\g<1>0.0\2", text)


@pytest.mark.parametrize("output", FORMATS)
def test_a_day_is_told_in_every_format(day: Path, output: str) -> None:
    result = maestro("chaos", "gameday", "day.yaml", "-o", output, "--to", "day.html", cwd=day)
    assert result.code == 11
    check_golden(f"chaos-gameday.{output}", steady(result.out))
    assert "bo &lt;b&gt;" in (day / "day.html").read_text(encoding="utf-8")


def test_a_day_on_which_all_is_as_expected_passes_and_is_in_the_journal(day: Path) -> None:
    (day / "day.yaml").write_text(PLAN.replace("./miss.yaml", "./looks.yaml"))
    result = maestro("chaos", "gameday", "day.yaml", "-o", "json", cwd=day)
    body = json.loads(result.out)
    assert (result.code, body["verdict"], body["score"]) == (0, "PASS", 100)
    assert "gameday.finished" in maestro("journal", "show", "-o", "json").out


def test_of_what_is_bad_only_a_deviation_is_told_to_be_as_expected(day: Path) -> None:
    (day / "day.yaml").write_text(PLAN.replace("miss.yaml,", "miss.yaml, expect: FAIL,"))
    shown = maestro("chaos", "gameday", "day.yaml", "-o", "csv", cwd=day).out
    assert "no: not a deviation (10)" in shown, shown


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ("lead: ana", "scribe2: ana", "roles"),
        ("break: 10ms", "break: soon", "steps[1].break"),
        ("{break: 10ms}", "{watch: x}", "steps[1]"),
        ("seed: 3, watch", "sed: 3, watch", "steps[0].sed"),
    ],
)
def test_a_plan_that_is_wrong_is_refused_at_its_line(day: Path, old: str, new: str, key: str) -> None:
    (day / "day.yaml").write_text(PLAN.replace(old, new))
    result = maestro("chaos", "gameday", "day.yaml", cwd=day)
    assert result.code == 3
    assert "day.yaml:" in result.err
    assert key in result.err


def test_everything_is_read_before_anything_is_begun(day: Path) -> None:
    (day / "miss.yaml").write_text("title: x\n")
    assert maestro("chaos", "gameday", "day.yaml", cwd=day).code == 3
    assert maestro("chaos", "gameday", "day.yaml", "--to", "x.txt", cwd=day).code == 2
    assert maestro("chaos", "history", "-o", "json").out.count('"run"') == 0
