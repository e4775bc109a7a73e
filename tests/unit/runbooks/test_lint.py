"""What lint finds, where, and what it leaves alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maestro_cli.core.errors import ActionFailed, InvalidFile, UsageError
from maestro_cli.runbooks.lint import RULES, Finding, lint, lint_file
from maestro_cli.runbooks.quoting import placeholders, unquoted_uses
from maestro_cli.runbooks.reader import parse_runbook, read_runbook
from maestro_cli.runbooks.template import write_new

FRONT = "---\nmaestro: runbook/v1\nparams: {NAME: {default: fraud}, WINDOW: {pattern: '[0-9]+m'}}\n---\n"


def nothing_wrong(queries: Sequence[str]) -> Mapping[int, str]:
    return {}


def found(text: str, *, known: Sequence[str] = ()) -> list[tuple[str, int]]:
    book = parse_runbook(text, "/nowhere/book.md")
    return [(finding.rule, finding.line) for finding in lint(book, known, nothing_wrong)]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("echo $A", ["A"]),
        ("echo ${A} ${A:-x}", ["A", "A"]),
        ('echo "a" "b"$A', ["A"]),
        ('X="$(foo $A)"', ["A"]),
        ('echo "$(foo "$A" $B)" "$C"', ["B"]),
        ("for i in $A; do :; done", ["A"]),
        ("[[ -n $A ]] && echo $B", ["B"]),
        ("cat <<EOF\n$A\nEOF\necho $B", ["B"]),
        ("X=$A Y=$B cmd $C", ["C"]),
        ("echo a#$A", ["A"]),
        ("if (( $A > 1 )); then echo $B; fi", ["B"]),
        ('echo "it\'s" $A', ["A"]),
        ("echo \"$A\" '$A' \\$A # $A", []),
        ("X=$A; case $A in x) ;; esac; echo $((A + $A)) ${#A}", []),
    ],
)
def test_a_value_without_quotes_is_found_and_a_quoted_one_is_not(text: str, names: list[str]) -> None:
    assert [use.name for use in unquoted_uses(text)] == names


@given(st.text(alphabet="\"'$(){}[]<>A \\\n#=`E", max_size=60))
def test_any_shell_text_is_read_to_its_end(text: str) -> None:
    uses = [*unquoted_uses(text), *placeholders(text)]
    assert all(0 <= use.line <= text.count("\n") for use in uses)


def test_each_rule_finds_its_fault_at_its_line() -> None:
    text = (
        FRONT
        + "[gone](missing.md) and [here](#title) and [there](#nowhere)\n\n# Title\n\n"
        + "```sh {id=a mutates}\ntrue\necho $NAME $HOME\nkubectl get pod <pod>\n```\n"
    )
    assert found(text) == [
        ("dead-link", 5),
        ("dead-link", 5),
        ("no-undo", 9),
        ("no-verify", 9),
        ("unquoted-value", 11),
        ("placeholder", 12),
    ]
    assert {rule for rule, _ in found(text)} <= RULES.keys()


def test_a_step_that_is_verified_and_undone_is_well_and_so_is_a_change() -> None:
    text = (
        FRONT
        + '```sh {id=a mutates}\necho "$NAME"\n```\n```sh {verify=a}\ntrue\n```\n```sh {undo=a}\ntrue\n```\n'
        + "```change {id=b}\nkind: rollback\ntarget: ml/deploy/x\n```\n"
    )
    assert found(text) == []


def test_an_alert_that_no_rule_defines_and_missing_sections_are_found() -> None:
    text = "---\nmaestro: runbook/v1\nid: x\nalerts: [Known, Typo]\n---\n## Meaning\n\n## Impact\n"
    assert found(text, known=["Known"]) == [("missing-section", 1), ("unknown-alert", 4)]
    assert found(text, known=[]) == [("missing-section", 1)]


def test_queries_are_judged_with_values_that_fit_and_told_at_their_fence() -> None:
    asked: list[str] = []

    def judge(queries: Sequence[str]) -> Mapping[int, str]:
        asked.extend(queries)
        return {1: "unclosed parenthesis"}

    text = FRONT + (
        '```promql {id=a expect="> 1"}\nrate(x{n="$NAME"}[$WINDOW])\n```\n'
        '```promql {id=b expect="> 1"}\nsum(\n```\n'
    )
    (finding,) = lint(parse_runbook(text, "book.md"), (), judge)
    assert finding == Finding("promql", "error", "book.md", 8, "b: unclosed parenthesis")
    assert asked == ['rate(x{n="fraud"}[5m])', "sum("]


def test_a_file_that_cannot_be_read_is_a_finding() -> None:
    with pytest.raises(InvalidFile) as caught:
        parse_runbook("\n```sh {id=a timeot=1s}\ntrue\n```\n", "book.md")
    finding = lint_file(caught.value)
    assert (finding.rule, finding.file, finding.line) == ("invalid", "book.md", 2)
    assert finding.text == "timeot: is not a step attribute; did you mean 'timeout'?"


def test_a_new_runbook_is_well_and_never_written_over(tmp_path: Path) -> None:
    path = write_new(tmp_path / "books", "queue-full", "QueueFull")
    book = read_runbook(path)
    assert (book.id, book.alerts, book.title) == ("queue-full", ("QueueFull",), "Queue full")
    assert lint(book, ["QueueFull"], nothing_wrong) == ()
    with pytest.raises(ActionFailed, match="is there"):
        write_new(tmp_path / "books", "queue-full", "")
    for name in ("../x", "", "a b", "x\n"):
        with pytest.raises(UsageError):
            write_new(tmp_path / "books", name, "")
    with pytest.raises(UsageError):
        write_new(tmp_path / "books", "y", "A]\nparams: {")
    assert [one.name for one in (tmp_path / "books").iterdir()] == ["queue-full.md"]
