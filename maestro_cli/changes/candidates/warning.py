"""What is said of a rollback to a revision that is known to be bad, and of one that comes too soon.

Invariant: pure. Nothing here forbids where a person wants to go: the evidence is told, and the way that the
evidence speaks for.
"""

from __future__ import annotations

from collections.abc import Sequence

from maestro_cli.changes.candidates.judging import last_known_good
from maestro_cli.changes.candidates.model import Judged, Standing
from maestro_cli.changes.model import Plan, RecentChange
from maestro_cli.core.refs import ObjectRef


def known_bad(
    ref: ObjectRef, number: int, judged: Sequence[Judged], present: Judged | None
) -> tuple[str, ...]:
    """Why the revision of that number is bad, and which one is better; nothing where it is not known to be.

    `judged` are the earlier revisions, `present` is what runs now.
    """
    goal = next((one for one in judged if one.revision == number), None)
    if goal is None or goal.standing is not Standing.BAD:
        return ()
    return (f"revision {number} is known to be bad: {goal.reason}; {_other_way(ref, judged, present)}",)


def _other_way(ref: ObjectRef, judged: Sequence[Judged], present: Judged | None) -> str:
    better = last_known_good(judged)
    if present is not None and present.standing is Standing.GOOD:
        return f"revision {present.revision}, which runs now, is good: {present.reason}"
    if better is None:
        return "no other earlier revision is better known: a repaired release is the way out"
    known = "the last known good one" if better.standing is Standing.GOOD else "the likeliest good one"
    go = f"maestro rollback {ref} --to-revision {better.revision}"
    return f"{known} is revision {better.revision} ({better.reason}): {go}"


def ways_instead(plan: Plan, before: RecentChange) -> str:
    """The commands that somebody may mean who rolls back again without saying where to."""
    ref = plan.target.ref
    told = f"maestro rollback {'' if ref.kind == 'HelmRelease' else 'plan '}{ref}"  # a plan is of a workload
    return (
        f"say where to: maestro rollback {ref} --to-revision {plan.parameters['to_revision']}"
        f" (what this plan chose);"
        f" while nothing was shipped since, take {before.id} back: maestro change undo {before.id};"
        f" the record of each revision: {told}{' --dry-run' if ref.kind == 'HelmRelease' else ''}"
    )
