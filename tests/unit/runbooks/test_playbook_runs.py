"""A playbook carried out: each runbook once, what follows a failure, and who is told."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from maestro_cli.core.cancellation import Cancellation
from maestro_cli.core.errors import Busy, ExitCode, NotFound, PolicyRefused, StalePlan, UsageError
from maestro_cli.core.progress import Quiet
from maestro_cli.journal.messages import Message
from maestro_cli.journal.store import Transaction
from maestro_cli.runbooks.catalog import RunbookCatalog
from maestro_cli.runbooks.history import runs_by_key
from maestro_cli.runbooks.model import nobody
from maestro_cli.runbooks.playbooks.model import Notification, OnFailure, Playbook, PlaybookStep
from maestro_cli.runbooks.playbooks.reader import read_playbook
from maestro_cli.runbooks.playbooks.running import At, Occasion, PlaybookRunner
from maestro_cli.runbooks.plays import PlayRecord, PlayStatus, get_play, list_plays, unfinished_plays
from tests.unit.runbooks.bench import Bench

BOOK = "---\nmaestro: runbook/v1\nparams: {WORD: {from: label.word, pattern: '[a-z]+'}}\n---\n"
OCCASION = Occasion(
    "tick/1", "schedule", "the first tick", facts={"labels": {"word": "hello"}}, annotations={"a": "b"}
)


class Outbox:
    def __init__(self) -> None:
        self.messages: list[Message] = []

    def post(self, message: Message, *, now: bool = False) -> Any:
        self.messages.append(message)

    def put(self, transaction: Transaction, message: Message) -> Any: ...


class Killed(BaseException):
    """The process ends here."""


class Stage:
    """A bench with runbooks, and what playbooks of them do."""

    def __init__(self, bench: Bench) -> None:
        self.bench, self.outbox = bench, Outbox()
        self.at = At(Quiet(), Cancellation(), nobody)

    def book(self, name: str, body: str, attributes: str = "") -> None:
        text = f"{BOOK}```sh {{id=a {attributes}}}\n{body}\n```\n"
        (self.bench.folder / f"{name}.md").write_text(text)

    def runner(self) -> PlaybookRunner:
        bench = self.bench
        runbooks = RunbookCatalog([bench.folder])
        return PlaybookRunner(
            bench.journal, runbooks, bench.runner(), self.outbox, bench.journal.clock, "ana"
        )

    def run(self, playbook: Playbook, occasion: Occasion = OCCASION) -> PlayRecord:
        runner = self.runner()
        record, _ = runner.begin(playbook, occasion)
        runner.carry_out(playbook, record, self.at)
        return get_play(self.bench.journal, record.id)

    @property
    def told(self) -> list[tuple[str, str]]:
        return [(one.channel, one.content["moment"]) for one in self.outbox.messages]


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    bench = Bench(tmp_path)
    yield Stage(bench)
    bench.close()


def playbook(*names: str, **more: Any) -> Playbook:
    steps = tuple(PlaybookStep(name, {}) for name in names)
    return Playbook("play", steps, mode="auto", max_runs_per_hour=1, **more)


TELL_ALL = Notification("env:CHAT", ("suggested", "begun", "waiting", "succeeded", "failed"))


def test_an_occasion_is_begun_once_and_each_runbook_run_once(stage: Stage) -> None:
    stage.book("one", 'echo "$WORD" >> said')
    stage.book("two", "echo two >> said")
    play = playbook("one", "two", notifications=(TELL_ALL,))
    runner = stage.runner()
    first, second = runner.begin(play, OCCASION), stage.runner().begin(play, OCCASION)
    assert (first[1], second[1], first[0]) == (True, False, second[0])
    for _ in range(3):
        record = stage.run(play)
    assert (record.status, record.exit_code, record.words) == (PlayStatus.SUCCEEDED, 0, "the first tick")
    assert (stage.bench.folder / "said").read_text() == "hello\ntwo\n"
    assert [run.runbook for run in runs_by_key(stage.bench.journal, "tick/1/")] == ["one", "two"]
    assert len(list_plays(stage.bench.journal)) == 1
    assert len({one.key for one in stage.outbox.messages}) == 2, (
        "each message has one key, however often it is sent"
    )


def test_after_a_failure_nothing_more_is_run_but_what_is_to_follow(stage: Stage) -> None:
    stage.book("bad", "exit 3")
    stage.book("never", "touch never")
    stage.book("mend", 'echo "$WORD" >> mended')
    play = playbook(
        "bad", "never", notifications=(TELL_ALL,), on_failure=OnFailure(PlaybookStep("mend", {}), "env:PAGER")
    )
    record = stage.run(play)
    assert (record.status, record.exit_code) == (PlayStatus.FAILED, ExitCode.ACTION_FAILED)
    assert "of bad failed" in record.reason
    assert "of mend succeeded" in record.reason
    assert (stage.bench.folder / "mended").read_text() == "hello\n"
    assert not (stage.bench.folder / "never").exists()
    assert stage.told == [("env:CHAT", "begun"), ("env:PAGER", "failed"), ("env:CHAT", "failed")]
    assert "failed: play" in stage.outbox.messages[-1].content["text"]
    stage.run(play)
    assert (stage.bench.folder / "mended").read_text() == "hello\n"


def test_a_run_that_cannot_start_is_a_failure_with_its_reason(stage: Stage) -> None:
    stage.book("one", "true")
    with pytest.raises(NotFound):
        stage.run(playbook("gone"))
    with pytest.raises(UsageError):
        stage.run(playbook("one"), replace(OCCASION, key="tick/2", facts={"labels": {"word": "$(x)"}}))
    reasons = {one.key: (one.status, one.reason) for one in list_plays(stage.bench.journal)}
    assert reasons["tick/1"][0] is reasons["tick/2"][0] is PlayStatus.FAILED
    assert "no runbook 'gone'" in reasons["tick/1"][1]
    assert "cannot be '$(x)'" in reasons["tick/2"][1]


def test_the_limit_is_of_runs_of_the_playbook_not_of_its_runbooks(stage: Stage) -> None:
    stage.book("one", "true")
    play = playbook("one", "one")
    assert stage.run(play).status is PlayStatus.SUCCEEDED
    with pytest.raises(PolicyRefused):
        stage.run(play, replace(OCCASION, key="tick/2"))
    assert (
        stage.run(replace(play, id="other"), replace(OCCASION, key="tick/3")).status is PlayStatus.SUCCEEDED
    )


def test_one_that_failed_at_its_first_step_counts_once_and_its_mending_not_at_all(stage: Stage) -> None:
    stage.book("bad", "exit 3")
    stage.book("mend", "echo mended >> mended")
    play = playbook("bad", "bad", "bad", on_failure=OnFailure(PlaybookStep("mend", {})))
    assert "of mend succeeded" in stage.run(play).reason
    with pytest.raises(PolicyRefused, match="as often as it may"):
        stage.run(play, replace(OCCASION, key="tick/2"))
    assert [run.runbook for run in runs_by_key(stage.bench.journal, "tick/")] == ["bad", "mend"]


def test_what_waits_for_a_person_is_gone_on_with(stage: Stage) -> None:
    stage.book("ask", "echo asked >> said", "approve")
    stage.book("then", "echo then >> said")
    play = playbook("ask", "then", notifications=(TELL_ALL,))
    record = stage.run(play)
    assert (record.status, record.exit_code) == (PlayStatus.WAITING, 17)
    assert [one.id for one in unfinished_plays(stage.bench.journal, ("schedule",))] == [record.id]
    stage.at = At(Quiet(), Cancellation(), lambda question: True)
    assert stage.run(play).status is PlayStatus.SUCCEEDED
    assert (stage.bench.folder / "said").read_text() == "asked\nthen\n"
    assert [moment for _, moment in stage.told] == ["begun", "waiting", "begun", "succeeded"]


def test_what_may_not_run_by_itself_is_recorded_and_told_once(stage: Stage) -> None:
    stage.book("one", "touch never")
    held = replace(
        playbook("one", notifications=(TELL_ALL,)), mode="suggest", held_back="it has no rehearsal"
    )
    runner = stage.runner()
    assert [runner.suggest(held, OCCASION, stage.at) for _ in range(2)] == [True, False]
    watched = replace(held, mode="observe", held_back="")
    assert runner.suggest(watched, replace(OCCASION, key="tick/2"), stage.at)
    records = {one.key: one for one in list_plays(stage.bench.journal)}
    assert (records["tick/1"].status, records["tick/2"].status) == (PlayStatus.SUGGESTED, PlayStatus.OBSERVED)
    assert "it has no rehearsal" in records["tick/1"].reason
    assert stage.told == [("env:CHAT", "suggested")]
    assert not (stage.bench.folder / "never").exists()


def test_a_step_that_is_written_inline_is_a_run_that_is_resumed_like_any_other(
    stage: Stage, tmp_path: Path
) -> None:
    (tmp_path / "p.yaml").write_text(
        "maestro: playbook/v1\nid: p\ntrigger: {manual: {}}\n"
        'steps:\n- inline: [{id: say, kind: sh, approve: true, body: \'echo "$WORD" > "$FOLDER/said"\'}]\n'
        "  params: {WORD: {from: label.word}, FOLDER: {pattern: '/.*'}}\n"
        f"  with: {{FOLDER: '{tmp_path}'}}\n"
    )
    play = read_playbook(tmp_path / "p.yaml")
    assert stage.run(play).status is PlayStatus.WAITING
    (run,) = runs_by_key(stage.bench.journal, "tick/1/")
    assert run.digest == play.steps[0].inline.digest  # type: ignore[union-attr]
    assert stage.bench.runner().resume(run.id, confirm=lambda question: True, lifted=True).ok
    assert stage.run(play).status is PlayStatus.SUCCEEDED
    assert (tmp_path / "said").read_text() == "hello\n"


@pytest.mark.parametrize(
    ("body", "mode", "place", "messages"),
    [
        ("true", "auto", "playbook.after:came_to", ["notice/begun/1", "notice/succeeded/1"]),
        ("exit 3", "auto", "playbook.after:came_to", ["notice/begun/1", "page", "notice/failed/1"]),
        ("exit 3", "auto", "playbook.after:paged", ["notice/begun/1", "page"]),
        ("true", "suggest", "playbook.after:suggested", ["notice/suggested/1"]),
    ],
)
def test_a_kill_after_what_is_told_was_recorded_loses_no_message(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, body: str, mode: Any, place: str, messages: list[str]
) -> None:
    def kill(here: str) -> None:
        if here == place:
            raise Killed

    monkeypatch.setattr("maestro_cli.runbooks.playbooks.running.crash_point", kill)
    stage.book("one", body)
    tell = Notification("env:CHAT", TELL_ALL.on)
    play = replace(playbook("one", notifications=(tell,), on_failure=OnFailure(page="env:PAGER")), mode=mode)
    stage.outbox = stage.bench.systems.outbox  # type: ignore[assignment]
    with pytest.raises(Killed):
        stage.run(play) if mode == "auto" else stage.runner().suggest(play, OCCASION, stage.at)
    (record,) = list_plays(stage.bench.journal)
    kept = stage.bench.systems.outbox.messages(ended=True)[::-1]
    assert [one.key.removeprefix(f"{record.id}/") for one in kept] == messages
    assert record.status.final is (place != "playbook.after:paged")


def test_who_is_on_call_is_paged_before_what_follows_a_failure_can_be_run(stage: Stage) -> None:
    stage.book("bad", "exit 3")
    stage.book("mend", "touch mended", "lock=held")
    play = playbook("bad", on_failure=OnFailure(PlaybookStep("mend", {}), "env:PAGER"))
    journal = stage.bench.journal
    lease = journal.acquire_lease("lock/held", "another run", 600)
    with pytest.raises(Busy):
        stage.run(play)
    assert stage.told == [("env:PAGER", "failed")]
    assert [one.status for one in list_plays(journal)] == [PlayStatus.BEGUN]
    journal.release_lease(lease)
    assert stage.run(play).status is PlayStatus.FAILED
    assert (stage.bench.folder / "mended").exists()


def test_a_changed_playbook_takes_no_step_for_one_that_was_run(stage: Stage) -> None:
    stage.book("scale", "echo scale >> said")
    stage.book("back", "echo back >> said", "approve")
    stage.book("drain", "echo drain >> said")
    assert stage.run(replace(playbook("scale", "back"), digest="a")).status is PlayStatus.WAITING
    stage.at = At(Quiet(), Cancellation(), lambda question: True)
    with pytest.raises(StalePlan, match="changed since run") as refused:
        stage.run(replace(playbook("drain", "scale", "back"), digest="b"))
    assert refused.value.exit_code is ExitCode.GATE_NOT_MET
    assert (stage.bench.folder / "said").read_text() == "scale\n"
    assert stage.run(replace(playbook("scale", "back"), digest="a")).status is PlayStatus.SUCCEEDED
    assert (stage.bench.folder / "said").read_text() == "scale\nback\n"


def test_a_playbook_that_changed_before_anything_was_run_begins_with_its_new_file(stage: Stage) -> None:
    stage.book("ask", "echo asked >> said", "approve")
    stage.runner().begin(replace(playbook("gone"), digest="a"), OCCASION)
    changed = replace(playbook("ask"), digest="b")
    assert stage.run(changed).status is PlayStatus.WAITING
    stage.at = At(Quiet(), Cancellation(), lambda question: True)
    assert stage.run(changed).status is PlayStatus.SUCCEEDED


def test_what_was_given_up_is_told_to_whom_its_file_names(stage: Stage) -> None:
    play = playbook("one", notifications=(TELL_ALL,), on_failure=OnFailure(page="env:PAGER"))
    runner = stage.runner()
    record, _ = runner.begin(play, OCCASION)
    runner.give_up(record, "its file is another one", stage.at, play)
    assert stage.told == [("env:PAGER", "failed"), ("env:CHAT", "failed")]
    assert get_play(stage.bench.journal, record.id).status is PlayStatus.FAILED
