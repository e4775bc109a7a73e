"""Who is on call as a person or a script meets it."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from maestro_cli.config.locations import config_dir
from maestro_cli.core.clock import from_rfc3339
from maestro_cli.core.facts.oncall import PagedTurn
from maestro_cli.incidents.people.oncall_file import read_oncall
from maestro_cli.incidents.people.roster import Roster
from maestro_cli.output.renderers.oncall import on_call_view, shifts_view
from maestro_cli.output.views import View
from tests.cli.program import check_golden, maestro
from tests.cli.test_cli_people import FORMATS, written

PAGE = Path(__file__).resolve().parents[2] / "docs" / "people.md"
AT = "2026-12-23T18:00:00Z"


@pytest.fixture
def utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.fixture
def file(configured: Path) -> Path:
    """The file of the documentation, in the context `prod`, whose PagerDuty does not answer."""
    path = config_dir() / "oncall.yaml"
    (example,) = re.findall(
        r"```yaml\n(maestro: oncall/v1.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL
    )
    path.write_text(example, encoding="utf-8")
    text = configured.read_text(encoding="utf-8")
    more = 'oncall: oncall.yaml\n    pagerduty: {url: "http://127.0.0.1:1"}\n    namespace: ml'
    configured.write_text(text.replace("namespace: ml", more), encoding="utf-8")
    return path


class Pager:
    """Keeps a schedule with a stranger, then a gap, then somebody of the file, of whom it knows no end."""

    def turns(self, schedule_id: str, begin: object, end: object) -> tuple[PagedTurn, ...]:
        assert schedule_id == "PI7DH85"
        until, since = from_rfc3339("2026-12-24T00:00:00Z"), from_rfc3339("2026-12-24T06:00:00Z")
        return (
            PagedTurn("Dana \u202eX", "d@example.org", None, until),
            PagedTurn("B", "Ben@Example.ORG", since, None),
        )


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("what", ["list", "shifts", "paged"])
def test_who_is_on_call_is_the_same_in_every_format(file: Path, utc: None, what: str, form: str) -> None:
    roster, at = Roster(read_oncall(file), Pager), from_rfc3339(AT)
    views: dict[str, View] = {
        "list": on_call_view(roster.everyone(at)),
        "shifts": shifts_view(roster.shifts("primary", at, from_rfc3339("2026-12-30T18:00:00Z"))),
        "paged": shifts_view(roster.shifts("database", at, from_rfc3339("2026-12-25T00:00:00Z"))),
    }
    text = written(views[what], form.replace("incident", "why"))
    assert "\u202e" not in text
    check_golden(f"oncall-{what}.{form.partition('=')[0]}", text)


def test_who_is_paged_is_found_by_address_and_nobody_is_guessed(file: Path) -> None:
    roster = Roster(read_oncall(file), Pager)
    ben, why = roster.at("database", from_rfc3339("2026-12-24T06:00:00Z"))
    assert ben is not None
    assert (ben.id, ben.channels, why) == ("ben", ("file:/run/secrets/ben-chat",), "PagerDuty")
    assert roster.at("database", from_rfc3339("2026-12-24T05:00:00Z"))[0] is None


def test_a_pager_that_is_silent_hides_no_other_schedule(file: Path) -> None:
    listed = maestro("oncall", "list", "--at", AT, "-o", "json")
    assert listed.code == 4, listed.err
    primary, database = json.loads(listed.out)["items"]
    assert (primary["person"], primary["until"], primary["after"]) == (
        "ben",
        "2026-12-24T08:00:00.000000Z",
        "chi",
    )
    assert (database["person"], "PagerDuty" in database["why"]) == (None, True)
    shown = maestro("oncall", "show", "primary", "--at", AT, "-o", "jsonpath={.items[*].person}")
    assert (shown.code, shown.out.split()[:3]) == (0, ["ben", "chi", "ben"])
    assert maestro("oncall", "show", "--at", AT).code == 2  # there are two
    assert maestro("oncall", "show", "secondary").code == 6
    assert maestro("oncall", "list", "--at", "christmas").code == 2


def test_what_would_go_wrong_is_found_with_its_line(file: Path) -> None:
    assert maestro("oncall", "lint").code == 0
    text = file.read_text(encoding="utf-8").replace('chi: {channels: ["env:CHI_CHAT"]}', "chi: {}")
    file.write_text(text.replace("start: 2026-11-02 09:00", "start: 2999-01-01 09:00", 1), encoding="utf-8")
    found = maestro("oncall", "lint", str(file), "-o", "json")
    assert found.code == 10
    rules = {(one["rule"], one["level"]) for one in json.loads(found.out)["items"]}
    assert {("silent-person", "error"), ("gap", "warning"), ("unused-schedule", "warning")} <= rules
    file.write_text("maestro: oncall/v1\npeeple: {}\n", encoding="utf-8")
    assert maestro("oncall", "list").code == 3
    (broken,) = json.loads(maestro("oncall", "lint", "-o", "json").out)["items"]
    assert (broken["rule"], broken["line"]) == ("invalid", 2)


def test_without_a_file_it_is_said_how_to_have_one(configured: Path) -> None:
    result = maestro("oncall", "list")
    assert (result.code, "maestro schema oncall" in result.err) == (6, True)
