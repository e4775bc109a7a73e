"""Changes become runs of runbooks and playbooks.

Invariant: everything is built on first use and imported where it is built, so that a command pays
only for what it touches. Nothing here asks whether a context is local.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from maestro_cli.core.errors import InvalidFile, NotFound, UsageError
from maestro_cli.services.built_once import built_once
from maestro_cli.services.notifying import NotifyServices

if TYPE_CHECKING:
    from maestro_cli.core.facts.endpoints import EndpointCheck
    from maestro_cli.core.progress import Progress
    from maestro_cli.incidents.desk import IncidentDesk
    from maestro_cli.output.renderers.contexts import Finding as DoctorFinding
    from maestro_cli.output.run_progress import RunProgress
    from maestro_cli.runbooks.catalog import RunbookCatalog
    from maestro_cli.runbooks.control import RunControl
    from maestro_cli.runbooks.coverage import Coverage
    from maestro_cli.runbooks.history import RunHistory
    from maestro_cli.runbooks.lint import Finding
    from maestro_cli.runbooks.model import Confirm, Runbook, RunRecord, RunResult
    from maestro_cli.runbooks.pipeline import PipelineChanges
    from maestro_cli.runbooks.planning import RunPlan
    from maestro_cli.runbooks.playbooks.catalog import PlaybookCatalog
    from maestro_cli.runbooks.playbooks.explanation import Explanation
    from maestro_cli.runbooks.playbooks.lint import PlaybookFinding
    from maestro_cli.runbooks.playbooks.readiness import Readiness
    from maestro_cli.runbooks.playbooks.running import PlaybookRunner
    from maestro_cli.runbooks.playbooks.tries import Trial
    from maestro_cli.runbooks.plays import PlayRecord
    from maestro_cli.runbooks.ports import MetricsPort
    from maestro_cli.runbooks.rehearsal import CaseResult
    from maestro_cli.runbooks.runner import RunbookRunner
    from maestro_cli.runbooks.session import Told
    from maestro_cli.services.incident_rules import IncidentRules
    from maestro_cli.services.playbook_runs import PlaybookAsked
    from maestro_cli.services.runbook_runs import AskedRun


class RunServices(NotifyServices):
    """What finds runbooks and runs them, for an incident of the desk where one is named."""

    @built_once
    def desk(self) -> IncidentDesk:
        from maestro_cli.incidents.desk import DeskPolicy, IncidentDesk

        return IncidentDesk(
            self.journal, self.clock, self.actor, policy=DeskPolicy(settle_seconds=self.settle_seconds)
        )

    @property
    def settle_seconds(self) -> float:
        """How long signals must be clear before an incident can be resolved."""
        from maestro_cli.config.settings import Context

        return self.settings.contexts.get(self.context_name, Context()).settle_seconds

    @built_once
    def runbooks(self) -> RunbookCatalog:
        """They are read without a context as well; then none gives values to their parameters."""
        from maestro_cli.config.locations import shipped
        from maestro_cli.runbooks.catalog import RunbookCatalog

        folders = [*map(Path, self.settings.runbook_dirs), shipped("runbooks")]
        context = self.settings.contexts.get(self.settings.current_context or "")
        return RunbookCatalog(folders, context.parameters if context else None)

    @built_once
    def playbooks(self) -> PlaybookCatalog:
        from maestro_cli.config.locations import shipped
        from maestro_cli.runbooks.playbooks.catalog import PlaybookCatalog

        folders = [*map(Path, self.settings.playbook_dirs), shipped("playbooks")]
        return PlaybookCatalog(folders, judged=lambda found: self.readiness.judged(found))

    @built_once
    def incident_rules(self) -> IncidentRules:
        """The context's rules of incidents, and the shipped ones behind them."""
        from maestro_cli.services.incident_rules import IncidentRules

        return IncidentRules(self)

    def examine(self) -> tuple[list[DoctorFinding], list[EndpointCheck]]:
        findings, checks = super().examine()
        return [*findings, self.incident_rules.finding()], checks

    @built_once
    def readiness(self) -> Readiness:
        """Whether playbooks may run by themselves."""
        from maestro_cli.runbooks.playbooks.readiness import Readiness

        return Readiness(self.runbooks, self.clock)

    def playbook_runner(
        self, typed_context: str, *, given: bool, actor: str = "", metrics: MetricsPort | None = None
    ) -> PlaybookRunner:
        """Runs playbooks with the consent of whoever starts them; the gate still decides."""
        from maestro_cli.runbooks.playbooks.running import PlaybookRunner

        runner = self.runner_for(typed_context, given=given, metrics=metrics)
        return PlaybookRunner(
            self.journal, self.runbooks, runner, self.outbox, self.clock, actor or self.actor
        )

    def run_playbook(
        self, asked: PlaybookAsked, typed_context: str, yes: bool, progress: Progress
    ) -> PlayRecord:
        from maestro_cli.services.playbook_runs import run_playbook

        return run_playbook(self, asked, typed_context, yes, progress)

    def resume_playbook(self, play_id: str, typed_context: str, yes: bool, progress: Progress) -> PlayRecord:
        from maestro_cli.services.playbook_runs import resume_playbook

        return resume_playbook(self, play_id, typed_context, yes, progress)

    def playbook_history(self, play_id: str | None) -> list[PlayRecord]:
        """The runs of playbooks, the newest first, or one; raises NotFound."""
        from maestro_cli.runbooks.plays import get_play, list_plays

        return list_plays(self.journal) if play_id is None else [get_play(self.journal, play_id)]

    def runs_of_playbook(self, play: PlayRecord) -> list[RunRecord]:
        """The runs of runbooks that a run of a playbook has started, in order."""
        from maestro_cli.runbooks.history import runs_by_key

        return runs_by_key(self.journal, f"{play.key}/")

    def lint_playbooks(self, names: Sequence[str], alerts: Sequence[str]) -> tuple[PlaybookFinding, ...]:
        from maestro_cli.services.playbook_checks import lint_playbooks

        return lint_playbooks(self, names, alerts)

    def try_playbooks(self, names: Sequence[str]) -> tuple[Trial, ...]:
        from maestro_cli.services.playbook_checks import try_playbooks

        return try_playbooks(self, names)

    def explain_alert(
        self, alert: str, pairs: Sequence[str], incident_ref: str | None, *, firing: bool
    ) -> Explanation:
        from maestro_cli.services.playbook_checks import explain_alert

        return explain_alert(self, alert, pairs, incident_ref, firing)

    def explain_bound(self, incident_ref: str, recorded: str) -> Explanation:
        from maestro_cli.services.playbook_checks import explain_bound

        return explain_bound(self, incident_ref, recorded)

    @built_once
    def run_history(self) -> RunHistory:
        """The journal alone, so that it can be read while none of the endpoints is there."""
        from maestro_cli.runbooks.history import RunHistory

        return RunHistory(self.journal)

    @built_once
    def run_control(self) -> RunControl:
        """The journal alone as well."""
        from maestro_cli.runbooks.control import RunControl

        return RunControl(self.journal, self.actor, self.redactor)

    @built_once
    def runner(self) -> RunbookRunner:
        return self.runner_for("", given=True)

    def changes_for(self, typed_context: str, *, given: bool) -> PipelineChanges:
        """Changes that carry the consent of whoever started a run; the gate still decides."""
        from maestro_cli.changes.model import Consent
        from maestro_cli.runbooks.pipeline import PipelineChanges

        return PipelineChanges(self.changes, Consent(given=given, typed_context=typed_context))

    def runner_for(
        self,
        typed_context: str,
        *,
        given: bool,
        told: Told | None = None,
        metrics: MetricsPort | None = None,
    ) -> RunbookRunner:
        """Runs runbooks; raises NotFound where the context has no Prometheus and no `metrics` are given."""
        from maestro_cli.runbooks.runner import RunbookRunner
        from maestro_cli.services.step_environment import step_environment

        return RunbookRunner(
            self.journal,
            metrics=metrics if metrics is not None else self.prometheus,
            changes=self.changes_for(typed_context, given=given),
            systems=self,
            clock=self.clock,
            actor=self.actor,
            redactor=self.redactor,
            environment=step_environment(self.context_name, self.context, os.environ),
            told=told,
            defaults=self.runbooks.defaults,
            why_held=self.options.why_held,
        )

    def readable_runbooks(self) -> list[Runbook]:
        """Every runbook that can be read; the others are named as warnings."""
        from maestro_cli.output.diagnostics import warn

        found = self.runbooks.all()
        for error in self.runbooks.broken.values():
            warn(f"{error.what} {error.fix}".strip())
        return found

    def asked_run(self, name: str, pairs: Sequence[str], incident_ref: str | None) -> AskedRun:
        """A runbook as its file is now, with the values that a run of it gets."""
        from maestro_cli.services.runbook_runs import asked_run

        return asked_run(self, name, pairs, incident_ref)

    def plan_runbook(self, asked: AskedRun, progress: Progress) -> RunPlan:
        """What that run would do; steps that alter nothing are run for it."""
        from maestro_cli.services.runbook_runs import plan_asked

        return plan_asked(self, asked, progress)

    def run_runbook(
        self, asked: AskedRun, typed_context: str, yes: bool, progress: Progress, told: Told | None = None
    ) -> RunResult:
        """Start exactly that run; raises StalePlan when its file is another one now."""
        from maestro_cli.services.runbook_runs import run_asked

        return run_asked(self, asked, typed_context, yes, progress, told)

    def resume_run(
        self,
        run_id: str,
        decisions: Sequence[str],
        typed_context: str,
        yes: bool,
        progress: Progress,
        *,
        rebase: bool = False,
        told: Told | None = None,
    ) -> RunResult:
        progress.phase("runbook", f"resuming {run_id}")
        from maestro_cli.runbooks.reader import read_runbook

        run = self.run_history.get(run_id)
        with suppress(InvalidFile):  # who resumes it says what is wrong with the file
            self.expect(progress, read_runbook(Path(run.file)), run)
        return self.runner_for(typed_context, given=yes or self.person is not None, told=told).resume(
            run_id,
            decisions=parse_pairs(decisions),
            lifted=True,
            rebase=rebase,
            progress=progress,
            cancellation=self.cancellation,
            confirm=self.ask_step(progress),
        )

    @staticmethod
    def expect(progress: Progress, runbook: Runbook, run: RunRecord | None) -> None:
        """Tell who draws the run which steps there are."""
        from maestro_cli.output.run_progress import RunProgress
        from maestro_cli.runbooks.prose import walkable

        if isinstance(progress, RunProgress):
            progress.expect(walkable(runbook), run)

    def run_progress(self, *, is_drawn: bool = True) -> RunProgress:
        """A tree on a terminal, or a line for each step that ended."""
        from maestro_cli.output.run_progress import RunProgress

        return RunProgress(self.clock, is_plain=self.options.is_plain or not is_drawn)

    def lint_runbooks(self, names: Sequence[str], alerts: Sequence[str]) -> tuple[Finding, ...]:
        from maestro_cli.services.runbook_checks import lint_runbooks

        return lint_runbooks(self, names, alerts)

    def rehearse_runbooks(self, names: Sequence[str]) -> tuple[CaseResult, ...]:
        from maestro_cli.services.runbook_checks import rehearse_runbooks

        return rehearse_runbooks(self, names)

    def runbook_coverage(self, alerts: Sequence[str], green_within: str | None) -> Coverage:
        from maestro_cli.core.quantities import parse_duration_seconds
        from maestro_cli.services.runbook_checks import coverage_of

        try:
            seconds = parse_duration_seconds(green_within) if green_within else None
        except ValueError as error:
            raise UsageError(str(error), fix="write 30d") from error
        return coverage_of(self, alerts, seconds)

    def new_runbook(self, runbook: str, alert: str, folder: str | None) -> Path:
        """Write a runbook to fill in; by default into the first folder that the settings name."""
        from maestro_cli.runbooks.template import write_new

        dirs = self.settings.runbook_dirs
        return write_new(Path(folder or (dirs[0] if dirs else "runbooks")), runbook, alert)

    def export_run(self, run_id: str) -> str:
        """A run as Markdown; raises StalePlan when its runbook is another file now."""
        from maestro_cli.runbooks.export import export_run
        from maestro_cli.runbooks.pinned import pinned

        run = self.run_history.get(run_id)
        return export_run(run, pinned(run))

    def run_id(self, text: str) -> str:
        """The id of a run: itself, or that of the newest for `latest`; raises NotFound when there is none."""
        if text != "latest":
            return text
        newest = self.run_history.list(limit=1)
        if not newest:
            raise NotFound("there is no run yet", fix="maestro runbook run RUNBOOK")
        return newest[0].id

    def answer_run(self, run_id: str, step: str, said: str) -> RunRecord:
        """Record a person's answer, and say how to go on."""
        from maestro_cli.output.diagnostics import note

        run = self.run_control.answer(run_id, step, said)
        note(f"recorded; go on with: maestro runbook resume {run.id}")
        return run

    def ask_step(self, progress: Progress) -> Confirm:
        """Asks the person at the terminal about a step, one question at a time whichever run asks, while
        nothing else draws there; nobody where there is none."""
        from maestro_cli.output.progress import left_alone
        from maestro_cli.runbooks.model import Answer, Question, nobody

        person = self.person
        if person is None:
            return nobody
        one = threading.Lock()

        def ask(question: Question) -> Answer | None:
            with one, left_alone(progress):
                if self.cancellation.is_set:  # while another question was open
                    return None
                return person.ask_question(question, lambda: self.cancellation.is_set)

        return ask


def parse_pairs(pairs: Sequence[str]) -> dict[str, str]:
    """Read `NAME=VALUE` arguments; raises UsageError."""
    values = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name:
            raise UsageError(f"{pair!r} is not NAME=VALUE")
        if name in values:
            raise UsageError(f"{name} is given twice")
        values[name] = value
    return values
