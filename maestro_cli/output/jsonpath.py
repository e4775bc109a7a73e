"""kubectl's JSONPath templates, the part scripts use.

Format: text outside braces is copied; inside: `.key`, `['key']`, `[0]`, `[-1]`, `[*]`, `"text"`.
Missing keys give nothing, like kubectl. Filters and ranges are refused by name.
"""

from __future__ import annotations

import json
import re
from typing import Any

from maestro_cli.core.errors import UsageError

_STEP = re.compile(r"\.([A-Za-z_$][\w$-]*)|\['([^']*)'\]|\[(-?\d+)\]|(\[\*\]|\.\*)|\.")


def evaluate(template: str, document: Any) -> str:
    """The text the template makes of a document; raises UsageError for a template it cannot read."""
    if "{" not in template:
        template = "{" + (template if template.startswith((".", "[")) else "." + template) + "}"
    out: list[str] = []
    rest = template
    while rest:
        before, brace, after = rest.partition("{")
        out.append(before.encode().decode("unicode_escape") if "\\" in before else before)
        if not brace:
            break
        expression, closing, rest = after.partition("}")
        if not closing:
            raise UsageError(f"the jsonpath {template!r} lacks a closing brace")
        out.append(_expression(expression.strip(), document, template))
    return "".join(out)


def _expression(expression: str, document: Any, template: str) -> str:
    if expression[:1] in "\"'" and expression[-1:] == expression[:1] and len(expression) > 1:
        return expression[1:-1].encode().decode("unicode_escape")
    found, position = [document], 0
    while position < len(expression):
        match = _STEP.match(expression, position)
        if match is None:
            raise UsageError(
                f"jsonpath {template!r}: cannot read {expression[position:]!r}",
                fix="use .key, ['key'], [0] and [*]; for more, pipe -o json into jq",
            )
        found = [item for value in found for item in _step(match, value)]
        position = match.end()
    return " ".join(item if isinstance(item, str) else json.dumps(item) for item in found)


def _step(match: re.Match[str], value: Any) -> list[Any]:
    key = match.group(1) if match.group(1) is not None else match.group(2)
    if key is not None:
        return [value[key]] if isinstance(value, dict) and key in value else []
    if match.group(3) is not None:
        index = int(match.group(3))
        return [value[index]] if isinstance(value, list) and -len(value) <= index < len(value) else []
    if match.group(4) is not None:
        if isinstance(value, dict):
            return list(value.values())
        return list(value) if isinstance(value, list) else []
    return [value]
