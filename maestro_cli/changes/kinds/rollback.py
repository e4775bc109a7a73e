"""Rollback: give a Deployment the pod template of an earlier revision.

Invariant: the revision to go to is decided when the plan is made, by the template itself: its digest is
in the plan, so revisions that are renumbered meanwhile cannot re-aim it. Only the template changes;
replicas and everything the template refers to stay, as with `kubectl rollout undo`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from maestro_cli.changes.kinds.kind import Option, Request, whole_number
from maestro_cli.changes.kinds.rolling import RollingKind, back_to_now, paused, seen
from maestro_cli.changes.kinds.writing import Draft, Spec
from maestro_cli.changes.model import GateReason, Plan, RecentChange
from maestro_cli.changes.ports import World
from maestro_cli.changes.template import diff_templates, release_digest
from maestro_cli.core.errors import ActionFailed, ExitCode, GateNotMet, NotFound, UsageError
from maestro_cli.core.facts.cluster import Revision, Workload


class Rollback(RollingKind):
    """Parameters: `to_revision` (int, 0 or absent: choose); `template` (digest, wins over the number)."""

    name = "rollback"
    options: ClassVar[Mapping[str, Option]] = {"to_revision": Option(whole_number)}

    def known_parameters(self) -> frozenset[str]:
        return frozenset({"to_revision", "template"})

    def draft(self, world: World, workload: Workload, request: Request) -> Draft:
        """Choose the revision, and say what going there means.

        Raises NotFound (no such revision), GateNotMet (it is that revision already), ActionFailed (no
        earlier revision to go to).
        """
        wanted = _checked(request.parameters)
        revisions = world.cluster.list_revisions(workload.ref)
        goal = choose_revision(workload, revisions, wanted, request.abandoned)
        return Draft(
            parameters={**wanted, "to_revision": goal.number},
            summary=f"roll {workload.ref} back from revision {workload.revision} to revision {goal.number}",
            spec={"template": goal.template},
            diff=diff_templates(workload.template, goal.template),
            holds=f"{workload.ref} runs the template of revision {goal.number} on every replica",
            undo=back_to_now(workload),
            ended=max(0, workload.replicas_wanted - goal.replicas),
            objections=paused(workload),
            recent=seen(revisions, request.now),
            pinned=bool(request.parameters.get("to_revision")),
            gives_up=True,
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
            fix="say where to: --to-revision N",
        )


def _checked(parameters: Mapping[str, Any]) -> dict[str, Any]:
    wanted = parameters.get("to_revision") or 0
    if isinstance(wanted, bool) or not isinstance(wanted, int) or wanted < 0:
        raise UsageError(f"{wanted!r} is not a revision", fix="a whole number from `maestro rollback --help`")
    template = parameters.get("template")
    return {"to_revision": wanted, **({"template": str(template)} if template else {})}


def choose_revision(
    workload: Workload,
    revisions: Sequence[Revision],
    wanted: Mapping[str, Any],
    abandoned: frozenset[str] = frozenset(),
) -> Revision:
    """The revision to go to: the one that was named, else the newest earlier one worth going to.

    Worth going to: another template than the current one; not one that a rollback left or failed to
    verify before (no ping-pong between two bad releases); and not one whose pods are not all ready now.
    A revision scaled to zero keeps no record of having been fully available, so nothing speaks against
    it here. This is the thin rule: choosing the last known good by its metrics (30 minutes within
    objectives while it was live) comes with the full set of changes.

    Raises NotFound, GateNotMet when it is the current template already, ActionFailed for no candidate.
    """
    current = release_digest(workload.template)
    if wanted.get("to_revision") or wanted.get("template"):
        return _named(workload, revisions, wanted, current)
    earlier = sorted(
        (revision for revision in revisions if revision.number < workload.revision),
        key=lambda revision: revision.number,
        reverse=True,
    )
    differing = [revision for revision in earlier if release_digest(revision.template) != current]
    good = [
        revision
        for revision in differing
        if release_digest(revision.template) not in abandoned and revision.replicas_ready >= revision.replicas
    ]
    if good:
        return good[0]
    raise _nowhere(workload, differing)


def _nowhere(workload: Workload, differing: Sequence[Revision]) -> ActionFailed:
    numbers = ", ".join(str(revision.number) for revision in differing)
    return ActionFailed(
        f"{workload.ref} has no earlier revision to roll back to",
        why=f"its other revisions ({numbers}) were left by an earlier rollback, or are not ready now"
        if differing
        else f"revision {workload.revision} is the only template it keeps",
        fix="name one with --to-revision" if differing else "ship a repaired release",
    )


def _named(
    workload: Workload, revisions: Sequence[Revision], wanted: Mapping[str, Any], current: str
) -> Revision:
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
    if release_digest(goal.template) == current:
        raise GateNotMet(
            f"{workload.ref} has the template of revision {goal.number} already",
            why=f"it is at revision {workload.revision}; there is nothing to change",
        )
    return goal
