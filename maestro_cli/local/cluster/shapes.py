"""The fields of every object, from `shapes.json` (written by `scripts/write_shapes.py`).

Invariant: what `conform` answers has fields of the message alone, each of its type, and no nulls: code
behind it may index into them without asking.

The type of a field is `text`, `int`, `bool`, `number`, `quantity`, `int-or-text`, `any`, `@Message`,
`{}type` for a map, or `[key]type` for a list that patches merge by `key` (`[]`: by value, `[-]`: replace).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from importlib.resources import files
from typing import Any

import msgspec

from maestro_cli.local.cluster.status import Object, bad_request

MAX_DEPTH = 100
MESSAGES: dict[str, dict[str, str]] = msgspec.json.decode(
    files("maestro_cli.local.cluster").joinpath("shapes.json").read_bytes()
)
Unknown = Callable[[list[str]], None]
_TYPES: dict[str, tuple[type, ...]] = {
    "text": (str,), "int": (int,), "bool": (bool,), "number": (int, float), "quantity": (int, float, str),
    "int-or-text": (int, str),
}  # fmt: skip
_JSON_NAMES = {dict: "object", list: "array", str: "string", bool: "bool", int: "number", float: "number"}
_GO_NAMES = {dict: "object", list: "array", str: "string", bool: "bool", int: "int32", float: "number"}


def ignore_unknown(paths: list[str]) -> None:
    """Unknown fields are dropped, and nobody is told."""


def conform(kind: str, version: str, body: Any, message: str, unknown: Unknown = ignore_unknown) -> Object:
    """`body` as the message it is to be; `unknown` is called with the paths of fields it has not.

    Raises ApiError 400, in the words of the real server, at the first field of the wrong type.
    """
    dropped: list[str] = []
    try:
        obj: Object = _conform(body, f"@{message}", "", dropped)
    except _Mismatch as fault:
        where = f"Go struct field {kind}{fault.path} of type {fault.goal}"
        told = f"json: cannot unmarshal {fault.given} into {where}"
        raise bad_request(f'{kind} in version "{version}" cannot be handled as a {kind}: {told}') from None
    if dropped:
        unknown(dropped)
    return obj


class _Mismatch(Exception):
    def __init__(self, value: Any, path: str, goal: str) -> None:
        super().__init__(path)
        self.given = _JSON_NAMES.get(type(value), "null")
        self.path, self.goal = re.sub(r"\[\d+\]", "", path), goal


def _conform(value: Any, form: str, path: str, dropped: list[str]) -> Any:
    mark = form[0]
    if mark == "@" or mark == "{":
        if not isinstance(value, dict):
            raise _Mismatch(value, path, "object")
        fields = MESSAGES[form[1:]] if mark == "@" else None
        kept = {}
        for name, one in value.items():
            inner = form[2:] if fields is None else fields.get(name)
            if inner is None:
                dropped.append(f"{path}.{name}"[1:])
            elif one is not None:
                kept[name] = _conform(one, inner, f"{path}.{name}", dropped)
        # Every field of metadata is left out when it is empty: the last label gone, there are no labels.
        return kept if form != "@ObjectMeta" else {name: one for name, one in kept.items() if one or one == 0}
    if mark == "[":
        if not isinstance(value, list):
            raise _Mismatch(value, path, "array")
        inner = form[form.index("]") + 1 :]
        return [_conform(one, inner, f"{path}[{at}]", dropped) for at, one in enumerate(value)]
    return value if form == "any" else _scalar(value, form, path)


def _scalar(value: Any, form: str, path: str) -> Any:
    types = _TYPES[form]
    if not isinstance(value, types) or (isinstance(value, bool) and bool not in types):
        raise _Mismatch(value, path, " or ".join(_GO_NAMES[one] for one in types))
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        fault = _Mismatch(value, path, "int64")
        fault.given = f"number {value}"
        raise fault
    return value


def merge_key(form: str) -> str | None:
    """How patches merge a list of this type: by a key, by value (empty), or not at all (None)."""
    key = form[1 : form.index("]")] if form.startswith("[") else "-"
    return None if key == "-" else key


def item_of(form: str) -> str:
    """The type of what a list or map holds."""
    return form[form.index("]") + 1 :] if form.startswith("[") else form.removeprefix("{}")


def check_depth(value: Any) -> None:
    """Raise ApiError 400 when objects nest deeper than MAX_DEPTH, so that later walks may recurse."""
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [
            inner
            for one in level
            if isinstance(one, (dict, list))
            for inner in (one.values() if isinstance(one, dict) else one)
        ]
        if not level:
            return
    raise bad_request(f"the object nests deeper than {MAX_DEPTH} levels")
