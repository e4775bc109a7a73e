"""Drills on the embedded platform, answered by the same response that a real incident gets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from maestro_cli.changes.history import get_change
from maestro_cli.changes.model import State
from maestro_cli.chaos.drills.conductor import Conductor
from maestro_cli.chaos.drills.fault_score import FaultScore, score_faults
from maestro_cli.chaos.drills.faults import read_faults
from maestro_cli.chaos.drills.model import Accused, Fix, Outcome
from maestro_cli.chaos.drills.ports import Ensemble
from maestro_cli.config.locations import shipped
from maestro_cli.core.cancellation import Cancellation
from maestro_cli.core.clock import from_rfc3339
from maestro_cli.core.errors import TimedOut
from maestro_cli.core.progress import Progress
from maestro_cli.core.refs import WorkloadRef
from maestro_cli.incidents.model import OPEN_STATES, Incident, Signal
from maestro_cli.runbooks.model import Confirm
from maestro_cli.runbooks.model import State as StepState
from maestro_cli.slo.files.reading import read_objectives

if TYPE_CHECKING:
    from maestro_cli.core.facts.cluster import Pod
    from maestro_cli.runbooks.history import RunHistory
    from maestro_cli.runbooks.model import RunRecord
    from maestro_cli.services.root import Services
    from maestro_cli.sources.serving_faults import ReplicaFaults

POLL_SECONDS = 0.1
_DRILL = "drill"  # for whom a kubelet is stopped
SERVING_PORT = 8080  # of the containers in deploy/local


class EmbeddedStage:
    """Satisfies chaos.drills.ports.Stage."""

    def __init__(self, services: Services, seed: int, cluster: str | None, *, second: bool) -> None:
        self._services = services
        self._seed = seed
        self._cluster = cluster
        self._second = second

    def is_up(self) -> bool:
        return self._services.platform.is_up_with(self._cluster)

    def up(self, progress: Progress, cancellation: Cancellation) -> None:
        self._services.start_platform(
            progress, seed=self._seed, cluster=self._cluster, second=self._second, cancellation=cancellation
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
            if alert.firing and alert.labels.get("namespace", "") in ("", ref.namespace)
        )

    def open_incidents(self, ref: WorkloadRef, *, before: datetime | None = None) -> tuple[str, ...]:
        return tuple(
            f"incident #{incident.number}"
            for incident in self._open(ref)
            if before is None or self._began(incident) < before
        )

    def dismiss_drills(self, ref: WorkloadRef, reason: str) -> None:
        for incident in self._open(ref):
            if incident.drill:
                self._services.desk.dismiss(incident.id, reason)

    def dismiss_since(self, ref: WorkloadRef, since: datetime, reason: str) -> None:
        for incident in self._open(ref):
            if self._began(incident) >= since:
                self._services.desk.dismiss(incident.id, reason)

    def _open(self, *refs: WorkloadRef) -> tuple[Incident, ...]:
        found = self._services.desk.list(states=OPEN_STATES)
        return tuple(incident for incident in found if incident.workload in (*refs, None))

    def await_incident(
        self,
        refs: Sequence[WorkloadRef],
        alert: str,
        *,
        since: datetime,
        timeout_seconds: float,
        cancellation: Cancellation,
    ) -> str:
        clock = self._services.clock
        deadline = clock.monotonic() + timeout_seconds
        while clock.monotonic() < deadline:
            for incident in self._open(*refs):
                if self._began(incident) >= since and self._tells(incident, alert):
                    return incident.id
            cancellation.pause(POLL_SECONDS)
        raise TimedOut(
            f"no incident was opened for {alert} within {timeout_seconds:.0f} s",
            fix="maestro local logs watch, maestro local status",
        )

    def _tells(self, incident: Incident, alert: str) -> bool:
        return is_told(self._services.desk.signals(incident.id), alert)

    def _began(self, incident: Incident) -> datetime:
        """When it was opened, or opened again."""
        again = self._services.journal.events(subject=incident.subject, kinds=("incident.reopened",))
        return from_rfc3339(again[-1].time) if again else incident.times.opened_at

    def respond(
        self, incident: str, *, confirm: Confirm, progress: Progress, cancellation: Cancellation
    ) -> None:
        self._services.response.respond(
            incident, confirm=confirm, progress=progress, cancellation=cancellation
        )

    def close(self, incident: str, reason: str) -> None:
        self._services.desk.close(incident, reason=reason)

    def outcome(self, incident: str) -> Outcome:
        return self._outcome(self._services.desk.get(incident))

    def _outcome(self, incident: Incident) -> Outcome:
        recorded = self._services.desk.suspects(incident.id)
        culprit = recorded is not None and recorded.data["culprit"]
        suspect = _accused(recorded.data["suspects"][0]) if recorded is not None and culprit else None
        applied = [
            entry.subject.removeprefix("change/")
            for entry in self._services.desk.timeline(incident.id)
            if entry.kind == "change.applied"
        ]
        changes = [get_change(self._services.journal, change) for change in applied]
        runs = self._services.run_history.list(incident=incident.id)  # the newest first
        times = incident.times
        return Outcome(
            incident=incident.id,
            detected_at=times.opened_at,
            triaged_at=times.triaged_at or (from_rfc3339(recorded.time) if recorded is not None else None),
            mitigated_at=times.mitigated_at,
            resolved_at=times.resolved_at,
            suspect_kind=suspect.kind if suspect else "",
            suspect_subject=suspect.subject if suspect else "",
            suspect_revision=suspect.revision if suspect else None,
            fixes=tuple(Fix(one.kind, str(one.ref), one.state is State.VERIFIED) for one in changes),
            run=f"{runs[0].runbook} {runs[0].status.value}" if runs else "",
            steps=_steps(self._services.run_history, runs),
            postmortem=self._postmortem(incident),
            suspects=() if recorded is None else tuple(map(_accused, recorded.data["suspects"])),
        )

    def _postmortem(self, incident: Incident) -> str:
        events = self._services.journal.events(
            subject=incident.subject, kinds=("incident.postmortem_published",)
        )
        return str(events[-1].data["path"]) if events else ""


def is_told(signals: Iterable[Signal], alert: str) -> bool:
    """Whether an alert of that name ("": any) fires and a response would begin with it.

    One that only a webhook told of gives way to any other; it is read within a poll. Pure.
    """
    firing = [signal for signal in signals if signal.firing]
    awaited = [signal for signal in firing if alert in ("", signal.name)]
    if all(signal.is_hearsay for signal in awaited):
        return bool(awaited) and all(signal.is_hearsay for signal in firing)
    return True


def _accused(suspect: Mapping[str, Any]) -> Accused:
    """With the strength of the evidence, which scores are calibrated by."""
    strength = suspect["score"] if suspect.get("strength") is None else suspect["strength"]
    subject, _, revision = str(suspect["subject"]).rpartition(" revision ")
    if subject and revision.isdigit():
        return Accused(suspect["kind"], subject, int(revision), strength)
    return Accused(suspect["kind"], suspect["subject"], None, strength)


def _steps(history: RunHistory, runs: Sequence[RunRecord]) -> tuple[str, ...]:
    """`RUNBOOK/STEP` of every step that succeeded."""
    whole = [history.get(run.id) for run in runs]
    return tuple(
        f"{run.runbook}/{step.path}" for run in whole for step in run.steps if step.state is StepState.OK
    )


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


class EmbeddedNodes:
    """Satisfies chaos.drills.ports.Nodes: the process kubelets of the embedded platform."""

    def __init__(self, services: Services) -> None:
        from maestro_cli.config.locations import local_state_dir

        self._services = services
        self._state = local_state_dir()

    def hosting(self, ref: WorkloadRef) -> tuple[str, ...]:
        cluster = self._services.cluster
        pods = cluster.list_pods(ref.namespace, selector=cluster.get_workload(ref).selector)
        return tuple(sorted({pod.node for pod in pods if pod.ready and not pod.deleting}))

    def stop(self, node: str) -> None:
        from maestro_cli.local.stopped_parts import kubelet_part, stop_part

        stop_part(self._state, kubelet_part(node), self._services.clock, _DRILL)

    def resume(self) -> tuple[str, ...]:
        from maestro_cli.local.stopped_parts import resume_part, stopped_parts

        return tuple(
            part.replace("kubelet-", "node-")
            for part in stopped_parts(self._state)
            if resume_part(self._state, part, self._services.clock, _DRILL)
        )

    def closed(self) -> tuple[str, ...]:
        return tuple(
            sorted(node.name for node in self._services.cluster.list_nodes() if not node.schedulable)
        )

    def reopen(self, node: str, drill: str) -> bool:
        from maestro_cli.services.reopening import reopen_node

        services = self._services
        return reopen_node(services.cluster, services.changes, node, drill)


class EmbeddedLoad:
    """Satisfies chaos.drills.ports.Load: the load generator of the embedded platform."""

    def __init__(self, services: Services) -> None:
        from maestro_cli.config.locations import local_state_dir

        self._services = services
        self._state = local_state_dir()

    def surge(self, ref: WorkloadRef, factor: float, seconds: float) -> None:
        from maestro_cli.local.callers import caller_of
        from maestro_cli.local.load.surge import begin_surge

        begin_surge(self._state, factor, seconds, self._services.clock.now(), caller_of(ref.name).part)

    def calm(self, ref: WorkloadRef) -> bool:
        from maestro_cli.local.callers import caller_of
        from maestro_cli.local.load.surge import end_surge

        return end_surge(self._state, caller_of(ref.name).part)


class EmbeddedAlarms:
    """Satisfies chaos.drills.ports.Alarms: tells the embedded platform's Alertmanager, as Prometheus does."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def say(self, alerts: Sequence[Mapping[str, str]], *, since: datetime, for_seconds: float) -> None:
        ends = self._services.clock.now() + timedelta(seconds=for_seconds)
        self._services.alertmanager.send_alerts(alerts, starts_at=since, ends_at=ends)


