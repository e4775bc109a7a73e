"""A run is paused before what alters the world while nothing may be altered, and goes on once it may."""

from __future__ import annotations

import pytest

from maestro_cli.core.errors import ExitCode
from maestro_cli.runbooks.model import RunStatus
from maestro_cli.runbooks.runner import RunbookRunner
from tests.unit.runbooks.bench import Bench

WHY = "prod is not armed any more"
CHANGE = "```change {id=second}\nkind: rollback\ntarget: deploy/fraud\nnamespace: shop\n```\n\n"
SEND = "```http {id=second}\nPOST https://example.org/\n```\n\n"


def fence(marks: str, body: str = "true") -> str:
    return f"```sh {{{marks}}}\n{body}\n```\n\n"


def held_once(bench: Bench, line: str) -> RunbookRunner:
    """A runner that may alter nothing once a step has written this line."""
    return bench.runner(why_held=lambda: WHY if line in bench.lines("log") else "")


@pytest.mark.parametrize(
    "second", [fence("id=second mutates", "echo second >> log"), CHANGE, SEND], ids=["sh", "change", "http"]
)
def test_it_is_paused_before_the_next_step_that_alters_and_goes_on_from_there(
    bench: Bench, second: str
) -> None:
    book = bench.write(
        fence("id=first mutates", "echo first >> log") + fence("id=look", "echo looked >> log") + second
    )
    result = held_once(bench, "first").start(book, {})
    assert (result.status, result.exit_code) == (RunStatus.PAUSED, ExitCode.BUSY)
    assert result.run.reason == f"paused before second: {WHY}"
    assert bench.lines("log") == ["first", "looked"], "what only looks is done"
    assert not bench.changes.world
    assert not bench.systems.requests
    assert bench.runner().resume(result.run.id).ok
    assert bench.lines("log")[:2] == ["first", "looked"]
    assert len(bench.changes.world) + len(bench.systems.requests) + bench.lines("log").count("second") == 1


def test_a_step_that_failed_is_not_tried_again_meanwhile(bench: Bench) -> None:
    body = "echo tried >> log; test $(wc -l < log) = 2"
    book = bench.write(fence("id=a mutates retries=3 backoff=1ms on_fail=ask", body))
    result = held_once(bench, "tried").start(book, {})
    assert (result.status, bench.lines("log")) == (RunStatus.PAUSED, ["tried"])
    assert bench.runner().resume(result.run.id).ok
    assert bench.lines("log") == ["tried", "tried"]


def test_what_was_done_is_taken_back_once_it_may_be(bench: Bench) -> None:
    book = bench.write(
        fence("id=a mutates", "echo done >> log")
        + fence("undo=a", "echo undone >> log")
        + fence("id=b on_fail=rollback", "false")
    )
    result = held_once(bench, "done").start(book, {})
    assert (result.status, bench.lines("log")) == (RunStatus.PAUSED, ["done"])
    assert bench.runner().resume(result.run.id).status is RunStatus.ROLLED_BACK
    assert bench.lines("log") == ["done", "undone"]


def test_what_a_runbook_within_it_would_alter_is_held_as_well(bench: Bench) -> None:
    bench.write(fence("id=a mutates", "echo a >> log") + fence("id=b mutates", "echo b >> log"), "inner.md")
    book = bench.write(
        "```runbook {id=inner}\nrunbook: inner\n```\n\n" + fence("id=c mutates", "echo c >> log")
    )
    result = held_once(bench, "a").start(book, {})
    assert not result.status.final
    assert f"paused before b: {WHY}" in result.run.reason
    assert bench.lines("log") == ["a"]
    assert bench.runner().resume(result.run.id).ok
    assert bench.lines("log") == ["a", "b", "c"]
