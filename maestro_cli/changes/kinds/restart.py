"""Restart: replace every replica of a workload, a few at a time, by the same release.

Invariant: only the annotation changes that `kubectl rollout restart` sets too. There is no undo: the
processes that ended, and what they held in memory, are gone.
"""

from __future__ import annotations

from datetime import datetime

from maestro_cli.changes.kinds.held import wholly_held
from maestro_cli.changes.kinds.kind import Request, Reversal
from maestro_cli.changes.kinds.rolling import RollingKind, paused, seen
from maestro_cli.changes.kinds.writing import Draft, Spec
from maestro_cli.changes.model import Plan
from maestro_cli.changes.ports import World
from maestro_cli.changes.template import RESTARTED_AT, diff_templates, template_digest
from maestro_cli.core.clock import to_rfc3339
from maestro_cli.core.errors import ActionFailed
from maestro_cli.core.facts.cluster import Workload


class Restart(RollingKind):
    """Takes no parameters."""

    name = "restart"
    reversal = Reversal(
        "needless", "the new replicas are of the same release; what the old ones held in memory is gone"
    )

    def draft(self, world: World, workload: Workload, request: Request) -> Draft:
        """Raises ActionFailed when there is no replica to restart."""
        ref, replicas = workload.ref, workload.replicas_wanted
        if not replicas:
            is_daemon = ref.kind == "DaemonSet"
            raise ActionFailed(
                f"{ref} has no replica to restart",
                why="its template selects no node" if is_daemon else "it is scaled to zero",
                fix="maestro node list" if is_daemon else f"maestro scale {ref} --replicas N",
            )
        spec = _restarted(workload, request.now)
        return Draft(
            parameters={},
            summary=f"restart {ref}: replace every replica by a new one of the same release",
            spec=spec,
            diff=diff_templates(workload.template, spec["template"]),
            holds=f"every replica of {ref} was started anew",
            undo=None,
            ended=replicas,
            objections=(*paused(workload), *wholly_held(workload)),
            recent=seen(world.cluster.list_revisions(ref), request.now, request.written),
        )

    def spec(self, world: World, workload: Workload, plan: Plan) -> Spec:
        return _restarted(workload, plan.created_at)

    def part(self, spec: Spec) -> str:
        return template_digest(spec["template"])

    def cause(self, plan: Plan) -> str:
        return "restart"


def _restarted(workload: Workload, now: datetime) -> Spec:
    meta = workload.template.get("metadata") or {}
    annotations = {**(meta.get("annotations") or {}), RESTARTED_AT: to_rfc3339(now)}
    return {"template": {**workload.template, "metadata": {**meta, "annotations": annotations}}}
