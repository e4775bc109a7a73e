"""The investigation: collectors in threads, then the ranking.

Invariant: a collector that fails or hangs becomes failed evidence and nothing else; the order of
evidence and the ranking depend on the facts alone. Three rounds, because logs need the onset and the
pods, and pods need the workload.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from maestro_cli.core.clock import Clock
from maestro_cli.core.errors import MaestroError
from maestro_cli.core.facts.cluster import ClusterEvent, Node, Pod, Workload
from maestro_cli.core.refs import WorkloadRef
from maestro_cli.incidents.model import Incident, Signal
from maestro_cli.incidents.ports import Cluster, Metrics
from maestro_cli.incidents.triage.around import around_of, ask_around, ask_jobs
from maestro_cli.incidents.triage.calibration import calibrated
from maestro_cli.incidents.triage.edits import Edits
from maestro_cli.incidents.triage.evidence import Writer
from maestro_cli.incidents.triage.facts import CaseFacts, Rollout, Saturation, with_revisions, with_zones
from maestro_cli.incidents.triage.logs import PodLog, group_lines, read_pod_log
from maestro_cli.incidents.triage.making import RELEASE_WINDOW_SECONDS
from maestro_cli.incidents.triage.measure import Readings, Telemetry
from maestro_cli.incidents.triage.model import Evidence, Lacking, Onset, TriageReport
from maestro_cli.incidents.triage.objective import choose_objective
from maestro_cli.incidents.triage.page import failed
from maestro_cli.incidents.triage.past import Past
from maestro_cli.incidents.triage.queries import INFERENCE, MetricFamily
from maestro_cli.incidents.triage.rollouts import rollouts_of, scaled_up_at, target_of
from maestro_cli.incidents.triage.rounds import Outcome, Rounds
from maestro_cli.incidents.triage.saturation import of_pods
from maestro_cli.incidents.triage.severity import propose_severity
from maestro_cli.incidents.triage.surroundings import Surroundings
from maestro_cli.incidents.triage.suspects import rank_suspects
from maestro_cli.journal.store import Journal
from maestro_cli.slo.objectives import Objective

NOT_CONFIGURED = Lacking()
TIMEOUT_SECONDS = 15.0
NOWHERE = "no namespace or workload to ask about"


@dataclass(frozen=True, slots=True)
class TriageSettings:
    """`objectives` let triage speak of budget; `deadline_seconds` is for each of the three rounds,
    `timeout_seconds` for all of them together."""

    family: MetricFamily = INFERENCE
    objectives: tuple[Objective, ...] = ()
    lookback_seconds: float = 3600.0
    release_window_seconds: float = RELEASE_WINDOW_SECONDS
    max_workloads: int = 30
    max_log_pods: int = 12
    tail_lines: int = 1500
    deadline_seconds: float = 6.0
    timeout_seconds: float = TIMEOUT_SECONDS
    threads: int = 8
    revenue_segments: frozenset[str] = frozenset()  # the parts of the traffic that earn money


class Triage:
    """Investigates incidents with whatever sources the context has; None for one it lacks, for the reason
    that `lacking` gives."""

    def __init__(
        self,
        cluster: Cluster | None,
        metrics: Metrics | None,
        clock: Clock,
        *,
        settings: TriageSettings | None = None,
        journal: Journal | None = None,
        lacking: Lacking = NOT_CONFIGURED,
    ) -> None:
        self._cluster = cluster
        self._metrics = metrics
        self._lacking = lacking
        self._clock = clock
        self._past = Past(journal) if journal is not None else None
        self._settings = settings or TriageSettings()

    def investigate(
        self, incident: Incident, signals: Sequence[Signal], *, timeout_seconds: float | None = None
    ) -> TriageReport:
        """Collect evidence and rank suspects; never raises for a source that fails. What is not answered
        within `timeout_seconds`, or those of the settings, is told as missing."""
        settings = self._settings
        if timeout_seconds is not None:
            settings = replace(settings, timeout_seconds=timeout_seconds)
        return _Investigation(
            self._cluster,
            self._metrics,
            self._lacking,
            self._past,
            self._clock,
            settings,
            incident,
            signals,
        ).run()

    def measure_impact(
        self, incident: Incident, signals: Sequence[Signal], *, onset: datetime | None = None
    ) -> Evidence:
        """Requests and errors from the onset until the incident was mitigated, or now: for the
        post-mortem and the cost. Recorded with `desk.record_evidence`."""
        now = self._clock.now()
        end = min(incident.times.mitigated_at or incident.times.resolved_at or now, now)
        start = min(onset or incident.times.started_at, end)
        workload, metrics = incident.workload, self._metrics
        if workload is None or metrics is None:
            missing = "no workload is named" if workload is None else self._lacking.metrics
            return failed("impact", "What users felt", "", now, "prometheus", missing)
        choice = choose_objective(self._settings.objectives, workload, signals)
        telemetry = Telemetry(metrics, self._settings.family, workload, choice)
        try:
            return telemetry.impact(start, end, now)
        except MaestroError as error:
            return failed("impact", "What users felt", "", now, "prometheus", error.what)


class _Investigation:
    """One run over one incident."""

    def __init__(
        self,
        cluster: Cluster | None,
        metrics: Metrics | None,
        lacking: Lacking,
        past: Past | None,
        clock: Clock,
        settings: TriageSettings,
        incident: Incident,
        signals: Sequence[Signal],
    ) -> None:
        self._cluster = cluster
        self._past = past
        self._clock = clock
        self._settings = settings
        self._rounds = Rounds(
            clock,
            settings.threads,
            each_seconds=settings.deadline_seconds,
            whole_seconds=settings.timeout_seconds,
        )
        self._incident = incident
        self._signals = signals
        self._now = clock.now()
        self._workload = incident.workload
        self._start = self._window_start()
        self._telemetry: Telemetry | None = None
        if metrics is not None and self._workload is not None:
            choice = choose_objective(settings.objectives, self._workload, signals)
            self._telemetry = Telemetry(metrics, settings.family, self._workload, choice)
        self._surroundings = (
            Surroundings(metrics, signals, incident.namespace, self._workload)
            if metrics is not None
            else None
        )
        self._unasked = Lacking(
            lacking.cluster if cluster is None else NOWHERE,
            lacking.metrics if metrics is None else "the incident names no workload",
        )

    def _window_start(self) -> datetime:
        lookback = timedelta(seconds=self._settings.lookback_seconds)
        started = self._incident.times.started_at
        return max(started - lookback, self._now - 6 * lookback)

    def run(self) -> TriageReport:
        began = self._clock.monotonic()
        first = self._first_round()
        readings: Readings | None = first["series"].value if "series" in first else None
        onset = readings.onset if readings is not None else None
        if onset is None:
            at = self._incident.times.started_at
            onset = Onset(at, at, "alert")
        workloads: tuple[Workload, ...] = first["workloads"].value or () if "workloads" in first else ()
        edits = Edits(first, target_of(workloads, self._workload), self._start)
        second = self._second_round(first, onset, edits, readings.step_seconds if readings else 15.0)
        pods: tuple[Pod, ...] = second["pods"].value or () if "pods" in second else ()
        rollouts = self._rollouts(first, second)
        case = self._case(first, second, onset, pods, rollouts, readings)
        found, routing = edits.facts(second)
        case = replace(case, uses=edits.uses, edits=found, routing=routing, declared=edits.declared)
        case = replace(case, alert_at=self._incident.times.started_at)
        case = replace(case, around=around_of(second, self._signals, gone=self._is_gone(first)))
        logs = self._third_round(pods, _as_logs_have_it(onset, readings), case)
        groups = group_lines([outcome.value for outcome in logs.values() if outcome.value is not None])
        case = replace(case, logs=groups)
        window = self._settings.release_window_seconds
        suspects = calibrated(rank_suspects(case, release_window_seconds=window))
        evidence = Writer(self._now, self._start, case, self._unasked).write(
            self._signals, first, second, logs, readings, self._telemetry
        )
        budget: Mapping[str, Any] = next((one.facts for one in evidence if one.kind == "budget"), {})
        severity = propose_severity(case, suspects, budget, self._settings.revenue_segments)
        return TriageReport(
            self._incident.id, self._now, self._clock.monotonic() - began, onset, evidence, suspects, severity
        )

    def _is_gone(self, first: Mapping[str, Outcome[Any]]) -> bool:
        """Whether the cluster told its Deployments, and the workload is none of them.

        Of sets nobody knows: those that the caller may not list are left out.
        """
        answer, wanted = first.get("workloads"), self._workload
        if answer is None or answer.error or wanted is None or wanted.kind != "Deployment":
            return False
        if wanted.namespace != self._incident.namespace:
            return False
        return target_of(answer.value or (), wanted) is None

    def _first_round(self) -> Mapping[str, Outcome[Any]]:
        cluster, namespace, telemetry = self._cluster, self._incident.namespace, self._telemetry
        alert_at = self._incident.times.started_at
        with self._rounds.next() as turn:
            if telemetry is not None:
                turn.add("series", lambda: telemetry.read_series(self._start, self._now, alert_at))
            if (past := self._past) is not None:
                turn.add("changes", lambda: past.changes(self._start))
                turn.add("runs", lambda: past.runs(self._start))
                turn.add("past", lambda: past.incidents_like(self._incident))
            if cluster is not None and namespace:
                turn.add("written", lambda: cluster.list_written(namespace))
                turn.add("workloads", lambda: cluster.list_readable_workloads(namespace))
                turn.add("events", lambda: cluster.list_events(namespace, since=self._start))
            if cluster is not None:
                turn.add("nodes", lambda: cluster.list_nodes())
            return turn.finish()

    def _second_round(
        self, first: Mapping[str, Outcome[Any]], onset: Onset, edits: Edits, step: float
    ) -> Mapping[str, Outcome[Any]]:
        with self._rounds.next() as turn:
            edits.add_to(turn, self._cluster, self._telemetry, self._now, step)
            ask_around(turn, self._surroundings, self._start, onset, self._now, step)
            ask_jobs(turn, self._cluster, self._signals)
            cluster, telemetry = self._cluster, self._telemetry
            workloads: tuple[Workload, ...] = first["workloads"].value or () if "workloads" in first else ()
            if cluster is not None:
                target = target_of(workloads, self._workload)
                chosen = [target] if target is not None else []
                chosen += [item for item in workloads if item is not target]
                for workload in chosen[: self._settings.max_workloads]:
                    turn.add(f"revisions {workload.ref}", _revisions(cluster, workload.ref))
                if target is not None:
                    turn.add(
                        "pods", lambda: cluster.list_pods(target.ref.namespace, selector=target.selector)
                    )
            if telemetry is not None:
                turn.add("split", lambda: telemetry.read_split(self._start, onset, self._now))
                turn.add("quality", lambda: telemetry.read_judged(self._start, onset, self._now))
                seconds = (self._now - onset.at).total_seconds()
                turn.add("memory", lambda: telemetry.read_memory(self._now))
                turn.add("saturation", lambda: telemetry.read_saturation(self._now))
                turn.add("objective", lambda: telemetry.read_objective(seconds, self._now))
                for dimension in sorted(self._settings.family.dimensions):
                    turn.add(
                        f"latency {dimension}", _latency(telemetry, dimension, self._start, onset, self._now)
                    )
            return turn.finish()

    def _rollouts(
        self, first: Mapping[str, Outcome[Any]], second: Mapping[str, Outcome[Any]]
    ) -> tuple[Rollout, ...]:
        workloads: tuple[Workload, ...] = first["workloads"].value or () if "workloads" in first else ()
        events: tuple[ClusterEvent, ...] = first["events"].value or () if "events" in first else ()
        scaled_up = scaled_up_at(events)
        found: list[Rollout] = []
        for workload in workloads:
            outcome = second.get(f"revisions {workload.ref}")
            if outcome is not None and outcome.value:
                found += rollouts_of(workload, outcome.value, scaled_up)
        return tuple(found)

    def _case(
        self,
        first: Mapping[str, Outcome[Any]],
        second: Mapping[str, Outcome[Any]],
        onset: Onset,
        pods: tuple[Pod, ...],
        rollouts: tuple[Rollout, ...],
        readings: Readings | None,
    ) -> CaseFacts:
        workloads: tuple[Workload, ...] = first["workloads"].value or () if "workloads" in first else ()
        nodes: tuple[Node, ...] = first["nodes"].value or () if "nodes" in first else ()
        events: tuple[ClusterEvent, ...] = first["events"].value or () if "events" in first else ()
        latency = [second[name].value for name in sorted(second) if name.startswith("latency ")]
        own = [rollout for rollout in rollouts if rollout.ref == self._workload]
        split = second["split"].value or () if "split" in second else ()
        memory: Mapping[str, float] = (second["memory"].value or {}) if "memory" in second else {}
        saturation = (second["saturation"].value if "saturation" in second else None) or Saturation()
        return CaseFacts(
            workload=self._workload,
            onset=onset,
            rollouts=rollouts,
            pods=pods,
            nodes=nodes,
            events=events,
            split=with_zones(with_revisions(split, own), nodes),
            latency=tuple(item for item in latency if item is not None),
            judged=(second["quality"].value or {}) if "quality" in second else {},
            load_factor=readings.load_factor(onset) if readings is not None else None,
            memory={pod.name: memory[pod.name] for pod in pods if pod.name in memory},
            saturation=of_pods(saturation, pods),
            nodes_named=frozenset(one.labels["node"] for one in self._signals if one.labels.get("node")),
            services=frozenset(item.ref.name for item in workloads if item.ref != self._workload),
        )

    def _third_round(
        self, pods: Sequence[Pod], onset: Onset, case: CaseFacts
    ) -> Mapping[str, Outcome[PodLog]]:
        with self._rounds.next() as turn:
            cluster = self._cluster
            if cluster is not None:
                for pod in _choose(pods, case, self._settings.max_log_pods):
                    turn.add(pod.name, _log(cluster, pod, onset, self._now, self._settings.tail_lines, False))
                    if pod.restarts:
                        turn.add(
                            f"{pod.name} (previous)",
                            _log(cluster, pod, onset, self._now, self._settings.tail_lines, True),
                        )
            return turn.finish()


def _as_logs_have_it(onset: Onset, readings: Readings | None) -> Onset:
    """The onset for lines of logs: a rate shows what began two scrapes later, a log at once."""
    late = timedelta(seconds=2 * readings.step_seconds) if readings is not None else timedelta(0)
    return replace(onset, earliest=onset.earliest - late)


def _revisions(cluster: Cluster, ref: WorkloadRef) -> Callable[[], Any]:
    return lambda: cluster.list_revisions(ref)


def _latency(
    telemetry: Telemetry, dimension: str, start: datetime, onset: Onset, now: datetime
) -> Callable[[], Any]:
    return lambda: telemetry.read_latency(dimension, start, onset, now)


def _log(
    cluster: Cluster, pod: Pod, onset: Onset, now: datetime, tail_lines: int, previous: bool
) -> Callable[[], PodLog]:
    return lambda: read_pod_log(cluster, pod, onset, now, tail_lines=tail_lines, previous=previous)


def _choose(pods: Sequence[Pod], case: CaseFacts, limit: int) -> list[Pod]:
    """Which logs to read: by turns from each revision, unwell pods first."""
    by_revision: dict[str, list[Pod]] = {}
    for pod in sorted(pods, key=lambda pod: (pod.ready, -pod.restarts, pod.name)):
        if pod.phase != "Pending" or pod.restarts:
            by_revision.setdefault(case.revision_of(pod.name), []).append(pod)
    chosen: list[Pod] = []
    while len(chosen) < limit and any(by_revision.values()):
        for waiting in by_revision.values():
            if waiting and len(chosen) < limit:
                chosen.append(waiting.pop(0))
    return chosen
