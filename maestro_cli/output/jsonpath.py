"""kubectl's JSONPath templates, the part scripts use.

Format: text outside braces is copied; inside: `.key`, `['key']`, `[0]`, `[-1]`, `[*]`, `"text"`, after
an optional `$` or `@`. The escapes are \\n, \\t, \\r, \\\\ and quotes; `\\.` in a key is a dot. Missing keys
give nothing, like kubectl. Filters, ranges and recursive descent are refused by name.
"""

from __future__ import annotations

import json
import re
from typing import Any

from maestro_cli.core.errors import UsageError
from maestro_cli.core.untrusted import visible

_QUOTED = r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'"
_BRACES = re.compile(rf"\{{((?:[^{{}}\"']|{_QUOTED})*)\}}", re.DOTALL)
_STEP = re.compile(
    rf"\.((?:[A-Za-z_0-9$/-]|\\.)+)|\[({_QUOTED})\]|\[(-?[0-9]{{1,9}})\]|(\[\*\]|\.\*)", re.DOTALL
)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r"}


def evaluate(template: str, document: Any) -> str:
    """The text the template makes of a document; raises UsageError for a template it cannot read."""
    if "{" not in template:
        template = "{" + (template if template.startswith((".", "[", "$", "@")) else "." + template) + "}"
    out: list[str] = []
    position = 0
    while position < len(template):
        start = template.find("{", position)
        if start < 0:
            out.append(_unescaped(template[position:]))
            break
        out.append(_unescaped(template[position:start]))
        match = _BRACES.match(template, start)
        if match is None:
            raise UsageError(
                f"the jsonpath {visible(template, 200)!r} has a brace or quote that is not closed",
                fix="write {.items[*].name}",
            )
        out.append(_expression(match.group(1).strip(), document, template))
        position = match.end()
    return "".join(out)


def _unescaped(text: str) -> str:
    """Escapes that are none stay as they are."""
    return _ESCAPE.sub(
        lambda match: _ESCAPES.get(match[1], match[1] if match[1] in "\\\"'" else match[0]), text
    )


def _expression(expression: str, document: Any, template: str) -> str:
    if re.fullmatch(_QUOTED, expression, re.DOTALL):
        return _unescaped(expression[1:-1])
    found = [document]
    position = 1 if expression[:1] in ("$", "@") else 0
    if expression[position:] == ".":
        position += 1
    while position < len(expression):
        match = _STEP.match(expression, position)
        if match is None:
            raise UsageError(
                f"jsonpath {visible(template, 200)!r}: cannot read {visible(expression[position:], 100)!r}",
                fix="use .key, ['key'], [0] and [*]; for more, pipe -o json into jq",
            )
        found = [item for value in found for item in _step(match, value)]
        position = match.end()
    return " ".join(item if isinstance(item, str) else json.dumps(item) for item in found)


def _step(match: re.Match[str], value: Any) -> list[Any]:
    name, quoted, index, everything = match.groups()
    if name is not None or quoted is not None:
        key = re.sub(r"\\(.)", r"\1", name) if name is not None else _unescaped(quoted[1:-1])
        return [value[key]] if isinstance(value, dict) and key in value else []
    if index is not None:
        place = int(index)
        return [value[place]] if isinstance(value, list) and -len(value) <= place < len(value) else []
    assert everything is not None  # the only alternative left
    if isinstance(value, dict):
        return list(value.values())
    return list(value) if isinstance(value, list) else []
