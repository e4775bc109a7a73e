"""Where and why data does not fit the structs it is read into.

Invariant: the place named is the deepest one that is wrong, so that a person can go to its line.
"""

from __future__ import annotations

import difflib
import types
import typing
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

from maestro_cli.core.decoding import ready
from maestro_cli.core.untrusted import visible

Place = tuple[str | int, ...]
# what is wrong, where, how to fix it → the error to raise
Fail = Callable[[str, Place, str], Exception]

_WORDS = {str: "text", int: "a whole number", float: "a number", bool: "true or false", type(None): "nothing"}


def explain(data: Any, kind: Any, fail: Fail) -> Any:
    """`data` as `kind` (msgspec structs, and what they hold); raises what `fail` makes of the first fault."""
    try:
        return msgspec.convert(data, ready(kind), strict=True)
    except msgspec.ValidationError as error:
        raise _fault(data, kind, (), fail) from error


def suggestion(word: str, known: Iterable[str]) -> str:
    """`did you mean 'x'?`, or the list of what there is."""
    names = sorted(known)
    return _guess(word, names, cutoff=0.6) or f"known here: {', '.join(names)}"


def choice(word: str, known: Iterable[str]) -> dict[str, str]:
    """The why (all there is) and the fix (the one that was likely meant) of a word that is none of them."""
    names = list(known)
    fix = _guess(word, names, cutoff=0.75) or "name one of these"
    return {"why": f"known here: {', '.join(names)}", "fix": fix}


def _guess(word: str, names: list[str], cutoff: float) -> str:
    close = difflib.get_close_matches(word[:100], names, n=1, cutoff=cutoff)
    return f"did you mean {close[0]!r}?" if close else ""


def _fits(data: Any, kind: Any) -> bool:
    try:
        msgspec.convert(data, ready(kind), strict=True)
    except msgspec.ValidationError:
        return False
    return True


def _fault(data: Any, kind: Any, place: Place, fail: Fail) -> Exception:
    """The error of the deepest place; `data` is known not to fit `kind`."""
    while typing.get_origin(kind) is typing.Annotated and not _fits(data, typing.get_args(kind)[0]):
        kind = typing.get_args(kind)[0]  # what is wrong is not only the constraint
    origin, arguments = typing.get_origin(kind) or kind, typing.get_args(kind)
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct) and isinstance(data, Mapping):
        return _struct_fault(data, kind, place, fail)
    if isinstance(origin, type) and issubclass(origin, Mapping) and isinstance(data, Mapping):
        for key, value in data.items():
            if len(arguments) == 2 and not _fits(value, arguments[1]):
                return _fault(value, arguments[1], (*place, key), fail)
    if origin in (list, tuple, set, frozenset) and isinstance(data, list) and arguments:
        for index, item in enumerate(data):
            if not _fits(item, arguments[0]):
                return _fault(item, arguments[0], (*place, index), fail)
    if origin in (typing.Union, types.UnionType):
        likely = [option for option in arguments if _same_shape(data, option)]
        if len(likely) == 1:
            return _fault(data, likely[0], place, fail)
    if origin is typing.Literal:
        fix = suggestion(str(data), [str(choice) for choice in arguments])
        return fail(f"{visible(str(data), 60)!r} is not one of the choices", place, fix)
    return _leaf_fault(data, kind, place, fail)


def _struct_fault(data: Mapping[str, Any], kind: type[msgspec.Struct], place: Place, fail: Fail) -> Exception:
    fields = {item.encode_name: item for item in msgspec.structs.fields(kind)}
    for key in data:
        if key not in fields and kind.__struct_config__.forbid_unknown_fields:
            return fail("is not known here", (*place, key), suggestion(key, fields))
    for name, item in fields.items():
        if name not in data and item.required:
            return fail(f"{name!r} is missing", place, f"add '{name}:'")
        if name in data and not _fits(data[name], item.type):
            return _fault(data[name], item.type, (*place, name), fail)
    return _leaf_fault(data, kind, place, fail)


def _same_shape(data: Any, kind: Any) -> bool:
    """Whether it is worth looking inside: a mapping for a struct or mapping, a list for a list."""
    origin = typing.get_origin(kind) or kind
    if not isinstance(origin, type):
        return origin is typing.Literal and isinstance(data, str)
    if isinstance(data, Mapping):
        return issubclass(origin, (msgspec.Struct, Mapping))
    return isinstance(data, list) and issubclass(origin, (list, tuple, set, frozenset))


def _leaf_fault(data: Any, kind: Any, place: Place, fail: Fail) -> Exception:
    wanted = _wanted(kind)
    found = _found(data)
    is_whole = found == _WORDS[int] and _WORDS[float] in wanted  # a whole number is a number: out of bounds
    if wanted and found not in wanted and not is_whole:
        return fail(f"expected {' or '.join(wanted)}, found {found}", place, "")
    try:
        msgspec.convert(data, ready(kind), strict=True)
    except msgspec.ValidationError as error:
        said = str(error).split(" - at ")[0]
        return fail(said[:1].lower() + said[1:], place, "")
    raise AssertionError("data that fits was called wrong")  # callers have checked that it does not fit


def _wanted(kind: Any) -> list[str]:
    """The kinds of value that would do, in words; empty when there is no word for it."""
    origin, arguments = typing.get_origin(kind) or kind, typing.get_args(kind)
    if origin is typing.Annotated:
        return _wanted(arguments[0])
    if origin in (typing.Union, types.UnionType):
        words = [_wanted(option) for option in arguments if option is not type(None)]
        return [word for group in words for word in group] if all(words) else []
    if origin in _WORDS:
        return [_WORDS[origin]]
    if isinstance(origin, type) and issubclass(origin, (msgspec.Struct, Mapping)):
        return ["a mapping"]
    return ["a list"] if origin in (list, tuple, set, frozenset) else []


def _found(data: Any) -> str:
    if isinstance(data, Mapping):
        return "a mapping"
    if isinstance(data, list):
        return "a list"
    if isinstance(data, float):
        return "a number"
    return _WORDS.get(type(data), "a value")
