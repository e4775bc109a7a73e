"""Regular expressions that take time in proportion to the text, whoever wrote either of them.

Grammar: what RE2, Prometheus and Python agree on: characters, `.` (any one), classes, `\\d \\w \\s`, groups,
`|`, `* + ? {n,m}`, and `(?i)` at the start. Invariant: a text is walked once, and no more than MAX_STATES
places of the expression are held at a time; what would need more (looking around, back references) is
refused when it is read.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache

MAX_LENGTH = 1000
MAX_STATES = 3000
_MAX_REPEATS = 1024
_MAX_DEPTH = 30
_MAX_KEPT = 500  # moves that are remembered
_MAX_PAIRS = 50_000  # looked at before two expressions are taken to overlap
_LAST = 0x10FFFF

Ranges = tuple[tuple[int, int], ...]  # of code points, both ends taken, in order and apart

_DIGIT: Ranges = ((48, 57),)
_WORD: Ranges = ((48, 57), (65, 90), (95, 95), (97, 122))
_SPACE: Ranges = ((9, 10), (12, 13), (32, 32))
_ANY: Ranges = ((0, _LAST),)
_ANY_OF_A_LINE: Ranges = ((0, 9), (11, _LAST))
_CLASSES = {"d": _DIGIT, "w": _WORD, "s": _SPACE}
_CONTROLS = {"n": 10, "t": 9, "r": 13, "f": 12, "v": 11, "a": 7}
_COUNT = re.compile(r"\{([0-9]{1,4})(,([0-9]{0,4}))?\}")
_FLAGS = re.compile(r"\(\?([is]{1,2})\)")
_HEX = re.compile(r"x(?:\{([0-9A-Fa-f]{1,6})\}|([0-9A-Fa-f]{2}))")
_GROUP = re.compile(r"\?(?::|P?<[A-Za-z_][A-Za-z0-9_]*>)")


@dataclass(frozen=True, slots=True)
class _Taken:
    """One character out of some."""

    ranges: Ranges


@dataclass(frozen=True, slots=True)
class _Both:
    """One after the other."""

    parts: tuple[_Node, ...]


@dataclass(frozen=True, slots=True)
class _Either:
    parts: tuple[_Node, ...]


@dataclass(frozen=True, slots=True)
class _Again:
    """So often; `most` is None when there is no end."""

    part: _Node
    least: int
    most: int | None


_Node = _Taken | _Both | _Either | _Again


@dataclass(frozen=True)  # no slots: it keeps the moves it has found; equal when its text is
class LinearRegex:
    """An expression that was read; it is compared by its text."""

    text: str
    _edges: tuple[tuple[Ranges, int] | None, ...] = field(compare=False, repr=False)
    _free: tuple[tuple[int, ...], ...] = field(compare=False, repr=False)
    _first: frozenset[int] = field(compare=False, repr=False)
    _moves: dict[tuple[frozenset[int], str], frozenset[int]] = field(
        default_factory=dict, compare=False, repr=False
    )

    def matches(self, text: str) -> bool:
        """Whether it takes the whole text."""
        places = self._first
        for character in text:
            move = (places, character)
            found = self._moves.get(move)
            if found is None:
                found = self._after(places, ord(character))
                if len(self._moves) >= _MAX_KEPT:
                    self._moves.clear()
                self._moves[move] = found
            if not found:
                return False
            places = found
        return 0 in places

    def overlaps(self, other: LinearRegex) -> bool:
        """Whether there is a text that both take; True as well when that is too much work to find out."""
        waiting = [(mine, theirs) for mine in self._first for theirs in other._first]
        seen = set(waiting)
        while waiting:
            mine, theirs = waiting.pop()
            if mine == theirs == 0 or len(seen) > _MAX_PAIRS:
                return True
            left, right = self._edges[mine], other._edges[theirs]
            if left is None or right is None or not _meet(left[0], right[0]):
                continue
            for one in _closure(self._free, [left[1]]):
                for another in _closure(other._free, [right[1]]):
                    if (one, another) not in seen:
                        seen.add((one, another))
                        waiting.append((one, another))
        return False

    def _after(self, places: frozenset[int], code: int) -> frozenset[int]:
        edges = (self._edges[place] for place in places)
        return _closure(self._free, (edge[1] for edge in edges if edge is not None and _takes(edge[0], code)))


@lru_cache(maxsize=256)
def linear_regex(text: str, *, dot_takes_newline: bool = True) -> LinearRegex:
    """Read an expression as Prometheus does; raises ValueError that says what is wrong."""
    if len(text) > MAX_LENGTH:
        raise ValueError(f"it is longer than {MAX_LENGTH} characters")
    net = _Net()
    first = net.put(_Reading(text, dot_takes_newline).whole(), 0)
    free = tuple(map(tuple, net.free))
    return LinearRegex(text, tuple(net.edges), free, _closure(free, [first]))


def line_regex(text: str) -> LinearRegex:
    """Read an expression as Python does: `.` takes a newline after `(?s)` alone. Raises ValueError."""
    return linear_regex(text, dot_takes_newline=False)


class _Net:
    """Places of an expression: each has one edge that takes a character, or ways that take none; 0 ends."""

    def __init__(self) -> None:
        self.edges: list[tuple[Ranges, int] | None] = [None]
        self.free: list[list[int]] = [[]]

    def _new(self, edge: tuple[Ranges, int] | None = None) -> int:
        if len(self.edges) >= MAX_STATES:
            raise ValueError(f"it is too large: its repetitions make more than {MAX_STATES} places of it")
        self.edges.append(edge)
        self.free.append([])
        return len(self.edges) - 1

    def put(self, node: _Node, after: int) -> int:
        """Where a node begins that goes on at `after`."""
        if isinstance(node, _Taken):
            return self._new((node.ranges, after))
        if isinstance(node, _Both):
            for part in reversed(node.parts):
                after = self.put(part, after)
            return after
        if isinstance(node, _Either):
            fork = self._new()
            self.free[fork] = [self.put(part, after) for part in node.parts]
            return fork
        return self._again(node, after)

    def _again(self, node: _Again, after: int) -> int:
        if node.most is None:
            loop = self._new()
            self.free[loop] = [self.put(node.part, loop), after]
            start = loop
        else:
            start = after
            for _ in range(node.most - node.least):
                fork = self._new()
                self.free[fork] = [self.put(node.part, start), after]
                start = fork
        for _ in range(node.least):
            start = self.put(node.part, start)
        return start


class _Reading:
    """One expression being read, from left to right."""

    def __init__(self, text: str, dot_takes_newline: bool) -> None:
        self._text, self._at, self._depth = text, 0, 0
        flags = _FLAGS.match(text)
        is_wide = dot_takes_newline or (flags is not None and "s" in flags.group(1))
        self._any = _ANY if is_wide else _ANY_OF_A_LINE
        self._folds = flags is not None and "i" in flags.group(1)
        if flags is not None:
            self._at = flags.end()

    def whole(self) -> _Node:
        self._skip("^")
        node = self._either()
        if self._at < len(self._text):
            raise ValueError(f"')' at {self._at + 1} closes nothing")
        return node

    def _skip(self, character: str) -> bool:
        found = self._text.startswith(character, self._at)
        self._at += found
        return found

    def _either(self) -> _Node:
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise ValueError(f"its groups are nested more than {_MAX_DEPTH} deep")
        parts = [self._both()]
        while self._skip("|"):
            parts.append(self._both())
        self._depth -= 1
        return parts[0] if len(parts) == 1 else _Either(tuple(parts))

    def _both(self) -> _Node:
        parts: list[_Node] = []
        while self._at < len(self._text) and self._text[self._at] not in "|)":
            if self._text[self._at :] == "$":
                self._at += 1
                break
            parts.append(self._repeated(self._one()))
        return _Both(tuple(parts))

    def _repeated(self, node: _Node) -> _Node:
        sign = self._text[self._at : self._at + 1]
        counted = _COUNT.match(self._text, self._at)
        if sign in ("*", "+", "?") and sign:
            self._at += 1
            node = _Again(node, int(sign == "+"), 1 if sign == "?" else None)
        elif counted is not None:
            self._at = counted.end()
            least = int(counted.group(1))
            most = least if counted.group(2) is None else int(counted.group(3)) if counted.group(3) else None
            if max(least, most or 0) > _MAX_REPEATS or (most is not None and most < least):
                raise ValueError(f"{counted.group(0)} is no number of times, at most {_MAX_REPEATS}")
            node = _Again(node, least, most)
        else:
            return node
        self._skip("?")  # takes as little as it can: whether the whole text matches is the same
        if self._text[self._at : self._at + 1] in ("*", "+", "?", "{") and self._at < len(self._text):
            raise ValueError(f"{self._text[self._at]!r} at {self._at + 1} repeats a repetition")
        return node

    def _one(self) -> _Node:
        character = self._text[self._at]
        self._at += 1
        if character == "(":
            return self._group()
        if character == "[":
            return _Taken(self._class())
        if character == ".":
            return _Taken(self._any)
        if character == "\\":
            return _Taken(self._folded(self._escaped()))
        if character in "*+?":
            raise ValueError(f"{character!r} at {self._at} repeats nothing")
        if character in "^$":
            raise ValueError(f"{character!r} at {self._at}: the whole value is matched anyway")
        return _Taken(self._folded(_only(character)))

    def _group(self) -> _Node:
        kind = _GROUP.match(self._text, self._at)
        if kind is not None:
            self._at = kind.end()
        elif self._text.startswith("?", self._at):
            raise ValueError(f"the group at {self._at} is of a kind that is not understood")
        node = self._either()
        if not self._skip(")"):
            raise ValueError("a group is not closed")
        return node

    def _escaped(self) -> Ranges:
        """What a backslash and what follows it take; the backslash has been read."""
        character = self._text[self._at : self._at + 1]
        if not character:
            raise ValueError("it ends in a backslash")
        hexadecimal = _HEX.match(self._text, self._at)
        if hexadecimal is not None:
            self._at = hexadecimal.end()
            code = int(hexadecimal.group(1) or hexadecimal.group(2), 16)
            if code > _LAST:
                raise ValueError(f"\\{hexadecimal.group(0)} is no character")
            return ((code, code),)
        self._at += 1
        if character.lower() in _CLASSES:
            ranges = _CLASSES[character.lower()]
            return ranges if character.islower() else _other_than(ranges)
        if character in _CONTROLS:
            return ((_CONTROLS[character], _CONTROLS[character]),)
        if character.isalnum():
            raise ValueError(f"\\{character} is not understood")
        return _only(character)

    def _class(self) -> Ranges:
        """What stands in brackets; the first of them has been read."""
        is_other = self._skip("^")
        found: list[tuple[int, int]] = []
        start = self._at
        while not self._text.startswith("]", self._at) or self._at == start:
            if self._at >= len(self._text) or self._text.startswith("[:", self._at):
                raise ValueError("a class is not closed, or holds one by name")
            first = self._member()
            if self._text.startswith("-", self._at) and self._text[self._at + 1 : self._at + 2] not in (
                "",
                "]",
            ):
                self._at += 1
                last = self._member()
                if len(first) > 1 or len(last) > 1 or first[0][0] != first[0][1] or last[0][1] < first[0][0]:
                    raise ValueError("a range of a class has no beginning, or ends before it")
                first = ((first[0][0], last[0][1]),)
            found += first
        self._at += 1
        ranges = self._folded(_merged(found))
        return _other_than(ranges) if is_other else ranges

    def _member(self) -> Ranges:
        character = self._text[self._at]
        self._at += 1
        return self._escaped() if character == "\\" else _only(character)

    def _folded(self, ranges: Ranges) -> Ranges:
        """With the other case of ASCII letters, when case does not count."""
        if not self._folds:
            return ranges
        more = [
            (max(low, start) + shift, min(high, end) + shift)
            for low, high in ranges
            for start, end, shift in ((65, 90, 32), (97, 122, -32))
            if max(low, start) <= min(high, end)
        ]
        return _merged([*ranges, *more])


def _only(character: str) -> Ranges:
    return ((ord(character), ord(character)),)


def _merged(ranges: Iterable[tuple[int, int]]) -> Ranges:
    merged: list[tuple[int, int]] = []
    for low, high in sorted(ranges):
        if merged and low <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(merged[-1][1], high))
        else:
            merged.append((low, high))
    return tuple(merged)


def _other_than(ranges: Ranges) -> Ranges:
    found: list[tuple[int, int]] = []
    after = 0
    for low, high in ranges:
        if low > after:
            found.append((after, low - 1))
        after = high + 1
    return tuple([*found, (after, _LAST)] if after <= _LAST else found)


def _takes(ranges: Ranges, code: int) -> bool:
    place = bisect_right(ranges, (code, _LAST)) - 1
    return place >= 0 and ranges[place][0] <= code <= ranges[place][1]


def _meet(left: Ranges, right: Ranges) -> bool:
    one = another = 0
    while one < len(left) and another < len(right):
        if max(left[one][0], right[another][0]) <= min(left[one][1], right[another][1]):
            return True
        if left[one][1] < right[another][1]:
            one += 1
        else:
            another += 1
    return False


def _closure(free: tuple[tuple[int, ...], ...], places: Iterable[int]) -> frozenset[int]:
    """The places, and those that can be reached without taking a character."""
    waiting = list(places)
    found = set(waiting)
    while waiting:
        for place in free[waiting.pop()]:
            if place not in found:
                found.add(place)
                waiting.append(place)
    return frozenset(found)
