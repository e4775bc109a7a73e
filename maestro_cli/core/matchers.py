"""Label matchers of alerts, as Alertmanager and amtool write them: `alertname=X, severity=~"page|ticket"`.

Invariant: one text for one set of matchers, whatever their order and quotes; what cannot be read raises.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass

from maestro_cli.core.errors import UsageError
from maestro_cli.core.untrusted import visible

_LABEL = r"[a-zA-Z_][a-zA-Z0-9_]*"  # any other is written in quotes: Prometheus 3 has all of UTF-8
_QUOTED = r'"(?:[^"\\]|\\.)*"'
_ONE = re.compile(rf'\s*({_LABEL}|{_QUOTED})\s*(=~|!~|!=|=)\s*({_QUOTED}|[^",\s]*)\s*(?:,|$)')
_BARE = re.compile(r"[^\s\",\\]+")
_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n"})
_MEASURE = ("maestro-probe-7f3a", "9", "Zz.0/x y")  # words that a narrowing expression does not take all of


@dataclass(frozen=True, slots=True, order=True)
class Matcher:
    """One label compared with a value, or with an RE2 expression of the whole value."""

    label: str
    value: str
    is_regex: bool = False
    is_equal: bool = True

    def __str__(self) -> str:
        bare = _BARE.fullmatch(self.value) and self.value.isprintable()
        label = self.label if self._is_plain else _quoted(self.label)
        return f"{label}{self._sign}{self.value if bare else _quoted(self.value)}"

    @property
    def in_quotes(self) -> str:
        """As every Alertmanager reads it.

        Of escapes it has only those of OpenMetrics: before 0.27 no other is one, and from then on a text that
        has two readings is read as before.
        """
        label, value = (f'"{one.translate(_ESCAPES)}"' for one in (self.label, self.value))
        return f"{self.label if self._is_plain else label}{self._sign}{value}"

    @property
    def _is_plain(self) -> bool:
        return re.fullmatch(_LABEL, self.label) is not None

    @property
    def _sign(self) -> str:
        return ("=~" if self.is_equal else "!~") if self.is_regex else ("=" if self.is_equal else "!=")

    @property
    def narrows(self) -> bool:
        """Whether there are values that it does not take; one that only excludes some narrows nothing."""
        if not self.is_equal:
            return False
        if not self.is_regex:
            return bool(self.value)
        try:
            taken = [re.fullmatch(self.value, word, re.DOTALL) for word in _MEASURE]
            return not re.fullmatch(self.value, "") and not all(taken)
        except re.error as error:
            raise UsageError(f"{visible(str(self), 100)} cannot be read: {error}") from error


def parse_matchers(text: str) -> tuple[Matcher, ...]:
    """Read matchers divided by commas. Raises UsageError; also for a label that comes twice with one sign."""
    found: list[Matcher] = []
    at = 0
    while at < len(text.rstrip()):
        match = _ONE.match(text, at)
        if match is None:
            raise UsageError(
                f"{visible(text[at:], 100)!r} is not a label matcher",
                fix="write LABEL=VALUE, or one of != =~ !~; in quotes a value with spaces or commas, "
                "and a label that is more than letters, digits and _",
            )
        label, sign, value = match.groups()
        if not (name := _unquoted(label)):
            raise UsageError(f"{visible(text[at:], 100)!r} names no label")
        found.append(Matcher(name, _unquoted(value), "~" in sign, not sign.startswith("!")))
        at = match.end()
    if len(set(found)) != len(found):
        raise UsageError(f"{visible(text, 100)!r} has a matcher twice")
    return tuple(sorted(found))


def matchers_text(matchers: Iterable[Matcher]) -> str:
    """The one text of these matchers."""
    return ",".join(map(str, sorted(matchers)))


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _unquoted(value: str) -> str:
    if not value.startswith('"'):
        return value
    try:
        return str(json.loads(value))
    except ValueError as error:
        raise UsageError(f"{visible(value, 100)} is not a quoted value", fix="escape as in JSON") from error
