"""What no tolerance can judge is no data; everything else is left to its tolerance."""

from __future__ import annotations

import json
from typing import Any

import pytest

from maestro_cli.chaos.worker.untold import untold

RANGE = {"type": "range", "range": [0, 1]}
PATH = {"type": "jsonpath", "path": "$.data.result[*].value[1]", "expect": ["1"]}
NONE = {"type": "jsonpath", "path": "$.alerts[*]", "count": 0}  # "no alert fires"
QUIET = {"type": "regex", "pattern": "^(?!.*error)"}


def answer(*values: str) -> dict[str, Any]:
    samples = [{"metric": {}, "value": [1, value]} for value in values]
    return {"status": "success", "data": {"resultType": "vector", "result": samples}}


@pytest.mark.parametrize(
    ("tolerance", "value"),
    [
        (RANGE, float("nan")), (RANGE, "NaN"), ([0, 1], float("nan")), (RANGE, "word"), (RANGE, None),
        (RANGE, []), (RANGE, ""), (PATH, answer()), (PATH, answer("NaN")), (PATH, json.dumps(answer())),
        (PATH, {"status": "error", "error": "timeout"}),
        ({**PATH, "target": "body"}, {"status": 200, "body": answer()}),
        (PATH, {"status": 200, "body": json.dumps(answer())}),
        (NONE, {"status": 502, "body": "Bad Gateway"}), (NONE, {"status": 503, "body": ""}),
        (QUIET, {"status": 500, "body": ""}), ({**QUIET, "target": "body"}, {"status": 404, "body": "?"}),
        ({**RANGE, "target": "body"}, {"status": 500, "body": "1"}), ("up", {"status": 500, "body": "up"}),
    ],
)  # fmt: skip
def test_it_is_told_why(tolerance: Any, value: Any) -> None:
    assert untold(tolerance, value)


@pytest.mark.parametrize(
    ("tolerance", "value"),
    [
        (RANGE, 2), (RANGE, "0.5"), (RANGE, 1.5), (200, {"status": 500, "body": answer()}), ("up", "down"),
        ([200, 500], {"status": 500, "body": ""}),
        ({**RANGE, "target": "status"}, {"status": 500, "body": ""}),
        ({"type": "jsonpath", "path": "$.status", "expect": 503}, {"status": 503, "body": ""}),
        ({**QUIET, "target": "body"}, {"status": 200, "body": "well"}), (QUIET, {"status": 404, "body": ""}),
        (QUIET, {"status": 1000, "stdout": "of a process"}),
        (True, False), (PATH, answer("0")), (PATH, "no JSON"), (PATH, {"other": 1}),
        ({"type": "range", "range": [0, 1], "target": "x"}, {"x": 3}),
    ],
)  # fmt: skip
def test_what_can_be_judged_is_left_to_its_tolerance(tolerance: Any, value: Any) -> None:
    assert untold(tolerance, value) == ""
