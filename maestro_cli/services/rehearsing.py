"""Drills on the embedded platform, answered by the same response that a real incident gets."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from maestro_cli.changes.history import get_change
from maestro_cli.changes.model import State
from maestro_cli.chaos.drills.conductor import Conductor, Ensemble
from maestro_cli.chaos.drills.fault_score import FaultScore, score_faults
from maestro_cli.chaos.drills.faults import read_faults
from maestro_cli.chaos.drills.model import Outcome
from maestro_cli.config.locations import shipped
from maestro_cli.core.cancellation import Cancellation
from maestro_cli.core.clock import from_rfc3339
from maestro_cli.core.errors import TimedOut
from maestro_cli.core.progress import Progress
from maestro_cli.core.refs import WorkloadRef
from maestro_cli.incidents.model import OPEN_STATES, Incident
from maestro_cli.runbooks.model import nobody
from maestro_cli.slo.objectives import read_objectives

if TYPE_CHECKING:
    from maestro_cli.core.facts.cluster import Pod
    from maestro_cli.services.root import Services
    from maestro_cli.sources.serving_faults import ReplicaFaults

POLL_SECONDS = 0.1
SERVING_PORT = 8080  # of the containers in deploy/local


class EmbeddedStage:
    """Satisfies chaos.drills.ports.Stage."""

    def __init__(self, services: Services, seed: int, cluster: str | None) -> None:
        self._services = services
        self._seed = seed
        self._cluster = cluster

    def is_up(self) -> bool:
        return self._services.platform.is_up_with(self._cluster)

    def up(self, progress: Progress, cancellation: Cancellation) -> None:
        self._services.start_platform(
            progress, seed=self._seed, cluster=self._cluster, cancellation=cancellation
        )

    def down(self, progress: Progress) -> None:
        self._services.platform.down(progress=progress)


class Responders:
    """Satisfies chaos.drills.ports.Responder: the real response, reading only what monitoring says."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def firing(self, ref: WorkloadRef) -> tuple[str, ...]:
        return tuple(
            f"alert {alert.name}"
            for alert in self._services.alertmanager.alerts()
            if alert.firing and alert.labels.get("namespace") == ref.namespace
        )

    def open_incidents(self, ref: WorkloadRef) -> tuple[str, ...]:
        return tuple(f"incident #{incident.number}" for incident in self._open(ref))

    def dismiss_drills(self, ref: WorkloadRef, reason: str) -> None:
        for incident in self._open(ref):
            if incident.drill:
                self._services.desk.dismiss(incident.id, reason)

    def _open(self, ref: WorkloadRef) -> tuple[Incident, ...]:
        found = self._services.desk.list(states=OPEN_STATES)
        return tuple(incident for incident in found if incident.workload == ref)

    def await_incident(
        self, ref: WorkloadRef, *, since: datetime, timeout_seconds: float, cancellation: Cancellation
    ) -> str:
        clock = self._services.clock
        deadline = clock.monotonic() + timeout_seconds
        while clock.monotonic() < deadline:
            for incident in self._open(ref):
                if self._began(incident) >= since:
                    return incident.id
            cancellation.pause(POLL_SECONDS)
        raise TimedOut(
            f"no incident was opened within {timeout_seconds:.0f} s",
            fix="maestro local logs watch, maestro local status",
        )

    def _began(self, incident: Incident) -> datetime:
        """When it was opened, or opened again."""
        again = self._services.journal.events(subject=incident.subject, kinds=("incident.reopened",))
        return from_rfc3339(again[-1].time) if again else incident.times.opened_at

    def respond(self, incident: str, *, progress: Progress, cancellation: Cancellation) -> None:
        self._services.response.respond(
            incident, confirm=nobody, progress=progress, cancellation=cancellation
        )

    def close(self, incident: str, reason: str) -> None:
        self._services.desk.close(incident, reason=reason)

    def outcome(self, incident: str) -> Outcome:
        return self._outcome(self._services.desk.get(incident))

    def _outcome(self, incident: Incident) -> Outcome:
        recorded = self._services.desk.suspects(incident.id)
        culprit = recorded is not None and recorded.data["culprit"]
        suspect = recorded.data["suspects"][0] if recorded is not None and culprit else None
        subject, _, revision = suspect["subject"].rpartition(" revision ") if suspect else ("", "", "")
        applied = [
            entry.subject.removeprefix("change/")
            for entry in self._services.desk.timeline(incident.id)
            if entry.kind == "change.applied"
        ]
        fix = get_change(self._services.journal, applied[-1]) if applied else None
        times = incident.times
        return Outcome(
            incident=incident.id,
            detected_at=times.opened_at,
            triaged_at=times.triaged_at or (from_rfc3339(recorded.time) if recorded is not None else None),
            mitigated_at=times.mitigated_at,
            resolved_at=times.resolved_at,
            suspect_kind=suspect["kind"] if suspect else "",
            suspect_subject=subject or (suspect["subject"] if suspect else ""),
            suspect_revision=int(revision) if revision.isdigit() else None,
            fix_kind=fix.kind if fix else "",
            fix_target=str(fix.ref) if fix else "",
            fix_verified=fix is not None and fix.state is State.VERIFIED,
            postmortem=self._postmortem(incident),
        )

    def _postmortem(self, incident: Incident) -> str:
        events = self._services.journal.events(
            subject=incident.subject, kinds=("incident.postmortem_published",)
        )
        return str(events[-1].data["path"]) if events else ""


def score_response(services: Services, ref: str, journals: Sequence[Path]) -> FaultScore:
    """Score what was done about an incident against the journals of the servers that had faults.

    Raises NoData without a journal, InvalidFile with its wrong line, NotFound for the incident.
    """
    faults = read_faults(journals)
    incident = services.desk.get(ref)
    outcome = Responders(services).outcome(incident.id)
    return score_faults(faults, outcome, incident.workload, services.clock.now())


def embedded_faults(services: Services) -> ReplicaFaults:
    """The fault injection of the embedded platform's model servers, with the key for drills."""
    from maestro_cli.config.locations import local_state_dir
    from maestro_cli.local.addresses import listening_address
    from maestro_cli.local.keys import faults_folder, key_file
    from maestro_cli.sources.serving_faults import ReplicaFaults

    cluster, state = services.cluster, local_state_dir()

    def pods(ref: WorkloadRef) -> tuple[Pod, ...]:
        return cluster.list_pods(ref.namespace, selector=cluster.get_workload(ref).selector)

    return ReplicaFaults(
        pods,
        lambda pod: f"http://{listening_address(pod.ip)}:{SERVING_PORT}",
        lambda: key_file(state, "chaos").read_text(encoding="ascii").strip(),
        lambda: sorted(faults_folder(state).glob("*.jsonl")),
    )


def conductor(services: Services, seed: int, cluster: str | None) -> Conductor:
    """A conductor whose ensemble works in the context `local`, once the platform is up.

    `cluster` is the one that the platform must have; None takes the one that is up, else the light one.
    """

    def gather() -> Ensemble:
        local = services.in_context("local")
        return Ensemble(
            local.journal, local.cluster, local.prometheus, Responders(local), embedded_faults(local)
        )

    return Conductor(
        EmbeddedStage(services, seed, cluster),
        gather,
        {objective.name: objective for objective in read_objectives(shipped("deploy") / "objectives")},
        clock=services.clock,
        actor=services.actor,
    )
