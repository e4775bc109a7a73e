"""A tick begins its experiment once and in time; what was missed is told, and never made up for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path

import pytest

from maestro_cli.chaos.schedules import MAX_MISSED, Schedule, next_tick, read_schedules, standing
from maestro_cli.config.experiments import Blackout
from maestro_cli.core import cron
from maestro_cli.core.clock import to_rfc3339
from maestro_cli.core.errors import InvalidFile

TEXT = """maestro: chaos-schedules/v1
schedules:
  - {name: weekly, experiment: pod-failure, cron: "0 10 * * tue", zone: Europe/Berlin, within: 30m, seed: 7}
"""
TUESDAY = datetime(2026, 11, 24, 9, tzinfo=UTC)  # ten o'clock in Berlin
WEEK = timedelta(days=7)


def schedule(tmp_path: Path, text: str = TEXT) -> Schedule:
    (tmp_path / "s.yaml").write_text(text)
    (found,) = read_schedules(tmp_path / "s.yaml")
    return found


def test_a_tick_is_due_for_a_while_and_once(tmp_path: Path) -> None:
    weekly = schedule(tmp_path)
    assert standing(weekly, TUESDAY - timedelta(seconds=1), (), ()).due is None
    assert standing(weekly, TUESDAY, (), ()).due == TUESDAY
    assert standing(weekly, TUESDAY + timedelta(minutes=29), (), ()).due == TUESDAY
    assert standing(weekly, TUESDAY + timedelta(minutes=30), (), ()).due is None
    assert standing(weekly, TUESDAY, (to_rfc3339(TUESDAY),), ()).due is None


def test_what_was_missed_is_told_and_the_newest_alone_is_due(tmp_path: Path) -> None:
    weekly = schedule(tmp_path)
    taken = (to_rfc3339(TUESDAY),)
    late = standing(weekly, TUESDAY + 3 * WEEK + timedelta(minutes=5), taken, ())
    assert (late.due, late.last) == (TUESDAY + 3 * WEEK, taken[0])
    assert late.missed == (TUESDAY + 2 * WEEK, TUESDAY + WEEK)
    assert standing(weekly, TUESDAY + 3 * WEEK, (), ()).missed == ()


def test_no_more_are_counted_than_anybody_reads(tmp_path: Path) -> None:
    every = schedule(tmp_path, TEXT.replace("0 10 * * tue", "*/5 * * * *"))
    found = standing(every, TUESDAY + WEEK, (to_rfc3339(TUESDAY),), ())
    assert len(found.missed) == MAX_MISSED


@pytest.mark.parametrize(
    ("line", "coming"),
    [
        ("0 10 * * tue", TUESDAY + WEEK),
        ("0 10 1 * *", datetime(2026, 12, 1, 9, tzinfo=UTC)),
        ("30 10 * * *", TUESDAY + timedelta(minutes=30)),
        ("0 10 24 11 *", datetime(2027, 11, 24, 9, tzinfo=UTC)),
    ],
)
def test_the_next_time_is_the_first_after_now(tmp_path: Path, line: str, coming: datetime) -> None:
    assert next_tick(schedule(tmp_path, TEXT.replace("0 10 * * tue", line)), TUESDAY) == coming


def test_what_comes_each_minute_is_worked_out_a_few_days_at_most(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    worked_out: list[datetime] = []
    real = cron._instants

    def counted(local: datetime, zone: tzinfo) -> tuple[datetime, ...]:
        worked_out.append(local)
        return real(local, zone)

    monkeypatch.setattr(cron, "_instants", counted)
    every = schedule(tmp_path, TEXT.replace("0 10 * * tue", "* * * * *"))
    found = standing(every, TUESDAY + WEEK, (to_rfc3339(TUESDAY),), ())
    assert found.next == TUESDAY + WEEK + timedelta(minutes=1)
    assert len(worked_out) <= 10 * 24 * 60


def test_a_blackout_at_the_next_time_is_named(tmp_path: Path) -> None:
    dark = (Blackout("sales", "0 0 * * tue", "24h", "Europe/Berlin"), Blackout("nights", "0 1 * * *", "4h"))
    assert standing(schedule(tmp_path), TUESDAY, (), dark).blackout == "sales"


@pytest.mark.parametrize(
    ("old", "new"),
    [("0 10 * * tue", "0 10 * *"), ("Europe/Berlin", "Mars"), ("30m", "soon"), ("weekly", "We ekly")],
)
def test_what_nobody_could_go_by_is_refused_at_its_line(tmp_path: Path, old: str, new: str) -> None:
    with pytest.raises(InvalidFile, match=r"s\.yaml:3"):
        schedule(tmp_path, TEXT.replace(old, new))
