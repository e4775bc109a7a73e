"""The autoscaler of the FAKE cluster, as a part of its state."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from maestro_cli.core.errors import NotFound, StalePlan
from maestro_cli.core.facts.cluster import Autoscaler
from maestro_cli.core.refs import ObjectRef

HPA = ObjectRef("HorizontalPodAutoscaler", "ml", "fraud")


def autoscalers_at_first() -> dict[str, Any]:
    """One of fraud; `list_autoscalers` does not tell of it."""
    return {"fraud": {"uid": "hpa-uid", "rv": 6, "least": 2, "most": 4, "cpu": 60, "annotations": {}}}


def autoscaler(state: Mapping[str, Any], name: str) -> Autoscaler:
    """Raises NotFound."""
    if name not in state["hpas"]:
        raise NotFound(f"hpa/{name} not found")
    one = state["hpas"][name]
    return Autoscaler(
        "ml", name, "Deployment", "fraud", one["least"], one["most"], one["uid"], str(one["rv"]),
        dict(one["annotations"]), is_driven=True, cpu_target=one["cpu"],
    )  # fmt: skip


def write(
    state: dict[str, Any], name: str, uid: str, version: str, bounds: tuple[int, int, int | None],
    annotations: Mapping[str, str | None],
) -> Autoscaler:  # fmt: skip
    """What the API server does with the patch, and the autoscaler's controller with the replicas."""
    now = autoscaler(state, name)
    if (now.uid, now.resource_version) != (uid, version):
        raise StalePlan("the target changed since it was read")
    one = state["hpas"][name]
    one["rv"] += 1
    merged = {**one["annotations"], **annotations}
    one["annotations"] = {key: value for key, value in merged.items() if value is not None}
    one["least"], one["most"], one["cpu"] = bounds
    state["replicas"] = min(max(state["replicas"], bounds[0]), bounds[1])
    return autoscaler(state, name)
