"""What a probe gave that no tolerance can judge. Pure.

Invariant: NaN, no number where one is compared, an answer of Prometheus that is empty or an error, and the
page that a server gives instead of an answer are no data; whoever compares the status of an HTTP answer alone
gets what he compares.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from maestro_cli.chaos.tolerances import is_of_status


def untold(tolerance: Any, value: Any) -> str:
    """Why the value tells nothing, or ""."""
    if _is_nan(value):
        return "NaN"
    if (failed := _of_http(tolerance, value)) or not isinstance(tolerance, Mapping):
        return failed
    target = tolerance.get("target")
    judged = value.get(target, value) if target and isinstance(value, Mapping) else value
    if tolerance.get("type") == "range":
        return "" if _is_number(judged) else f"{judged!r:.80} is no number"
    return _of_prometheus(judged) or (_of_prometheus(value.get("body")) if isinstance(value, Mapping) else "")


def _of_http(tolerance: Any, value: Any) -> str:
    """Why an answer over HTTP tells nothing: the server failed (5xx), or has none (4xx) of which a part is
    compared.
    """
    if not isinstance(value, Mapping) or not {"status", "body"} <= value.keys() or is_of_status(tolerance):
        return ""
    status = value["status"]
    of_a_part = isinstance(tolerance, Mapping) and bool(tolerance.get("target"))
    if type(status) is not int or status < (400 if of_a_part else 500):
        return ""
    return f"HTTP {status}: {value['body']!s:.200}"


def _is_nan(value: Any) -> bool:
    """As a float, or as Prometheus writes it."""
    if isinstance(value, float):
        return math.isnan(value)
    return isinstance(value, str) and value.strip().lower() == "nan"


def _is_number(value: Any) -> bool:
    try:
        return not Decimal(value).is_nan()
    except (InvalidOperation, TypeError, ValueError):
        return False


def _of_prometheus(value: Any) -> str:
    """Why an answer of its query API tells nothing."""
    if isinstance(value, str | bytes):
        try:
            value = json.loads(value)
        except ValueError:
            return ""
    if not isinstance(value, Mapping) or value.get("status") not in ("success", "error"):
        return ""
    if value["status"] == "error":
        return f"Prometheus: {value.get('error', 'error')!s:.200}"
    data = value.get("data")
    if not isinstance(data, Mapping) or "result" not in data:
        return ""
    samples = data["result"]
    if not samples:
        return "Prometheus: an empty answer"
    if isinstance(samples, list) and all(isinstance(one, Mapping) for one in samples):
        values = [one.get("value") for one in samples]
        if any(isinstance(one, list) and len(one) == 2 and _is_nan(one[1]) for one in values):
            return "Prometheus: NaN"
    return ""
