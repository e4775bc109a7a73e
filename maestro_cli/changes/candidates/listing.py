"""Every revision of a workload with its record, as a person weighs them before a rollback.

Invariant: reads only; the target is the one that a rollback without a revision would plan now.
"""

from __future__ import annotations

import re
from datetime import datetime

from maestro_cli.changes.candidates.details import read_details
from maestro_cli.changes.candidates.judging import judge_revision, judge_revisions, last_known_good
from maestro_cli.changes.candidates.measuring import read_tracks
from maestro_cli.changes.candidates.model import Candidate, Details, Judged, Standing, Tracks
from maestro_cli.changes.candidates.troubles import troubles_of
from maestro_cli.changes.history import abandoned_payloads, verified_payloads, written_payloads
from maestro_cli.changes.kinds.rolling import is_written
from maestro_cli.changes.ports import World
from maestro_cli.changes.template import diff_templates, release_digest
from maestro_cli.core.facts.cluster import Revision, Workload
from maestro_cli.core.refs import WorkloadRef
from maestro_cli.journal.store import Journal

_MARK = re.compile(r"\((chg-[0-9a-z]+)\)")


def list_candidates(world: World, journal: Journal, ref: WorkloadRef, now: datetime) -> tuple[Candidate, ...]:
    """All revisions that the cluster keeps, the present one first; raises NotFound, Unreachable, Refused."""
    workload = world.cluster.get_workload(ref)
    revisions = sorted(world.cluster.list_revisions(ref), key=lambda one: one.number, reverse=True)
    tracks = read_tracks(world, workload, revisions, now)
    details = read_details(world, workload, revisions, tracks, now) if tracks.by_name else Details()
    judged = judge_revisions(workload, revisions, tracks, abandoned_payloads(journal, ref))
    target = last_known_good(judged)
    told = _Told(workload, tracks, details, journal, ref, {one.revision: one for one in judged})
    goal = None if target is None else target.revision
    return tuple(told.candidate(one, is_target=one.number == goal) for one in revisions)


class _Told:
    """What was found out, put together for each revision."""

    def __init__(
        self, workload: Workload, tracks: Tracks, details: Details, journal: Journal, ref: WorkloadRef,
        judged: dict[int, Judged],
    ) -> None:  # fmt: skip
        self._workload = workload
        self._tracks = tracks
        self._details = details
        self._judged = judged
        self._verified = verified_payloads(journal, ref)
        self._troubles = troubles_of(journal, ref)
        self._written = written_payloads(journal, ref)

    def candidate(self, revision: Revision, *, is_target: bool) -> Candidate:
        track = self._tracks.by_name.get(revision.name)
        own = release_digest(revision.template)
        diff = diff_templates(self._workload.template, revision.template)
        return Candidate(
            judged=self._standing(revision, own),
            is_current=revision.number == self._workload.revision,
            is_target=is_target,
            images=revision.images,
            change_cause=self._own_cause(revision),
            track=track,
            p95_seconds=self._details.p95_seconds.get(revision.name),
            models=self._details.models.get(revision.name, ()),
            troubles=tuple(one for one in self._troubles if track and track.was_live(one.started_at)),
            verified_by=self._verified.get(own, ""),
            differs=tuple((line.path, line.before, line.after) for line in diff.lines),
            name=revision.name,
        )

    def _own_cause(self, revision: Revision) -> str:
        """Without one that the cluster copied: it names a change that wrote another template."""
        mark = _MARK.search(revision.change_cause)
        wrote = self._written.get(mark[1]) if mark else None
        return revision.change_cause if wrote is None or is_written(revision, wrote) else ""

    def _standing(self, revision: Revision, own: str) -> Judged:
        """What is no candidate, the present template, is judged by its figures alone."""
        found = self._judged.get(revision.number)
        if found is not None:
            return found
        found = judge_revision(revision, self._tracks, {})
        if own == release_digest(self._workload.template) and revision.number != self._workload.revision:
            return Judged(revision.number, Standing.NOT_PROVED, "it has the template that runs now")
        return found
