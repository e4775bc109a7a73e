"""The dashboards are what Grafana's own types say: no field that they have not, no value of another type."""

from __future__ import annotations

import copy
import enum
import importlib
import json
import typing
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import UnionType
from typing import Any

import pytest

from maestro_cli.config.locations import shipped

BOARDS = sorted((shipped("deploy") / "grafana").glob("*.json"))
SDK = "grafana_foundation_sdk"  # Grafana's types as Grafana generates them, from PyPI


def read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


@cache
def models() -> Any:
    importlib.import_module(f"{SDK}.cog.plugins").register_default_plugins()
    return importlib.import_module(f"{SDK}.models.dashboard")


def faults(board: Any) -> list[str]:
    """What is not as the types have it, by its place."""
    try:
        made = models().Dashboard.from_json(board)
    except (TypeError, ValueError) as error:
        return [str(error)]
    encoder = importlib.import_module(f"{SDK}.cog.encoder").JSONEncoder
    again = json.loads(encoder().encode(made))
    return [*lost(board, again, ""), *unfit(made, models().Dashboard, "")]


def lost(given: Any, kept: Any, at: str) -> Iterator[str]:
    """What their types do not keep."""
    if isinstance(given, dict) and isinstance(kept, dict):
        for key, value in given.items():
            if key in kept:
                yield from lost(value, kept[key], f"{at}.{key}")
            else:
                yield f"{at}.{key} is none of theirs"
    elif isinstance(given, list) and isinstance(kept, list) and len(given) == len(kept):
        for index, (one, other) in enumerate(zip(given, kept, strict=True)):
            yield from lost(one, other, f"{at}[{index}]")
    elif given != kept:
        yield f"{at} becomes {kept!r}"


def unfit(value: Any, hint: Any, at: str) -> Iterator[str]:
    """Values that are of another type than the one that is said."""
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, UnionType):
        ways = [list(unfit(value, one, at)) for one in inner]
        if all(ways):
            yield min(ways, key=len)[0] if len(ways) == 1 else f"{at}: {value!r} is none of {hint}"
    elif origin is list and isinstance(value, list):
        for index, one in enumerate(value):
            yield from unfit(one, inner[0], f"{at}[{index}]")
    elif origin is dict and isinstance(value, dict):
        for key, one in value.items():
            yield from unfit(one, inner[1], f"{at}.{key}")
    elif origin is typing.Literal:
        if value not in inner:
            yield f"{at}: {value!r} is none of {inner}"
    elif isinstance(hint, type) and not _is_one(value, hint):
        yield f"{at}: {value!r} is no {hint.__name__}"
    elif (module := type(value).__module__).startswith(SDK) and not isinstance(value, enum.Enum):
        named = vars(importlib.import_module(module))
        for key, said in typing.get_type_hints(type(value), named).items():
            yield from unfit(getattr(value, key, None), said, f"{at}.{key}")


def _is_one(value: Any, kind: type) -> bool:
    if kind is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if kind is int:
        return isinstance(value, int) and not isinstance(value, bool)
    if issubclass(kind, enum.Enum) and isinstance(value, str | int):
        return value in [one.value for one in kind]
    return isinstance(value, kind)


@pytest.mark.parametrize("path", BOARDS, ids=lambda path: path.name)
def test_a_dashboard_is_what_grafanas_types_say(path: Path) -> None:
    assert faults(read(path)) == []


def test_there_are_dashboards() -> None:
    assert [path.name for path in BOARDS] == ["cost.json"]


@pytest.mark.parametrize(
    ("where", "key", "value"),
    [
        ((), "refreshes", "1m"),
        ((), "graphTooltip", 7),
        ((), "title", 3),
        (("panels", 1), "titel", "x"),
        (("panels", 1), "transparent", "no"),
        (("panels", 1, "gridPos"), "w", "12"),
        (("panels", 1, "options"), "colourMode", "value"),
        (("panels", 1, "options"), "colorMode", "rainbow"),
        (("panels", 1, "fieldConfig", "defaults"), "units", "short"),
        (("panels", 1, "targets", 0), "expression", "up"),
        (("panels", 1, "targets", 0), "instant", "yes"),
        (("templating", "list", 1), "definition", "label_values(x)"),
    ],
)
def test_what_grafana_would_not_know_is_a_fault(where: tuple[Any, ...], key: str, value: Any) -> None:
    board = copy.deepcopy(read(BOARDS[0]))
    place = board
    for step in where:
        place = place[step]
    place[key] = value
    assert faults(board)
