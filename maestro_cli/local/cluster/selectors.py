"""Label and field selectors, with the whole grammar of apimachinery/pkg/labels.

Invariant: a selector that cannot be read is a 400, never "matches all".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from maestro_cli.local.cluster.status import Object, bad_request

_TOKEN = re.compile(r"\s*(?:(?P<op>==|!=|=|,|\(|\)|!|<|>)|(?P<word>[^\s,()=!<>]+))")
_LABEL_NAME = re.compile(r"(?:[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)")
_SUBDOMAIN = re.compile(r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*")


def is_label_key(key: str) -> bool:
    """A qualified name: an optional DNS subdomain and `/`, then a name of at most 63 characters."""
    prefix, slash, name = key.rpartition("/")
    if slash and (len(prefix) > 253 or not _SUBDOMAIN.fullmatch(prefix)):
        return False
    return _LABEL_NAME.fullmatch(name) is not None


def is_label_value(value: str) -> bool:
    return value == "" or _LABEL_NAME.fullmatch(value) is not None


@dataclass(frozen=True, slots=True)
class Requirement:
    """One term: `in`, `notin`, `exists`, `absent`, `gt` or `lt` over a label key."""

    key: str
    operator: str
    values: frozenset[str] = frozenset()

    def matches(self, labels: Mapping[str, str]) -> bool:
        value = labels.get(self.key)
        match self.operator:
            case "in":
                return value in self.values
            case "notin":
                return value is None or value not in self.values
            case "exists":
                return value is not None
            case "absent":
                return value is None
        if value is None or not re.fullmatch(r"-?\d{1,19}", value):
            return False
        bound = int(next(iter(self.values)))
        return int(value) > bound if self.operator == "gt" else int(value) < bound


@dataclass(frozen=True, slots=True)
class Selector:
    """All requirements must hold; none at all matches everything."""

    requirements: tuple[Requirement, ...] = ()

    def matches(self, labels: Mapping[str, str]) -> bool:
        return all(requirement.matches(labels) for requirement in self.requirements)


class _Reader:
    """A cursor over the tokens of a label selector."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens: list[tuple[str, str]] = []
        position = 0
        body = text.rstrip()
        while position < len(body):
            match = _TOKEN.match(body, position)
            if match is None:
                raise self.fault(f"unexpected character {body[position]!r}")
            self._tokens.append((match.lastgroup or "", match.group(match.lastgroup or 0)))
            position = match.end()
        self._next = 0

    def fault(self, why: str) -> Exception:
        return bad_request(f"unable to parse requirement: {why} in {self._text!r}")

    def peek(self) -> str:
        return self._tokens[self._next][1] if self._next < len(self._tokens) else ""

    def take(self) -> str:
        token = self.peek()
        self._next += 1
        return token

    def word(self, what: str) -> str:
        if self._next >= len(self._tokens) or self._tokens[self._next][0] != "word":
            raise self.fault(f"found {self.peek()!r}, expected {what}")
        return self.take()

    def word_or_empty(self) -> str:
        at_word = self._next < len(self._tokens) and self._tokens[self._next][0] == "word"
        return self.take() if at_word else ""

    def key(self) -> str:
        key = self.word("an identifier")
        if not is_label_key(key):
            raise self.fault(f"invalid label key {key!r}")
        return key

    def value_set(self) -> frozenset[str]:
        if self.take() != "(":
            raise self.fault("expected '('")
        values = {self.word_or_empty()}
        while self.peek() == ",":
            self.take()
            values.add(self.word_or_empty())
        if self.take() != ")":
            raise self.fault("expected ',' or ')'")
        return frozenset(values)

    def requirement(self) -> Requirement:
        if self.peek() == "!":
            self.take()
            return Requirement(self.key(), "absent")
        key = self.key()
        operator = self.peek()
        if operator in ("", ","):
            return Requirement(key, "exists")
        self.take()
        if operator in ("in", "notin"):
            return Requirement(key, operator, self.value_set())
        if operator in ("=", "==", "!="):
            value = self.word_or_empty()
            return Requirement(key, "notin" if operator == "!=" else "in", frozenset({value}))
        if operator in ("<", ">"):
            bound = self.word("an integer")
            if not re.fullmatch(r"-?\d{1,19}", bound):
                raise self.fault(f"{bound!r} is not an integer")
            return Requirement(key, "gt" if operator == ">" else "lt", frozenset({bound}))
        raise self.fault(f"found {operator!r}, expected an operator")


