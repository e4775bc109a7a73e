"""Sources become use cases: incidents, changes, runbooks, drills.

Invariant: everything is built on first use and imported where it is built, so that a command pays
only for what it touches. Nothing here asks whether a context is local.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from maestro_cli.core.errors import GateNotMet, UsageError
from maestro_cli.services.backends import Backends, GlobalOptions

if TYPE_CHECKING:
    from maestro_cli.changes.model import Change, Consent, Plan
    from maestro_cli.changes.pipeline import ChangePipeline
    from maestro_cli.changes.policy import Policy
    from maestro_cli.chaos.drills.conductor import Conductor
    from maestro_cli.chaos.drills.fault_score import FaultScore
    from maestro_cli.core.facts.inventory import NodeLine, PodLine, WorkloadLine
    from maestro_cli.core.progress import Progress
    from maestro_cli.core.refs import ObjectRef, WorkloadRef
    from maestro_cli.cost.unit_cost_report import UnitCosts
    from maestro_cli.incidents.clock import PhaseReading
    from maestro_cli.incidents.desk import IncidentDesk
    from maestro_cli.incidents.model import Incident, Signal
    from maestro_cli.incidents.overview import Overview
    from maestro_cli.incidents.response import Response
    from maestro_cli.incidents.triage.investigate import Triage
    from maestro_cli.runbooks.catalog import RunbookCatalog
    from maestro_cli.runbooks.history import RunHistory
    from maestro_cli.runbooks.model import Confirm, Runbook, RunResult
    from maestro_cli.runbooks.playbooks import PlaybookCatalog
    from maestro_cli.runbooks.runner import RunbookRunner
    from maestro_cli.services.costing import UnitCostWanted
    from maestro_cli.services.inventory import Wanted
    from maestro_cli.slo.objectives import Objective

__all__ = ["GlobalOptions", "Services"]


class Services(Backends):
    """Use cases over the backends of one context."""

    # What there is in the cluster

    def list_pods(self, wanted: Wanted) -> list[PodLine]:
        from maestro_cli.services.inventory import list_pods

        return list_pods(self, wanted)

    def list_nodes(self, wanted: Wanted) -> list[NodeLine]:
        from maestro_cli.services.inventory import list_nodes

        return list_nodes(self, wanted)

    def list_workloads(self, wanted: Wanted) -> list[WorkloadLine]:
        from maestro_cli.services.inventory import list_workloads

        return list_workloads(self, wanted)

    # What it costs

    def unit_costs(self, wanted: UnitCostWanted) -> UnitCosts:
        from maestro_cli.services.costing import find_unit_costs

        return find_unit_costs(self, wanted)

    # The model server

    def serve(self, arguments: Sequence[str]) -> NoReturn:
        from maestro_cli.services.serving import become_server

        become_server(arguments)

    # Incidents

    @cached_property
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

    def incidents(self, *, open_only: bool, drills: bool) -> tuple[Incident, ...]:
        from maestro_cli.incidents.model import OPEN_STATES

        return self.desk.list(states=OPEN_STATES if open_only else (), drills=drills)

    def incident_details(
        self, ref: str
    ) -> tuple[
        Incident,
        tuple[PhaseReading, ...],
        tuple[Signal, ...],
        Mapping[str, Any] | None,
        Sequence[Mapping[str, Any]],
    ]:
        """What `incident show` shows, in the order its view takes it."""
        from maestro_cli.incidents.clock import read_clock

        incident = self.desk.get(ref)
        suspects = self.desk.suspects(ref)
        return (
            incident,
            read_clock(incident, self.clock.now()),
            self.desk.signals(ref),
            suspects.data if suspects is not None else None,
            [event.data for event in self.desk.evidence(ref)],
        )

    @cached_property
    def triage(self) -> Triage:
        from maestro_cli.incidents.triage.investigate import Triage, TriageSettings

        settings = TriageSettings(objectives=tuple(self.objectives.values()))
        has_metrics = self.context.prometheus is not None
        return Triage(self.cluster, self.prometheus if has_metrics else None, self.clock, settings=settings)

    def investigate(self, ref: str, progress: Progress) -> None:
        """Triage an open incident and record what it found; moves a fresh one to triaging."""
        self.response.investigate(ref, progress)

    def respond(self, ref: str, progress: Progress) -> None:
        self.response.respond(ref, confirm=self.ask_step(), progress=progress, cancellation=self.cancellation)

    @cached_property
    def objectives(self) -> dict[str, Objective]:
        """The context's objectives by name; none where it names none."""
        from maestro_cli.slo.objectives import read_objectives

        origin = Path(self.settings.origins[self.context_name]).parent
        found = [one for folder in self.context.objectives for one in read_objectives(origin / folder)]
        return {objective.name: objective for objective in found}

    # Runbooks and changes

    @cached_property
    def runbooks(self) -> RunbookCatalog:
        from maestro_cli.config.locations import shipped
        from maestro_cli.runbooks.catalog import RunbookCatalog

        return RunbookCatalog([*map(Path, self.settings.runbook_dirs), shipped("runbooks")])

    @cached_property
    def playbooks(self) -> PlaybookCatalog:
        from maestro_cli.config.locations import shipped
        from maestro_cli.runbooks.playbooks import PlaybookCatalog

        return PlaybookCatalog([*map(Path, self.settings.playbook_dirs), shipped("playbooks")])

    @cached_property
    def policy(self) -> Policy:
        from maestro_cli.changes.policy import policy_for

        return policy_for(
            self.context_name, self.context, os.environ, read_only_flag=self.options.is_read_only
        )

    @cached_property
    def changes(self) -> ChangePipeline:
        """The one way to change the world; says so when the folder one is in decided where that is."""
        from maestro_cli.changes.pipeline import ChangePipeline

        if told := self.settings.told_by_folder(self.context_name):
            from maestro_cli.output.diagnostics import note

            note(f"the context {self.context_name} is {told}")
        return ChangePipeline(
            self.journal, self.cluster, policy=self.policy, clock=self.clock, actor=self.actor
        )

    @cached_property
    def run_history(self) -> RunHistory:
        """The journal alone, so that it can be read while none of the endpoints is there."""
        from maestro_cli.runbooks.history import RunHistory

        return RunHistory(self.journal)

    @cached_property
    def runner(self) -> RunbookRunner:
        return self.runner_for("", given=True)

    def runner_for(self, typed_context: str, *, given: bool) -> RunbookRunner:
        """A runner whose changes carry the consent of whoever started it; the gate still decides."""
        from maestro_cli.changes.model import Consent
        from maestro_cli.runbooks.pipeline import PipelineChanges
        from maestro_cli.runbooks.runner import RunbookRunner

        return RunbookRunner(
            self.journal,
            metrics=self.prometheus,
            changes=PipelineChanges(self.changes, Consent(given=given, typed_context=typed_context)),
            clock=self.clock,
            actor=self.actor,
            redactor=self.redactor,
        )

    def readable_runbooks(self) -> list[Runbook]:
        """Every runbook that can be read; the others are named as warnings."""
        from maestro_cli.output.diagnostics import warn

        found = self.runbooks.all()
        for error in self.runbooks.broken.values():
            warn(f"{error.what} {error.fix}".strip())
        return found

    def run_runbook(
        self,
        name: str,
        pairs: Sequence[str],
        incident_ref: str | None,
        typed_context: str,
        yes: bool,
        progress: Progress,
    ) -> RunResult:
        """Start a run with the given values; an incident's newest firing signal fills in the rest."""
        from maestro_cli.runbooks.parameters import resolve_parameters

        runbook = self.runbooks.get(name)
        incident = self.desk.get(incident_ref) if incident_ref else None
        signals = self.desk.signals(incident.id) if incident else ()
        signal = next((one for one in reversed(signals) if one.firing), None)
        values = resolve_parameters(
            runbook,
            given=parse_pairs(pairs),
            labels=signal.labels if signal else {},
            annotations=signal.annotations if signal else {},
        )
        progress.phase("runbook", runbook.id)
        return self.runner_for(typed_context, given=yes or has_person()).start(
            runbook,
            values,
            incident=incident.id if incident else None,
            progress=progress,
            cancellation=self.cancellation,
            confirm=self.ask_step(),
        )

    def resume_run(
        self, run_id: str, decisions: Sequence[str], typed_context: str, yes: bool, progress: Progress
    ) -> RunResult:
        progress.phase("runbook", f"resuming {run_id}")
        return self.runner_for(typed_context, given=yes or has_person()).resume(
            run_id,
            decisions=parse_pairs(decisions),
            progress=progress,
            cancellation=self.cancellation,
            confirm=self.ask_step(),
        )

    def workload_ref(self, text: str, namespace: str | None) -> WorkloadRef:
        """Read a workload; the namespace of the flag, else of the context, else of the kubeconfig."""
        from maestro_cli.core.refs import parse_workload_ref

        where = namespace or self.context.namespace
        if where is None and text.count("/") < 2:
            where = self.cluster.default_namespace or None
        return parse_workload_ref(text, namespace=where)

    def pod_ref(self, name: str, namespace: str | None) -> ObjectRef:
        """Name a pod in the namespace of the flag, else of the context, else of the kubeconfig."""
        from maestro_cli.core.refs import pod_ref

        where = namespace or self.context.namespace or self.cluster.default_namespace
        if not where:
            raise UsageError(f"no namespace for pod {name!r}", fix="pass -n NAMESPACE")
        return pod_ref(name, where)

    def rehearse_change(self, plan: Plan, accepts: frozenset[str]) -> Change:
        """Have the cluster check the plan (dryRun=All) and the gate decide; nothing changes."""
        from maestro_cli.changes.model import Consent

        return self.changes.execute(plan, Consent(given=True, accepts=accepts), dry_run=True)

    def list_changes(self, limit: int) -> tuple[Change, ...]:
        from maestro_cli.changes.history import list_changes

        return list_changes(self.journal, limit=limit)

    def get_change(self, change_id: str) -> Change:
        from maestro_cli.changes.history import get_change

        return get_change(self.journal, change_id)

    def ask_consent(self, plan: Plan, *, yes: bool, typed_context: str, accepts: frozenset[str]) -> Consent:
        """`--yes`, or a person's word at the terminal; without either the gate refuses."""
        from maestro_cli.changes.model import Consent

        given = yes
        if not yes and has_person():
            from maestro_cli.output.prompt import confirm, show
            from maestro_cli.output.renderers.changes import plan_view

            show(
                plan_view(plan, self.changes.decide(plan, Consent(True, plan.digest, typed_context, accepts)))
            )
            if self.policy.protected and not typed_context:
                from maestro_cli.output.prompt import ask_text

                typed_context = ask_text(f"{self.context_name} is protected; type its name to go on")
            given = confirm(f"{plan.summary}: go on?")
            if not given:
                raise GateNotMet("you said no; nothing was done")
        return Consent(given=given, digest=plan.digest, typed_context=typed_context, accepts=accepts)

    def ask_step(self) -> Confirm:
        """Asks the person at the terminal about a step; nobody where there is none."""
        from maestro_cli.runbooks.model import nobody

        if not has_person():
            return nobody
        from maestro_cli.output.prompt import ask_question

        return ask_question

    # Watching, responding, rehearsing

    def run_watch(
        self,
        *,
        poll: str,
        listen: str | None,
        token_file: str | None,
        announce_to: str | None,
        respond: bool,
        progress: Progress,
    ) -> None:
        from maestro_cli.services.watching import run_watch

        run_watch(self, poll, listen, token_file, announce_to, respond, progress)

    def write_postmortem(
        self, ref: str, path: str | None = None, *, force: bool = False, beside: bool = False
    ) -> Path:
        """Write the post-mortem of an incident and publish it; by default into the state folder.

        A file that somebody has edited is refused, replaced (`force`) or left beside (`beside`).
        """
        from maestro_cli.services.reporting import write_postmortem

        return write_postmortem(self, ref, Path(path) if path else None, force=force, beside=beside)

    @cached_property
    def response(self) -> Response:
        from maestro_cli.incidents.response import Crew, Response

        write = partial(self.write_postmortem, beside=True)
        crew = Crew(self.desk, self.triage, self.playbooks, self.runbooks, self.runner, write)
        return Response(crew, self.journal, self.clock, self.actor)

    def score_response(self, ref: str, journals: Sequence[Path]) -> FaultScore:
        from maestro_cli.services.rehearsing import score_response

        return score_response(self, ref, journals)

    def conductor(self, seed: int, cluster: str | None) -> Conductor:
        from maestro_cli.services.rehearsing import conductor

        return conductor(self, seed, cluster)

    def overview(self) -> Overview:
        from maestro_cli.services.overview import look

        return look(self)


def has_person() -> bool:
    """Whether somebody sits at the terminal, to see what happens and to stop it."""
    return sys.stdin.isatty() and sys.stderr.isatty()


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
