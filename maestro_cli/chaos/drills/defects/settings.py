"""An edit of what a workload reads when it starts, and a restart that has it read."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from maestro_cli.changes.template import RESTARTED_AT
from maestro_cli.chaos.drills.defects.defect import Defect, Family, NothingDone, Scene, try_again
from maestro_cli.chaos.drills.defects.routing import config_of, write_config
from maestro_cli.chaos.drills.model import Baseline, Breakage, Truth
from maestro_cli.core.clock import to_rfc3339
from maestro_cli.core.errors import GateNotMet, NotFound, Refused
from maestro_cli.core.refs import ObjectRef


@dataclass(frozen=True, slots=True)
class SettingsEdit(Breakage):
    """Somebody sets `key` of the ConfigMap `config` to `value`, and starts the pods again."""

    config: str
    key: str
    value: str


class SettingsDefect(Defect):
    """Edits and restarts as anyone would, past maestro: `kubectl edit`, `kubectl rollout restart`."""

    def __init__(self, edit: SettingsEdit, scene: Scene) -> None:
        self._edit = edit
        self._scene = scene
        self._good: Mapping[str, Any] = {}
        self._began: datetime | None = None
        self.phase = ("edit", f"someone edits what {scene.target} reads")

    def prepare(self, baseline: Baseline) -> Mapping[str, Any]:
        """Raises GateNotMet where there is no such setting."""
        self._good = config_of(self._scene, self._edit.config)
        if self._edit.key not in self._good["data"]:
            raise GateNotMet(f"{self._edit.config} has no {self._edit.key}", fix="maestro local down")
        return {"settings": self._good}

    def inject(self) -> None:
        self._began = self._scene.clock.now()
        bad = {**self._good["data"], self._edit.key: self._edit.value}
        try:
            write_config(self._scene, {**self._good, "data": bad})
        except (GateNotMet, Refused, NotFound) as error:
            raise NothingDone(error) from error
        try_again(lambda: restart(self._scene), self._scene, fix=f"maestro restart {self._scene.target}")

    def mend(self) -> bool:
        """True when it has another value already; in the end it is as it was, and was read."""
        try:
            now = config_of(self._scene, self._edit.config)["data"]
            is_mended = bool(now.get(self._edit.key) != self._edit.value)
        finally:
            put_settings_back(self._scene, self._good)
        return is_mended

    def truth(self, *, is_mended: bool) -> Truth:
        assert self._began is not None
        edit, namespace = self._edit, self._scene.target.namespace
        subject = f"configmap {namespace}/{edit.config}"
        words = f"{subject} was edited: {edit.key} was set to {edit.value!r}"
        config = ObjectRef("ConfigMap", namespace, edit.config)
        return Truth(self._began, subject, words, is_mended, fix_target=str(config))


def restart(scene: Scene) -> bool:
    """Have every pod start again, as `kubectl rollout restart` does. Raises what the cluster does."""
    cluster = scene.ensemble.cluster
    workload = cluster.get_workload(scene.target)
    template = copy.deepcopy(dict(workload.template))
    metadata = template.setdefault("metadata", {})
    notes = metadata.get("annotations") or {}
    metadata["annotations"] = {**notes, RESTARTED_AT: to_rfc3339(scene.clock.now())}
    cluster.replace_template(
        scene.target, uid=workload.uid, resource_version=workload.resource_version, template=template,
        annotations={},
    )  # fmt: skip
    return True


def put_settings_back(scene: Scene, good: Mapping[str, Any]) -> bool:
    """Have the ConfigMap hold that, and the pods read it where it held something else. Raises UndoFailed."""
    fix = f"maestro set config {good['name']} --rollout -n {scene.target.namespace}"
    did = try_again(lambda: write_config(scene, good), scene, fix=fix)
    if did:
        try_again(lambda: restart(scene), scene, fix=f"maestro restart {scene.target}")
    return did


FAMILY = Family(SettingsDefect, "settings", put_settings_back)
