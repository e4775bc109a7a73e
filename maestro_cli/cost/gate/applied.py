"""What applying a manifest leaves as it is: what the API server and webhooks complete is no change.

`kubectl apply` and Argo CD leave what they applied as an annotation. Invariant: an object is as applied only
where that is the manifest, and the object still says all of it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from maestro_cli.core.quantities import parse_quantity
from maestro_cli.cost.gate.model import Asked, Manifests

_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
_OF_THE_SERVER = ("apiVersion", "kind", "metadata", "status")


def is_applied(manifest: Mapping[str, Any], there: Mapping[str, Any]) -> bool:
    """Of the body of a manifest and that of the object in the cluster."""
    notes = _notes(there)
    text = notes.pop(_APPLIED, None)
    try:
        last = json.loads(text) if isinstance(text, str) else None
    except ValueError:
        return False
    if not isinstance(last, dict) or _said(last) != _said(manifest) or _notes(last) != _notes(manifest):
        return False
    return _holds(_said(manifest), _said(there)) and _holds(_notes(manifest), notes)


def with_classes(new: Manifests, old: Manifests) -> Manifests:
    """A claim that is there keeps the storage class that it was given, where its manifest names none."""
    asked = {ref: _classed(one, old.asked.get(ref)) for ref, one in new.asked.items()}
    return replace(new, asked=asked)


def _classed(one: Asked, there: Asked | None) -> Asked:
    if there is None or len(there.own_claims) != len(one.own_claims):
        return one
    pairs = zip(one.own_claims, there.own_claims, strict=True)
    claims = (replace(new, storage_class=new.storage_class or old.storage_class) for new, old in pairs)
    return replace(one, own_claims=tuple(claims))


def _said(body: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in body.items() if key not in _OF_THE_SERVER}


def _notes(body: Mapping[str, Any]) -> dict[str, Any]:
    meta = body.get("metadata")
    notes = meta.get("annotations") if isinstance(meta, Mapping) else None
    return dict(notes) if isinstance(notes, Mapping) else {}


def _holds(said: Any, there: Any) -> bool:
    """Whether all that is said is there; what is empty the server may leave out."""
    if isinstance(said, Mapping):
        return isinstance(there, Mapping) and all(
            _holds(value, there[key]) if key in there else not value for key, value in said.items()
        )
    if isinstance(said, list):
        alike = isinstance(there, list) and len(said) == len(there)
        return alike and all(_holds(one, other) for one, other in zip(said, there, strict=True))
    amount = _amount(said)
    return said == there or (amount is not None and amount == _amount(there))


def _amount(value: Any) -> float | None:
    """The server writes quantities its own way: 0.5 becomes 500m."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        return parse_quantity(value)
    except ValueError:
        return None
