"""Rollback: give a Deployment the pod template of an earlier revision.

Invariant: the revision to go to is decided when the plan is made, by the template itself: its digest is
in the plan, so revisions that are renumbered meanwhile cannot re-aim it. Only the template changes;
replicas and everything the template refers to stay, as with `kubectl rollout undo`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from maestro_cli.changes.blast import blast_radius
from maestro_cli.changes.kinds.kind import (
    CAUSE_ANNOTATION,
    CHANGE_ANNOTATION,
    Holds,
    Observation,
    Permission,
    Probe,
    Request,
    Sent,
)
from maestro_cli.changes.model import Condition, Plan, RecentChange, Undo, plan_digest
from maestro_cli.changes.ports import ClusterPort
from maestro_cli.changes.template import diff_templates, target_of, template_digest
from maestro_cli.core.clock import seconds_between
from maestro_cli.core.errors import ActionFailed, GateNotMet, NotFound, UsageError
from maestro_cli.core.facts.cluster import Revision, Workload

PARAMETERS = frozenset({"to_revision", "template"})
RECENT_SECONDS = 3600.0
_GAVE_UP = "ProgressDeadlineExceeded"


class Rollback:
    """Parameters: `to_revision` (int, 0 or absent: choose); `template` (digest, wins over the number)."""

    name = "rollback"
    permissions = (
        Permission("get", "deployments", "apps"),
        Permission("list", "replicasets", "apps"),
        Permission("patch", "deployments", "apps"),
    )

    def is_pinned(self, parameters: Mapping[str, Any]) -> bool:
        return bool(parameters.get("to_revision"))

    def plan(self, cluster: ClusterPort, request: Request) -> Plan:
        """Choose the revision, and say what going there means.

        Raises NotFound (no such workload or revision), GateNotMet (it is that revision already),
        ActionFailed (no earlier revision to go to).
        """
        wanted = _checked(request.parameters)
        workload = cluster.get_workload(request.ref)
        revisions = cluster.list_revisions(request.ref)
        goal = choose_revision(workload, revisions, wanted, request.abandoned)
        payload = template_digest(goal.template)
        restarted = max(0, workload.replicas_wanted - goal.replicas)
        recent = [*request.recent, *_seen(revisions, request)]
        plan = Plan(
            id=request.change_id,
            kind=self.name,
            target=target_of(workload),
            parameters={**wanted, "to_revision": goal.number},
            summary=f"roll {request.ref} back from revision {workload.revision} to revision {goal.number}",
            diff=diff_templates(workload.template, goal.template),
            blast=blast_radius(cluster, workload, replicas_restarted=restarted, recent=recent),
            undo=_undo(workload),
            verify=Condition(
                f"{request.ref} runs the template of revision {goal.number} on every replica",
                request.timeout_seconds,
            ),
            was_up=workload.is_rolled_out and workload.replicas_available >= workload.replicas_wanted,
            paused=workload.paused,
            payload_digest=payload,
            created_at=request.now,
            pinned=self.is_pinned(request.parameters),
            leaves=template_digest(workload.template),
            payload=goal.template,
        )
        return replace(plan, digest=plan_digest(plan))

    def reload(self, cluster: ClusterPort, plan: Plan) -> Plan:
        """Fetch the template again, by digest: revisions are renumbered when they are rolled back to."""
        for revision in cluster.list_revisions(plan.target.ref):
            if template_digest(revision.template) == plan.payload_digest:
                return replace(plan, payload=revision.template)
        raise NotFound(
            f"{plan.target.ref} no longer has the template of revision {plan.parameters.get('to_revision')}",
            why="its ReplicaSet was deleted (revisionHistoryLimit)",
            fix="plan again",
        )

    def apply(
        self, cluster: ClusterPort, plan: Plan, *, resource_version: str, dry_run: bool = False
    ) -> Workload:
        return cluster.replace_template(
            plan.target.ref,
            uid=plan.target.uid,
            resource_version=resource_version,
            template=plan.payload,
            annotations={CAUSE_ANNOTATION: _cause(plan), CHANGE_ANNOTATION: plan.id},
            dry_run=dry_run,
        )

    def probe(self, cluster: ClusterPort, plan: Plan) -> Probe:
        """Look for the mark that the write leaves, on the workload and then on its revisions.

        A generation, revision and template that are as planned prove that nothing was written, and
        `resourceVersion` keeps a late write from landing beside a repeated one.
        """
        ref = plan.target.ref
        try:
            workload = cluster.get_workload(ref)
        except NotFound:
            return Probe(Sent.GONE, f"{ref} no longer exists")
        if workload.uid != plan.target.uid:
            return Probe(Sent.GONE, f"{ref} was deleted and made again")
        if target_of(workload).state == plan.target.state:
            return Probe(Sent.NOT_APPLIED, f"{ref} is as it was when planned", workload)
        evidence = self._mark(cluster, workload, plan)
        if evidence:
            # After one write only, what is there now is what that write left (with the server's defaults).
            alone = workload.generation == plan.target.generation + 1
            left = template_digest(workload.template) if alone else plan.payload_digest
            return Probe(Sent.APPLIED, evidence, workload, left)
        return Probe(
            Sent.UNKNOWN,
            f"{ref} changed (generation {plan.target.generation} → {workload.generation})"
            f" and nothing carries the mark of {plan.id}",
            workload,
        )

    def _mark(self, cluster: ClusterPort, workload: Workload, plan: Plan) -> str:
        if workload.annotations.get(CHANGE_ANNOTATION) == plan.id:
            return f"{workload.ref} carries the mark of {plan.id}"
        for revision in cluster.list_revisions(workload.ref):
            if f"({plan.id})" in revision.change_cause:
                return f"revision {revision.number} carries the mark of {plan.id}"
        if template_digest(workload.template) == plan.payload_digest:
            return f"{workload.ref} has the planned template, without the mark of {plan.id}"
        return ""

    def observe(self, workload: Workload, plan: Plan, *, applied_template: str) -> Observation:
        """Rolled out by kubectl's four conditions, and still on the template that was applied."""
        if workload.uid != plan.target.uid:
            return Observation(Holds.SUPERSEDED, f"{workload.ref} was deleted and made again")
        if template_digest(workload.template) not in (applied_template, plan.payload_digest):
            return Observation(Holds.SUPERSEDED, f"somebody gave {workload.ref} another template")
        text = (
            f"{workload.replicas_updated} of {workload.replicas_wanted} updated,"
            f" {workload.replicas_available} available, {workload.replicas} in all"
        )
        if workload.is_rolled_out:
            return Observation(Holds.YES, text)
        if workload.observed_generation >= workload.generation and workload.progress_reason == _GAVE_UP:
            return Observation(Holds.NEVER, f"{text}: the rollout exceeded its progress deadline")
        return Observation(Holds.NOT_YET, text)


