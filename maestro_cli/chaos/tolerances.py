"""Tolerances of Chaos Toolkit's probes. Pure, and of the standard library alone: the child asks too."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def is_of_status(tolerance: Any) -> bool:
    """Whether it is about the status of an HTTP answer: `200`, `[200, 204]`, `target: status`, or the path of
    it.
    """
    if isinstance(tolerance, Mapping):
        target = tolerance.get("target")
        return target == "status" or (not target and str(tolerance.get("path")).strip() == "$.status")
    statuses = tolerance if isinstance(tolerance, list) else [tolerance]
    return bool(statuses) and all(type(one) is int for one in statuses)
