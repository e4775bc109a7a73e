"""The `kube_job_*` series of one Job. Invariant: pure; as kube-state-metrics 2.x."""

from __future__ import annotations

from maestro_cli.local.metrics.exposition import Exposition
from maestro_cli.local.metrics.labels import STATUSES, owner_labels, sanitized
from maestro_cli.local.objects import (
    Object,
    condition,
    labels_of,
    metadata,
    name_of,
    namespace_of,
    parse_time,
)

FAMILIES = {
    "kube_job_info": "Information about job.",
    "kube_job_labels": "Kubernetes labels converted to Prometheus labels.",
    "kube_job_owner": "Information about the Job's owner.",
    "kube_job_created": "Unix creation timestamp.",
    "kube_job_spec_parallelism": "The maximum desired number of pods the job should run at any given time.",
    "kube_job_spec_completions": "The desired number of successfully finished pods.",
    "kube_job_spec_active_deadline_seconds": "How long the job may be active before it is ended.",
    "kube_job_status_active": "The number of actively running pods.",
    "kube_job_status_succeeded": "The number of pods which reached Phase Succeeded.",
    "kube_job_status_failed": "The number of pods which reached Phase Failed and the reason for failure.",
    "kube_job_status_start_time": "When the job was acknowledged by the job controller.",
    "kube_job_status_completion_time": "When the job was completed.",
    "kube_job_complete": "The job has completed its execution.",
    "kube_job_failed": "The job has failed its execution.",
}
_SPEC = {
    "parallelism": "parallelism",
    "completions": "completions",
    "active_deadline_seconds": "activeDeadlineSeconds",
}
_OUTCOMES = {"Complete": "kube_job_complete", "Failed": "kube_job_failed"}
_FAILURES = ("BackoffLimitExceeded", "DeadlineExceeded", "Evicted")


def describe_job(page: Exposition, job: Object) -> None:
    """All series of one Job; the page knows FAMILIES."""
    labels = {"namespace": namespace_of(job), "job_name": name_of(job)}
    status = job.get("status") or {}
    page.add("kube_job_info", labels, 1)
    page.add("kube_job_labels", labels | sanitized(labels_of(job)), 1)
    page.add("kube_job_owner", labels | owner_labels(job), 1)
    for name, field in _SPEC.items():
        if job["spec"].get(field) is not None:
            page.add(f"kube_job_spec_{name}", labels, job["spec"][field])
    for name in ("active", "succeeded"):
        page.add(f"kube_job_status_{name}", labels, status.get(name) or 0)
    _failures(page, labels, job)
    times = {
        "kube_job_created": metadata(job).get("creationTimestamp"),
        "kube_job_status_start_time": status.get("startTime"),
        "kube_job_status_completion_time": status.get("completionTime"),
    }
    for name, text in times.items():
        at = parse_time(text)
        if at is not None:
            page.add(name, labels, at.timestamp())


def _failures(page: Exposition, labels: dict[str, str], job: Object) -> None:
    failed = (job.get("status") or {}).get("failed") or 0
    verdict = condition(job, "Failed")
    reason = verdict.get("reason") if verdict is not None and verdict.get("status") == "True" else ""
    if reason in _FAILURES:
        for known in _FAILURES:
            page.add("kube_job_status_failed", labels | {"reason": known}, known == reason)
    else:
        page.add("kube_job_status_failed", labels | {"reason": ""}, failed)
    for kind, name in _OUTCOMES.items():
        found = condition(job, kind)
        for value in STATUSES if found is not None else ():
            told = str((found or {}).get("status")).lower()
            page.add(name, labels | {"condition": value}, told == value)
