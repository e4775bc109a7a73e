"""Rollback: give a Deployment the pod template of an earlier revision.

Invariant: the revision to go to is decided when the plan is made, by the template itself: its digest is
in the plan, so revisions that are renumbered meanwhile cannot re-aim it. Only the template changes, as with
`kubectl rollout undo`; what it refers to is in the diff, and what of it is missing is an objection.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar

from maestro_cli.changes.candidates.answers import read_answers, weigh
from maestro_cli.changes.candidates.judging import judge_present, judge_revisions, last_known_good
from maestro_cli.changes.candidates.measuring import read_tracks
from maestro_cli.changes.candidates.migrations import crossed_migrations
from maestro_cli.changes.candidates.model import Judged, Standing, Tracks
from maestro_cli.changes.candidates.novelty import against_an_old_release
from maestro_cli.changes.candidates.references import changed_references, scaling_notes
from maestro_cli.changes.candidates.warning import known_bad, ways_instead
from maestro_cli.changes.kinds.kind import Holds, Observation, Option, Request, seconds_of, whole_number
from maestro_cli.changes.kinds.rolling import RollingKind, back_to_now, paused, seen
from maestro_cli.changes.kinds.workload import workload_of
from maestro_cli.changes.kinds.writing import Draft, Spec
from maestro_cli.changes.model import Diff, GateReason, Plan, RecentChange
from maestro_cli.changes.ports import World
from maestro_cli.changes.template import diff_templates, release_digest
from maestro_cli.core.errors import (
    ActionFailed,
    ExitCode,
    NotFound,
    NothingToChange,
    Refused,
    UsageError,
)
from maestro_cli.core.facts.cluster import Revision, Workload

_WITHIN = "only_if_released_within"


class Rollback(RollingKind):
    """Parameters: `to_revision` (int, 0 or absent: choose); `template` (digest, wins over the number);
    `only_if_released_within` (seconds; asked only where the revision is chosen).
    """

    name = "rollback"
    options: ClassVar[Mapping[str, Option]] = {
        "to_revision": Option(whole_number),
        "only_if_released_within": Option(seconds_of),
    }

    def known_parameters(self) -> frozenset[str]:
        return super().known_parameters() | {"template"}

    def draft(self, world: World, workload: Workload, request: Request) -> Draft:
        """Choose the revision, and say what going there means.

        Raises NotFound (no such revision), GateNotMet (it is that revision already), ActionFailed (no
        earlier revision to go to).
        """
        wanted = _checked(request.parameters)
        revisions = world.cluster.list_revisions(workload.ref)
        notes: tuple[str, ...] = ()
        old: tuple[GateReason, ...] = ()
        is_named = bool(wanted.get("to_revision") or wanted.get("template"))
        named = named_revision(workload, revisions, wanted) if is_named else None
        tracks = _tracks(world, workload, revisions, request, wanted)
        judged = judge_revisions(workload, revisions, tracks, request.abandoned)
        if named is not None:
            goal = named
        else:
            goal, notes = choose_revision(workload, revisions, judged)
            old = _old_release(world, workload, revisions, request.now, wanted)
        refers = changed_references(world.cluster, workload, goal)
        scaling = scaling_notes(world.cluster, workload, goal)
        return Draft(
            parameters={**wanted, "to_revision": goal.number},
            summary=f"roll {workload.ref} back from revision {workload.revision} to revision {goal.number}",
            spec={"template": goal.template},
            diff=Diff((*diff_templates(workload.template, goal.template).lines, *refers.lines)),
            holds=f"{workload.ref} runs the template of revision {goal.number} on every replica",
            undo=back_to_now(workload),
            ended=max(0, workload.replicas_wanted - goal.replicas),
            objections=(*paused(workload), *old, *refers.missing),
            recent=seen(revisions, request.now, request.written),
            blind=refers.blind,
            pinned=bool(request.parameters.get("to_revision")),
            gives_up=True,
            risks=crossed_migrations(workload, revisions, goal),
            cautions=known_bad(workload.ref, goal.number, judged, judge_present(workload, revisions, tracks)),
            considered=() if wanted.get("template") else judged,
            notes=(*notes, *refers.notes, *scaling),
        )

    def spec(self, world: World, workload: Workload, plan: Plan) -> Spec:
        """Fetch the template again, by digest: revisions are renumbered when they are rolled back to."""
        same = [
            revision
            for revision in world.cluster.list_revisions(workload.ref)
            if release_digest(revision.template) == plan.payload_digest
        ]
        if same:
            return {"template": max(same, key=lambda revision: revision.number).template}
        raise NotFound(
            f"{plan.target.ref} no longer has the template of revision {plan.parameters.get('to_revision')}",
            why="its ReplicaSet was deleted (revisionHistoryLimit)",
            fix="plan again",
        )

    def observe(self, world: World, plan: Plan, *, left: str) -> Observation:
        """Rolled out, answered by that revision alone, and no objective burns as fast as a page asks for.

        What goes back to what was there before (an undo) holds when that is rolled out.
        """
        seen = super().observe(world, plan, left=left)
        if seen.holds is not Holds.YES or "template" in plan.parameters:
            return seen
        revisions = world.cluster.list_revisions(workload_of(plan.target.ref))
        same = [one for one in revisions if release_digest(one.template) in (left, plan.payload_digest)]
        if not same:
            return seen
        goal = max(same, key=lambda one: one.number)
        answers = read_answers(world, workload_of(plan.target.ref), revisions, goal, plan.created_at)
        weighed = weigh(answers, int(plan.parameters["to_revision"]))
        holds = Holds.YES if weighed.holds else Holds.NOT_YET
        return Observation(holds, f"{seen.text}; {weighed.text}", in_effect=True)

    def cause(self, plan: Plan) -> str:
        return f"rollback to revision {plan.parameters['to_revision']}"

    def repetition(self, plan: Plan, before: RecentChange) -> GateReason | None:
        """A second one within the hour has to say where to."""
        if plan.pinned:
            return None
        ref = plan.target.ref
        return GateReason(
            "repeated",
            ExitCode.GATE_NOT_MET,
            f"{ref} was rolled back within the hour already ({before.id}, by {before.actor})",
            why="a second one without a revision could go back to the release that was left",
            fix=ways_instead(plan, before),
        )


def _checked(parameters: Mapping[str, Any]) -> dict[str, Any]:
    wanted = parameters.get("to_revision") or 0
    if isinstance(wanted, bool) or not isinstance(wanted, int) or wanted < 0:
        raise UsageError(f"{wanted!r} is not a revision", fix="a whole number from `maestro rollback --help`")
    within = parameters.get(_WITHIN)
    if within is not None and (
        isinstance(within, bool) or not isinstance(within, int | float) or within <= 0
    ):
        raise UsageError(f"{within!r} is no time within which it was released", fix=f"{_WITHIN}: 1h")
    given = {"template": parameters.get("template") or None, _WITHIN: within}
    return {"to_revision": wanted, **{name: value for name, value in given.items() if value is not None}}


def _tracks(
    world: World, workload: Workload, revisions: Sequence[Revision], request: Request,
    wanted: Mapping[str, Any],
) -> Tracks:  # fmt: skip
    """What the metrics tell; an undo, which goes back to what was there whatever it was, asks none."""
    if wanted.get("template"):
        return Tracks(why="nothing was measured for an undo")
    return read_tracks(world, workload, revisions, request.now)


def _old_release(
    world: World, workload: Workload, revisions: Sequence[Revision], now: datetime, wanted: Mapping[str, Any]
) -> tuple[GateReason, ...]:
    """The objection where it is asked for; events that may not be read tell nothing."""
    if _WITHIN not in wanted:
        return ()
    try:
        events = world.cluster.list_events(workload.ref.namespace)
    except Refused:
        events = ()
    return against_an_old_release(workload, revisions, events, now, wanted[_WITHIN])


def choose_revision(
    workload: Workload, revisions: Sequence[Revision], judged: Sequence[Judged]
) -> tuple[Revision, tuple[str, ...]]:
    """The last known good revision, and what is to be said of the choice.

    Where nothing proves one good it is the newest earlier one that nothing speaks against: with users in
    trouble a likely way back beats none, and the plan says that it is not proved. Raises ActionFailed when
    there is none.
    """
    chosen = last_known_good(judged)
    if chosen is None:
        raise _nowhere(workload, judged)
    goal = next(revision for revision in revisions if revision.number == chosen.revision)
    if chosen.standing is Standing.GOOD:
        return goal, ()
    reason = f"revision {goal.number} is not proved good: {chosen.reason}"
    return goal, (f"{reason}; it is the newest earlier one that nothing else speaks against",)


def _nowhere(workload: Workload, judged: Sequence[Judged]) -> ActionFailed:
    return ActionFailed(
        f"{workload.ref} has no earlier revision to roll back to",
        why="; ".join(f"revision {one.revision}: {one.reason}" for one in judged)
        or f"revision {workload.revision} is the only template it keeps",
        fix="name one with --to-revision" if judged else "ship a repaired release",
    )


def named_revision(workload: Workload, revisions: Sequence[Revision], wanted: Mapping[str, Any]) -> Revision:
    """The revision with that template, or of that number.

    Raises NotFound, and GateNotMet when it is the current template already.
    """
    number, template = wanted.get("to_revision"), wanted.get("template")
    found = [
        revision
        for revision in revisions
        if (release_digest(revision.template) == template if template else revision.number == number)
    ]
    if not found:
        known = ", ".join(str(revision.number) for revision in sorted(revisions, key=lambda r: r.number))
        raise NotFound(f"{workload.ref} has no revision {number}", why=f"it keeps: {known or 'none'}")
    goal = max(found, key=lambda revision: revision.number)
    if release_digest(goal.template) == release_digest(workload.template):
        raise NothingToChange(
            f"{workload.ref} has the template of revision {goal.number} already",
            why=f"it is at revision {workload.revision}; there is nothing to change",
        )
    return goal
