"""Runs of playbooks: the runbooks one after the other, what follows a failure, and who is told.

Invariant: it is recorded that a playbook begins before anything of it is done; the same occasion begins it
once, whoever else is at it; going on with it does nothing twice, since each of its runs has a key of its own.
Telling somebody never decides what becomes of a run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from maestro_cli.core.cancellation import Cancellation
from maestro_cli.core.clock import Clock
from maestro_cli.core.crashpoints import crash_point
from maestro_cli.core.errors import Busy, ExitCode, Interrupted, MaestroError
from maestro_cli.core.ids import new_id
from maestro_cli.core.progress import Progress
from maestro_cli.journal.messages import Message
from maestro_cli.journal.store import Journal
from maestro_cli.runbooks.catalog import RunbookCatalog
from maestro_cli.runbooks.fences import REQUEST_SECONDS
from maestro_cli.runbooks.model import Confirm, Runbook, RunResult, RunStatus
from maestro_cli.runbooks.parameters import resolve_parameters
from maestro_cli.runbooks.playbooks.inline import put_down
from maestro_cli.runbooks.playbooks.model import Playbook, PlaybookStep
from maestro_cli.runbooks.playbooks.spec import Moment
from maestro_cli.runbooks.playbooks.template import Facts
from maestro_cli.runbooks.plays import PlayRecord, PlayStatus, get_play, play_of_key, unfinished_plays
from maestro_cli.runbooks.ports import OutboxPort
from maestro_cli.runbooks.runner import PlaybookLimit, RunbookRunner
from maestro_cli.runbooks.steps.notify import lasting, spelled

Trigger = Literal["alert", "incident", "schedule", "manual"]
Values = Callable[[Runbook, PlaybookStep], Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Occasion:
    """What starts a playbook, once: `key` names it for ever, `words` say what it is."""

    key: str
    trigger: Trigger
    words: str
    incident: str = ""
    facts: Facts = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class At:
    """How runs of one playbook are done: who sees them, who stops them, who is asked."""

    progress: Progress
    cancellation: Cancellation
    confirm: Confirm


class PlaybookRunner:
    """Begins and carries out playbooks in the name of one actor."""

    def __init__(
        self,
        journal: Journal,
        runbooks: RunbookCatalog,
        runner: RunbookRunner,
        outbox: OutboxPort | None,
        clock: Clock,
        actor: str,
    ) -> None:
        """Without an outbox nobody is told anything."""
        self._journal, self._runbooks, self._runner = journal, runbooks, runner
        self._outbox, self._clock, self._actor = outbox, clock, actor

    def begin(
        self, playbook: Playbook, occasion: Occasion, status: PlayStatus = PlayStatus.BEGUN, reason: str = ""
    ) -> tuple[PlayRecord, bool]:
        """The run for this occasion, and whether it was this call that began it."""
        crash_point("playbook.before:begun")
        with self._journal.transaction() as transaction:
            known = play_of_key(transaction, occasion.key)
            if known is not None:
                return known, False
            play_id = new_id("pb", self._clock.now())
            data = {
                "key": occasion.key,
                "playbook": playbook.id,
                "digest": playbook.digest,
                "trigger": occasion.trigger,
                "words": occasion.words,
                "mode": playbook.mode,
                "incident": occasion.incident,
                "facts": occasion.facts,
                "annotations": occasion.annotations,
                "status": status,
                "reason": reason,
            }
            transaction.append("playbook.begun", f"playbook/{play_id}", self._actor, data)
            record = get_play(transaction, play_id)
        crash_point("playbook.after:begun")
        return record, True

    def suggest(self, playbook: Playbook, occasion: Occasion, at: At) -> bool:
        """Record an occasion on which nothing is run, and tell people; False when that was done already."""
        status = PlayStatus.OBSERVED if playbook.mode == "observe" else PlayStatus.SUGGESTED
        record, is_new = self.begin(playbook, occasion, status, playbook.why_not_auto)
        if is_new and status is PlayStatus.SUGGESTED:
            self._tell(playbook, record, "suggested", playbook.why_not_auto, at)
        return is_new

    def carry_out(
        self, playbook: Playbook, record: PlayRecord, at: At, values: Values | None = None
    ) -> tuple[RunResult, ...]:
        """Run what is left of a playbook that has begun, until it ends or a person is needed.

        The results of its runbooks, the last of which may not be well. Raises what a run that cannot start
        raises, after it is recorded; Busy and Interrupted leave it as it is, to be gone on with.
        """
        self._tell(playbook, record, "begun", "", at)
        results: list[RunResult] = []
        try:
            for result in self._results(playbook, record, at, values or self._values(record)):
                results.append(result)
        except (Busy, Interrupted):
            raise
        except MaestroError as error:
            reason = f"{error.what}: {error.why}" if error.why else error.what
            self._fail(playbook, record, reason, error.exit_code, at)
            raise
        last = results[-1]
        if last.ok:
            self._came_to(record, PlayStatus.SUCCEEDED, "", ExitCode.OK)
            self._tell(playbook, record, "succeeded", "", at)
        elif last.status.final:
            reason = f"run {last.id} of {last.run.runbook} {last.status.value}: {last.reason}"
            self._fail(playbook, record, reason, last.exit_code, at)
        elif last.status is not RunStatus.INTERRUPTED:
            at.cancellation.raise_if_set()
            wanted = f" for {last.run.waiting_for}" if last.run.waiting_for else ""
            reason = f"run {last.id} of {last.run.runbook} is {last.status.value}{wanted}"
            self._came_to(record, PlayStatus.WAITING, reason, last.exit_code)
            self._tell(playbook, record, "waiting", reason, at)
        return tuple(results)

    def _results(self, playbook: Playbook, record: PlayRecord, at: At, values: Values) -> Iterator[RunResult]:
        """The result of each step in turn; none comes after one that is not well."""
        for number, step in enumerate(playbook.steps, start=1):
            result = self._start(playbook, record, step, f"{record.key}/{number}", at, values)
            yield result
            if not result.ok:
                return

    def _start(
        self,
        playbook: Playbook,
        record: PlayRecord,
        step: PlaybookStep,
        key: str,
        at: At,
        values: Values,
    ) -> RunResult:
        book = put_down(step.inline) if step.inline is not None else self._runbooks.get(step.runbook)
        at.progress.phase("runbook", f"{book.id}, by playbook {playbook.id}")
        return self._runner.start(
            book,
            values(book, step),
            incident=record.incident or None,
            key=key,
            limit=PlaybookLimit(playbook.id, playbook.max_runs_per_hour * len(playbook.steps)),
            progress=at.progress,
            cancellation=at.cancellation,
            confirm=at.confirm,
        )

    def _values(self, record: PlayRecord) -> Values:
        """The step's own values, then the labels and annotations of the occasion."""
        labels = record.facts.get("labels", {})

        def values(book: Runbook, step: PlaybookStep) -> Mapping[str, str]:
            given = step.parameters(labels, record.facts)
            return resolve_parameters(book, given=given, labels=labels, annotations=record.annotations)

        return values

    def _fail(self, playbook: Playbook, record: PlayRecord, reason: str, code: ExitCode, at: At) -> None:
        """Do what follows a failure, then record and tell it."""
        follows = playbook.on_failure
        if follows.step is not None:
            try:
                key = f"{record.key}/on-failure"
                result = self._start(playbook, record, follows.step, key, at, self._values(record))
                reason += f"; then run {result.id} of {follows.step.runbook} {result.status.value}"
            except (Busy, Interrupted):
                raise
            except MaestroError as error:
                reason += f"; {follows.step.runbook} could not follow: {error.what}"
        self._came_to(record, PlayStatus.FAILED, reason, code)
        if follows.page:
            self._send(playbook, record, follows.page, "page", "failed", reason, at)
        self._tell(playbook, record, "failed", reason, at)

    def _came_to(self, record: PlayRecord, status: PlayStatus, reason: str, code: ExitCode) -> None:
        with self._journal.transaction() as transaction:
            now = get_play(transaction, record.id)
            if (now.status, now.reason) != (status, reason):
                data = {
                    "status": status, "reason": reason, "exit_code": int(code), "incident": record.incident,
                    "playbook": record.playbook,
                }  # fmt: skip
                transaction.append("playbook.came_to", f"playbook/{record.id}", self._actor, data)

    def give_up(self, record: PlayRecord, reason: str) -> None:
        """Record that a run of a playbook will not be gone on with."""
        self._came_to(record, PlayStatus.FAILED, reason, ExitCode.GATE_NOT_MET)

    def see_off(self, incident: str, reason: str) -> None:
        """Record that what the alerts of an incident began was seen through, and nothing more is needed."""
        for record in unfinished_plays(self._journal, ("alert",)):
            if record.incident == incident:
                self._came_to(record, PlayStatus.SUCCEEDED, reason, ExitCode.OK)

    # Telling people

    def _tell(self, playbook: Playbook, record: PlayRecord, moment: Moment, reason: str, at: At) -> None:
        for number, one in enumerate(playbook.notifications, start=1):
            if moment in one.on:
                self._send(playbook, record, one.to, f"notice/{moment}/{number}", moment, reason, at)

    def _send(
        self, playbook: Playbook, record: PlayRecord, to: str, key: str, moment: str, reason: str, at: At
    ) -> None:
        """Put a message into the outbox, once under its key; that it could not be is noted."""
        title = playbook.title_for(record.facts.get("labels", {}), record.facts)
        words = f"Playbook {playbook.id} {moment}: {title}" + (f". {reason}" if reason else "")
        content = {
            "text": spelled("text", words),
            "playbook": playbook.id,
            "run": record.id,
            "moment": moment,
        }
        message = Message(
            key=f"{record.id}/{key}",
            channel=lasting(to),
            content={**content, "incident": record.incident},
            incident=record.incident,
            timeout_seconds=REQUEST_SECONDS,
        )
        try:
            if self._outbox is not None:
                self._outbox.post(message)
        except Interrupted:
            raise
        except MaestroError as error:
            at.progress.note(f"nobody was told that {playbook.id} {moment}: {error.what}")
