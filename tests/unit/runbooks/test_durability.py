"""What of a run is in the journal when; losing the rest must be harmless."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime

import pytest

from maestro_cli.core.errors import Busy, ExitCode
from maestro_cli.core.facts.metrics import Instant
from maestro_cli.core.redaction import Redactor
from maestro_cli.journal.model import Event, Lease
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
        if threading.current_thread().name == "run-events":
            gone.set()
            raise BrokenPipeError

    def cancels() -> None:
        assert gone.wait(120)
        (run,) = runner.history.list()
        bench.control().cancel(run.id)

    bench.answers = Looking(cancels)
    runner = _telling(bench, told)
    book = bench.write(fence("id=look expect='> 0' within=10m", "up", "promql"))
    assert runner.start(book, {}).status is RunStatus.CANCELLED


def _ends(bench: Bench, name: str) -> str:
    lease = bench.journal.lease(name)
    return lease.until if lease is not None else ""


def _comes(holds: Callable[[], bool]) -> bool:
    patience = threading.Event()
    for _ in range(3000):
        if holds():
            return True
        patience.wait(0.02)
    return False


def _telling(bench: Bench, told: Callable[[Event], None]) -> RunbookRunner:
    return RunbookRunner(
        bench.journal, metrics=bench.answers, changes=bench.changes, systems=bench.systems,
        clock=bench.journal.clock, actor="tester", redactor=Redactor(), told=told,
    )  # fmt: skip


def test_who_hears_of_events_holds_up_no_lease_and_hears_them_in_order(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("maestro_cli.runbooks.session.RENEW_SECONDS", 0.5)
    heard: list[int] = []
    renewed: list[bool] = []

    def told(event: Event) -> None:
        if not heard:
            first = _ends(bench, event.subject)
            renewed.append(_comes(lambda: _ends(bench, event.subject) > first))
        heard.append(event.seq)

    text = "".join(fence(f"id={name} parallel mutates") for name in "abcd")
    result = _telling(bench, told).start(bench.write(text), {})
    assert (result.ok, renewed) == (True, [True])
    assert heard == [event.seq for event in bench.journal.events(subject=f"run/{result.id}")]


def test_a_step_records_its_end_while_who_hears_of_events_does_not_listen(bench: Bench) -> None:
    recorded: list[bool] = []

    def told(event: Event) -> None:
        if event.data.get("step") == "a" and event.kind == "step.finished":
            (bench.folder / "go").touch()
            recorded.append(_comes(lambda: "step.finished:b" in bench.kinds()))

    text = fence("id=a parallel mutates") + fence(
        "id=b parallel mutates", "while ! test -e go; do sleep 0.02; done"
    )
    assert _telling(bench, told).start(bench.write(text), {}).ok
    assert recorded == [True]


def test_the_lease_is_kept_when_the_journal_was_busy_once(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("maestro_cli.runbooks.session.RENEW_SECONDS", 0.5)
    renew, tries, renewed = bench.journal.renew_lease, list[Lease](), threading.Event()

    def busy_once(lease: Lease, seconds: float) -> Lease:
        tries.append(lease)
        if len(tries) == 1:
            raise Busy("the journal is busy")
        kept = renew(lease, seconds)
        renewed.set()
        return kept

    monkeypatch.setattr(bench.journal, "renew_lease", busy_once)
    waited: list[bool] = []
    bench.answers = Looking(lambda: waited.append(renewed.wait(60)))
    bench.run(fence("id=look capture=GOT", "up", "promql"))
    assert waited == [True]


def test_work_ends_once_the_run_is_lost(bench: Bench) -> None:
    """The step would end well by itself, long after somebody else has the run."""

    def take() -> None:
        started, patience = bench.folder / "started", threading.Event()
        for _ in range(6000):
            if started.exists():
                break
            patience.wait(0.02)
        (run,) = bench.runner().history.list()
        lease = bench.journal.lease(f"run/{run.id}")
        assert lease is not None
        bench.journal.release_lease(lease)
        bench.journal.acquire_lease(lease.name, "another", 600.0)

    thief = threading.Thread(target=take)
    thief.start()
    result = bench.run(fence("id=long", "touch started; sleep 45; touch ended"))
    thief.join()
    assert (result.status, result.exit_code) == (RunStatus.INTERRUPTED, ExitCode.BUSY)
    assert not (bench.folder / "ended").exists()
