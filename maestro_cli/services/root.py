"""Sources become use cases: incidents, changes, runbooks, drills.

Invariant: everything is built on first use and imported where it is built, so that a command pays
only for what it touches. Nothing here asks whether a context is local.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from maestro_cli.services.backends import GlobalOptions
from maestro_cli.services.built_once import built_once
from maestro_cli.services.costs.root import CostServices
from maestro_cli.services.experimenting import ExperimentServices

if TYPE_CHECKING:
    from maestro_cli.changes.canary.examination import Examination
    from maestro_cli.changes.canary.model import Rules
    from maestro_cli.changes.model import Plan
    from maestro_cli.changes.rollouts import Rollout
    from maestro_cli.chaos.drills.conductor import Conductor
    from maestro_cli.chaos.drills.fault_score import FaultScore
    from maestro_cli.chaos.drills.league.model import LeagueReport
    from maestro_cli.core.facts.inspection import Description, ObjectText
    from maestro_cli.core.facts.inventory import NodeLine, PodLine, WorkloadLine
    from maestro_cli.core.facts.logs import LogSeen
    from maestro_cli.core.progress import Progress
    from maestro_cli.core.refs import ObjectRef
    from maestro_cli.incidents.details import Details
    from maestro_cli.incidents.gate import GateReading, GateScope
    from maestro_cli.incidents.intake.anomalies.model import Anomaly
    from maestro_cli.incidents.intake.blindness import Sight
    from maestro_cli.incidents.model import Incident
    from maestro_cli.incidents.overview import Overview
    from maestro_cli.incidents.report.bundle_check import BundleReport
    from maestro_cli.incidents.report.stats import Stats
    from maestro_cli.incidents.response.response import Response
    from maestro_cli.incidents.triage.investigate import Triage
    from maestro_cli.incidents.unanswered import Unanswered
    from maestro_cli.runbooks.lint import Finding
    from maestro_cli.services.burns import Burns
    from maestro_cli.services.exporting import Exported
    from maestro_cli.services.incident_following import Look
    from maestro_cli.services.inspecting import WantedLogs
    from maestro_cli.services.inventory import Wanted
    from maestro_cli.services.pods_ahead import PodsAhead

__all__ = ["GlobalOptions", "Services"]


class Services(ExperimentServices, CostServices):
    """Use cases over the backends of one context."""

    # What there is in the cluster

    pods_ahead: PodsAhead | None = None  # the first list of a watch, which is read already

    def list_pods(self, wanted: Wanted) -> list[PodLine]:
        from maestro_cli.services.inventory import list_pods

        return list_pods(self, wanted)

    def list_nodes(self, wanted: Wanted) -> list[NodeLine]:
        from maestro_cli.services.inventory import list_nodes

        return list_nodes(self, wanted)

    def list_workloads(self, wanted: Wanted) -> list[WorkloadLine]:
        from maestro_cli.services.inventory import list_workloads

        return list_workloads(self, wanted)

    def object_named(self, kind: str, text: str, namespace: str | None) -> ObjectRef:
        """Read the name of a Pod, a Node or a Workload, to look at."""
        from maestro_cli.services.inspecting import object_named

        return object_named(self, kind, text, namespace)

    def describe(self, ref: ObjectRef) -> Description:
        """One object with its conditions, events, owners and what it owns."""
        from maestro_cli.services.inspecting import describe

        return describe(self, ref)

    def object_text(self, ref: ObjectRef) -> ObjectText:
        """One object of any kind as YAML, without secrets."""
        from maestro_cli.services.inspecting import object_text

        return object_text(self, ref)

    def read_logs(self, wanted: WantedLogs) -> Iterator[tuple[LogSeen, ...]]:
        """What containers print, in batches."""
        from maestro_cli.services.inspecting import read_logs

        return read_logs(self, wanted)

    def read_rollout(self, text: str, namespace: str | None) -> Rollout:
        """How far the rollout of a workload is."""
        from maestro_cli.changes.rollouts import read_rollout

        return read_rollout(self.cluster, self.workload_ref(text, namespace))

    def follow_rollout(self, text: str, namespace: str | None, until: str, timeout: str) -> Iterator[Rollout]:
        """Each look at a rollout until it ends."""
        from maestro_cli.services.rollouts import follow_rollout

        return follow_rollout(self, self.workload_ref(text, namespace), until, timeout)

    @built_once
    def burns(self) -> Burns:
        """How its objectives burn, for all who look."""
        from maestro_cli.services.burns import Burns

        return Burns(self, self.standing, self.clock)

    # The model server

    def serve(self, arguments: Sequence[str]) -> NoReturn:
        from maestro_cli.services.serving import become_server

        become_server(arguments)

    # Incidents

    def incidents(self, *, open_only: bool, drills: bool, owner: str = "") -> tuple[Incident, ...]:
        """Newest first; those of one owner (`me`, `nobody`) where one is given."""
        from maestro_cli.incidents.model import OPEN_STATES

        found = self.desk.list(states=OPEN_STATES if open_only else (), drills=drills)
        wanted = {"me": self.actor, "nobody": None}.get(owner, owner)
        return tuple(one for one in found if not owner or one.owner == wanted)

    def incident_details(self, ref: str) -> Details:
        """What `incident show` shows; asks no backend."""
        from maestro_cli.incidents.details import read_details
        from maestro_cli.services.intake import sight_of

        return read_details(self.desk, ref, sight_of(self), self.clock.now(), self.standings)

    def triaged_details(self, ref: str) -> Details:
        """The same of an incident that was triaged; raises NoData of one that was not."""
        from maestro_cli.core.errors import NoData

        details = self.incident_details(ref)
        if details.triage is None:
            number = details.incident.number
            raise NoData(
                f"incident #{number} was not triaged yet",
                why="there is no record of suspects",
                fix=f"maestro incident triage {number}",
            )
        return details

    def incident_stats(self, since: str, namespace: str | None, *, drills: bool) -> Stats:
        """How fast incidents were dealt with, over a time and against as long a time before."""
        from maestro_cli.services.incident_stats import incident_stats

        return incident_stats(self, since, namespace, drills=drills)

    def silence_plan(self, ref: str, duration: str, comment: str) -> Plan:
        """The plan of a silence of the alerts of an incident."""
        from maestro_cli.services.incident_silences import silence_plan

        return silence_plan(self, ref, duration, comment)

    def record_silence(self, ref: str, plan: Plan, expected_seq: int | None) -> None:
        from maestro_cli.services.incident_silences import record_silence

        record_silence(self, ref, plan, expected_seq)

    def end_silences(self) -> None:
        """End the silences of incidents that are over; what cannot be ended is said on stderr."""
        if not self.desk.overdue_silences():
            return
        from maestro_cli.output.diagnostics import warn
        from maestro_cli.services.incident_silences import end_silences

        for left in end_silences(self).values():
            warn(left)

    def incident_gate(self, scope: GateScope) -> GateReading:
        """Whether a place is free of open incidents."""
        from maestro_cli.services.incident_following import incident_gate

        return incident_gate(self, scope)

    def follow_incidents(self, ref: str, until: str, timeout: str, *, drills: bool) -> Iterator[Look]:
        """Each look at the open incidents, or at one, with what changed."""
        from maestro_cli.services.incident_following import follow_incidents

        return follow_incidents(self, ref, until, timeout, drills=drills)

    @built_once
    def triage(self) -> Triage:
        from maestro_cli.services.triaging import triage_of

        return triage_of(self)

    def investigate(self, ref: str, progress: Progress, timeout: str) -> None:
        """Triage an open incident and record what it found; moves a fresh one to triaging."""
        from maestro_cli.services.triaging import timeout_of

        seconds = timeout_of(timeout)
        self.response.investigate(ref, progress, timeout_seconds=seconds)

    def respond(self, ref: str, progress: Progress) -> None:
        self.response.respond(
            ref, confirm=self.ask_step(progress), progress=progress, cancellation=self.cancellation
        )

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
        self,
        ref: str,
        path: str | None = None,
        *,
        form: str = "md",
        force: bool = False,
        beside: bool = False,
    ) -> Path:
        """Write the post-mortem of an incident; by default into the state folder.

        A file that somebody has edited outside the parts for people is refused, replaced (`force`) or left
        beside (`beside`).
        """
        from maestro_cli.services.reporting import write_postmortem

        place = Path(path) if path else None
        return write_postmortem(self, ref, place, form=form, force=force, beside=beside)

    def review_postmortem(self, ref: str, path: str | None) -> tuple[Finding, ...]:
        from maestro_cli.services.reporting import review_postmortem

        return review_postmortem(self, ref, Path(path) if path else None)

    def export_incident(self, ref: str, form: str, path: str | None, *, force: bool) -> str:
        """An export as text; with a path it is written there, and the path is what is returned."""
        from maestro_cli.services.exporting import export_text, export_to

        text = export_text(self, ref, form)
        if path is None:
            return text
        export_to(self, text, Path(path), force=force)
        return path

    def export_bundle(self, ref: str, path: str, **how: Any) -> Exported:
        from maestro_cli.services.exporting import export_bundle

        return export_bundle(self, ref, Path(path), **how)

    def verify_bundle(self, path: str, *, keys: tuple[str, ...], anchor: str | None) -> BundleReport:
        from maestro_cli.services.exporting import verify_bundle

        return verify_bundle(Path(path), keys=keys, anchor=anchor)

    def publish_postmortem(self, ref: str, path: str | None, *, force: bool, reason: str) -> Incident:
        from maestro_cli.services.reporting import publish_postmortem

        return publish_postmortem(self, ref, Path(path) if path else None, force=force, reason=reason)

    @built_once
    def response(self) -> Response:
        from maestro_cli.incidents.response.response import Crew, Response
        from maestro_cli.services.triaging import MetricsWhenAsked

        write = partial(self.write_postmortem, beside=True)
        runner = self.runner_for("", given=True, metrics=MetricsWhenAsked(lambda: self.prometheus))
        crew = Crew(self.desk, self.triage, self.playbooks, self.runbooks, runner, write, self.outbox)
        return Response(crew, self.journal, self.clock, self.actor)

    def score_response(self, ref: str, journals: Sequence[Path]) -> FaultScore:
        from maestro_cli.services.rehearsing import score_response

        return score_response(self, ref, journals)

    def conductor(self, seed: int, cluster: str | None) -> Conductor:
        from maestro_cli.services.rehearsing import conductor

        return conductor(self, seed, cluster)

    def play_league(
        self,
        names: Sequence[str],
        seeds: Sequence[int],
        *,
        cluster: str | None,
        keep: bool,
        file: Path | None,
        resume: bool,
        progress: Progress,
    ) -> tuple[LeagueReport, Path]:
        """Play scenarios of the league, each with every seed."""
        from maestro_cli.services.league import play_league

        return play_league(
            self, names, seeds, cluster=cluster, keep=keep, file=file, resume=resume, progress=progress
        )

    # Canaries

    def canary_rules(self, ref: ObjectRef, beside: str, **words: Any) -> Rules:
        from maestro_cli.services.canarying import rules_of

        return rules_of(self, ref, beside, **words)

    def canary_start_plan(self, ref: ObjectRef, asked: dict[str, object], rules: Rules) -> Plan:
        from maestro_cli.services.canarying import start_plan

        return start_plan(self, ref, asked, rules)

    def canary_promote_plan(self, ref: ObjectRef, model: str, anyway: bool) -> Plan:
        from maestro_cli.services.canarying import promote_plan

        return promote_plan(self, ref, model, anyway=anyway)

    def canary_promotion_left(self, ref: ObjectRef, model: str) -> Plan | None:
        """What is still to be done after a change of a promotion; None when that was all."""
        from maestro_cli.services.canarying import rest_of_promotion

        return rest_of_promotion(self, ref, model)

    def canary_abort_plan(self, ref: ObjectRef, model: str) -> Plan:
        from maestro_cli.services.canarying import abort_plan

        return abort_plan(self, ref, model)

    def canary(self, ref: ObjectRef, model: str) -> Examination:
        from maestro_cli.services.canarying import look

        return look(self, ref, model)

    def watch_canary(self, ref: ObjectRef, model: str, every: str) -> Examination:
        from maestro_cli.services.canarying import watch

        with self.progress() as progress:
            progress.phase("canary", f"{model or ref}: waiting for a decision")
            return watch(self, ref, model, every, progress)

    def record_canary(self, plan: Plan, rules: Rules) -> None:
        from maestro_cli.changes.canary.register import started

        started(self.journal, self.actor, plan, rules)

    def record_canary_end(self, ref: ObjectRef, model: str, plan: Plan, ended_as: str) -> None:
        from maestro_cli.services.canarying import record_end

        record_end(self, ref, model, plan, ended_as)

    def anomalies(self) -> tuple[Anomaly, ...]:
        """What is unusual now, as far as a watch has looked."""
        from maestro_cli.incidents.intake.anomalies.projection import current_anomalies

        return current_anomalies(self.journal)

    @property
    def sight(self) -> Sight:
        """Whether anybody watches; the journal alone is read."""
        from maestro_cli.services.intake import sight_of

        return sight_of(self)

    def unanswered(self) -> Unanswered:
        from maestro_cli.services.unanswered import find_unanswered

        return find_unanswered(self)

    def overview(self) -> Overview:
        from maestro_cli.services.overview import look

        return look(self)
