"""The journal has what each attempt was given to do, with its values and without secrets."""

from __future__ import annotations

from pathlib import Path

import pytest

from maestro_cli.core.redaction import Redactor
from maestro_cli.runbooks.command import MAX_CHARACTERS, command_of
from maestro_cli.runbooks.model import Step
from maestro_cli.runbooks.reader import read_runbook
from tests.unit.runbooks.bench import Bench

FRONT = "---\nmaestro: runbook/v1\nparams: {NAME: {default: fraud}, OTHER: {default: x}}\n---\n"
VALUES = {"NAME": "it's $(evil)", "OTHER": "x"}


def fence(marks: str, body: str, language: str) -> str:
    return f"```{language} {{{marks}}}\n{body}\n```\n\n"


def step_of(folder: Path, marks: str, body: str, language: str) -> Step:
    path = folder / "book.md"
    path.write_text(FRONT + fence(f"id=a {marks}".strip(), body, language))
    return read_runbook(path).steps[0]


@pytest.mark.parametrize(
    ("language", "marks", "body", "expected"),
    [
        ("sh", "", 'kubectl get "$NAME"', "NAME='it'\"'\"'s $(evil)'\nkubectl get \"$NAME\""),
        ("bash", "", "true", "true"),
        ("promql", "expect='> 0'", 'up{job="$NAME"}', 'up{job="it\'s $(evil)"}'),
        ("promql", "expect='> 0'", "up > $NAME", "up > $NAME"),
        ("notify", "to=env:CHAT", "$NAME is well", "it's $(evil) is well"),
        ("http", "secret='KEY=env:KEY'", "GET https://x/$OTHER\nKey: $KEY", "GET https://x/x\nKey: $KEY"),
        ("manual", "", "look at $NAME", ""),
    ],
    ids=["shell", "without-values", "query", "cannot-stand-there", "message", "secret-by-name", "person"],
)
def test_each_kind_is_told_as_it_is_done(
    tmp_path: Path, language: str, marks: str, body: str, expected: str
) -> None:
    assert command_of(step_of(tmp_path, marks, body, language), VALUES, Redactor()) == expected


def test_no_secret_is_told_and_a_long_one_is_cut_after_that(tmp_path: Path) -> None:
    step = step_of(tmp_path, "", "a" * (MAX_CHARACTERS - 3) + "hunter22", "sh")
    told = command_of(step, VALUES, Redactor(["hunter22"]))
    assert told == "a" * (MAX_CHARACTERS - 3) + "«s…"


@pytest.mark.parametrize(
    ("language", "marks", "body"),
    [("sh", "", 'kubectl get "$NAME"'), ("promql", "expect='> 0'", 'up{job=~"$NAME"}')],
    ids=["shell", "query"],
)
def test_a_secret_among_the_values_is_not_told_however_it_would_be_quoted(
    tmp_path: Path, language: str, marks: str, body: str
) -> None:
    values = {"NAME": "pa'ss\"w\\ord99", "OTHER": "x"}
    told = command_of(step_of(tmp_path, marks, body, language), values, Redactor([values["NAME"]]))
    assert "«secret»" in told
    assert "ord99" not in told


def test_the_journal_has_the_command_of_every_attempt(bench: Bench) -> None:
    book = bench.write(FRONT + fence("id=a", 'test "$NAME" = hunter22', "sh"))
    bench.runner(secrets=("hunter22",)).start(book, {})
    (intended,) = [event for event in bench.journal.events() if event.kind == "step.intended"]
    assert intended.data["command"] == 'NAME=fraud\ntest "$NAME" = «secret»'


def test_what_a_person_does_has_none(bench: Bench) -> None:
    bench.run(FRONT + fence("id=a", "do it", "manual"))
    intended = [event for event in bench.journal.events() if event.kind == "step.intended"]
    assert ["command" in event.data for event in intended] == [False]
