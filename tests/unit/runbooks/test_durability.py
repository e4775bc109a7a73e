"""What of a run is in the journal when; losing the rest must be harmless."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime

import pytest

from maestro_cli.core.facts.metrics import Instant
from maestro_cli.core.redaction import Redactor
from maestro_cli.journal.model import Event
from maestro_cli.runbooks.model import Question, RunStatus, State
from maestro_cli.runbooks.runner import RunbookRunner
from tests.unit.runbooks.bench import Answers, Bench

TOLD = """
import sqlite3
rows = sqlite3.connect("journal.db").execute("SELECT kind || ':' || json_extract(data, '$.step') FROM events")
open("told", "w").write(" ".join(row[0] for row in rows if row[0]))
"""


class Looking(Answers):
    """Answers that are not as expected; `then` is called at the first look."""

    def __init__(self, then: Callable[[], None]) -> None:
        super().__init__((0.0,))
        self._then = then

    def query(self, promql: str, *, at: datetime | None = None) -> Instant:
        if not self.queries:
            self._then()
        return super().query(promql, at=at)


def fence(marks: str, body: str = "true", language: str = "sh") -> str:
    return f"```{language} {{{marks}}}\n{body}\n```\n\n"


@pytest.mark.parametrize("marks", ["id=act mutates", "id=act"])
def test_all_that_went_before_is_durable_when_a_step_starts_that_may_act(bench: Bench, marks: str) -> None:
    looks = fence("id=look expect='> 0'", "up", "promql") + fence("id=also", "true")
    assert bench.run(looks + fence(marks, TOLD, "python")).ok
    assert bench.lines("told") == [
        "step.intended:look",
        "step.finished:look",
        "step.intended:also",
        "step.finished:also",
        "step.intended:act",
    ]


def test_all_that_went_before_is_durable_when_a_person_is_asked(bench: Bench) -> None:
    text = fence("id=look expect='> 0'", "up", "promql") + fence("id=act mutates approve")
    seen: list[str] = []

    def looks(question: Question) -> None:
        seen.extend(bench.kinds())

    bench.runner().start(bench.write(text), {}, confirm=looks)
    assert seen == ["run.started", "step.intended:look", "step.finished:look"]


def test_a_step_that_looks_for_long_is_seen_by_others_while_it_does(bench: Bench) -> None:
    class Slow(Answers):
        def query(self, promql: str, *, at: datetime | None = None) -> Instant:
            patience = threading.Event()
            while "step.intended:look" not in bench.kinds():
                patience.wait(0.02)
            return super().query(promql, at=at)

    bench.answers = Slow((1.0,))
    result = bench.run(fence("id=look expect='> 0'", "up", "promql"))
    assert [(step.path, step.state) for step in result.run.steps] == [("look", State.OK)]
    assert result.run.steps[0].intended_at < result.run.steps[0].finished_at


def test_the_lease_is_kept_when_who_hears_of_events_is_gone(bench: Bench) -> None:
    gone = threading.Event()

    def told(event: Event) -> None:
        if threading.current_thread().name == "run-lease":
            gone.set()
            raise BrokenPipeError

    def cancels() -> None:
        assert gone.wait(120)
        (run,) = runner.history.list()
        bench.control().cancel(run.id)

    bench.answers = Looking(cancels)
    runner = RunbookRunner(
        bench.journal, metrics=bench.answers, changes=bench.changes, systems=bench.systems,
        clock=bench.journal.clock, actor="tester", redactor=Redactor(), told=told,
    )  # fmt: skip
    book = bench.write(fence("id=look expect='> 0' within=10m", "up", "promql"))
    assert runner.start(book, {}).status is RunStatus.CANCELLED
