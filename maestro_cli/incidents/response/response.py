"""The whole response to one incident: triage, the bound runbook, resolution, post-mortem.

Invariant: each part looks at what the journal says was done and goes on from there, so a response that
was killed is simply started again; nothing that fires is called resolved.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from maestro_cli.changes.history import recent_on
from maestro_cli.core.cancellation import Cancellation
from maestro_cli.core.clock import Clock
from maestro_cli.core.errors import (
    ActionFailed,
    GateNotMet,
    MaestroError,
    NotFound,
    TimedOut,
    WaitingForApproval,
)
from maestro_cli.core.progress import Progress
from maestro_cli.core.quantities import counted
from maestro_cli.core.untrusted import visible
from maestro_cli.incidents.desk import IncidentDesk
from maestro_cli.incidents.model import Incident, Severity, Signal, State
from maestro_cli.incidents.response.hold import hold
from maestro_cli.incidents.response.occasions import facts_of
from maestro_cli.incidents.triage.investigate import Triage
from maestro_cli.incidents.triage.model import TriageReport
from maestro_cli.incidents.words.incident import still_firing
from maestro_cli.journal.store import Journal, Transaction
from maestro_cli.runbooks.catalog import RunbookCatalog
from maestro_cli.runbooks.model import Confirm, Runbook, RunResult, RunStatus
from maestro_cli.runbooks.playbooks import Playbook, PlaybookCatalog, PlaybookStep
from maestro_cli.runbooks.playbooks.running import At, Occasion, PlaybookRunner
from maestro_cli.runbooks.ports import OutboxPort
from maestro_cli.runbooks.runner import RunbookRunner

CLEAR_TIMEOUT_SECONDS = 900.0
POLL_SECONDS = 0.25
REPEAT_SECONDS = 3600.0  # a second rollback within this has to name its revision
_SEVERITIES = {severity.value: severity for severity in Severity}


@dataclass(frozen=True, slots=True)
class Responded:
    """What a response came to; `playbook` is empty when nothing fired any more when it began."""

    incident: Incident
    postmortem: Path


@dataclass(frozen=True, slots=True)
class Crew:
    """Everyone a response works with."""

    desk: IncidentDesk
    triage: Triage
    playbooks: PlaybookCatalog
    runbooks: RunbookCatalog
    runner: RunbookRunner
    write_postmortem: Callable[[str], Path]
    outbox: OutboxPort | None = None


class Response:
    """Responds to incidents in the name of the desk's actor."""

    def __init__(self, crew: Crew, journal: Journal, clock: Clock, actor: str) -> None:
        self._crew = crew
        self._journal = journal
        self._clock = clock
        self._actor = actor
        self._plays = PlaybookRunner(journal, crew.runbooks, crew.runner, crew.outbox, clock, actor)

    def respond(
        self, ref: str, *, confirm: Confirm, progress: Progress, cancellation: Cancellation
    ) -> Responded:
        """Take an open incident to its post-mortem.

        Raises Busy (somebody else responds to it), NotFound (no playbook binds it), WaitingForApproval (the
        playbook only suggests, or a step waits), ActionFailed (a run failed), TimedOut (the signals do not
        clear), Interrupted.
        """
        incident = self._crew.desk.get(ref)
        with hold(self._journal, incident, cancellation) as held:
            return self.go_on(
                incident.id, confirm=confirm, progress=progress, cancellation=held.cancellation, asked=True
            )

    def go_on(
        self,
        ref: str,
        *,
        confirm: Confirm,
        progress: Progress,
        cancellation: Cancellation,
        asked: bool = False,
    ) -> Responded:
        """The same for whoever holds the incident. Unless a person asked for it, a signal that a webhook
        alone tells of starts nothing."""
        _require_own(self._crew.desk.get(ref))
        incident = self._triaged(ref, progress)
        if incident.state is State.MITIGATING:
            incident = self._mitigated(incident, confirm, progress, cancellation, asked)
        incident = self._resolved(incident, progress, cancellation)
        _require_own(incident)
        progress.phase("post-mortem", "writing it from the journal")
        path = self._crew.write_postmortem(incident.id)
        progress.update(f"written to {path}")
        return Responded(self._crew.desk.get(incident.id), path)

    def suggest(
        self, transaction: Transaction, incident: Incident, playbook: Playbook, signal: Signal
    ) -> Callable[[Progress], None]:
        """Record, once, that a playbook was not run by itself; those it names are told by what is answered,
        after the transaction, or by whoever delivers what waits."""
        occasion = _occasion(incident, playbook, signal)
        messages, _ = self._plays.put_suggestion(transaction, playbook, occasion)
        return partial(self._plays.send, messages)

    def _mitigated(
        self,
        incident: Incident,
        confirm: Confirm,
        progress: Progress,
        cancellation: Cancellation,
        asked: bool,
    ) -> Incident:
        """Run what the playbook binds; an incident that cleared by itself and stays so gets no runbook."""
        runs = () if self._firing(incident) else self._finish(incident, confirm, progress, cancellation)
        if not runs and not self._stays_clear(incident, progress, cancellation):
            playbook, signal = self._bound(incident)
            if signal.is_hearsay and not asked:
                raise _proposed_alone(incident, playbook, signal)
            runs = self._run(incident, playbook, signal, confirm, progress, cancellation)
        note = "" if runs else "every signal cleared before a runbook was run"
        return self._crew.desk.mitigated(incident.id, run=runs[-1].id if runs else None, note=note)

    def investigate(
        self, ref: str, progress: Progress, *, timeout_seconds: float | None = None
    ) -> TriageReport:
        """Collect evidence and rank suspects for an open incident, and record both."""
        desk = self._crew.desk
        incident = desk.get(ref)
        if incident.state is State.DETECTED:
            incident = desk.start_triage(incident.id)
        progress.phase("triage", f"incident #{incident.number}: collecting evidence")
        signals = desk.signals(incident.id)
        report = self._crew.triage.investigate(incident, signals, timeout_seconds=timeout_seconds)
        desk.record_triage(incident.id, report)
        progress.update(f"{counted(len(report.evidence), 'finding')}; {report.conclusion}")
        if (proposed := report.severity) is not None:
            progress.note(f"{proposed.severity.value} is proposed: {'; '.join(proposed.reasons)}")
        for suspect in report.suspects[:3]:
            kind, subject = suspect.kind.value, suspect.subject
            named = subject if subject.startswith(kind) else f"{kind} of {subject}"
            progress.note(f"{suspect.score:.2f}  {named}")
            for reason in suspect.reasons_for[:3]:
                progress.note(f"      {reason}")
        return report

    def _triaged(self, ref: str, progress: Progress) -> Incident:
        desk = self._crew.desk
        incident = desk.get(ref)
        if incident.times.acked_at is None:
            incident = desk.ack(incident.id)
        if incident.state in (State.DETECTED, State.TRIAGING):
            report = self.investigate(incident.id, progress)
            incident = self._judged(desk.get(incident.id), report.conclusion)
        return incident

    def _judged(self, incident: Incident, conclusion: str) -> Incident:
        """Leave triage; the playbook of the alert says how severe it is, unless somebody said graver."""
        found = self.match(incident)
        severity = None if found is None else _SEVERITIES.get(found[0].severity, Severity.SEV4)
        if severity is not None and severity > incident.severity and self._was_said(incident):
            severity = None
        return self._crew.desk.triaged(
            incident.id, severity=severity, owner=incident.owner or self._actor, reason=conclusion
        )

    def _was_said(self, incident: Incident) -> bool:
        """Whether somebody said how severe it is since it was opened."""
        return bool(self._journal.events(subject=incident.subject, kinds=("incident.severity_set",)))

    def match(self, incident: Incident) -> tuple[Playbook, Signal] | None:
        """The first firing signal of those with the most severe playbook; resolved signals start nothing.

        One that a source was read for goes before those that a webhook alone tells of.
        """
        found = [
            (playbook, signal)
            for signal in self._firing(incident)
            if (playbook := self._crew.playbooks.match(signal.labels, firing=True).playbook) is not None
        ]
        return min(found, key=_urgency, default=None)

    def _stays_clear(self, incident: Incident, progress: Progress, cancellation: Cancellation) -> bool:
        """Whether nothing fires, and so it stays: an alert near its threshold clears and comes back."""
        if self._firing(incident):
            return False
        progress.phase("clear", "every signal has cleared; waiting until it stays so")
        while not self._crew.desk.has_settled(self._crew.desk.get(incident.id)):
            cancellation.pause(POLL_SECONDS)
            if self._firing(incident):
                progress.update("a signal fires again")
                return False
        return True

    def _firing(self, incident: Incident) -> tuple[Signal, ...]:
        return tuple(signal for signal in self._crew.desk.signals(incident.id) if signal.firing)

    def _bound(self, incident: Incident) -> tuple[Playbook, Signal]:
        found = self.match(incident)
        if found is None:
            raise NotFound(
                f"no playbook binds a firing signal of incident #{incident.number}",
                fix="maestro runbook list, then run one by hand: maestro runbook run ID --incident latest",
            )
        playbook, _ = found
        if playbook.why_not_auto:
            raise WaitingForApproval(
                f"playbook {playbook.id} only suggests its runbook",
                why=playbook.held_back,
                fix=f"{playbook.started_by_hand} --incident {incident.number}",
            )
        return found

    def _run(
        self,
        incident: Incident,
        playbook: Playbook,
        signal: Signal,
        confirm: Confirm,
        progress: Progress,
        cancellation: Cancellation,
    ) -> tuple[RunResult, ...]:
        def values(book: Runbook, step: PlaybookStep) -> dict[str, str]:
            return self._parameters(incident, signal, book, step)

        record, _ = self._plays.begin(playbook, _occasion(incident, playbook, signal))
        results = self._plays.carry_out(playbook, record, At(progress, cancellation, confirm), values)
        return tuple(_succeeded(result, cancellation) for result in results)

    def _finish(
        self, incident: Incident, confirm: Confirm, progress: Progress, cancellation: Cancellation
    ) -> tuple[RunResult, ...]:
        """Nothing fires any more, so nothing is begun; runs that a killed response began are seen through."""
        runner = self._crew.runner
        begun = [run for run in runner.history.list(incident=incident.id) if not run.status.final]
        results = []
        for run in reversed(begun):  # oldest first
            progress.phase("runbook", f"{run.runbook}, begun before")
            result = runner.resume(run.id, progress=progress, cancellation=cancellation, confirm=confirm)
            results.append(_succeeded(result, cancellation))
        if results:
            self._plays.see_off(incident.id, "the signals cleared, and what had begun was seen through")
        return tuple(results)

    def _parameters(
        self, incident: Incident, signal: Signal, runbook: Runbook, step: PlaybookStep
    ) -> dict[str, str]:
        """The playbook's values, then the signal's labels.

        A rollback finds the last known good revision itself. Only a second one within the hour has to say
        where to: that is the revision which the release that triage blames took the place of.
        """
        values = step.parameters(signal.labels, facts_of(incident))
        names = {parameter.name for parameter in runbook.parameters}
        fix = self._suggested(incident)
        wanted = "TO_REVISION" in names and "TO_REVISION" not in values
        if wanted and fix.get("name") == "rollback" and self._rolled_back_lately(incident):
            values["TO_REVISION"] = fix["parameters"].get("to_revision", "")
        return self._crew.runbooks.values(
            runbook, given=values, labels=signal.labels, annotations=signal.annotations
        )

    def _rolled_back_lately(self, incident: Incident) -> bool:
        if incident.workload is None:
            return False
        recent = recent_on(self._journal, incident.workload, self._clock.now(), REPEAT_SECONDS)
        return any(change.kind == "rollback" for change in recent)

    def _suggested(self, incident: Incident) -> Mapping[str, Any]:
        event = self._crew.desk.suspects(incident.id)
        if event is None or not event.data["culprit"]:
            return {}
        return event.data["suspects"][0].get("fix") or {}

    def _resolved(self, incident: Incident, progress: Progress, cancellation: Cancellation) -> Incident:
        progress.phase("resolve", "waiting until every signal has cleared")
        deadline = self._clock.monotonic() + CLEAR_TIMEOUT_SECONDS
        while incident.state is not State.RESOLVED:
            incident = self._crew.desk.get(incident.id)
            if not incident.state.is_open:
                break
            if incident.firing == 0 and self._crew.desk.has_settled(incident):
                return self._crew.desk.resolve(incident.id, reason="every signal has cleared")
            if self._clock.monotonic() > deadline:
                raise TimedOut(
                    f"{counted(incident.firing, 'signal')} of incident #{incident.number} still firing",
                    fix=f"maestro incident show {incident.number}",
                )
            still = still_firing(incident.firing, incident.alerts)
            progress.update(still if incident.firing else "clear; waiting until it stays so")
            cancellation.pause(POLL_SECONDS)
        return incident