def embedded_ensemble(services: Services) -> Ensemble:
    """Everyone there is in the context `local`, once the platform is up."""
    from maestro_cli.chaos.drills.under_guard import ExperimentsUnderGuard
    from maestro_cli.config.locations import local_state_dir
    from maestro_cli.services.drill_props import EmbeddedProps

    local = services.in_context("local")
    return Ensemble(
        local.journal, local.cluster, local.prometheus, Responders(local), embedded_faults(local),
        EmbeddedNodes(local), local.cluster, EmbeddedProps(local_state_dir(), local.serving_url),
        EmbeddedLoad(local), EmbeddedAlarms(local), 
        ExperimentsUnderGuard(local.experiment_means(), services.cancellation),
    )  # fmt: skip


def conductor(services: Services, seed: int, cluster: str | None, *, second: bool = False) -> Conductor:
    """A conductor whose ensemble works in the context `local`, once the platform is up.

    `cluster` is the one that the platform must have; None takes the one that is up, else the light one. A
    platform that it starts has the second service where it is wanted.
    """
    deploy = shipped("deploy")
    folders = (deploy / "objectives", *((deploy / "league" / "objectives",) if second else ()))
    return Conductor(
        EmbeddedStage(services, seed, cluster, second=second),
        lambda: embedded_ensemble(services),
        {objective.name: objective for folder in folders for objective in read_objectives(folder)},
        clock=services.clock,
        actor=services.actor,
    )
