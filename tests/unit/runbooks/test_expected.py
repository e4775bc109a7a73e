"""What a step printed, fetched or was told must be as expected."""

from __future__ import annotations

import pytest

from maestro_cli.core.clock import SystemClock
from maestro_cli.core.errors import ExitCode
from maestro_cli.core.facts.web import WebAnswer
from maestro_cli.runbooks.expectation import parse_expectation
from maestro_cli.runbooks.export import export_run
from maestro_cli.runbooks.model import RunStatus, State, nobody
from maestro_cli.runbooks.rehearsal import rehearse
from tests.unit.runbooks.bench import Bench


def fence(marks: str, body: str = "true", language: str = "sh") -> str:
    return f"```{language} {{{marks}}}\n{body}\n```\n\n"


@pytest.mark.parametrize(
    ("expectation", "text", "holds"),
    [
        ("> 3", "4", True),
        ("> 3", "3", False),
        ("> 3", "many", False),
        ("!= 3", "many", False),
        ("< 5%", "0.04", True),
        ("== 5", "5.0", True),
        ("== ok", "ok", True),
        ("== ok", "ok ", False),
        ("== 'in sync'", "in sync", True),
        ("!= none", "some", True),
        ("!= none", "none", False),
        ("=~ v1[.].*", "v1.2", True),
        ("=~ v1[.].*", "a v1.2", False),
        ("absent", "", True),
        ("absent", "x", False),
        ("present", "x", True),
        ("present", "", False),
        ("!= none", "", False),
        ("!= 0", "", False),
        ("=~ .*", "", False),
        ("== ''", "", False),
        ("> 3", "nan", False),
    ],
)
def test_text_is_compared_with_text_and_a_number_with_a_number(
    expectation: str, text: str, holds: bool
) -> None:
    assert parse_expectation(expectation).holds_text(text) is holds


@pytest.mark.parametrize("text", ["~ x", "=~ (", "== ", "5", "is 5", ""])
def test_what_is_no_expectation_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a"):
        parse_expectation(text)


@pytest.mark.parametrize("language", ["sh", "bash", "python"])
def test_what_a_process_prints_must_be_as_expected(bench: Bench, language: str) -> None:
    body = "print(4)" if language == "python" else "echo 4"
    assert bench.run(fence("id=a expect='>= 4' capture=GOT", body, language)).ok
    result = bench.run(fence("id=a expect='> 4'", body, language) + fence("id=b", "touch ran"))
    assert (result.status, result.exit_code) == (RunStatus.FAILED, ExitCode.CONDITION_NOT_MET)
    assert (result.reason, result.run.steps[0].state) == ("a: 4, expected > 4", State.NOT_MET)
    assert not (bench.folder / "ran").exists()


def test_a_step_that_altered_the_world_and_is_not_as_expected_is_undone(bench: Bench) -> None:
    text = fence("id=a mutates expect='== done'", "echo a >> log; echo half")
    result = bench.run(text + fence("undo=a", "echo undo >> log"))
    assert (result.status, bench.lines("log")) == (RunStatus.ROLLED_BACK, ["a", "undo"])


def test_an_unexpected_value_shows_no_secret(bench: Bench) -> None:
    book = bench.write(fence("id=a expect='== x'", "echo hunter22"))
    result = bench.runner(secrets=("hunter22",)).start(book, {})
    assert result.exit_code is ExitCode.CONDITION_NOT_MET
    assert "hunter22" not in result.reason


def test_an_answer_of_the_web_and_of_a_person_must_be_as_expected(bench: Bench) -> None:
    bench.systems.answers = [WebAnswer(200, {}, b'{"queue": 12}')]
    get = "GET https://host/queue"
    assert bench.run(fence("""id=a match='"queue": *([0-9]+)' expect='< 20'""", get, "http")).ok
    result = bench.run(fence("""id=a match='"queue": *([0-9]+)' expect='< 10'""", get, "http"))
    assert (result.exit_code, result.reason) == (ExitCode.CONDITION_NOT_MET, "a: 12, expected < 10")
    book = bench.write(fence("id=a pattern='.*' expect='=~ [0-9]+'", "How many?", "ask"))
    assert bench.runner().start(book, {}, confirm=lambda question: "12").ok
    result = bench.runner().start(book, {}, confirm=lambda question: "few")
    assert (result.exit_code, result.reason) == (ExitCode.CONDITION_NOT_MET, "a: few, expected =~ [0-9]+")
    assert bench.runner().start(book, {}, confirm=nobody).status is RunStatus.WAITING


def test_a_rehearsal_judges_what_a_mock_prints_and_knows_repetitions(bench: Bench) -> None:
    text = fence("id=a expect='== up' capture=GOT") + fence(
        "id=b for_each='x y' as=POD concurrency=2 mutates"
    )
    book = bench.write(text)
    case = """
maestro: rehearsal/v1
cases:
  - name: well
    mocks: {a: {capture: up}, b: {}, "b[2]": {}}
    expect: {status: succeeded, sequence: [a, "b[1]", "b[2]"]}
  - name: not
    mocks: {a: {capture: down}}
    expect: {status: failed, exit_code: 10, sequence: [a]}
  - name: half
    mocks: {a: {capture: up}, b: [{state: ok}, {state: failed}]}
    expect: {status: failed, exit_code: 12, sequence: [a, "b[1]", "b[2]"]}
"""
    (bench.folder / "book.test.yaml").write_text(case)
    assert [result.fault for result in rehearse(book, SystemClock())] == ["", "", ""]


def test_a_document_of_a_run_has_each_repetition_below_its_fence(bench: Bench) -> None:
    book = bench.write(fence("id=b for_each='x y' as=POD", 'echo "at $POD"'))
    text = export_run(bench.runner().start(book, {}).run, book)
    assert [word for word in ("`b[1]` **ok**", "at x", "`b[2]` **ok**", "at y") if word not in text] == []
    assert "not started" not in text
