"""Rounds of triage: whatever ends one, nothing of it waits on."""

from __future__ import annotations

import threading

import pytest

from maestro_cli.core.clock import SystemClock
from maestro_cli.incidents.triage.rounds import Patience, Round

PATIENCE_SECONDS = 30.0


def threads() -> set[threading.Thread]:
    return {one for one in threading.enumerate() if one.name.startswith("triage-")}


def ended(before: set[threading.Thread]) -> bool:
    """Whether every thread that began since has ended, for which each is waited for."""
    begun = threads() - before
    for one in begun:
        one.join(PATIENCE_SECONDS)
    return not any(one.is_alive() for one in begun)


def give_up() -> None:
    with Round(2, SystemClock(), Patience(PATIENCE_SECONDS, "late")) as turn:
        turn.add("a", lambda: 1)
        turn.add("b", lambda: 2)
        raise ZeroDivisionError("a question that could not be put")


def test_a_round_that_was_given_up_leaves_no_thread() -> None:
    before = threads()
    with pytest.raises(ZeroDivisionError):
        give_up()
    assert ended(before)


def test_a_round_that_ended_leaves_no_thread_either_though_one_is_late() -> None:
    before, answer = threads(), threading.Event()
    with Round(2, SystemClock(), Patience(0.01, "no answer")) as turn:
        turn.add("slow", lambda: answer.wait(PATIENCE_SECONDS))
        found = turn.finish()
    assert found["slow"].error == "no answer"
    answer.set()
    assert ended(before)