def _checked(parameters: Mapping[str, Any]) -> dict[str, Any]:
    unknown = sorted(set(parameters) - PARAMETERS)
    if unknown:
        raise UsageError(f"a rollback has no parameter {unknown[0]!r}", fix="to_revision")
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
    current = template_digest(workload.template)
    if wanted.get("to_revision") or wanted.get("template"):
        return _named(workload, revisions, wanted, current)
    earlier = sorted(
        (revision for revision in revisions if revision.number < workload.revision),
        key=lambda revision: revision.number,
        reverse=True,
    )
    differing = [revision for revision in earlier if template_digest(revision.template) != current]
    good = [
        revision
        for revision in differing
        if template_digest(revision.template) not in abandoned
        and revision.replicas_ready >= revision.replicas
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
        if (template_digest(revision.template) == template if template else revision.number == number)
    ]
    if not found:
        known = ", ".join(str(revision.number) for revision in sorted(revisions, key=lambda r: r.number))
        raise NotFound(f"{workload.ref} has no revision {number}", why=f"it keeps: {known or 'none'}")
    goal = max(found, key=lambda revision: revision.number)
    if template_digest(goal.template) == current:
        raise GateNotMet(
            f"{workload.ref} has the template of revision {goal.number} already",
            why=f"it is at revision {workload.revision}; there is nothing to change",
        )
    return goal


def _cause(plan: Plan) -> str:
    return f"maestro rollback to revision {plan.parameters['to_revision']} ({plan.id})"


def _seen(revisions: Sequence[Revision], request: Request) -> list[RecentChange]:
    """Revisions that others made within the hour; maestro's own are in the journal."""
    return [
        RecentChange(f"revision {revision.number}", "rollout", "", "seen", revision.created_at)
        for revision in revisions
        if seconds_between(revision.created_at, request.now) <= RECENT_SECONDS
        and "(chg-" not in revision.change_cause
    ]


def _undo(workload: Workload) -> Undo:
    return Undo(
        "rollback",
        {"to_revision": workload.revision, "template": template_digest(workload.template)},
        f"roll {workload.ref} back to what revision {workload.revision} runs now",
    )
