"""Values of any dataclass with what a test says of them, and nothing where it says nothing."""

from __future__ import annotations

import dataclasses
from typing import Any, TypeVar

from tests.tui.cases import NOW

T = TypeVar("T")
EMPTY: tuple[tuple[str, Any], ...] = (
    ("tuple", ()), ("Sequence", ()), ("Points", ()), ("Mapping", {}), ("dict", {}),
    ("frozenset", frozenset()), ("str", ""), ("Untrusted", ""), ("int", 0), ("float", 0.0),
    ("bool", False), ("datetime", NOW),
)  # fmt: skip
# how an annotation begins → what stands for nothing


def made(kind: type[T], /, **said: Any) -> T:
    """A value of that kind; raises TypeError for a field that has no nothing and was not said."""
    for field in dataclasses.fields(kind):  # type: ignore[arg-type]
        has_default = not (
            field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        )
        if field.init and field.name not in said and not has_default:
            said[field.name] = _nothing(kind, field.name, str(field.type))
    return kind(**said)


def _nothing(kind: type[Any], name: str, annotation: str) -> Any:
    if "None" in annotation.split(" | "):
        return None
    for start, value in EMPTY:
        if annotation.startswith(start):
            return value
    raise TypeError(f"say {name} of {kind.__name__}: {annotation}")
