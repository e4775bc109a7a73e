"""Runs of playbooks: the runbooks one after the other, what follows a failure, and who is told.

Invariant: it is recorded that a playbook begins before anything of it is done; the same occasion begins it
once, whoever else is at it; going on with it does nothing twice, since each of its runs has a key of its own.
Telling somebody never decides what becomes of a run; who is to be told is durable with what is told.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from maestro_cli.core.cancellation import Cancellation
from maestro_cli.core.clock import Clock
from maestro_cli.core.crashpoints import crash_point
from maestro_cli.core.errors import Busy, ExitCode, Interrupted, MaestroError, StalePlan
from maestro_cli.core.ids import new_id
from maestro_cli.core.progress import Progress
from maestro_cli.journal.messages import Message
from maestro_cli.journal.store import Journal, Transaction
from maestro_cli.runbooks.catalog import RunbookCatalog
from maestro_cli.runbooks.fences import REQUEST_SECONDS
from maestro_cli.runbooks.history import find_key, runs_by_key
from maestro_cli.runbooks.model import Confirm, Runbook, RunResult, RunStatus
from maestro_cli.runbooks.playbooks.inline import put_down
from maestro_cli.runbooks.playbooks.model import Playbook, PlaybookStep
from maestro_cli.runbooks.playbooks.spec import Moment
from maestro_cli.runbooks.playbooks.template import Facts
from maestro_cli.runbooks.plays import PlayRecord, PlayStatus, get_play, play_of_key, unfinished_plays
from maestro_cli.runbooks.ports import OutboxPort
from maestro_cli.runbooks.runner import PlaybookLimit, RunbookRunner
from maestro_cli.runbooks.steps.notify import lasting, spelled

Trigger = Literal["alert", "incident", "schedule", "manual"]
Messages = tuple[Message, ...]
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
            begun = self._begin(transaction, playbook, occasion, status, reason)
        crash_point("playbook.after:begun")
        return begun

    def _begin(
        self,
        transaction: Transaction,
        playbook: Playbook,
        occasion: Occasion,
        status: PlayStatus,
        reason: str,
    ) -> tuple[PlayRecord, bool]:
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
        return get_play(transaction, play_id), True

    def suggest(self, playbook: Playbook, occasion: Occasion, at: At) -> bool:
        """Record an occasion on which nothing is run, and tell people; False when that was done already."""
        with self._journal.transaction() as transaction:
            messages, is_new = self.put_suggestion(transaction, playbook, occasion)
        crash_point("playbook.after:suggested")
        self.send(messages, at.progress)
        return is_new

    def put_suggestion(
        self, transaction: Transaction, playbook: Playbook, occasion: Occasion
    ) -> tuple[Messages, bool]:
        """The same within a transaction; the messages are durable with it, and may be sent after it."""
        status = PlayStatus.OBSERVED if playbook.mode == "observe" else PlayStatus.SUGGESTED
        reason = playbook.why_not_auto
        record, is_new = self._begin(transaction, playbook, occasion, status, reason)
        if not is_new or status is PlayStatus.OBSERVED:
            return (), is_new
        return self._put(transaction, self._notices(playbook, record, "suggested", reason)), is_new

    def carry_out(
        self, playbook: Playbook, record: PlayRecord, at: At, values: Values | None = None
    ) -> tuple[RunResult, ...]:
        """Run what is left of a playbook that has begun, until it ends or a person is needed.

        The results of its runbooks, the last of which may not be well. Raises what a run that cannot start
        raises, after it is recorded; Busy and Interrupted leave it as it is, to be gone on with. StalePlan
        when its file is another one since something of it was run: nothing is done, and nothing recorded.
        """
        self._pin(playbook, record)
        self.send(self._notices(playbook, record, "begun", ""), at.progress)
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
            notices = self._notices(playbook, record, "succeeded", "")
            self._came_to(record, PlayStatus.SUCCEEDED, "", ExitCode.OK, notices, at)
        elif last.status.final:
            reason = f"run {last.id} of {last.run.runbook} {last.status.value}: {last.reason}"
            self._fail(playbook, record, reason, last.exit_code, at)
        elif last.status is not RunStatus.INTERRUPTED:
            at.cancellation.raise_if_set()
            wanted = f" for {last.run.waiting_for}" if last.run.waiting_for else ""
            reason = f"run {last.id} of {last.run.runbook} is {last.status.value}{wanted}"
            notices = self._notices(playbook, record, "waiting", reason)
            self._came_to(record, PlayStatus.WAITING, reason, last.exit_code, notices, at)
        return tuple(results)

    def _pin(self, playbook: Playbook, record: PlayRecord) -> None:
        """Refuse another file than the one it began with; while nothing was run, it begins with this one."""
        with self._journal.transaction() as transaction:
            now = get_play(transaction, record.id)
            if playbook.digest == now.digest:
                return
            if runs_by_key(transaction, f"{record.key}/"):
                raise StalePlan(
                    f"{playbook.file} changed since run {record.id} of playbook {playbook.id} began",
                    why="its steps would be taken for those that were run",
                    fix=f"restore the file, or see what was done: maestro playbook history {record.id}",
                )
            data = {
                "digest": playbook.digest, "from": now.digest, "incident": now.incident,
                "playbook": playbook.id,
            }  # fmt: skip
            transaction.append("playbook.rebased", f"playbook/{record.id}", self._actor, data)

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
            limit=PlaybookLimit(playbook.id, playbook.max_runs_per_hour if key.endswith("/1") else None),
            progress=at.progress,
            cancellation=at.cancellation,
            confirm=at.confirm,
        )

    def _values(self, record: PlayRecord) -> Values:
        """The step's own values, then the labels and annotations of the occasion."""
        labels = record.facts.get("labels", {})

        def values(book: Runbook, step: PlaybookStep) -> Mapping[str, str]:
            given = step.parameters(labels, record.facts)
            return self._runbooks.values(book, given=given, labels=labels, annotations=record.annotations)

        return values

    def _fail(self, playbook: Playbook, record: PlayRecord, reason: str, code: ExitCode, at: At) -> None:
        """Page whoever is on call, do what follows a failure, then record and tell it."""
        follows = playbook.on_failure
        self.send(self._page(playbook, record, reason), at.progress)
        crash_point("playbook.after:paged")
        is_refused = code is ExitCode.POLICY_REFUSED and find_key(self._journal, f"{record.key}/1") is None
        if follows.step is not None and not is_refused:  # one that was not let begin left nothing to mend
            try:
                key = f"{record.key}/on-failure"
                result = self._start(playbook, record, follows.step, key, at, self._values(record))
                if result.status is RunStatus.INTERRUPTED:  # another run holds what it needs
                    at.cancellation.raise_if_set()
                    raise Busy(f"run {result.id} was interrupted: {result.reason}")
                reason += f"; then run {result.id} of {follows.step.runbook} {result.status.value}"
            except (Busy, Interrupted):
                raise
            except MaestroError as error:
                reason += f"; {follows.step.runbook} could not follow: {error.what}"
        notices = self._notices(playbook, record, "failed", reason)
        self._came_to(record, PlayStatus.FAILED, reason, code, notices, at)

    def _came_to(
        self,
        record: PlayRecord,
        status: PlayStatus,
        reason: str,
        code: ExitCode,
        messages: Messages = (),
        at: At | None = None,
    ) -> None:
        """Record it and, in the same transaction, who is to be told; then try to tell them."""
        with self._journal.transaction() as transaction:
            self._put(transaction, messages)
            now = get_play(transaction, record.id)
            if (now.status, now.reason) != (status, reason):
                data = {
                    "status": status, "reason": reason, "exit_code": int(code), "incident": record.incident,
                    "playbook": record.playbook,
                }  # fmt: skip
                transaction.append("playbook.came_to", f"playbook/{record.id}", self._actor, data)
        crash_point("playbook.after:came_to")
        if at is not None:
            self.send(messages, at.progress)

    def give_up(self, record: PlayRecord, reason: str, at: At, playbook: Playbook | None = None) -> None:
        """Record that a run of a playbook will not be gone on with, and tell those that its file names."""
        messages: Messages = ()
        if playbook is not None:
            notices = self._notices(playbook, record, "failed", reason)
            messages = (*self._page(playbook, record, reason), *notices)
        self._came_to(record, PlayStatus.FAILED, reason, ExitCode.GATE_NOT_MET, messages, at)

    def hold_back(self, playbook: Playbook, record: PlayRecord, at: At) -> None:
        """Record that one of which nothing was run yet is only suggested now, and tell it."""
        reason = playbook.why_not_auto
        notices = self._notices(playbook, record, "suggested", reason)
        self._came_to(record, PlayStatus.SUGGESTED, reason, ExitCode.OK, notices, at)

    def see_off(self, incident: str, reason: str) -> None:
        """Record that what the alerts of an incident began was seen through, and nothing more is needed."""
        for record in unfinished_plays(self._journal, ("alert",)):
            if record.incident == incident:
                self._came_to(record, PlayStatus.SUCCEEDED, reason, ExitCode.OK)

    # Telling people

    def _notices(self, playbook: Playbook, record: PlayRecord, moment: Moment, reason: str) -> Messages:
        return tuple(
            self._message(playbook, record, one.to, f"notice/{moment}/{number}", moment, reason)
            for number, one in enumerate(playbook.notifications, start=1)
            if moment in one.on
        )

    def _page(self, playbook: Playbook, record: PlayRecord, reason: str) -> Messages:
        to = playbook.on_failure.page
        return (self._message(playbook, record, to, "page", "failed", reason),) if to else ()

    def _message(
        self, playbook: Playbook, record: PlayRecord, to: str, key: str, moment: Moment, reason: str
    ) -> Message:
        title = playbook.title_for(record.facts.get("labels", {}), record.facts)
        words = f"Playbook {playbook.id} {moment}: {title}" + (f". {reason}" if reason else "")
        content = {
            "text": spelled("text", words),
            "playbook": playbook.id,
            "run": record.id,
            "moment": moment,
        }
        return Message(
            key=f"{record.id}/{key}",
            channel=lasting(to),
            content={**content, "incident": record.incident},
            incident=record.incident,
            timeout_seconds=REQUEST_SECONDS,
        )

    def _put(self, transaction: Transaction, messages: Messages) -> Messages:
        """Make messages durable with what they tell; the same messages."""
        if self._outbox is not None:
            for message in messages:
                self._outbox.put(transaction, message)
        return messages

    def send(self, messages: Messages, progress: Progress) -> None:
        """Try messages now, each durable once under its key; that one could not be is noted."""
        if self._outbox is None:
            return
        for message in messages:
            try:
                self._outbox.post(message)
            except Interrupted:
                raise
            except MaestroError as error:
                told = f"{message.content['playbook']} {message.content['moment']}"
                progress.note(f"nobody was told that {told}: {error.what}")
