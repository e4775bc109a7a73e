"""The first look at a context as a view."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from maestro_cli.core.canonical import plain
from maestro_cli.core.clock import seconds_between
from maestro_cli.core.quantities import format_duration
from maestro_cli.incidents.intake.blindness import API_SOURCE
from maestro_cli.output.renderers.anomalies import anomalies_view, anomaly_document
from maestro_cli.output.renderers.incidents import incident_document, incidents_view
from maestro_cli.output.renderers.people import task_document, tasks_view
from maestro_cli.output.renderers.unanswered import no_incident_words
from maestro_cli.output.tones import verdict_tone
from maestro_cli.output.views import Column, Fields, Heading, Listing, Report

if TYPE_CHECKING:
    from maestro_cli.core.facts.alerts import Alert
    from maestro_cli.core.facts.cluster import Workload
    from maestro_cli.incidents.overview import Burn, Overview


def overview_view(overview: Overview, now: datetime) -> Report:
    """JSON has `well` (true, false or null), `incidents`, `tasks`, `workloads`, `alerts`, `anomalies`,
    `objectives`, `watch`, `failures`."""
    word = {True: "well", False: "NOT well", None: "not known: a backend is silent"}[overview.is_well]
    rows: list[tuple[str, object]] = [
        ("context", overview.context),
        ("state", word),
        ("watched", _watched(overview)),
        *_without_alertmanager(overview),
        *((f"no {name}", error) for name, error in overview.failures),
    ]
    blocks: list[Any] = [
        Fields(rows),
        Heading("Incidents"),
        incidents_view(overview.incidents, now, overview.people, no_incident_words(overview.unanswered)),
    ]
    if overview.tasks:
        blocks += [Heading("Tasks"), tasks_view(overview.tasks, now)]
    if overview.workloads:
        blocks += [Heading("Workloads"), workloads_view(overview.workloads)]
    if overview.burns:
        blocks += [Heading("Objectives"), burns_view(overview.burns)]
    if overview.alerts:
        blocks += [Heading("Alerts"), alerts_view(overview.alerts, now)]
    if overview.anomalies:
        blocks += [Heading("Unusual"), anomalies_view(overview.anomalies, now)]
    document = {
        "context": overview.context,
        "namespace": overview.namespace,
        "well": overview.is_well,
        "incidents": [incident_document(incident, now, overview.people) for incident in overview.incidents],
        "tasks": [task_document(task, now) for task in overview.tasks],
        "workloads": [_workload(workload) for workload in overview.workloads],
        "alerts": [plain(alert) for alert in overview.alerts],
        "anomalies": [anomaly_document(anomaly) for anomaly in overview.anomalies],
        "objectives": [_burn(burn) for burn in overview.burns],
        "watch": overview.sight,
        "failures": [{"backend": name, "error": error} for name, error in overview.failures],
    }
    return Report("status/v1", document, tuple(blocks))


def _watched(overview: Overview) -> str:
    sight = overview.sight
    if not sight.watchers:
        return "no; maestro watch"
    if sight.blind_since is not None:
        return f"blind since {sight.blind_since}: {sight.error}"
    others = "".join(f"; {one.source} blind since {one.since}: {one.error}" for one in sight.others)
    return f"by {len(sight.watchers)}, from {sight.source}{others}"


def _without_alertmanager(overview: Overview) -> list[tuple[str, object]]:
    if overview.sight.source == API_SOURCE:
        return []
    return [("alerts", f"from {overview.sight.source}: the context has no alertmanager, so no silences")]


def workloads_view(workloads: tuple[Workload, ...]) -> Listing[Workload]:
    columns: tuple[Column[Workload], ...] = (
        Column("workload", lambda workload: workload.ref),
        Column("revision", lambda workload: workload.revision or None, right=True),
        Column(
            "ready",
            lambda workload: f"{workload.replicas_ready}/{workload.replicas_wanted}",
            right=True,
            tone=lambda w: "good" if w.replicas_ready >= w.replicas_wanted else "bad",
            priority=1,
        ),
        Column(
            "rollout",
            lambda workload: "complete" if workload.is_rolled_out else "in progress",
            tone=lambda w: "good" if w.is_rolled_out else "warn",
            priority=1,
        ),
        Column("cause", lambda workload: workload.annotations.get("kubernetes.io/change-cause"), priority=3),
        Column("reason", lambda workload: workload.progress_reason, wide=True),
    )
    return Listing("workloads/v1", columns, workloads, document=_workload)


def _workload(workload: Workload) -> dict[str, Any]:
    return {
        "ref": str(workload.ref),
        "revision": workload.revision,
        "replicas_wanted": workload.replicas_wanted,
        "replicas_ready": workload.replicas_ready,
        "rolled_out": workload.is_rolled_out,
        "change_cause": workload.annotations.get("kubernetes.io/change-cause", ""),
    }


def burns_view(burns: tuple[Burn, ...]) -> Listing[Burn]:
    columns: tuple[Column[Burn], ...] = (
        Column("objective", lambda burn: burn.objective.name),
        Column("promise", lambda burn: burn.objective.echo, priority=3),
        Column(
            "last minute",
            lambda burn: burn.judgement.verdict.value,
            tone=lambda burn: verdict_tone(burn.judgement.verdict.value),
            priority=1,
        ),
        Column(
            "errors", lambda b: None if b.judgement.value is None else f"{b.judgement.value:.2%}", priority=1
        ),
        Column("burn", lambda burn: _speed(burn.rate), right=True, priority=1),
    )
    return Listing("objectives/v1", columns, burns, document=_burn)


def _speed(rate: float | None) -> str:
    return "no data" if rate is None else f"{rate:.1f}x"


def _burn(burn: Burn) -> dict[str, Any]:
    return {
        "objective": burn.objective.name,
        "target": burn.objective.target,
        "verdict": burn.judgement.verdict.value,
        "error_ratio": burn.judgement.value,
        "burn_rate": burn.rate,
    }


def alerts_view(alerts: tuple[Alert, ...], now: datetime) -> Listing[Alert]:
    columns: tuple[Column[Alert], ...] = (
        Column("alert", lambda alert: alert.name),
        Column("severity", lambda alert: alert.labels.get("severity"), priority=1),
        Column("for", lambda a: format_duration(seconds_between(a.starts_at, now)), right=True),
        Column("silenced", lambda alert: bool(alert.suppressed_by), priority=3),
        Column("summary", lambda alert: alert.annotations.get("summary"), priority=2, folds=True),
    )
    return Listing("alerts/v1", columns, alerts)
