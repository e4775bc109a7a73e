"""An edit of a model's routing: another version answers, and nothing was released."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from maestro_cli.chaos.drills.defects.defect import Defect, Family, NothingDone, Scene, try_again
from maestro_cli.chaos.drills.model import Baseline, Breakage, Truth
from maestro_cli.core.errors import GateNotMet, NotFound, Refused
from maestro_cli.core.refs import ObjectRef

_KEY = "routing.yaml"


@dataclass(frozen=True, slots=True)
class RoutingEdit(Breakage):
    """Somebody edits the ConfigMap `routing`: `version` of `model` gets `weight` of a hundred requests, and
    `usual` the rest.
    """

    routing: str
    model: str
    usual: int
    version: int
    weight: int


class RoutingDefect(Defect):
    """Edits it as anyone would, past maestro."""

    def __init__(self, edit: RoutingEdit, scene: Scene) -> None:
        self._edit = edit
        self._scene = scene
        self._good: Mapping[str, Any] = {}
        self._bad: Mapping[str, str] = {}
        self._began: datetime | None = None
        self.phase = ("edit", f"someone edits what {scene.target} reads")

    def prepare(self, baseline: Baseline) -> Mapping[str, Any]:
        self._good = config_of(self._scene, self._edit.routing)
        self._bad = {**self._good["data"], _KEY: document_of(self._edit)}
        return {"routing": self._good}

    def inject(self) -> None:
        self._began = self._scene.clock.now()
        try:
            write_config(self._scene, {**self._good, "data": self._bad})
        except (GateNotMet, Refused, NotFound) as error:
            raise NothingDone(error) from error

    def mend(self) -> bool:
        """True when it is not what somebody made of it any more; in the end it is as it was."""
        try:
            is_mended: bool = config_of(self._scene, self._edit.routing)["data"] != self._bad
        finally:
            put_routing_back(self._scene, self._good)
        return is_mended

    def truth(self, *, is_mended: bool) -> Truth:
        assert self._began is not None
        edit, namespace = self._edit, self._scene.target.namespace
        subject = f"configmap {namespace}/{edit.routing}"
        words = f"{subject} was edited: {edit.weight} % of {edit.model} to version {edit.version}"
        config = ObjectRef("ConfigMap", namespace, edit.routing)
        return Truth(self._began, subject, words, is_mended, fix_target=str(config))


def document_of(edit: RoutingEdit) -> str:
    """The routing document after the edit. Pure."""
    bad = {"model": edit.model, "version": edit.version}
    usual = {"model": edit.model, "version": edit.usual}
    arms = [
        {"name": "usual", "weight": 100 - edit.weight, "to": usual},
        {"name": "next", "weight": edit.weight, "to": bad},
    ]
    to = bad if edit.weight >= 100 else {"split": {"salt": "next", "arms": arms}}
    return json.dumps({"schema": "maestro.routing/1", "routes": {edit.model: {"to": to}}})


def config_of(scene: Scene, name: str) -> dict[str, Any]:
    """A ConfigMap as it is now: `name` and `data`."""
    config = scene.ensemble.cluster.get_config_map(scene.target.namespace, name)
    return {"name": name, "data": {str(key): str(text) for key, text in config.data.items()}}


def write_config(scene: Scene, wanted: Mapping[str, Any]) -> bool:
    """Have a ConfigMap hold that; False when it did. Raises what the cluster does."""
    cluster, namespace, name = scene.ensemble.cluster, scene.target.namespace, str(wanted["name"])
    config = cluster.get_config_map(namespace, name)
    if dict(config.data) == dict(wanted["data"]):
        return False
    cluster.write_config_map(
        namespace, name, uid=config.uid, resource_version=config.resource_version, data=wanted["data"],
        annotations={},
    )  # fmt: skip
    return True


def put_routing_back(scene: Scene, good: Mapping[str, Any]) -> bool:
    """As `write_config`, tried again where it moved. Raises UndoFailed."""
    fix = f"maestro traffic apply {scene.target.namespace}/configmap/{good['name']}"
    return try_again(lambda: write_config(scene, good), scene, fix=fix)


FAMILY = Family(RoutingDefect, "routing", put_routing_back)
