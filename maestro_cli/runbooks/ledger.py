"""The steps of one run as recorded, and the only writer of `step.*` events.

Invariant: an intent is durable before an attempt starts, and an outcome when it has ended, with nothing in
between. Two things may wait for the next event, since a step that alters nothing is done again if they are
lost: that such a step ended well, and the intent of one whose kind can only look. They are durable before
anything that may alter the world starts, before a person is asked, and when the run ends.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from maestro_cli.runbooks.attributes import LOOKING
from maestro_cli.runbooks.model import FAILURES, RunRecord, State, Step, StepOutcome, StepRecord, parted
from maestro_cli.runbooks.session import Session

RETRY = "a person says: retry"  # the reason of an attempt that a person had done again


class Ledger:
    def __init__(self, session: Session, record: RunRecord) -> None:
        self._session = session
        self._incident = record.incident
        self._last: dict[str, StepRecord] = {step.path: step for step in record.steps}
        self._failures: dict[str, int] = {}
        self._retries: dict[str, int] = {}
        self.parameters = dict(record.parameters)
        for step in record.steps:
            self._count(step)

    def last(self, path: str) -> StepRecord | None:
        """The newest attempt at a step."""
        return self._last.get(path)

    def state(self, path: str) -> State | None:
        last = self._last.get(path)
        return last.state if last is not None else None

    def failures(self, path: str) -> int:
        """How many attempts at a step have failed."""
        return self._failures.get(path, 0)

    def retries(self, path: str) -> int:
        """How often a person had a step tried once more after it failed."""
        return self._retries.get(path, 0)

    def captured(self, path: str) -> Mapping[str, str]:
        """What a step that ended well captured."""
        last = self._last.get(path)
        return last.captures if last is not None and last.state is State.OK else {}

    def iterations(self, path: str) -> list[int]:
        """Which iterations of a step have started, in their order."""
        found = (parted(one) for one in tuple(self._last) if "/" not in one and one.startswith(f"{path}["))
        return sorted(number for _, number in found)

    def intend(self, step: Step, command: str = "") -> StepRecord:
        """Open a new attempt; `command` is what it will do, without secrets."""
        data = self._data(step, self._next(step.path))
        data |= {"command": command} if command else {}
        place = f":{step.path}"
        if step.kind in LOOKING and not step.mutates:
            self._session.defer("step.intended", data, place=place)
        else:
            self._session.append("step.intended", data, place=place)
        record = _opened(step, data["attempt"])
        self._last[step.path] = record
        return record

    def finish(self, record: StepRecord, outcome: StepOutcome) -> StepRecord:
        """Record how the open attempt ended."""
        if outcome.ok and not record.mutates:
            ended = _with(record, outcome)
            self._session.defer("step.finished", self._told(record, outcome), place=f":{record.path}")
            return self._keep(ended)
        return self._end("step.finished", record, outcome, {})

    def settle(self, record: StepRecord, outcome: StepOutcome, by: str) -> StepRecord:
        """Record what an attempt without a known outcome turned out to be, and who or what said so."""
        if record.state in FAILURES:
            self._failures[record.path] -= 1
        return self._end("step.settled", record, outcome, {"by": by})

    def skip(self, step: Step, reason: str) -> None:
        """Record that a step will not run."""
        data = {**self._data(step, self._next(step.path)), "reason": reason}
        event = self._session.append("step.skipped", data, place=f":{step.path}")
        skipped = replace(_opened(step, data["attempt"]), state=State.SKIPPED, reason=reason, seq=event.seq)
        self._last[step.path] = skipped

    def _next(self, path: str) -> int:
        last = self._last.get(path)
        return last.attempt + 1 if last is not None else 1

    def _data(self, step: Step, attempt: int) -> dict[str, Any]:
        return {
            "step": step.path,
            "attempt": attempt,
            "kind": step.kind,
            "role": step.role.value,
            "title": step.name,
            "mutates": step.mutates,
            "line": step.line,
            "incident": self._incident,
        }

    def _end(
        self, kind: str, record: StepRecord, outcome: StepOutcome, more: Mapping[str, Any]
    ) -> StepRecord:
        data = {**self._told(record, outcome), **more}
        event = self._session.append(kind, data, place=f":{record.path}")
        return self._keep(replace(_with(record, outcome), seq=event.seq))

    def _keep(self, record: StepRecord) -> StepRecord:
        self._last[record.path] = record
        self._count(record)
        return record

    def _told(self, record: StepRecord, outcome: StepOutcome) -> dict[str, Any]:
        return {
            "step": record.path,
            "attempt": record.attempt,
            "state": outcome.state,
            "reason": outcome.reason,
            "value": outcome.value,
            "output": outcome.output,
            "captures": outcome.captures,
            "change": outcome.change_id,
            "process_exit": outcome.process_exit,
            "exit_code": 0 if outcome.ok else int(outcome.exit_code),
            "incident": self._incident,
        }

    def _count(self, record: StepRecord) -> None:
        if record.state in FAILURES:
            self._failures[record.path] = self._failures.get(record.path, 0) + 1
        if record.state is State.REDO and record.reason == RETRY:
            self._retries[record.path] = self.retries(record.path) + 1


def _opened(step: Step, attempt: int) -> StepRecord:
    """A new attempt; its times are in the journal alone."""
    return StepRecord(
        path=step.path,
        attempt=attempt,
        kind=step.kind,
        role=step.role.value,
        mutates=step.mutates,
        state=State.INTENDED,
        reason="",
        value=None,
        output="",
        captures={},
        change_id="",
        exit_code=0,
        intended_at="",
        finished_at="",
        seq=0,
    )


def _with(record: StepRecord, outcome: StepOutcome) -> StepRecord:
    """The attempt as it ended."""
    return replace(
        record,
        state=outcome.state,
        reason=outcome.reason,
        value=outcome.value,
        output=outcome.output,
        captures=dict(outcome.captures),
        change_id=outcome.change_id,
        exit_code=0 if outcome.ok else int(outcome.exit_code),
    )
