"""Whether what a workload runs is a new release, and since when.

Invariant: pure, and nothing is guessed: a time that cannot be told makes no release a new one. A revision
that differs from the one before in annotations alone (a restart, a note) is the same release. A ReplicaSet
that came back keeps the time of its first creation, so it is dated by what the cluster made and said since.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import takewhile

from maestro_cli.changes.model import GateReason
from maestro_cli.changes.template import program_digest
from maestro_cli.core.clock import seconds_between
from maestro_cli.core.errors import ExitCode
from maestro_cli.core.facts.cluster import ClusterEvent, Revision, Workload
from maestro_cli.core.quantities import format_duration, prometheus_duration

HISTORY = "deployment.kubernetes.io/revision-history"  # former numbers of a ReplicaSet that came back
_SCALED = re.compile(r"Scaled (up|down) replica set (\S{1,253}) (?:from (\d+) )?to \d+(?: from (\d+))?$")


def against_an_old_release(
    workload: Workload,
    revisions: Sequence[Revision],
    events: Iterable[ClusterEvent],
    now: datetime,
    seconds: float,
) -> tuple[GateReason, ...]:
    """The objection to blaming what runs now, unless it was released within that time.

    `events` are those of the namespace, as far as the cluster keeps them.
    """
    since, why = released_since(workload, revisions, events)
    if since is not None and seconds_between(since, now) <= seconds:
        return ()
    if since is not None:
        why = f"{why} {format_duration(seconds_between(since, now))} ago"
    return (
        GateReason(
            "not-released",
            ExitCode.GATE_NOT_MET,
            f"nothing shows that {workload.ref} was released within {prometheus_duration(seconds)}",
            why=why,
            fix="look what else changed; if the release is to blame all the same, name the revision"
            " to go back to (to_revision)",
        ),
    )


def released_since(
    workload: Workload, revisions: Sequence[Revision], events: Iterable[ClusterEvent]
) -> tuple[datetime | None, str]:
    """The latest time of which it is certain that the present release began no earlier, and what tells it.

    None, and why, where nothing is certain.
    """
    newest_first = sorted(revisions, key=lambda one: one.number, reverse=True)
    program = program_digest(workload.template)
    same = list(takewhile(lambda one: program_digest(one.template) == program, newest_first))
    earlier = newest_first[len(same) :]
    if not same:
        return None, "the cluster has not made a revision of what it is to run yet"
    first = same[-1]
    if not earlier:
        return None, f"every revision that it keeps, from {first.number} on, runs the same"
    before = earlier[0]
    if before.number != first.number - 1:
        return None, f"revision {first.number - 1} is gone, and may have run the same as {first.number}"
    made = max(one.created_at for one in (first, *earlier))
    if first.created_at >= made and HISTORY not in first.annotations:
        return first.created_at, _since(first, len(same))
    rose = _rose_beside(first, before, events)
    if rose is not None:
        return max(made, rose), f"what ran before came back as revision {first.number},"
    return made, (
        f"revision {first.number} is one that came back, and no event tells when; its predecessor was made"
    )


def _since(first: Revision, count: int) -> str:
    if count == 1:
        return f"what it runs came with revision {first.number},"
    return f"what it runs came with revision {first.number} (those after it differ in annotations alone),"


def _rose_beside(first: Revision, before: Revision, events: Iterable[ClusterEvent]) -> datetime | None:
    """When the one last rose from nothing, if the other was taken down afterwards: a rollout does both.

    A workload that is scaled to nothing and back does only the first.
    """
    rose: datetime | None = None
    fell: datetime | None = None
    for event in events:
        found = _SCALED.match(event.message) if event.reason == "ScalingReplicaSet" else None
        if found is None:
            continue
        was = found[3] or found[4]
        if found[1] == "up" and found[2] == first.name and was == "0":
            rose = max(rose or event.last_seen_at, event.last_seen_at)
        elif found[1] == "down" and found[2] == before.name:
            fell = max(fell or event.last_seen_at, event.last_seen_at)
    return rose if rose is not None and fell is not None and fell >= rose else None
