"""Load model: have every replica load a version of a model, and prove it, so that it can be routed to.

Invariant: loading alone gives a version no traffic: where no route pins the model, and requests that name no
version would go to the new one, it is refused. A replica that starts later loads what its command line says.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from maestro_cli.changes.kinds.kind import Request
from maestro_cli.changes.kinds.replicas import Fleet, drafted, objection, version_named
from maestro_cli.changes.kinds.routing import model_of, version_of
from maestro_cli.changes.kinds.served_version import READY, ServedVersionKind
from maestro_cli.changes.kinds.writing import Draft
from maestro_cli.changes.model import Plan, Undo
from maestro_cli.changes.ports import World
from maestro_cli.changes.routing_document import has_route
from maestro_cli.core.quantities import counted


class LoadModel(ServedVersionKind):
    """Parameters: `model`, `version` (int)."""

    name = "load-model"

    def asked(self, world: World, fleet: Fleet, request: Request) -> Draft:
        model, version = model_of(request.parameters), version_of(request.parameters)
        named = version_named({"model": model, "version": version})
        only = request.parameters.get("only") or []
        lacking = sorted(name for name, one in fleet.replicas.items() if one.models.get(named) != READY)
        takes_over = (
            ()
            if has_route(json.loads(world.serving.routing().document), model)
            else _highest(fleet, model, version)
        )
        return drafted(
            {"model": model, "version": version, "only": list(only)},
            f"load {named} on {len(lacking)} of {counted(fleet.count, 'replica')} of {fleet.ref}",
            f"every replica of {fleet.ref} has {named}",
            Undo(
                "unload-model", {"model": model, "version": version, "only": lacking},
                f"unload {named} where it was not loaded before",
            ),
            takes_over,
        )  # fmt: skip

    def models(self, named: str, there: Mapping[str, str]) -> Mapping[str, str]:
        return {**there, named: READY}

    def call(self, world: World, plan: Plan, replica: str, *, dry_run: bool = False) -> None:
        model, version = plan.parameters["model"], plan.parameters["version"]
        world.serving.load_model(model, version, replica=replica, dry_run=dry_run)


def _highest(fleet: Fleet, model: str, version: int) -> Any:
    """The objection that on one of the replicas no higher version would go on answering."""
    tops = []
    for one in fleet.replicas.values():
        ready = (name.rpartition("@") for name, state in one.models.items() if state == READY)
        tops.append(max((int(number) for name, _, number in ready if name == model), default=0))
    passed = [top for top in tops if 0 < top < version]
    if not passed:
        return ()
    return objection(
        "takes-over",
        f"{model}@{version} would answer every request for {model} at once",
        "no route names a version of it, and then the highest one that is loaded answers",
        f"pin that one first: maestro model promote {fleet.ref} --model {model} --version {max(passed)}",
    )
