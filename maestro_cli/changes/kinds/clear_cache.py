"""Clear cache: have every replica forget the answers it kept, of one model or of all.

Invariant: the next requests are computed anew, so they cost what they cost without a cache. There is no undo:
what was forgotten is learnt again by itself. A replica notes the change that cleared it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

from maestro_cli.changes.kinds.kind import Option, Request, Reversal
from maestro_cli.changes.kinds.replicas import Fleet, ReplicaKind, drafted
from maestro_cli.changes.kinds.writing import Draft
from maestro_cli.changes.model import Plan
from maestro_cli.changes.ports import World
from maestro_cli.core.errors import UsageError
from maestro_cli.core.facts.inference import ServedReplica
from maestro_cli.core.quantities import counted


class ClearCache(ReplicaKind):
    """Parameters: `model` (all when left out)."""

    name = "clear-cache"
    options: ClassVar[Mapping[str, Option]] = {"model": Option(str)}
    reversal = Reversal("needless", "what was forgotten is computed and kept again")

    def asked(self, world: World, fleet: Fleet, request: Request) -> Draft:
        model = request.parameters.get("model") or ""
        if not isinstance(model, str):
            raise UsageError(f"{model!r} is no model's name")
        of = f"of {model} " if model else ""
        return drafted(
            {"model": model},
            f"forget the answers {of}that {counted(fleet.count, 'replica')} of {fleet.ref} kept",
            f"every replica of {fleet.ref} has forgotten the answers {of}it kept",
            None,
        )

    def done(self, plan_id: str, parameters: Mapping[str, Any], replica: ServedReplica) -> ServedReplica:
        return replace(replica, cleared_by=plan_id)

    def call(self, world: World, plan: Plan, replica: str, *, dry_run: bool = False) -> None:
        world.serving.clear_cache(plan.parameters["model"], replica=replica, change=plan.id, dry_run=dry_run)

    def shown(self, parameters: Mapping[str, Any], replica: ServedReplica) -> str:
        return f"cleared by {replica.cleared_by}" if replica.cleared_by else "never cleared by a change"
