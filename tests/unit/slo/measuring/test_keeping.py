"""What is kept of days that are over: for whom, which of them, and for how long."""

from __future__ import annotations

import os
import time
from datetime import datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from maestro_cli.slo.measuring.keeping import LATE, SETTLED, Kept, KeptInMemory, KeptOnDisk, Key
from tests.unit.slo.measuring.told import START, every, piece, series

DAY = timedelta(days=1)
WHOLE = every(60, [float(step) for step in range(1440)])
LAST_HOUR_MISSING = WHOLE[:-60]


def _key(start: datetime = START, end: datetime = START + DAY) -> Key:
    return Key("http://told", "r_total", "", None, start, end)


def _kept(points: list[tuple[float, float]], age: timedelta, end: datetime = START + DAY) -> Kept:
    minutes = round((end - START) / timedelta(minutes=1))
    return Kept(end + age, piece([series(points)], minutes))


def test_what_one_prometheus_answered_is_not_given_for_another_at_the_same_url(tmp_path: Path) -> None:
    kept = _kept(WHOLE, DAY)
    KeptOnDisk(tmp_path, "tenant a").save([(_key(), kept)])
    assert KeptOnDisk(tmp_path, "tenant a").load([_key()]) == [kept]
    assert KeptOnDisk(tmp_path, "tenant b").load([_key()]) == [None]


@pytest.mark.parametrize(
    ("points", "age", "is_kept"),
    [
        (WHOLE, SETTLED - timedelta(seconds=1), False),
        (WHOLE, SETTLED, True),
        (LAST_HOUR_MISSING, LATE - timedelta(seconds=1), False),
        (LAST_HOUR_MISSING, LATE, True),
        ([*WHOLE[:600], *WHOLE[610:]], DAY, False),
        (WHOLE[10:], DAY, False),
        ([], LATE, False),
    ],
    ids=["whole, too young", "whole", "no end, young", "no end, old", "hole", "no beginning", "nothing"],
)
def test_a_day_with_gaps_is_asked_for_again_while_late_samples_may_come(
    tmp_path: Path, points: list[tuple[float, float]], age: timedelta, is_kept: bool
) -> None:
    store = KeptOnDisk(tmp_path, "here")
    store.save([(_key(), _kept(points, age))])
    assert (store.load([_key()]) != [None]) is is_kept


@pytest.mark.parametrize(
    ("start", "end", "is_kept"),
    [
        (timedelta(0), DAY, True),
        (DAY - timedelta(minutes=5), DAY, True),
        (timedelta(minutes=5), DAY, False),
        (timedelta(0), timedelta(hours=5), False),
    ],
    ids=["day", "look-back", "first of a window that rolls", "last of one"],
)
def test_whole_days_are_kept_and_no_piece_that_the_next_look_cuts_elsewhere(
    tmp_path: Path, start: timedelta, end: timedelta, is_kept: bool
) -> None:
    store, key = KeptOnDisk(tmp_path, "here"), _key(START + start, START + end)
    store.save([(key, _kept(WHOLE, 3 * DAY))])
    assert (store.load([key]) != [None]) is is_kept


@pytest.mark.parametrize(
    ("start", "end", "is_kept"),
    [
        (timedelta(hours=22) - timedelta(minutes=5), DAY, True),
        (DAY, DAY + timedelta(hours=22), True),
        (timedelta(hours=23), DAY, False),
        (DAY, DAY + timedelta(hours=22, minutes=5), False),
    ],
    ids=["first of its month", "last of it", "first of another zone's", "last of a window that rolls"],
)
def test_the_parts_of_days_that_the_months_of_a_zone_cut_are_kept_for_it(
    tmp_path: Path, start: timedelta, end: timedelta, is_kept: bool
) -> None:
    berlin, key = KeptOnDisk(tmp_path, "here", ["Europe/Berlin"]), _key(START + start, START + end)
    berlin.save([(key, _kept(WHOLE, 3 * DAY))])
    assert (berlin.load([key]) != [None]) is is_kept
    other = KeptOnDisk(tmp_path / "utc", "here")
    other.save([(key, _kept(WHOLE, 3 * DAY))])
    assert other.load([key]) == [None]


def test_what_nobody_used_for_a_hundred_days_goes_with_the_next_that_is_kept_beside_it(
    tmp_path: Path,
) -> None:
    store = KeptOnDisk(tmp_path, "here")
    store.save([(_key(), _kept(WHOLE, 3 * DAY))])
    (entry,) = tmp_path.rglob("*.pieces")
    unused, used = (entry.with_name(f"{name}.pieces") for name in ("unused", "used"))
    for path, days in ((unused, 101), (used, 99)):
        path.write_bytes(b"")
        os.utime(path, (time.time() - days * 86400,) * 2)
    KeptOnDisk(tmp_path, "here").save([(_key(), _kept(WHOLE, 3 * DAY))])
    assert (unused.exists(), used.exists(), entry.exists()) == (False, True, True)


def test_what_is_kept_of_a_month_stays_when_more_of_it_is(tmp_path: Path) -> None:
    store, second = KeptOnDisk(tmp_path, "here"), _key(START + DAY, START + 2 * DAY)
    one, two = _kept(WHOLE, 3 * DAY), _kept(WHOLE, 4 * DAY)
    store.save([(_key(), one)])
    KeptOnDisk(tmp_path, "here").save([(second, two)])
    assert store.load([second, _key(), _key(START + 2 * DAY, START + 3 * DAY)]) == [two, one, None]
    assert len(list(tmp_path.rglob("*.pieces"))) == 1


def test_a_look_is_a_use(tmp_path: Path) -> None:
    store = KeptOnDisk(tmp_path, "here")
    store.save([(_key(), _kept(WHOLE, 3 * DAY))])
    (entry,) = tmp_path.rglob("*.pieces")
    os.utime(entry, (0, 0))
    assert store.load([_key()]) != [None]
    assert entry.stat().st_mtime > 0


def test_who_looks_is_told_why_nothing_can_be_kept_where_nothing_else_keeps_it(tmp_path: Path) -> None:
    (tmp_path / "slo").write_text("no folder")
    told: list[OSError] = []
    key, day = _key(START, START + DAY), _kept(WHOLE, 3 * DAY)
    store = KeptOnDisk(tmp_path / "slo", "here", unkept=told.append)
    assert store.save([(key, day)]) == [day]
    assert [type(error) for error in told] == [NotADirectoryError]
    memory = KeptInMemory(lambda: 0.0)
    KeptOnDisk(tmp_path / "slo", "here", memory=memory, unkept=told.append).save([(key, day)])
    assert len(told) == 1


def test_a_key_is_written_as_it_was_asked_with_whether_or_not_somebody_read_its_name() -> None:
    key = Key("http://one", "r_total", "", None, START, START + DAY)
    written = msgspec.msgpack.encode(key)
    assert key.name
    assert msgspec.msgpack.encode(key) == written
