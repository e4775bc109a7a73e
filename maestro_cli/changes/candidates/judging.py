"""Which revision was the last one known to be good.

Invariant: pure. Good is only what met every objective of the workload while it was live and answered for at
least half an hour; what cannot be told is not proved, and says why.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from maestro_cli.changes.candidates.model import Judged, Kept, Standing, Track, Tracks
from maestro_cli.changes.template import release_digest
from maestro_cli.core.facts.cluster import Revision, Workload
from maestro_cli.core.quantities import counted, format_duration

PROOF_SECONDS = 1800.0
ENOUGH_BAD = 10  # fewer bad events say little about a release


def judge_revisions(
    workload: Workload, revisions: Sequence[Revision], tracks: Tracks, abandoned: Mapping[str, str]
) -> tuple[Judged, ...]:
    """Every earlier revision with another template than the present one, newest first.

    `abandoned` says of templates that earlier changes gave up, or that did not hold, which one it was: by
    digest.
    """
    current = release_digest(workload.template)
    earlier = [one for one in revisions if one.number < workload.revision]
    return tuple(
        judge_revision(revision, tracks, abandoned)
        for revision in sorted(earlier, key=lambda one: one.number, reverse=True)
        if release_digest(revision.template) != current
    )


def judge_present(workload: Workload, revisions: Sequence[Revision], tracks: Tracks) -> Judged | None:
    """What runs now, by its figures alone; None where the cluster does not keep it as a revision."""
    found = (one for one in revisions if one.number == workload.revision)
    return next((judge_revision(one, tracks, {}) for one in found), None)


def judge_revision(revision: Revision, tracks: Tracks, abandoned: Mapping[str, str]) -> Judged:
    """What the journal, the cluster and the metrics say of one revision, in this order."""
    number = revision.number
    if why := abandoned.get(release_digest(revision.template)):
        return Judged(number, Standing.BAD, why)
    if revision.replicas_ready < revision.replicas:
        down = revision.replicas - revision.replicas_ready
        return Judged(
            number, Standing.BAD, f"not ready now: {down} of its {counted(revision.replicas, 'replica')}"
        )
    track = tracks.by_name.get(revision.name)
    if track is not None:
        return _measured(number, track)
    span = format_duration(tracks.lookback_seconds)
    return Judged(number, Standing.NOT_PROVED, tracks.why or f"nothing of it was measured in the last {span}")


def _measured(number: int, track: Track) -> Judged:
    over = [kept for kept in track.kept if kept.is_over]
    figures = "; ".join(map(_figures, over))
    if track.answering_seconds < PROOF_SECONDS:
        spent, needed = map(format_duration, (track.answering_seconds, PROOF_SECONDS))
        why = f"it answered requests for {spent}, of {needed} that it takes"
        return Judged(number, Standing.NOT_PROVED, "; ".join(filter(None, (why, figures))), bool(over))
    if any(kept.bad >= ENOUGH_BAD for kept in over):
        return Judged(number, Standing.BAD, figures)
    if over:
        return Judged(number, Standing.NOT_PROVED, f"{figures}: too few to tell", True)
    unknown = [kept.objective for kept in track.kept if kept.ratio is None]
    if unknown or not track.kept:
        return Judged(number, Standing.NOT_PROVED, f"nothing counts for {', '.join(unknown) or 'it'}")
    names = " and ".join(kept.objective for kept in track.kept)
    return Judged(number, Standing.GOOD, f"met {names} for {format_duration(track.answering_seconds)}")


def _figures(kept: Kept) -> str:
    share = 0.0 if kept.ratio is None else kept.ratio
    return f"{kept.objective}: {share:.2%} of {kept.total:.0f} were bad, {kept.budget:.2%} may be"


def last_known_good(judged: Sequence[Judged]) -> Judged | None:
    """The newest good one; where none is proved good the newest that nothing speaks against.

    Of those that are not proved, the ones whose few figures are bad come last. A bad one is never chosen.
    """
    good = [one for one in judged if one.standing is Standing.GOOD]
    unproved = [one for one in judged if one.standing is Standing.NOT_PROVED]
    ranked = [*good, *(one for one in unproved if not one.doubted), *(one for one in unproved if one.doubted)]
    return ranked[0] if ranked else None
