"""Maintenance comes when its file says, is taken out when somebody may say so, and credits have an order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import islice, pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maestro_cli.config.strict import dump_yaml
from maestro_cli.core.errors import InvalidFile
from maestro_cli.slo.files import exclusions
from maestro_cli.slo.files.allowance import MONTH, Claim, too_much
from maestro_cli.slo.files.contract import read_contract
from maestro_cli.slo.files.exclusions import Maintenance, excluding, read_exclusions
from maestro_cli.slo.files.recurrence import parse_rrule
from maestro_cli.slo.report.model import Terms, Tier

ZURICH = ZoneInfo("Europe/Zurich")
ONE = {
    "id": "patching", "owner": "ops", "reason": "patches", "start": "2026-10-04T02:00", "duration": "2h",
    "zone": "Europe/Zurich", "declared": "2026-10-01T00:00:00Z",
}  # fmt: skip
TERMS: dict[str, Any] = {
    "maestro": "contract/v1", "name": "gold", "customer": "ACME", "objectives": ["web", "api"],
    "zone": "Europe/Zurich",
    "credits": [{"below_percent": 99.9, "credit_percent": 10}, {"below_percent": 99, "credit_percent": 25}],
}  # fmt: skip


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def read(tmp_path: Path, *items: dict[str, Any]) -> tuple[Maintenance, ...]:
    file = tmp_path / "exclusions.yaml"
    text = dump_yaml({"maestro": "exclusions/v1", "exclusions": list(items)})
    file.write_text(text, encoding="utf-8")
    return read_exclusions([file])


def days(rule: str, first: str, most: int = 5) -> list[str]:
    starts = parse_rrule(rule).starts(datetime.fromisoformat(first), ZURICH)
    return [f"{at:%m-%d}" for at in islice(starts, most)]


@pytest.mark.parametrize(
    ("rule", "found"),
    [
        ("FREQ=DAILY", ["10-04", "10-05", "10-06", "10-07", "10-08"]),
        ("FREQ=DAILY;INTERVAL=3;COUNT=3", ["10-04", "10-07", "10-10"]),
        ("FREQ=DAILY;BYDAY=SU,MO;COUNT=4", ["10-04", "10-05", "10-11", "10-12"]),
        ("FREQ=WEEKLY;COUNT=2", ["10-04", "10-11"]),
        ("FREQ=WEEKLY;INTERVAL=2;BYDAY=SU,WE", ["10-04", "10-14", "10-18", "10-28", "11-01"]),
        ("FREQ=WEEKLY;UNTIL=20261018", ["10-04", "10-11", "10-18"]),
        ("FREQ=WEEKLY;UNTIL=20261017T235959Z", ["10-04", "10-11"]),
        ("FREQ=WEEKLY;UNTIL=20261018T000000Z", ["10-04", "10-11", "10-18"]),
        ("FREQ=MONTHLY;COUNT=3", ["10-04", "11-04", "12-04"]),
        ("FREQ=MONTHLY;BYDAY=1SU;COUNT=3", ["10-04", "11-01", "12-06"]),
        ("FREQ=MONTHLY;INTERVAL=2;BYDAY=1SU,-1FR;COUNT=4", ["10-04", "10-30", "12-06", "12-25"]),
        ("RRULE:FREQ=MONTHLY;BYDAY=SU;COUNT=5", ["10-04", "10-11", "10-18", "10-25", "11-01"]),
    ],
)
def test_it_comes_again_as_the_rule_says(rule: str, found: list[str]) -> None:
    """2026-10-04, its first, is a Sunday; it begins at two in Zurich, which is midnight in UTC."""
    assert days(rule, "2026-10-04T02:00") == found


def test_the_last_day_of_a_month_is_left_out_where_a_month_has_none() -> None:
    assert days("FREQ=MONTHLY", "2026-01-31T02:00", 4) == ["01-31", "03-31", "05-31", "07-31"]


def test_what_never_comes_again_has_an_end() -> None:
    rule = parse_rrule("FREQ=MONTHLY;INTERVAL=1000;BYDAY=5SU")
    assert len(list(rule.starts(datetime(2026, 11, 29), ZURICH))) < 100


@given(
    st.sampled_from(["DAILY", "WEEKLY", "MONTHLY"]),
    st.integers(1, 20),
    st.dates(date(2020, 1, 1), date(2030, 1, 1)),
)  # fmt: skip
def test_times_never_go_back_and_the_first_is_the_start(frequency: str, interval: int, first: date) -> None:
    begin = datetime(first.year, first.month, first.day, 3)
    starts = parse_rrule(f"FREQ={frequency};INTERVAL={interval}").starts(begin, ZURICH)
    found = list(islice(starts, 10))
    assert found[0] == begin
    assert all(one < later for one, later in pairwise(found))


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        ("FREQ=YEARLY", "FREQ is DAILY"),
        ("BYDAY=SU", "FREQ is DAILY"),
        ("FREQ=DAILY;BYHOUR=3", "'BYHOUR' is not understood"),
        ("FREQ=DAILY;FREQ=DAILY", "not understood"),
        ("FREQ=DAILY;INTERVAL=0", "INTERVAL is a number"),
        ("FREQ=DAILY;COUNT=1e3", "COUNT is a number"),
        ("FREQ=DAILY;COUNT=1;UNTIL=20261231", "exclude each other"),
        ("FREQ=DAILY;UNTIL=tomorrow", "UNTIL is"),
        ("FREQ=DAILY;UNTIL=20261332", "UNTIL is"),
        ("FREQ=WEEKLY;BYDAY=1SU", "BYDAY has '1SU'"),
        ("FREQ=WEEKLY;BYDAY=", "BYDAY has ''"),
    ],
)
def test_what_a_rule_may_not_say_is_named(rule: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        parse_rrule(rule)


def test_it_begins_at_the_same_time_on_the_wall_all_year(tmp_path: Path) -> None:
    (one,) = read(tmp_path, {**ONE, "rrule": "FREQ=WEEKLY;BYDAY=SU"})
    found = list(one.between(utc("2026-10-18"), utc("2026-11-02")))
    assert found == [
        (utc("2026-10-18T00:00"), utc("2026-10-18T02:00")),
        (utc("2026-10-25T00:00"), utc("2026-10-25T02:00")),  # the first of two times two o'clock
        (utc("2026-11-01T01:00"), utc("2026-11-01T03:00")),
    ]


def test_only_what_touches_the_span_is_found_and_whole(tmp_path: Path) -> None:
    (one,) = read(tmp_path, {**ONE, "zone": "UTC"})
    begin, end = utc("2026-10-04T02:00"), utc("2026-10-04T04:00")
    assert list(one.between(end - timedelta(minutes=1), end)) == [(begin, end)]
    assert list(one.between(end, end + timedelta(days=1))) == []
    assert list(one.between(begin - timedelta(days=1), begin)) == []


@pytest.mark.parametrize(
    ("changes", "counted", "waiting"),
    [
        ({}, 3, 0),
        ({"declared": "2026-10-10T00:00:00Z"}, 2, 1),
        ({"declared": "2026-10-10T00:00:00Z", "approved_by": "dana"}, 3, 0),
        ({"declared": ""}, 0, 3),
        ({"declared": "", "approved_by": "dana"}, 3, 0),
        ({"objectives": ["api"]}, 0, 0),
        ({"objectives": ["web", "api"]}, 3, 0),
    ],
    ids=["declared", "late", "late-approved", "undeclared", "undeclared-approved", "of-another", "of-it"],
)
def test_what_was_said_after_the_fact_needs_somebody_elses_approval(
    tmp_path: Path, changes: dict[str, Any], counted: int, waiting: int
) -> None:
    maintenance = read(tmp_path, {**ONE, "rrule": "FREQ=WEEKLY;COUNT=3", **changes})
    found = excluding(maintenance, utc("2026-10-01"), utc("2026-11-01"), ["web"])
    assert (len(found.counted), len(found.waiting)) == (counted, waiting)
    for one in (*found.counted, *found.waiting):
        assert (one.id, one.owner, one.reason) == ("patching", "ops", "patches")


@pytest.mark.parametrize(
    ("changes", "key", "says"),
    [
        ({"id": "a b"}, "id", "not a name"),
        ({"owner": " "}, "owner", "is empty"),
        ({"reason": ""}, "reason", "is empty"),
        ({"start": "2026-10-04T02:00Z"}, "start", "time on the wall"),
        ({"start": "1926-10-04T02:00"}, "start", "not between"),
        ({"duration": "soon"}, "duration", "not a duration"),
        ({"duration": "60d"}, "duration", "longer than 31 days"),
        ({"duration": "31d", "rrule": "FREQ=DAILY"}, "duration", "until it comes again"),
        ({"duration": "25h", "rrule": "FREQ=WEEKLY;BYDAY=SU,MO"}, "duration", "until it comes again"),
        ({"zone": "../etc"}, "zone", "not a time zone"),
        ({"rrule": "FREQ=HOURLY"}, "rrule", "FREQ is DAILY"),
        ({"rrule": "FREQ=WEEKLY;BYDAY=MO"}, "start", "none of the days"),
        ({"rrule": "FREQ=MONTHLY;BYDAY=2SU"}, "start", "none of the days"),
        ({"approved_by": "ops"}, "approved_by", "is its owner"),
        ({"approved_by": " OPS "}, "approved_by", "is its owner"),
        ({"declared": "yesterday"}, "declared", "not an instant"),
    ],
)
def test_what_is_wrong_with_an_exclusion_is_named(
    tmp_path: Path, changes: dict[str, Any], key: str, says: str
) -> None:
    with pytest.raises(InvalidFile, match=says) as caught:
        read(tmp_path, {**ONE, **changes})
    assert caught.value.key == f"exclusions[0].{key}"
    assert caught.value.line is not None


@pytest.mark.parametrize(
    ("duration", "rrule", "is_large"),
    [
        ("72h", "", False),
        ("73h", "", True),
        ("2h", "FREQ=DAILY", False),
        ("3h", "FREQ=DAILY", True),
        ("3h", "FREQ=DAILY;COUNT=24", False),
        ("14h", "FREQ=WEEKLY", False),
        ("15h", "FREQ=WEEKLY", True),
    ],
)
def test_what_takes_more_than_a_tenth_of_a_month_is_approved_or_does_not_count(
    tmp_path: Path, duration: str, rrule: str, is_large: bool
) -> None:
    told = {**ONE, "duration": duration, "rrule": rrule}
    between = utc("2026-10-01"), utc("2026-11-01")
    (alone,) = read(tmp_path, told)
    assert alone.is_large is is_large
    found = excluding((alone,), *between, ["web"])
    assert bool(found.waiting) is is_large
    assert bool(found.counted) is not is_large
    assert not excluding(read(tmp_path, {**told, "approved_by": "eve"}), *between, ["web"]).waiting


HALF = {**ONE, "duration": "40h", "rrule": "", "zone": "UTC"}
OTHER = {**HALF, "id": "moving", "start": "2026-10-12T00:00", "owner": "dba"}


@pytest.mark.parametrize(
    ("changes", "waiting"),
    [
        ({}, {"moving"}),
        ({"declared": "2026-09-01T00:00:00Z"}, {"patching"}),
        ({"duration": "32h"}, set()),
        ({"approved_by": "eve"}, set()),
        ({"objectives": ["api"]}, set()),
        ({"start": "2026-11-20T00:00"}, set()),
        ({"start": "2026-10-04T12:00"}, set()),
        ({"start": "2026-10-27T00:00"}, {"moving"}),
    ],
    ids=[
        "both",
        "declared first",
        "no more",
        "approved",
        "of another",
        "later",
        "overlapping",
        "30 days apart",
    ],
)
def test_what_takes_a_tenth_of_a_month_in_pieces_is_approved_or_does_not_count(
    tmp_path: Path, changes: dict[str, Any], waiting: set[str]
) -> None:
    """Whatever period is looked at: a report of the second alone knows of the first."""
    one = {**HALF, "objectives": ["web"]}
    both = read(tmp_path, one, {**OTHER, "declared": "2026-10-01T00:00:00Z", **changes})
    for start, end in (
        ("2026-10-01", "2026-12-01"),
        ("2026-10-12", "2026-12-01"),
        ("2026-10-01", "2026-10-06"),
    ):
        found = excluding(both, utc(start), utc(end), ["web"])
        assert {one.id for one in found.waiting} == waiting & {
            one.id for one in (*found.counted, *found.waiting)
        }


def test_what_another_objective_loses_uses_nothing_of_ones_own(tmp_path: Path) -> None:
    """Each of two loses forty hours, and an hour that is for both is little to either."""
    both = {**HALF, "id": "both", "duration": "1h", "start": "2026-10-20T00:00"}
    every = read(tmp_path, {**HALF, "objectives": ["a"]}, {**OTHER, "objectives": ["b"]}, both)
    for objective in ("a", "b"):
        assert not excluding(every, utc("2026-10-01"), utc("2026-11-01"), [objective]).waiting


def test_what_counts_for_one_and_waits_for_another_is_in_both_with_its_names(tmp_path: Path) -> None:
    own = {**HALF, "objectives": ["a"]}
    every = read(tmp_path, own, {**OTHER, "declared": "2026-10-01T00:00:00Z"})
    found = excluding(every, utc("2026-10-01"), utc("2026-11-01"), ["a", "b", "c"])
    assert [(one.id, one.objectives) for one in found.counted] == [
        ("patching", ("a",)),
        ("moving", ("b", "c")),
    ]
    assert [(one.id, one.objectives) for one in found.waiting] == [("moving", ("a",))]
    assert excluding(every, utc("2026-10-01"), utc("2026-11-01"), ["d"]).waiting == ()


def test_what_waits_takes_up_the_allowance_until_it_is_withdrawn_or_approved(tmp_path: Path) -> None:
    def waiting(*more: dict[str, Any]) -> set[str]:
        declared = [
            {**one, "declared": f"2026-09-0{day}T00:00:00Z"} for day, one in enumerate((first, *more), 1)
        ]
        every = read(tmp_path, *declared)
        return {one.id for one in excluding(every, utc("2026-10-01"), utc("2026-11-01"), ["web"]).waiting}

    first = {**HALF, "duration": "71h"}
    second = {**OTHER, "duration": "71h"}
    third = {**OTHER, "id": "third", "duration": "1h", "start": "2026-10-20T00:00"}
    assert waiting(second, third) == {"moving", "third"}
    assert waiting(third) == set(), "the second was withdrawn"
    assert waiting({**second, "approved_by": "eve"}, third) == set()


def test_maintenance_of_others_is_not_judged_for_an_objective(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    judged: list[Claim] = []

    def seen(claims: Iterable[Claim]) -> Iterator[Claim]:
        judged.extend(claims)
        return iter(())

    monkeypatch.setattr(exclusions, "too_much", seen)
    every = read(tmp_path, {**HALF, "objectives": ["a"]}, {**OTHER, "objectives": ["b"]})
    excluding(every, utc("2026-10-01"), utc("2026-11-01"), ["a"])
    assert {one.id for one in judged} == {every[0].id}


@given(st.lists(st.tuples(st.integers(0, 1500), st.integers(1, 90), st.integers(0, 5)), max_size=25))
def test_what_is_too_much_is_what_a_look_at_each_hour_says(times: list[tuple[int, int, int]]) -> None:
    zero = datetime(2026, 1, 1, tzinfo=UTC)
    claims = [
        Claim(zero + timedelta(days=declared), zero + timedelta(hours=at), zero + timedelta(hours=at + hours),
              str(number))
        for number, (at, hours, declared) in enumerate(times)
    ]  # fmt: skip
    expected = set()
    for one in claims:
        before = [other for other in claims if other <= one]
        hours = {
            hour
            for other in before
            for hour in range(*((at - zero) // timedelta(hours=1) for at in (other.start, other.end)))
        }
        low, high = ((at - zero) // timedelta(hours=1) for at in (one.end, one.start))
        month = MONTH // timedelta(hours=1)
        starts = range(low - month, high + 1)
        if any(sum(begin <= hour < begin + month for hour in hours) > 72 for begin in starts):
            expected.add(one.id)
    assert {one.id for one in too_much(claims)} == expected


def test_who_approves_in_letters_of_two_scripts_is_nobody(tmp_path: Path) -> None:
    with pytest.raises(InvalidFile, match="nobody's name"):
        read(tmp_path, {**ONE, "approved_by": "d\u0430na"})
    with pytest.raises(InvalidFile, match="is its owner"):
        read(tmp_path, {**ONE, "approved_by": "\u043eps"})


def test_an_id_is_there_once(tmp_path: Path) -> None:
    with pytest.raises(InvalidFile, match="is also in") as caught:
        read(tmp_path, ONE, ONE)
    assert caught.value.key == "exclusions[1].id"


def test_an_exclusion_names_objectives_that_there_are(tmp_path: Path) -> None:
    read(tmp_path, {**ONE, "objectives": ["wbe"]})
    with pytest.raises(InvalidFile, match="no such objective") as caught:
        read_exclusions([tmp_path / "exclusions.yaml"], {"web"})
    assert caught.value.fix == "did you mean 'web'?"


def tier(below: float, credit: float) -> dict[str, float]:
    return {"below_percent": below, "credit_percent": credit}


def contract(tmp_path: Path, **changes: Any) -> Path:
    file = tmp_path / "contract.yaml"
    file.write_text(dump_yaml({**TERMS, **changes}), encoding="utf-8")
    return file


def test_a_contract_is_read(tmp_path: Path) -> None:
    found = read_contract(contract(tmp_path), {"web", "api"})
    assert found.zone == "Europe/Zurich"
    assert found.terms == Terms(
        "gold", "ACME", ("web", "api"), (Tier(0.999, 10.0), Tier(0.99, 25.0)), "adjusted", "month"
    )


@pytest.mark.parametrize(
    ("changes", "key", "says"),
    [
        ({"customer": ""}, "customer", "is empty"),
        ({"objectives": []}, "objectives", "names no objective"),
        ({"objectives": ["web", "web"]}, "objectives[1]", "there twice"),
        ({"objectives": ["wbe"]}, "objectives[0]", "no such objective"),
        ({"zone": "Bern"}, "zone", "not a time zone"),
        ({"period": "day"}, "period", "not one of the choices"),
        ({"credits": [tier(0.999, 10)]}, "credits[0].below_percent", "percentage"),
        ({"credits": [tier(99, 0)]}, "credits[0].credit_percent", "percentage"),
        ({"credits": TERMS["credits"][::-1]}, "credits[1]", "does not come after"),
        ({"credits": [*TERMS["credits"], tier(90, 20)]}, "credits[2]", "come after"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_contract_is_named(
    tmp_path: Path, changes: dict[str, Any], key: str, says: str
) -> None:
    with pytest.raises(InvalidFile, match=says) as caught:
        read_contract(contract(tmp_path, **changes), {"web", "api"})
    assert caught.value.key == key
