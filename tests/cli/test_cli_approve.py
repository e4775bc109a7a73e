"""A second person's word from another terminal: each command is a process of its own."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from maestro_cli.config.locations import config_dir
from tests.cli.api import Answers, api_server
from tests.cli.program import Result, check_golden, maestro
from tests.cli.test_cli_changes import COMMANDS, PLACE, answers, settled, writes

SELF = "POST /apis/authentication.k8s.io/v1/selfsubjectreviews"
ADA, GRACE, HEDY = ({"MAESTRO_ACTOR": name} for name in ("ada", "grace", "hedy"))


def guarded(user: str) -> Answers:
    return {**answers(), SELF: {"status": {"userInfo": {"username": user}}}}


@contextmanager
def protected_api(user: str = "system:anonymous") -> Iterator[list[str]]:
    """The server of recorded answers as a protected context, which knows every caller as `user`."""
    with api_server(guarded(user)) as asked:
        file = config_dir() / "config.yaml"
        text = file.read_text(encoding="utf-8")
        file.write_text(text.replace("{cluster:", "{protected: true, cluster:"), encoding="utf-8")
        yield asked


@pytest.fixture
def api() -> Iterator[list[str]]:
    with protected_api() as asked:
        yield asked


def asked_for() -> tuple[str, Result]:
    result = maestro(*COMMANDS["restart"], "--yes", "--confirm-context", "prod", env=ADA)
    found = re.search(r"maestro approve (chg-[0-9a-z]+)", result.err)
    assert found is not None, result.err
    return found.group(1), result


def clean(text: str) -> str:
    """Without what differs from one run to the next."""
    text = re.sub(r"\d\d:\d\d:\d\dZ", "00:00:00Z", text)
    return re.sub(r"20\d\d-\d\d-\d\d[ 0-9:]+Z?", "2026-01-01 00:00:00Z", text)


def test_what_needs_a_second_person_ends_17_and_says_how_to_go_on(api: list[str]) -> None:
    change_id, result = asked_for()
    assert (result.code, result.out, writes(api)) == (17, "", [])
    what, why, fix = result.err.splitlines()[-3:]
    assert what == "maestro: error: a second person has to approve this change"
    assert why == "  why: context prod is protected, and this cannot be undone"
    assert (
        fix == f"  fix: somebody else: maestro approve {change_id}; then: maestro change resume {change_id}"
    )


def test_what_waits_is_listed_shown_and_approved(api: list[str]) -> None:
    change_id, _ = asked_for()
    listed = maestro("approve", "list", "-o", "csv", env=GRACE)
    assert listed.out.splitlines()[1].startswith(f"{change_id},")
    approved = maestro("approve", change_id, "--yes", env=GRACE)
    assert (approved.code, approved.err, writes(api)) == (0, "", [])
    check_golden("approve.table", clean(settled(Result(0, approved.out, ""))))
    shown = json.loads(maestro("change", "show", change_id, "-o", "json").out)
    assert (shown["state"], shown["approval"]["by"], shown["approval"]["identity"]) == (
        "waiting",
        "grace",
        "",
    )


def test_the_requester_goes_on_and_the_write_is_sent_once(api: list[str]) -> None:
    change_id, _ = asked_for()
    assert maestro("change", "resume", change_id, env=ADA).code == 17
    assert maestro("change", "resume", change_id, "--yes", env=ADA).code == 17, "it overrides no gate"
    assert maestro("approve", "plan", change_id, "--yes", env=GRACE).code == 0
    resumed = maestro("change", "resume", change_id, "--wait", "--yes", env=ADA)
    assert (resumed.code, len(writes(api))) == (0, 1), resumed.err
    assert maestro("change", "resume", change_id, env=ADA).code == 0
    assert writes(api) == [f"PATCH {PLACE}?fieldManager=maestro"]
    assert "no change waits for an approval" in maestro("approve", "list").err


def test_the_newest_change_goes_by_the_name_latest(api: list[str]) -> None:
    nothing = maestro("change", "undo", "latest", env=ADA)
    assert (nothing.code, nothing.err.splitlines()[0]) == (6, "maestro: error: there is no change yet")
    change_id, _ = asked_for()
    assert f"resuming {change_id}" in maestro("--plain", "change", "resume", "latest", env=ADA).err
    undone = maestro("change", "undo", "latest", env=ADA)
    assert (undone.code, change_id in undone.err, writes(api)) == (11, True, [])


def test_of_two_processes_that_approve_at_once_one_does(api: list[str]) -> None:
    change_id, _ = asked_for()
    with ThreadPoolExecutor(2) as pool:
        words = ("approve", change_id, "--yes")
        results = list(pool.map(lambda who: maestro(*words, env=who), (GRACE, HEDY)))
    assert sorted(result.code for result in results) == [0, 11]
    (second,) = [result for result in results if result.code]
    assert second.error_lines[0] == f"change {change_id} is approved already"


def test_without_a_word_nothing_is_approved(api: list[str]) -> None:
    change_id, _ = asked_for()
    result = maestro("approve", change_id, env=GRACE)
    assert (result.code, result.error_lines[0]) == (11, "nobody agreed to this approval")
    assert maestro("change", "resume", change_id, env=ADA).code == 17


def test_ones_own_change_cannot_be_approved(api: list[str]) -> None:
    change_id, _ = asked_for()
    result = maestro("approve", change_id, "--yes", env=ADA)
    assert (result.code, result.out) == (20, "")
    assert result.error_lines[1] == "you are ada, who asked for it"


def test_another_name_with_the_same_credentials_is_no_second_person() -> None:
    with protected_api("sre-admin"):
        change_id, _ = asked_for()
        result = maestro("approve", change_id, "--yes", env=GRACE)
    assert result.code == 20
    assert result.error_lines[1] == "you and ada use the same credentials, those of sre-admin"


def test_denied_the_requester_is_told_by_whom_and_why(api: list[str]) -> None:
    change_id, _ = asked_for()
    assert maestro("approve", "deny", change_id, "--why", "the sale ends at noon", env=GRACE).code == 0
    result = maestro("change", "resume", change_id, "--wait", env=ADA)
    assert result.code == 11
    what, why, _ = result.err.splitlines()[-3:]
    assert what == f"maestro: error: grace denied change {change_id}"
    assert why == "  why: the sale ends at noon"
    assert writes(api) == []


@pytest.mark.parametrize(
    ("words", "code", "what"),
    [
        (["chg-0", "--yes"], 6, "there is no change 'chg-0' in this context's journal"),
        (["deny", "chg-0"], 6, "there is no change 'chg-0' in this context's journal"),
    ],
)
def test_what_is_not_there_ends_6(api: list[str], words: list[str], code: int, what: str) -> None:
    result = maestro("approve", *words)
    assert (result.code, result.out) == (code, "")
    assert what in result.err


def test_waiting_ends_124_when_nobody_comes(api: list[str]) -> None:
    change_id, _ = asked_for()
    result = maestro("change", "resume", change_id, "--wait", "--timeout", "1s", env=ADA)
    assert result.code == 124
    assert f"nobody approved change {change_id} within 1.0s" in result.err
    assert maestro("change", "resume", change_id, "--wait", "--timeout", "soon").code == 2
