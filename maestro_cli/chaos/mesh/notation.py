"""Reads the notation of `fields`. Invariant: a table that says something else does not load."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from maestro_cli.chaos.mesh.fields import SHAPES

TEXTS = frozenset({"str", "duration", "decimal", "rate", "size", "cron", "netem", "byte", "time"})
NUMBERS = frozenset({"int", "int32", "int64", "percent", "port"})
_WORDS: Mapping[str, Mapping[str, Any]] = {
    "null": {"may_be_null": True},
    "atomic": {"atomic": "list"},
    "map-atomic": {"atomic": "map"},
}
_BOUNDS = re.compile(r"(-?[0-9]*)\.\.(-?[0-9]*)")


@dataclass(frozen=True, slots=True)
class Type:
    """What a value is. `name` is a scalar, a shape, `words`, `list`, `map` or `object`; `inner` what a list
    or map holds. `default` is as it is written.
    """

    name: str
    inner: Type | None = None
    words: tuple[str, ...] = ()
    low: int | None = None
    high: int | None = None
    above: int | None = None
    default: str | None = None
    may_be_null: bool = False
    atomic: Literal["", "list", "map"] = ""


@dataclass(frozen=True, slots=True)
class Fields:
    """The fields of a shape, by key, and those that have to be there."""

    types: Mapping[str, Type]
    required: frozenset[str]


@cache
def fields_of(shape: str) -> Fields:
    """Raises KeyError for a shape that there is not, ValueError for one that is not written well."""
    table = SHAPES[shape]
    types = {key.removesuffix("!"): _type(text) for key, text in table.items()}
    return Fields(types, frozenset(key[:-1] for key in table if key.endswith("!")))


def _type(text: str) -> Type:
    head, *rest = text.split(" ")
    known: dict[str, Any] = {}
    for word in rest:
        if match := _BOUNDS.fullmatch(word):
            bounds = zip(("low", "high"), match.groups(), strict=True)
            known.update({name: int(part) for name, part in bounds if part})
        elif word.startswith(">"):
            known["above"] = int(word[1:])
        elif word.startswith("="):
            known["default"] = word[1:]
        elif word in _WORDS:
            known.update(_WORDS[word])
        else:
            raise ValueError(f"{word!r} of {text!r} bounds nothing")
    name, inner, words = _head(head)
    return Type(name, inner, words, **known)


def _head(head: str) -> tuple[str, Type | None, tuple[str, ...]]:
    for opening, closing, name in (("[", "]", "list"), ("{", "}", "map")):
        if head.startswith(opening) and head.endswith(closing):
            return name, _type(head[1:-1]), ()
    if head in TEXTS or head in NUMBERS or head in ("bool", "object") or head in SHAPES:
        return head, None, ()
    words = tuple(head.split("|"))
    if len(words) == 1 and head != "HTTP":
        raise ValueError(f"{head!r} is no type")
    return "words", None, words
