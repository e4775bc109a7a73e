"""Values put into PromQL and change bodies. Shell and Python steps never pass through here.

Invariant: a value stands for itself. In a PromQL string it is escaped (in a regular expression
matcher also quoted as one); outside a string only a number, a duration or a metric name may stand;
anything else is refused. `$$` is a dollar sign.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from maestro_cli.core.errors import UsageError
from maestro_cli.core.promql import promql_regex, promql_string
from maestro_cli.core.untrusted import visible

_VARIABLE = re.compile(r"\$(?:\$|(?P<plain>[A-Z][A-Z0-9_]*)|\{(?P<braced>[A-Z][A-Z0-9_]*)\})")
_PROMQL_TOKEN = re.compile(
    r"(?P<comment>#[^\n]*)"
    r'|(?P<double>"(?:[^"\\\n]|\\.)*")'
    r"|(?P<single>'(?:[^'\\\n]|\\.)*')"
    r"|(?P<raw>`[^`]*`)"
    r"|(?P<operator>[=!]~)"
    r"|(?P<space>\s+)"
    r"|(?P<other>\$\$|\$\{[A-Z][A-Z0-9_]*\}|\$[A-Z][A-Z0-9_]*|.)",
    re.DOTALL,
)
_BARE = re.compile(r"\d+(?:\.\d+)?|(?:\d+(?:ms|[smhdwy]))+|[a-zA-Z_:][a-zA-Z0-9_:]*")
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")
Spell = Callable[[str, str], str]


def names_in(text: str) -> set[str]:
    """The variables a text refers to."""
    return {
        name for match in _VARIABLE.finditer(text) if (name := match.group("plain") or match.group("braced"))
    }


def names_in_promql(text: str) -> set[str]:
    """The variables a query refers to, comments left out."""
    tokens = (match.group(0) for match in _PROMQL_TOKEN.finditer(text) if match.lastgroup != "comment")
    return {name for token in tokens for name in names_in(token)}


def into_promql(text: str, values: Mapping[str, str]) -> str:
    """The query with its variables replaced; raises UsageError for a value that cannot stand there."""
    parts: list[str] = []
    regex = False
    for match in _PROMQL_TOKEN.finditer(text):
        token, kind = match.group(0), match.lastgroup
        if kind in ("double", "single"):
            parts.append(replace(token, values, _quoted(token[0], regex)))
        elif kind == "raw":
            if names_in(token):  # nothing can be escaped between back quotes
                raise UsageError("a variable cannot stand between back quotes", fix='use "…"')
            parts.append(token)
        elif kind == "other":
            parts.append(replace(token, values, _bare))
        else:
            parts.append(token)
        if kind not in ("space", "comment"):
            regex = kind == "operator"
    return "".join(parts)


def into_name(text: str, values: Mapping[str, str]) -> str:
    """A field of a change with its variables replaced.

    Raises UsageError for a value that is not one name: a slash in it could aim at something else.
    """
    return replace(text, values, _one_name)


def into_text(text: str, values: Mapping[str, str]) -> str:
    """A value for another runbook, which checks it against its own pattern."""
    return replace(text, values, lambda _, value: value)


def for_reading(text: str, values: Mapping[str, str]) -> str:
    """The text with what is known put in, the rest as it is written; never to be run."""

    def one(match: re.Match[str]) -> str:
        return values.get(match.group("plain") or match.group("braced") or "", match.group())

    return _VARIABLE.sub(one, text)


def replace(text: str, values: Mapping[str, str], spell: Spell) -> str:
    """The text with each variable as `spell(name, value)` writes it; raises UsageError for one without."""

    def one(match: re.Match[str]) -> str:
        name = match.group("plain") or match.group("braced")
        if name is None:
            return "$"
        if name not in values:
            raise UsageError(f"${name} has no value here", fix=f"pass {name}=VALUE, or give it a default")
        return spell(name, values[name])

    return _VARIABLE.sub(one, text)


def _quoted(quote: str, regex: bool) -> Spell:
    def spell(name: str, value: str) -> str:
        inner = (promql_regex(value) if regex else promql_string(value))[1:-1]
        # Prometheus refuses an escaped quote of the other kind.
        return inner if quote == '"' else inner.replace('\\"', '"').replace("'", "\\'")

    return spell


def _bare(name: str, value: str) -> str:
    if not _BARE.fullmatch(value):
        raise refused(name, value, "outside quotes only a number, a duration or a metric name may stand")
    return value


def _one_name(name: str, value: str) -> str:
    if value and not _NAME.fullmatch(value):
        raise refused(name, value, "only letters, digits, '-', '_' and '.' may stand here")
    return value


def refused(name: str, value: str, why: str) -> UsageError:
    """The error for a value that cannot stand where it should; the caller raises it."""
    return UsageError(f"the value of {name} cannot be used: {visible(value, 60)!r}", why=why)
