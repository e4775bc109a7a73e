"""What a console that opens says of runs that nobody works on."""

from __future__ import annotations

import asyncio
from datetime import datetime
from types import SimpleNamespace
from typing import Any

import pytest

from maestro_cli.core.errors import InvalidFile
from maestro_cli.runbooks.model import RunStatus
from maestro_cli.tui.app import ConsoleApp
from maestro_cli.tui.keys.keymap import Keymap
from maestro_cli.tui.left_over import left_over_words
from maestro_cli.tui.screens.model import Place
from tests.tui.cases import NOW, StillConsole, screen_text, until


def console(*states: RunStatus) -> StillConsole:
    runs = [
        SimpleNamespace(id=f"run-{place}", runbook="mend", status=state) for place, state in enumerate(states)
    ]
    services: Any = SimpleNamespace(
        run_history=SimpleNamespace(list=lambda limit: runs), abandoned_changes=lambda: ()
    )
    return StillConsole(services)


@pytest.mark.parametrize(
    ("states", "words"),
    [
        ((), ""),
        ((RunStatus.SUCCEEDED, RunStatus.RUNNING), ""),
        (
            (RunStatus.WAITING, RunStatus.INTERRUPTED),
            "prod: run-1 of mend is interrupted, and 1 more: 8 lists them, e goes on with one",
        ),
    ],
    ids=["none", "over-or-at-work", "the-most-urgent-first"],
)
def test_the_most_urgent_run_that_nobody_works_on_is_named(states: tuple[RunStatus, ...], words: str) -> None:
    assert left_over_words(console(*states), Keymap()) == words


@pytest.mark.parametrize(
    ("chosen", "words"),
    [
        (Keymap({"console.favourite-8": "f8,8", "runs.go-on": "ctrl+g"}), "f8 lists them, ctrl+g goes on"),
        (Keymap({}, {"8": "nodes"}), ":runs lists them, e goes on"),
    ],
    ids=["other-keys", "a-favourite-on-the-digit"],
)
def test_the_keys_that_are_named_are_those_that_were_chosen(chosen: Keymap, words: str) -> None:
    assert words in left_over_words(console(RunStatus.WAITING), chosen)


@pytest.mark.parametrize(
    ("applied_at", "stands"),
    [(None, "may have been applied"), (NOW, "is not verified")],
    ids=["sent", "applied"],
)
def test_an_interrupted_change_comes_first_and_is_looked_at_before_all_else(
    applied_at: datetime | None, stands: str
) -> None:
    one = console(RunStatus.INTERRUPTED)
    change = SimpleNamespace(kind="rollback", ref="ml/deploy/fraud", applied_at=applied_at)
    one.reading("prod").abandoned_changes = lambda: (change,)
    assert left_over_words(one, Keymap({"table.open": "ctrl+o"})) == (
        f"prod: rollback of ml/deploy/fraud was interrupted and {stands}, and 1 more:"
        " 5 lists it, ctrl+o shows it, x Carry out probes first"
    )


def test_a_journal_that_cannot_be_read_leaves_nothing_to_say() -> None:
    def unreadable(limit: int) -> list[Any]:
        raise InvalidFile("the journal cannot be read", file="journal.sqlite")

    services: Any = SimpleNamespace(
        run_history=SimpleNamespace(list=unreadable), abandoned_changes=lambda: ()
    )
    assert left_over_words(StillConsole(services), Keymap()) == ""


def test_it_is_said_by_itself_on_the_first_screen() -> None:
    one = console(RunStatus.INTERRUPTED)

    async def run() -> None:
        app = ConsoleApp(one, Place("pods"))
        app.greeting = lambda: left_over_words(one, app.chosen_keys)
        async with app.run_test(size=(120, 40)) as pilot:
            await until(pilot, lambda: "run-0 of mend is interrupted" in screen_text(app), "the words")

    asyncio.run(run())
