"""PromQL text made from values that may be hostile.

Invariant: a value becomes one string literal or nothing; a label name that is not one is refused, so
what a label says can never become part of the query.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

_LABEL_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_METRIC_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_REGEX_META = set("\\.+*?()|[]{}^$")
_AS_IT_IS = re.compile(r"[ !#-\[\]-~]*")  # printable ASCII that nothing has to be put before
_NO_META = re.compile(r"[^\\.+*?()|\[\]{}^$]*")


def promql_string(value: str) -> str:
    """A double-quoted PromQL literal of exactly this text (Go's escapes).

    A lone surrogate, which UTF-8 cannot carry, becomes U+FFFD as it does in Prometheus.
    """
    if _AS_IT_IS.fullmatch(value):  # nearly every name, of which a query may have hundreds
        return f'"{value}"'
    parts = []
    for character in value:
        code = ord(character)
        if character in _ESCAPES:
            parts.append(_ESCAPES[character])
        elif code < 0x20 or code == 0x7F:
            parts.append(f"\\x{code:02x}")
        elif 0xD800 <= code <= 0xDFFF:
            parts.append("\ufffd")
        else:
            parts.append(character)
    return '"' + "".join(parts) + '"'


def promql_regex(value: str) -> str:
    """A PromQL literal of the RE2 expression that matches exactly this text, for `=~`."""
    if _NO_META.fullmatch(value):
        return promql_string(value)
    return promql_string("".join(f"\\{c}" if c in _REGEX_META else c for c in value))


def promql_name(name: str) -> str:
    """The metric name itself; raises ValueError when it is not one."""
    if not _METRIC_NAME.fullmatch(name):
        raise ValueError(f"{name!r} is not a metric name")
    return name


def promql_label(name: str) -> str:
    """The label name itself; raises ValueError when it is not one."""
    if not _LABEL_NAME.fullmatch(name):
        raise ValueError(f"{name!r} is not a label name")
    return name


def promql_selector(metric: str, equal: Mapping[str, str], *, extra: str = "") -> str:
    """`metric{a="b",…}`; `extra` is a matcher written by us, such as `code=~"5.."`.

    Raises ValueError for a metric or label name that is not one.
    """
    matchers = [f"{promql_label(name)}={promql_string(value)}" for name, value in sorted(equal.items())]
    if extra:
        matchers.append(extra)
    return f"{promql_name(metric)}{{{','.join(matchers)}}}"


def exported_label(name: str) -> str:
    """A label of Kubernetes as kube-state-metrics has it, without its prefix: `costCenter` is `cost_center`.

    As its `SanitizeLabelName` and `toSnakeCase` make it.
    """
    return re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", re.sub(r"[^a-zA-Z0-9_]", "_", name)).lower()
