"""The collectors around a workload, and what they brought as one.

Invariant: asks about no more than a few jobs; what failed is empty, and said by the evidence.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from maestro_cli.core.errors import MaestroError
from maestro_cli.incidents.intake.correlation import capped, capped_labels
from maestro_cli.incidents.model import Signal
from maestro_cli.incidents.ports import Cluster
from maestro_cli.incidents.triage.logs import LIMIT_BYTES, is_bad, read_line
from maestro_cli.incidents.triage.model import Onset
from maestro_cli.incidents.triage.rounds import Outcome, Round
from maestro_cli.incidents.triage.surroundings import Around, Surroundings

PARTS = ("certificates", "refusals", "failed jobs", "scalings", "spend")
_MOST_JOBS = 3
_MOST_SIGNALS = 50
_TAIL_LINES = 100


def ask_around(
    turn: Round, surroundings: Surroundings | None, start: datetime, onset: Onset, now: datetime, step: float
) -> None:
    """Ask the metrics for every part."""
    if surroundings is None:
        return
    turn.add("certificates", lambda: surroundings.read_certificates(now))
    turn.add("refusals", lambda: surroundings.read_refusals(start, onset, now))
    turn.add("failed jobs", lambda: surroundings.read_failed_jobs(now))
    turn.add("scalings", lambda: surroundings.read_scalings(start, now, step))
    turn.add("spend", lambda: surroundings.read_spend(now))


def ask_jobs(turn: Round, cluster: Cluster | None, signals: Sequence[Signal]) -> None:
    """Ask for the last words of the jobs that signals name."""
    jobs = sorted(
        {
            (one.labels["namespace"], one.labels["job_name"])
            for one in signals
            if one.firing and one.labels.get("namespace") and one.labels.get("job_name")
        }
    )
    if cluster is not None:
        for namespace, name in jobs[:_MOST_JOBS]:
            turn.add(f"job {namespace}/{name}", _last_words(cluster, namespace, name))


def _last_words(cluster: Cluster, namespace: str, name: str) -> Callable[[], str]:
    def read() -> str:
        told = ""
        for pod in cluster.list_pods(namespace, selector=f"job-name={name}")[:_MOST_JOBS]:
            try:
                log = cluster.pod_log(namespace, pod.name, tail_lines=_TAIL_LINES, limit_bytes=LIMIT_BYTES)
            except MaestroError:
                continue  # another pod of the job may still have its log
            for line in log.splitlines():
                level, text = read_line(line)
                told = capped(text, 300) if text and is_bad(level, text) else told
        return told

    return read


def around_of(second: Mapping[str, Outcome[Any]], signals: Sequence[Signal], *, gone: bool) -> Around:
    """What was brought, as one."""

    def brought(name: str, empty: Any) -> Any:
        return second[name].value if name in second and not second[name].error else empty

    scalings, was_seen = brought("scalings", ((), False))
    spend, budget = brought("spend", (None, None))
    firing = [signal for signal in signals if signal.firing][:_MOST_SIGNALS]
    backups = {
        (one.labels.get("namespace", ""), one.labels.get("job_name", "")): one.labels.get("backup", "")
        for one in firing
    }
    jobs = [
        replace(
            job,
            told=brought(f"job {job.namespace}/{job.name}", ""),
            backup=backups.get((job.namespace, job.name), "")[:253],
        )
        for job in brought("failed jobs", ())
    ]
    return Around(
        certificates=brought("certificates", ()),
        refusals=brought("refusals", ()),
        failed_jobs=tuple(jobs),
        scalings=scalings,
        was_seen=was_seen,
        spend=spend,
        budget=budget,
        gone=gone,
        signals=tuple(capped_labels(signal.labels) for signal in firing),
    )
