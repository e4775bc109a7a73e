"""What was applied and is there still is no change, whatever was completed; anything else is."""

from __future__ import annotations

import json
from typing import Any

import pytest

from maestro_cli.cost.gate.applied import is_applied

SPEC = {"size": 3, "cpu": "0.5", "parts": [{"name": "a", "cpu": 1}], "empty": {}, "off": False}
COMPLETED = {"size": 3, "cpu": "500m", "parts": [{"name": "a", "cpu": "1", "mode": "x"}], "policy": "Retain"}


def manifest(spec: Any = SPEC, **notes: str) -> dict[str, Any]:
    meta = {"name": "a", **({"annotations": notes} if notes else {})}
    return {"apiVersion": "x.com/v1", "kind": "Widget", "metadata": meta, "spec": spec}


def there(spec: Any = COMPLETED, *, applied: Any = None, **notes: str) -> dict[str, Any]:
    """With what was applied: the manifest, unless another is given."""
    last = (
        applied if isinstance(applied, str) else json.dumps(manifest(**notes) if applied is None else applied)
    )
    body = manifest(spec, **notes)
    body["metadata"] |= {"uid": "u", "resourceVersion": "7"}
    body["metadata"]["annotations"] = {"kubectl.kubernetes.io/last-applied-configuration": last, **notes}
    return {**body, "status": {"ready": True}}


def test_what_the_server_completed_is_no_change() -> None:
    assert is_applied(manifest(), there())
    assert is_applied(manifest(paused="true"), there(paused="true"))


@pytest.mark.parametrize(
    ("given", "found"),
    [
        (manifest({**SPEC, "size": 4}), there()),
        (manifest({key: value for key, value in SPEC.items() if key != "size"}), there()),  # apply removes it
        (manifest(), there({**COMPLETED, "size": 9})),  # by somebody else since
        (manifest(), there({**COMPLETED, "parts": [*COMPLETED["parts"], {"name": "b"}]})),  # type: ignore[misc]
        (manifest(), there({key: value for key, value in COMPLETED.items() if key != "size"})),
        (manifest(paused="true"), there()),
        (manifest(), there(applied={"spec": 3})),
        (manifest(), there(applied="{")),
        (manifest(), there(applied="[]")),
        (manifest(), {**manifest(COMPLETED)}),  # nobody applied it
    ],
)
def test_anything_else_is(given: dict[str, Any], found: dict[str, Any]) -> None:
    assert not is_applied(given, found)
