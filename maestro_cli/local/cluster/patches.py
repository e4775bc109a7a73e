"""JSON patch (RFC 6902) and JSON merge patch (RFC 7386).

Invariant: the answer is a new value or an error; the value given may be used up. What a patch copies is
bounded, so that a small one cannot become a large object.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from maestro_cli.local.cluster.shapes import check_depth
from maestro_cli.local.cluster.status import ApiError, bad_request

_MAX_OPERATIONS = 10_000
_MAX_COPIED_BYTES = 3 * 1024 * 1024  # of JSON, by all `copy` of one patch together


def merge_patch(target: Any, patch: Any) -> Any:
    """`target` with `patch` merged in: null removes, objects merge, anything else replaces."""
    if not isinstance(patch, dict):
        return patch
    merged = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = merge_patch(merged.get(name), value)
    return merged


def _fault(why: str) -> ApiError:
    return ApiError(422, "Invalid", f"the server rejected our request due to an error in our request: {why}")


def _steps(pointer: Any) -> list[str]:
    if not isinstance(pointer, str) or (pointer and not pointer.startswith("/")):
        raise bad_request(f"{pointer!r} is not a JSON pointer")
    return [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:]]


def _index(step: str, length: int) -> int:
    if not re.fullmatch(r"0|[1-9]\d{0,8}", step) or int(step) > length:
        raise _fault(f"no array index {step!r}")
    return int(step)


def _child(container: Any, step: str) -> Any:
    if isinstance(container, dict) and step in container:
        return container[step]
    if isinstance(container, list):
        at = _index(step, len(container))
        if at < len(container):
            return container[at]
    raise _fault(f"no such path: {step!r}")


def _read(document: Any, steps: list[str]) -> Any:
    for step in steps:
        document = _child(document, step)
    return document


def _add(document: Any, steps: list[str], value: Any) -> Any:
    if not steps:
        return value
    parent = _read(document, steps[:-1])
    last = steps[-1]
    if isinstance(parent, dict):
        parent[last] = value
    elif isinstance(parent, list):
        parent.insert(len(parent) if last == "-" else _index(last, len(parent)), value)
    else:
        raise _fault(f"no such path: {last!r}")
    return document


def _remove(document: Any, steps: list[str]) -> Any:
    if not steps:
        return None
    parent = _read(document, steps[:-1])
    _child(parent, steps[-1])
    del parent[int(steps[-1]) if isinstance(parent, list) else steps[-1]]
    return document


def _replace(document: Any, steps: list[str], value: Any) -> Any:
    _read(document, steps)
    if not steps:
        return value
    parent = _read(document, steps[:-1])
    parent[int(steps[-1]) if isinstance(parent, list) else steps[-1]] = value
    return document


class _Copies:
    """What one patch has copied so far."""

    def __init__(self) -> None:
        self._bytes = 0

    def of(self, value: Any) -> Any:
        """The value again. Raises ApiError 400 when it is too deep, 422 when all copies are too large."""
        check_depth(value)
        text = msgspec.json.encode(value)
        self._bytes += len(text)
        if self._bytes > _MAX_COPIED_BYTES:
            raise _fault(
                f"Unable to copy, the accumulated size increase of copy is {self._bytes}, "
                f"exceeding the limit {_MAX_COPIED_BYTES}"
            )
        return msgspec.json.decode(text)


def _same(left: Any, right: Any) -> bool:
    """JSON equality: unlike in Python, true is not 1."""
    if isinstance(left, bool) is not isinstance(right, bool):
        return False
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(_same(left[name], right[name]) for name in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(_same, left, right))
    return bool(left == right)


def json_patch(document: Any, operations: Any) -> Any:
    """`document` after the operations. Raises ApiError 400 when they are malformed, 422 when one fails."""
    if not isinstance(operations, list) or not all(isinstance(one, dict) for one in operations):
        raise bad_request("a JSON patch is an array of operations")
    if len(operations) > _MAX_OPERATIONS:
        raise ApiError(
            413,
            "RequestEntityTooLarge",
            f"The allowed maximum operations in a JSON patch is {_MAX_OPERATIONS}, got {len(operations)}",
        )
    copies = _Copies()
    for operation in operations:
        document = _operate(document, operation, copies)
    return document


def _operate(document: Any, operation: dict[str, Any], copies: _Copies) -> Any:
    name, steps = operation.get("op"), _steps(operation.get("path"))
    if name in ("add", "replace", "test") and "value" not in operation:
        raise bad_request(f"JSON patch operation {name!r} has no value")
    match name:
        case "add":
            return _add(document, steps, operation["value"])
        case "replace":
            return _replace(document, steps, operation["value"])
        case "remove":
            return _remove(document, steps)
        case "test":
            if not _same(_read(document, steps), operation["value"]):
                raise _fault(f"testing path {operation['path']} failed")
            return document
        case "move":
            origin = _steps(operation.get("from"))
            value = _read(document, origin)
            return _add(_remove(document, origin), steps, value)
        case "copy":
            return _add(document, steps, copies.of(_read(document, _steps(operation.get("from")))))
    raise bad_request(f"unknown JSON patch operation {name!r}")
