"""The JSON of every `maestro slo` command that measures, by its schema: keys, and the types behind them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.cli.program import check_golden, maestro
from tests.contract.slo.test_slo_commands import AT, Scene, scene

pytestmark = pytest.mark.contract
__all__ = ["scene"]
COMMANDS = {
    "status": ("status", *AT),
    "budget": ("budget", *AT),
    "explain": ("explain", "holed", *AT),
    "what-if": ("what-if", "kept", "--target", "99.95%", *AT),
    "gate": ("gate", "--window", "1h"),
}


def shape(value: Any) -> Any:
    """Types by key; of a list the one shape that all of its items have together."""
    if isinstance(value, dict):
        return {key: shape(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_joined([shape(one) for one in value])] if value else []
    return (
        "number" if isinstance(value, int | float) and not isinstance(value, bool) else type(value).__name__
    )


def _joined(shapes: list[Any]) -> Any:
    kept = [one for one in shapes if one not in ("NoneType", [])]
    if kept and all(isinstance(one, dict) for one in kept):
        keys = list(dict.fromkeys(key for one in kept for key in one))
        return {key: _joined([one.get(key, "missing") for one in kept]) for key in keys}
    names = sorted({json.dumps(one) if isinstance(one, list) else str(one) for one in shapes})
    return kept[0] if len(kept) == len(shapes) and len(names) == 1 else " or ".join(names)


@pytest.mark.parametrize("command", COMMANDS)
def test_the_shape_of_what_is_measured_is_pinned(scene: Scene, command: str) -> None:
    document = scene.read(*COMMANDS[command])
    assert document["schema"].startswith("maestro.dev/slo-")
    told = {"schema": document.pop("schema"), "document": shape(document)}
    check_golden(f"slo-{command}.shape.json", json.dumps(told, indent=2) + "\n")


def test_the_shape_of_exclusions_is_pinned(scene: Scene) -> None:
    done = maestro("--context", "bare", "slo", "exclude", "list", "-o", "json", env=scene.env)
    document = json.loads(done.out)
    told = {"schema": document.pop("schema"), "document": shape(document)}
    check_golden("slo-exclusions.shape.json", json.dumps(told, indent=2) + "\n")
