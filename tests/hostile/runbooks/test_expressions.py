"""An expression that a backtracking engine never ends with is answered, or refused when it is read."""

from __future__ import annotations

import pytest

from maestro_cli.core.errors import InvalidFile, UsageError
from maestro_cli.runbooks.condition import Facts, parse_condition
from maestro_cli.runbooks.expectation import parse_expectation
from maestro_cli.runbooks.linear_regex import line_regex
from maestro_cli.runbooks.model import Question
from maestro_cli.runbooks.parameters import resolve_parameters
from maestro_cli.runbooks.questions import read_answer
from maestro_cli.runbooks.reader import parse_runbook

ENDLESS = "(a+)+b"
TEXT = "a" * 5_000 + "c"  # takes Python's own engine longer than the universe is old
ONLY_BACKTRACKING = "a(?=b)"


def test_a_parameter_from_an_alert_does_not_hang_the_run() -> None:
    front = f"---\nmaestro: runbook/v1\nparams: {{A: {{from: label.a, pattern: '{ENDLESS}'}}}}\n---\n"
    book = parse_runbook(front, "book.md")
    with pytest.raises(UsageError, match="A"):
        resolve_parameters(book, given={}, labels={"a": TEXT[-4_000:]})
    good = "a" * 50 + "b"
    assert resolve_parameters(book, given={}, labels={"a": good})["A"] == good


def test_an_answer_does_not_hang_whoever_reads_it() -> None:
    question = Question("run-1", "q", "ask", "which?", "", "d", pattern=ENDLESS)
    with pytest.raises(UsageError, match="is no answer"):
        read_answer(question, TEXT)
    assert read_answer(question, "aab") == "aab"


def test_what_a_step_printed_does_not_hang_its_expectation() -> None:
    expected = parse_expectation(f"=~ {ENDLESS}")
    assert not expected.holds_text(TEXT)
    assert expected.holds_text("aab")


def test_a_captured_value_does_not_hang_a_condition() -> None:
    condition = parse_condition(f'$A =~ "{ENDLESS}"')
    assert not condition.holds(Facts({"A": TEXT}, {}))
    assert condition.holds(Facts({"A": "aab"}, {}))


@pytest.mark.parametrize(
    ("front", "steps"),
    [
        (f"params: {{A: {{pattern: '{ONLY_BACKTRACKING}'}}}}\n", ""),
        ("", f"```ask {{id=q capture=A pattern='{ONLY_BACKTRACKING}'}}\nwhich?\n```\n"),
        ("", f"```sh {{id=s expect='=~ {ONLY_BACKTRACKING}'}}\ntrue\n```\n"),
        ("params: {A: {}}\n", f"```sh {{id=s when='$A =~ \"{ONLY_BACKTRACKING}\"'}}\ntrue\n```\n"),
        ("", f"```http {{id=h match='{ONLY_BACKTRACKING}'}}\nGET https://x.example/\n```\n"),
        ("", f"```kube {{id=k match='{ONLY_BACKTRACKING}'}}\ntarget: deploy/a\nfield: status.phase\n```\n"),
    ],
    ids=["parameter", "ask", "expect", "when", "http", "kube"],
)
def test_what_needs_backtracking_is_refused_with_file_and_line(front: str, steps: str) -> None:
    with pytest.raises(InvalidFile, match="regular expression") as caught:
        parse_runbook(f"---\nmaestro: runbook/v1\n{front}---\n{steps}", "book.md")
    assert (caught.value.file, bool(caught.value.line)) == ("book.md", True)


def test_a_dot_of_a_runbook_takes_no_newline_unless_it_is_told_to() -> None:
    assert not line_regex("a.b").matches("a\nb")
    assert line_regex("(?s)a.b").matches("a\nb")
    assert line_regex("a.b").matches("a\rb")
