"""`maestro chaos gameday`: a plan, its steps and its report."""

from __future__ import annotations

import json
import re
import signal
import subprocess
from pathlib import Path

import pytest

from tests.cli.looks import looks, misses
from tests.cli.program import COMMAND, check_golden, environment, maestro
from tests.patience import wait_for

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
        ("{break: 10ms}", "{break: 10ms, drill: lost-node}", "steps[1]"),
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


@pytest.mark.parametrize(
    ("number", "code", "steps"),
    [
        (signal.SIGINT, 130, "[{break: 10m}, {experiment: ./looks.yaml}]"),
        (signal.SIGTERM, 143, "[{experiment: ./looks.yaml}, {break: 10m}]"),
    ],
    ids=["before the first", "after the last"],
)
def test_a_day_that_is_interrupted_in_a_break_ends_as_interrupted(
    day: Path, number: signal.Signals, code: int, steps: str
) -> None:
    (day / "day.yaml").write_text(f"{PLAN.partition('steps:')[0]}steps: {steps}\n")
    held = begun(day)
    wait_for(lambda: is_resting(steps), "the break")
    held.send_signal(number)
    out, err = held.communicate(timeout=30)
    body = json.loads(out)
    assert (held.returncode, body["exit_code"], body["verdict"]) == (code, code, "INDETERMINATE"), err
    assert body["ended_early"] == "interrupted in a break"
    assert "✗ break" in err
    assert "✓ break" not in err


def begun(day: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*COMMAND, "chaos", "gameday", "day.yaml", "-o", "json"], cwd=day, env=environment(),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def test_a_second_day_is_refused_beside_one_and_begins_once_that_was_killed(day: Path) -> None:
    steps = "[{experiment: ./looks.yaml}, {break: 10m}]"
    (day / "day.yaml").write_text(f"{PLAN.partition('steps:')[0]}steps: {steps}\n")
    (day / "other.yaml").write_text(PLAN.replace("./miss.yaml", "./looks.yaml"))
    with begun(day) as held:
        wait_for(lambda: is_resting(steps), "the break")
        refused = maestro("chaos", "gameday", "other.yaml", cwd=day)
        assert (refused.code, refused.out) == (75, "")
        assert "gameday is held by day-" in refused.err
        held.kill()
    assert maestro("chaos", "gameday", "other.yaml", cwd=day).code == 0
    shown = maestro("journal", "show", "-o", "json").out
    assert [shown.count(kind) for kind in ("gameday.started", "gameday.finished")] == [2, 1]


def is_resting(steps: str) -> bool:
    shown = maestro("journal", "show", "-o", "json").out
    return ("experiment.finished" if steps.startswith("[{exp") else "gameday.started") in shown


def test_a_drill_is_of_the_embedded_platform_and_is_looked_for_before_anything_is_begun(day: Path) -> None:
    for plan, code, why in (
        ("{drill: bad-release}", 2, "drills are played in the context local alone"),
        ("{drill: bad-release}, {experiment: ./none.yaml}", 2, "local alone"),
    ):
        (day / "day.yaml").write_text(f"{PLAN.partition('steps:')[0]}steps: [{plan}]\n")
        result = maestro("chaos", "gameday", "day.yaml", "--yes", cwd=day)
        assert result.code == code
        assert why in result.err
    assert "gameday.started" not in maestro("journal", "show", "-o", "json").out