def _urgency(found: tuple[Playbook, Signal]) -> tuple[bool, str]:
    playbook, signal = found
    return signal.is_hearsay, _SEVERITIES.get(playbook.severity, Severity.SEV4).value


def _proposed_alone(incident: Incident, playbook: Playbook, signal: Signal) -> WaitingForApproval:
    return WaitingForApproval(
        f"a webhook alone tells of {visible(signal.name, 80)}",
        why="whoever can post to it could start what alters the world",
        fix=f"{playbook.started_by_hand} --incident {incident.number}",
    )


def _require_own(incident: Incident) -> None:
    """Raises GateNotMet for one that was merged: its survivor is responded to."""
    if incident.merged_into is not None:
        raise GateNotMet(
            f"incident #{incident.number} was merged into another one",
            fix=f"maestro incident respond {incident.merged_into}",
        )


def _occasion(incident: Incident, playbook: Playbook, signal: Signal) -> Occasion:
    """What an alert starts: once for an incident, and anew each time that it was reopened."""
    return Occasion(
        key=f"incident/{incident.id}/{playbook.id}/{incident.reopen_count}",
        trigger="alert",
        words=f"alert {signal.name}",
        incident=incident.id,
        facts={"labels": dict(signal.labels), **facts_of(incident)},
        annotations=dict(signal.annotations),
    )


def _succeeded(result: RunResult, cancellation: Cancellation) -> RunResult:
    """The result itself; raises Interrupted when cancelled, or why the response cannot go on."""
    if result.status is not RunStatus.SUCCEEDED:
        cancellation.raise_if_set()
        raise _stopped(result)
    return result


def _stopped(result: RunResult) -> MaestroError:
    """Why the response cannot go on after this run."""
    run = result.run
    if result.status is RunStatus.WAITING:
        return WaitingForApproval(
            f"run {run.id} waits for {run.waiting_for or 'an answer'}", fix=f"maestro runbook resume {run.id}"
        )
    error = ActionFailed(
        f"run {run.id} of {run.runbook} ended {result.status.value}",
        why=run.reason,
        fix=f"maestro runbook resume {run.id}, or maestro incident timeline",
    )
    error.exit_code = result.exit_code
    return error
