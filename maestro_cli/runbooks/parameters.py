"""Where a run's values come from: given, then the alert, then the context, then the default.

Invariant: every value matches its parameter's pattern as a whole, is text that a process can be given,
and holds no secret; nothing else gets a value.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from urllib.parse import unquote

from maestro_cli.config.strict import suggestion
from maestro_cli.core.errors import UsageError
from maestro_cli.core.redaction import Redactor
from maestro_cli.core.secret_words import looks_secret, sounds_secret
from maestro_cli.core.untrusted import visible
from maestro_cli.runbooks.linear_regex import line_regex
from maestro_cli.runbooks.model import Parameter, Runbook

MAX_VALUE = 4096
_SHORTEST_SECRET = 8  # a shorter value of such a variable is more likely a word than a secret
# To hide such a value would blank out, and refuse, what is ordinary.
_NO_SECRET = re.compile(
    r"(?i)development|disabled|external|internal|kubernetes|localhost|optional|password|postgres|production"
    r"|required"
)
_PLACE = re.compile(r"_(?:FILE|PATH|DIR)\Z", re.IGNORECASE)
_PASSWORD = re.compile(r"://[^/\s:@]*:([^/\s@]{4,})@")  # of a URL


def resolve_parameters(
    runbook: Runbook,
    *,
    given: Mapping[str, str] | None = None,
    labels: Mapping[str, str] | None = None,
    annotations: Mapping[str, str] | None = None,
    defaults: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """A value for each parameter of the runbook; `defaults` are the context's and may name others.

    Raises UsageError for an unknown name, a missing value, or one that does not match.
    """
    given = given or {}
    names = [parameter.name for parameter in runbook.parameters]
    for name in given:
        if name not in names:
            fix = suggestion(name, names) if names else "it takes none"
            raise UsageError(f"{visible(name, 60)!r} is not a parameter of {runbook.id}", fix=fix)
    sources = {"label": labels or {}, "annotation": annotations or {}}
    defaults = defaults or {}
    return {one.name: _value(one, runbook, given, sources, defaults) for one in runbook.parameters}


def _value(
    parameter: Parameter,
    runbook: Runbook,
    given: Mapping[str, str],
    sources: Mapping[str, Mapping[str, str]],
    defaults: Mapping[str, str],
) -> str:
    kind, _, key = parameter.source.partition(".")
    value = given.get(parameter.name)
    where = "given"
    if value is None and kind:
        value, where = sources[kind].get(key), parameter.source
    if value is None:
        value, where = defaults.get(parameter.name), "of the context"
    if value is None:
        value, where = parameter.default, "default"
    if value is None:
        at = f"neither given nor in {parameter.source}" if parameter.source else "not given"
        raise UsageError(
            f"{runbook.id} needs {parameter.name}: {at}",
            why=parameter.description,
            fix=f"pass {parameter.name}=VALUE",
        )
    value = str(value)
    check_value(parameter, value, where)
    return value


def check_value(parameter: Parameter, value: str, where: str) -> None:
    """Raises UsageError when a value is not what its parameter allows."""
    why = ""
    if len(value) > MAX_VALUE:
        why = f"it is longer than {MAX_VALUE} characters"
    elif "\0" in value or any(0xD800 <= ord(character) <= 0xDFFF for character in value):
        why = "it is not text"
    elif not line_regex(parameter.pattern).matches(value):
        why = f"it does not match {parameter.pattern}"
    if why:
        raise UsageError(f"{parameter.name} ({where}) cannot be {visible(value, 60)!r}", why=why)


def refuse_secrets(values: Mapping[str, str], redactor: Redactor) -> None:
    """Raises UsageError for a value that is a secret: values are recorded."""
    for name, value in values.items():
        if redactor.clean(value) != value:
            why = "parameters are written to the journal"
            raise UsageError(f"{name} holds a secret", why=why, fix="let the step read it from its source")


def knowing(redactor: Redactor, environment: Mapping[str, str]) -> Redactor:
    """The redactor that knows the values of variables as well that sound or look like secrets."""
    return redactor.with_secrets(
        secret for name, value in environment.items() for secret in _secrets_in(name, value)
    )


def _secrets_in(name: str, value: str) -> Iterator[str]:
    """What is secret of a variable; not the place of a file that holds it."""
    is_value = sounds_secret(name) and not _PLACE.search(name) and not _NO_SECRET.fullmatch(value)
    if len(value) >= _SHORTEST_SECRET and (is_value or looks_secret(value)):
        yield value
    password = _PASSWORD.search(value)
    if password is not None and not _NO_SECRET.fullmatch(password[1]):
        yield from {password[1], unquote(password[1])}