def parse_label_selector(text: str) -> Selector:
    """Read `a=b,c in (d,e),!f,g>1`. Raises ApiError 400 with what was expected."""
    reader = _Reader(text)
    if not reader.peek():
        return Selector()
    requirements = [reader.requirement()]
    while reader.peek() == ",":
        reader.take()
        requirements.append(reader.requirement())
    if reader.peek():
        raise reader.fault(f"found {reader.peek()!r}, expected ',' or the end")
    for requirement in requirements:
        if requirement.operator in ("in", "notin"):
            for value in requirement.values:
                if not is_label_value(value):
                    raise reader.fault(f"invalid label value {value!r}")
    return Selector(tuple(requirements))


_OPERATORS = {"In": "in", "NotIn": "notin", "Exists": "exists", "DoesNotExist": "absent"}


def selector_of(spec: Mapping[str, Any] | None) -> Selector:
    """The selector of a LabelSelector object (`matchLabels`, `matchExpressions`); None matches nothing."""
    if spec is None:
        return Selector((Requirement("", "exists"),))
    terms = [
        Requirement(key, "in", frozenset({value})) for key, value in (spec.get("matchLabels") or {}).items()
    ]
    for expression in spec.get("matchExpressions") or []:
        operator = _OPERATORS[expression["operator"]]
        terms.append(Requirement(expression["key"], operator, frozenset(expression.get("values") or [])))
    return Selector(tuple(terms))


def selector_text(spec: Mapping[str, Any] | None) -> str:
    """A LabelSelector object as the text form, as `/scale` and tables show it."""
    spec = spec or {}
    parts = [f"{key}={value}" for key, value in sorted((spec.get("matchLabels") or {}).items())]
    for expression in spec.get("matchExpressions") or []:
        key, operator = expression["key"], _OPERATORS[expression["operator"]]
        listed = ",".join(sorted(expression.get("values") or []))
        if operator == "exists":
            parts.append(key)
        elif operator == "absent":
            parts.append(f"!{key}")
        else:
            parts.append(f"{key} {operator} ({listed})")
    return ",".join(parts)


@dataclass(frozen=True, slots=True)
class FieldTerm:
    field: str
    value: str
    equal: bool


@dataclass(frozen=True, slots=True)
class FieldSelector:
    """All terms must hold of the object's fields, read as text."""

    terms: tuple[FieldTerm, ...] = ()

    def matches(self, read: Callable[[str], str]) -> bool:
        return all((read(term.field) == term.value) is term.equal for term in self.terms)


def parse_field_selector(text: str, known: frozenset[str]) -> FieldSelector:
    """Read `a=b,c!=d` where every field is one the kind knows. Raises ApiError 400."""
    terms = []
    for part in re.split(r"(?<!\\),", text):
        if not part:
            continue
        match = re.fullmatch(r"([^=!]+)(!=|==|=)(.*)", part)
        if match is None:
            raise bad_request(f'invalid selector: "{text}"; can\'t understand "{part}"')
        field, operator, value = match.groups()
        if field not in known:
            raise bad_request(f"field label not supported: {field}")
        terms.append(FieldTerm(field, re.sub(r"\\(.)", r"\1", value), operator != "!="))
    return FieldSelector(tuple(terms))


def field_text(stored: Object, path: str, defaults: Mapping[str, str]) -> str:
    """The text of a dotted field as field selectors compare it; absent is its default, or empty."""
    value: Any = stored
    for step in path.split("."):
        value = value.get(step) if isinstance(value, dict) else None
    if value is None:
        return defaults.get(path, "")
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
