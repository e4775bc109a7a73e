"""What an attempt at a step is given to do, in words for the record.

Invariant: pure, and never raises; no secret is in it. What a shell is given reads its values as environment
variables, so they stand before it as assignments and are never written into it.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping

from maestro_cli.core.errors import UsageError
from maestro_cli.core.redaction import Redactor
from maestro_cli.runbooks.attributes import SHELLS
from maestro_cli.runbooks.model import Step
from maestro_cli.runbooks.substitution import into_promql, replace

MAX_CHARACTERS = 4000
_FOR_PEOPLE = frozenset({"manual", "ask"})


def command_of(step: Step, values: Mapping[str, str], redactor: Redactor) -> str:
    """The step's text with its values; "" for what a person does. Too long a one is cut and ends in `…`."""
    body = step.body.strip()
    if not body or step.kind in _FOR_PEOPLE:
        return ""
    cleaned = {name: redactor.clean(value) for name, value in values.items()}  # before they are quoted
    text = redactor.clean(_rendered(step, body, cleaned))
    return text if len(text) <= MAX_CHARACTERS else text[: MAX_CHARACTERS - 1] + "…"


def _rendered(step: Step, body: str, values: Mapping[str, str]) -> str:
    if step.kind in SHELLS:
        used = set(re.findall(r"\w+", body))
        given = [f"{name}={shlex.quote(value)}" for name, value in sorted(values.items()) if name in used]
        return "\n".join([*given, body])
    try:
        if step.kind == "promql":
            return into_promql(body, values)
        return replace(body, {**values, **{name: f"${name}" for name, _ in step.secrets}}, _as_it_is)
    except UsageError:  # the attempt fails for it, and says so
        return body


def _as_it_is(name: str, value: str) -> str:
    return value
