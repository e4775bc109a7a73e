"""What a run says while it works, what it asks the person at the console, and values as they are written."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from maestro_cli.core.clock import SystemClock
from maestro_cli.core.errors import Busy
from maestro_cli.runbooks.model import Answer, Question
from maestro_cli.runbooks.substitution import for_reading
from maestro_cli.tui.acting.asking import DialogAsker
from maestro_cli.tui.acting.model import Target
from maestro_cli.tui.acting.person import ConsolePerson
from maestro_cli.tui.screens.incident_runs import (
    Live,
    LiveRun,
    pairs_of,
)
from maestro_cli.tui.screens.runs import export


def test_what_a_step_prints_stands_once_however_often_it_is_told() -> None:
    told = list[LiveRun]()
    live = Live(SystemClock(), told.append)
    live.phase("print", "begins")
    for text in ("1", "1\n2", "2\n3"):
        live.update(text)
    assert list(told[-1].printed) == ["print: begins", "2", "3"]
    live.note("done")
    assert list(told[-1].printed) == ["print: begins", "2", "3", "done"]


class Shows:
    """Stands for the dialogs: each is answered with the same."""

    def __init__(self, answer: object | None) -> None:
        self._answer = answer

    def ask(self, about: str, make: Any) -> object | None:
        return self._answer


@pytest.mark.parametrize("answer", [True, "b", None], ids=["yes", "choice", "none"])
def test_the_person_at_the_console_answers_what_the_dialog_does(answer: Answer | None) -> None:
    person = ConsolePerson(cast(DialogAsker, Shows(answer)), "prod")
    question = Question("run-1", "a", "ask", "A", "which", "d", ("a", "b"))
    assert person.ask_question(question, lambda: False) == answer
    assert person.ask_question(question, lambda: True) is None
    assert person.confirm("sure?") is (answer is not None)


@pytest.mark.parametrize(
    ("body", "values", "text"),
    [("a $X ${Y}", {"X": "1", "Y": "2"}, "a 1 2"), ("$XY $X $$ ${Z}", {"X": "1", "XY": "3"}, "3 1 $$ ${Z}")],
    ids=["both forms", "the longer name first"],
)
def test_values_are_put_into_the_text_that_is_shown(body: str, values: Mapping[str, str], text: str) -> None:
    assert for_reading(body, values) == text


def test_values_are_read_as_a_shell_would() -> None:
    assert pairs_of("A=1 'B=two words'") == ("A=1", "B=two words")


def test_a_run_that_cannot_be_exported_now_leaves_no_empty_file(tmp_path: Path) -> None:
    def export_run(run_id: str) -> str:
        raise Busy("the journal is in use")

    target, path = Target("prod", "Run", "run-1", "run-1"), tmp_path / "run-1.md"
    with pytest.raises(Busy):
        export(cast(Any, SimpleNamespace(export_run=export_run)), target, {"path": str(path)})
    assert not path.exists()
    export(cast(Any, SimpleNamespace(export_run=lambda run_id: "# a")), target, {"path": str(path)})
    assert path.read_text() == "# a"
