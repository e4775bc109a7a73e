"""Unload model: have every replica let go of a version of a model, once the requests with it have ended.

Invariant: what the routing document names is not unloaded, nor the last version that answers for a name.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from maestro_cli.changes.kinds.kind import Request
from maestro_cli.changes.kinds.replicas import Fleet, drafted, objection, version_named
from maestro_cli.changes.kinds.routing import model_of, version_of
from maestro_cli.changes.kinds.served_version import READY, ServedVersionKind
from maestro_cli.changes.kinds.writing import Draft
from maestro_cli.changes.model import GateReason, Plan, Undo
from maestro_cli.changes.ports import World
from maestro_cli.changes.routing_document import named_versions
from maestro_cli.core.quantities import counted


class UnloadModel(ServedVersionKind):
    """Parameters: `model`, `version` (int)."""

    name = "unload-model"

    def asked(self, world: World, fleet: Fleet, request: Request) -> Draft:
        model, version = model_of(request.parameters), version_of(request.parameters)
        named = version_named({"model": model, "version": version})
        only = request.parameters.get("only") or []
        having = sorted(name for name, one in fleet.replicas.items() if named in one.models)
        about = [name for name in having if not only or name in only]
        return drafted(
            {"model": model, "version": version, "only": list(only)},
            f"unload {named} from {len(about)} of {counted(fleet.count, 'replica')} of {fleet.ref}",
            f"the replicas of {fleet.ref} do not have {named}",
            Undo(
                "load-model", {"model": model, "version": version, "only": about},
                f"load {named} again where it was loaded",
            ),
            _needed(world, fleet, about, model, version),
        )  # fmt: skip

    def models(self, named: str, there: Mapping[str, str]) -> Mapping[str, str]:
        return {key: state for key, state in there.items() if key != named}

    def call(self, world: World, plan: Plan, replica: str, *, dry_run: bool = False) -> None:
        model, version = plan.parameters["model"], plan.parameters["version"]
        world.serving.unload_model(model, version, replica=replica, dry_run=dry_run)


def _needed(
    world: World, fleet: Fleet, about: Sequence[str], model: str, version: int
) -> tuple[GateReason, ...]:
    """What is against it; a version that another replica has does not answer for this one."""
    named = f"{model}@{version}"
    if (model, version) in named_versions(json.loads(world.serving.routing().document)):
        return objection(
            "routed-to", f"the routing in force names {named}",
            "requests would find nobody who answers", "route around it first: maestro traffic set",
        )  # fmt: skip
    left = (
        {name for name, state in fleet.replicas[replica].models.items() if state == READY} - {named}
        for replica in about
    )
    if all(any(name.rpartition("@")[0] == model for name in names) for names in left):
        return ()
    return objection(
        "last-version", f"{named} is the last version of {model} that answers on a replica",
        "requests would find nobody who answers", "load another version first",
    )  # fmt: skip
