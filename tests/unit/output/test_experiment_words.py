"""What a report of an experiment says is words, never a value of Python."""

from __future__ import annotations

from typing import Any

from maestro_cli.output.renderers.experiments import report_view
from maestro_cli.output.views import Fields
from tests.unit.chaos.journals import journal

OURS = {
    "verdict": "FAIL", "code": 14, "run": "exp-1", "coverage": 1.0, "targets": [], "proof_of_effect": [],
    "proof_of_recovery": [], "stop": None, "residue": [], "seed": 1, "reasons": [],
}  # fmt: skip


def rows(**made: Any) -> dict[str, object]:
    blocks = report_view({**journal(**made), "maestro": OURS}).blocks
    return dict(next(one.rows for one in blocks if isinstance(one, Fields)))


def test_a_look_that_was_not_made_is_told_in_words() -> None:
    assert rows(after=None)["steady state"] == "before: met; during: 2 met; after: not looked at"
    assert rows(before=None)["steady state"] == "before: not looked at; during: 2 met; after: met"
