"""What the tables say against a manifest. Invariant: every violation names the place it is at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from maestro_cli.chaos.mesh.kinds import API_VERSION, KINDS
from maestro_cli.chaos.mesh.notation import NUMBERS, TEXTS, Type, fields_of
from maestro_cli.chaos.mesh.scalars import NUMBER, TEXT
from maestro_cli.config.explanation import suggestion
from maestro_cli.config.strict import Path_
from maestro_cli.core.refs import is_name
from maestro_cli.core.untrusted import visible

_TOP = ("apiVersion", "kind", "metadata", "spec", "status")
_NAMES = {"bool": "true or false", "list": "a list", "map": "keys with values", "object": "keys with values"}


@dataclass(frozen=True, slots=True)
class Violation:
    """One thing that is not so; `fix` says what would be."""

    place: Path_
    text: str
    fix: str = ""


def violations(data: Any) -> Iterator[Violation]:
    """Of one manifest, as plain data."""
    if not isinstance(data, Mapping):
        yield Violation((), "is no object with keys")
        return
    kind = KINDS.get(str(data.get("kind")))
    if data.get("apiVersion") != API_VERSION:
        yield Violation(("apiVersion",), f"is not {API_VERSION}", f"apiVersion: {API_VERSION}")
    if kind is None:
        yield Violation(("kind",), "is no kind that maestro knows", suggestion(str(data.get("kind")), KINDS))
        return
    yield from _unknown(data, (), _TOP)
    yield from _metadata(data.get("metadata"))
    if "spec" not in data:
        yield Violation((), f"a {kind.name} without spec does nothing", "add spec:")
        return
    yield from _shape(data["spec"], kind.spec, ("spec",))


def _metadata(metadata: Any) -> Iterator[Violation]:
    if not isinstance(metadata, Mapping) or not is_name(str(metadata.get("name") or "")):
        yield Violation(("metadata", "name"), "there is no name", "metadata: {name: …, namespace: …}")
    elif not metadata.get("namespace"):
        fix = "metadata: {namespace: …}"
        yield Violation(("metadata",), "the namespace is left to whoever applies it", fix)


def _shape(value: Any, shape: str, at: Path_) -> Iterator[Violation]:
    if not isinstance(value, Mapping):
        yield _wanted(value, "keys with values", at)
        return
    fields = fields_of(shape)
    yield from _unknown(value, at, tuple(fields.types))
    for key in sorted(fields.required - set(value)):
        yield Violation(at, f"needs {key}", f"{key}: …")
    for key, inside in value.items():
        if key in fields.types:
            yield from _value(inside, fields.types[key], (*at, key))


def _unknown(value: Mapping[str, Any], at: Path_, known: tuple[str, ...]) -> Iterator[Violation]:
    for key in value:
        if key not in known:
            yield Violation((*at, key), f"there is no key {visible(key, 60)!r} here", suggestion(key, known))


def _value(value: Any, type_: Type, at: Path_) -> Iterator[Violation]:
    if value is None and type_.may_be_null:
        return
    if type_.name in TEXTS:
        yield from _text(value, type_, at)
    elif type_.name in NUMBERS:
        yield from _number(value, type_, at)
    elif type_.name == "words":
        if value not in type_.words:
            said = visible(str(value), 60)
            yield Violation(
                at, f"{said!r} is none of {', '.join(type_.words)}", suggestion(said, type_.words)
            )
    elif type_.name in _NAMES:
        yield from _holder(value, type_, at)
    else:
        yield from _shape(value, type_.name, at)


def _holder(value: Any, type_: Type, at: Path_) -> Iterator[Violation]:
    wanted: type[Any] = {"bool": bool, "list": list}.get(type_.name, dict)
    if not isinstance(value, wanted):
        yield _wanted(value, _NAMES[type_.name], at)
    elif type_.inner is not None:
        for key in value if isinstance(value, dict) else range(len(value)):
            yield from _value(value[key], type_.inner, (*at, key))


def _text(value: Any, type_: Type, at: Path_) -> Iterator[Violation]:
    if not isinstance(value, str):
        quoted = f'write "{value}"' if isinstance(value, (int, float)) else ""
        yield Violation(at, "is to be text", quoted)
        return
    wrong = TEXT[type_.name](value) if type_.name in TEXT else ""
    if wrong:
        yield Violation(at, f"{visible(value, 60)!r} {wrong}")


def _number(value: Any, type_: Type, at: Path_) -> Iterator[Violation]:
    if isinstance(value, bool) or not isinstance(value, int):
        yield _wanted(value, "a whole number", at)
        return
    low, high = NUMBER[type_.name]
    low = max(low, type_.low if type_.low is not None else low)
    low = max(low, type_.above + 1 if type_.above is not None else low)
    high = min(high, type_.high if type_.high is not None else high)
    if not low <= value <= high:
        yield Violation(at, f"{value} is not from {low} to {high}")


def _wanted(value: Any, what: str, at: Path_) -> Violation:
    return Violation(at, f"is to be {what}, not {type(value).__name__.replace('NoneType', 'nothing')}")
