"""Labels and values that several kinds of object share. Invariant: as kube-state-metrics makes them."""

from __future__ import annotations

from collections.abc import Mapping

from maestro_cli.core.promql import exported_label
from maestro_cli.core.quantities import parse_quantity
from maestro_cli.local.objects import Object, controller_of

STATUSES = ("true", "false", "unknown")
_UNITS = {"cpu": "core", "pods": "integer"}
_BYTES = ("memory", "ephemeral-storage", "hugepages-", "attachable-volumes-")


def sanitized(labels: Mapping[str, str]) -> dict[str, str]:
    """Kubernetes labels as Prometheus labels: `label_app_kubernetes_io_name`."""
    return {f"label_{exported_label(name)}": value for name, value in sorted(labels.items())}


def owner_labels(thing: Object) -> dict[str, str]:
    """Who controls an object; empty labels for nobody."""
    owner = controller_of(thing)
    if owner is None:
        return {"owner_kind": "", "owner_name": "", "owner_is_controller": ""}
    return {"owner_kind": owner["kind"], "owner_name": owner["name"], "owner_is_controller": "true"}


def unit_of(resource: str) -> dict[str, str]:
    """The labels `resource` and `unit` of a resource name."""
    unit = _UNITS.get(resource) or ("byte" if resource.startswith(_BYTES) else "integer")
    clean = "".join(letter if letter.isalnum() else "_" for letter in resource)
    return {"resource": clean, "unit": unit}


def quantity(text: str | int) -> float:
    """The number behind a quantity; 0 for what is none."""
    try:
        return parse_quantity(text)
    except ValueError:
        return 0.0
