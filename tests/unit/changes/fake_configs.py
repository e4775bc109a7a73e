"""The ConfigMaps of the FAKE cluster by `namespace/name`, and its model servers, as parts of its state."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from maestro_cli.core.errors import NotFound, StalePlan
from maestro_cli.core.facts.cluster import ConfigMap
from maestro_cli.core.refs import ObjectRef

IDS = ("replica-0", "replica-1", "replica-2")
CONFIG = ObjectRef("ConfigMap", "ml", "fraud-routing")
SETTINGS = ObjectRef("ConfigMap", "ml", "settings")
ROUTING = """\
schema: maestro.routing/1
routes:
  fraud:  # one version, as people wrote it
    to: {model: fraud, version: 1}
"""


def configs_at_first() -> dict[str, Any]:
    """The routing document of the model servers, and what fraud reads its environment from."""
    return {
        "ml/fraud-routing": {"uid": "cm-uid", "rv": 3, "data": {"routing.yaml": ROUTING}, "annotations": {}},
        "ml/settings": {"uid": "settings-uid", "rv": 5, "data": {"LEVEL": "info", "other": "x"},
                        "annotations": {}},
    }  # fmt: skip


def config(state: Mapping[str, Any], namespace: str, name: str) -> ConfigMap:
    """Raises NotFound."""
    found = state["configs"].get(f"{namespace}/{name}")
    if found is None:
        raise NotFound(f"configmap/{name} not found")
    return ConfigMap(
        namespace,
        name,
        found["uid"],
        str(found["rv"]),
        dict(found["data"]),
        dict(found["annotations"]),
        frozenset(found.get("binary", ())),
        found.get("immutable", False),
    )


def write(
    state: dict[str, Any], namespace: str, name: str, uid: str, resource_version: str,
    data: Mapping[str, str], annotations: Mapping[str, str | None],
) -> ConfigMap:  # fmt: skip
    """What the API server does with the patch."""
    now = config(state, namespace, name)
    if (now.uid, now.resource_version) != (uid, resource_version):
        raise StalePlan("the target changed since it was read")
    one = state["configs"][f"{namespace}/{name}"]
    one["rv"] += 1
    one["data"] = dict(data)
    merged = {**one["annotations"], **annotations}
    one["annotations"] = {key: value for key, value in merged.items() if value is not None}
    return config(state, namespace, name)


def servers_at_first() -> dict[str, Any]:
    """Three replicas with two versions each; a third could be loaded."""
    models = {name: {"fraud@1": "READY", "fraud@2": "READY"} for name in IDS}
    return {"models": models, "cleared": {}}
