"""`maestro chaos schedule`: what is due is run once, whoever asks."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from maestro_cli.chaos.schedules import read_schedules, standing
from maestro_cli.core.clock import SystemClock
from maestro_cli.journal.store import Journal
from maestro_cli.services.chaos_schedules import take_tick
from tests.cli.looks import looks, misses
from tests.cli.program import Result, maestro

TEXT = """maestro: chaos-schedules/v1
schedules:
  - {name: often, experiment: ./looks.yaml, cron: "0 0 * * *", within: 26h, seed: 7}
"""


@pytest.fixture
def folder(configured: Path, tmp_path: Path) -> Path:
    (tmp_path / "looks.yaml").write_text(looks())
    (tmp_path / "s.yaml").write_text(TEXT)
    return tmp_path


def test_a_schedule_is_shown_and_begins_nothing(folder: Path) -> None:
    result = maestro("chaos", "schedule", "s.yaml", "-o", "json", cwd=folder)
    (one,) = json.loads(result.out)["items"]
    assert (result.code, one["name"], one["last"], one["missed"]) == (0, "often", None, [])
    assert one["due"] < one["next"]
    assert "now" in maestro("chaos", "schedule", "s.yaml", cwd=folder).out
    assert maestro("chaos", "history", "-o", "json").out.count('"run"') == 0


def test_what_is_due_is_run_once_by_one_of_those_who_ask(folder: Path) -> None:
    with ThreadPoolExecutor(3) as pool:
        asked = [
            pool.submit(maestro, "chaos", "schedule", "s.yaml", "--due", "-o", "json", cwd=folder)
            for _ in range(3)
        ]
        results = [one.result() for one in asked]
    assert [one.code for one in results] == [0, 0, 0]
    assert sorted(bool(one.out) for one in results) == [False, False, True]
    (one,) = json.loads(maestro("chaos", "history", "-o", "json").out)["items"]
    assert (one["verdict"], one["seed"]) == ("PASS", 7)
    (told,) = json.loads(maestro("chaos", "schedule", "s.yaml", "-o", "json", cwd=folder).out)["items"]
    assert told["due"] is None
    assert told["last"] is not None
    again = maestro("chaos", "schedule", "s.yaml", "--due", cwd=folder)
    assert (again.code, again.out) == (0, "")
    assert "nothing is due" in again.err


def test_of_two_who_saw_the_same_time_due_one_takes_it(folder: Path) -> None:
    clock = SystemClock()
    (schedule,) = read_schedules(folder / "s.yaml")
    seen = standing(schedule, clock.now(), (), ())
    assert seen.due is not None
    journal = Journal(folder / "journal.sqlite", clock=clock)
    assert [take_tick(journal, who, seen, seen.due) for who in ("ana", "bo")] == [True, False]
    journal.close()


def test_it_ends_as_what_it_ran(folder: Path) -> None:
    (folder / "looks.yaml").write_text(misses())
    assert maestro("chaos", "schedule", "s.yaml", "--due", cwd=folder).code == 11
    (folder / "s.yaml").write_text(TEXT.replace("./looks", "./none"))
    assert maestro("chaos", "schedule", "s.yaml", "--due", cwd=folder).code == 0
    (folder / "s.yaml").write_text(TEXT.replace("often", "other").replace("./looks", "./none"))
    assert maestro("chaos", "schedule", "s.yaml", "--due", cwd=folder).code == 3


def test_what_nobody_agreed_to_or_the_context_does_not_allow_stays_due(
    configured: Path, folder: Path
) -> None:
    acts = "method: [{type: action, name: touch, provider: {type: process, path: touch, arguments: done}}]"
    (folder / "looks.yaml").write_text(looks().replace("method: []", acts))
    before = configured.read_text()
    for context, asked, code in (
        ("{}", ("--due", "--yes"), 20),
        ("{experiments: {namespaces: [ml]}}", ("--due",), 11),
    ):
        configured.write_text(f"{before}  ci: {context}\n")
        result = in_ci(folder, *asked)
        assert (result.code, standing_of(folder)) == (code, (True, None)), result.out + result.err
    assert not (folder / "done").exists()
    ran = in_ci(folder, "--due", "--yes")
    assert ran.code == 0, ran.out + ran.err
    assert (folder / "done").exists()
    due, last = standing_of(folder)
    assert (due, last is None) == (False, False)
    assert "nothing is due" in in_ci(folder, "--due", "--yes").err


def in_ci(folder: Path, *asked: str) -> Result:
    return maestro("--context", "ci", "chaos", "schedule", "s.yaml", *asked, cwd=folder)


def standing_of(folder: Path) -> tuple[bool, str | None]:
    (told,) = json.loads(in_ci(folder, "-o", "json").out)["items"]
    return told["due"] is not None, told["last"]
