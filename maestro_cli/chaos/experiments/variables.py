"""`--var KEY[:TYPE]=VALUE` and `--var-file FILE`, as Chaos Toolkit's. Invariant: what is wrong is told."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from maestro_cli.chaos.experiments.reading import read_document
from maestro_cli.config.strict import read_text
from maestro_cli.core.errors import InvalidFile, UsageError

_FALSE = ("false", "0", "no")


def read_variables(
    given: Sequence[str], paths: Sequence[Path]
) -> tuple[dict[str, Any], dict[str, Any], dict[str, str]]:
    """Configuration, secrets and environment variables; what is on the command line beats files, a later file
    an earlier one. Raises UsageError and InvalidFile.
    """
    configuration: dict[str, Any] = {}
    hidden: dict[str, Any] = {}
    environment: dict[str, str] = {}
    for path in paths:
        if path.suffix not in (".json", ".yaml", ".yml"):
            environment.update(_environment(path))
            continue
        document = read_document(path)
        if not isinstance(document.data, Mapping):
            raise document.fail("is no mapping", fix="configuration: {…}, secrets: {…}")
        for key, into in (("configuration", configuration), ("secrets", hidden)):
            part = document.data.get(key) or {}
            if not isinstance(part, Mapping):
                raise document.fail("is no mapping", (key,))
            into.update(part)
    for text in given:
        key, value = _variable(text)
        configuration[key] = value
    return configuration, hidden, environment


def _variable(text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    key, colon, kind = name.rpartition(":")
    if not colon:
        key, kind = name, "str"
    if not equals or not key:
        raise UsageError(f"{text[:80]!r} is no variable", fix="--var KEY=VALUE, or --var KEY:int=5")
    try:
        return key, _converted(kind, value)
    except ValueError as error:
        raise UsageError(f"the variable {key} is no {kind}: {value[:80]!r}", why=str(error)) from error


def _converted(kind: str, value: str) -> Any:
    if kind in ("int", "integer"):
        return int(value)
    if kind in ("float", "number"):
        return float(value)
    if kind == "bool":
        return value.lower() not in _FALSE
    if kind == "json":
        return json.loads(value) if value else value
    if kind in ("str", "string", "bytes"):
        return value
    raise ValueError("a type is one of str, int, float, bool, bytes, json")


def _environment(path: Path) -> dict[str, str]:
    """The lines of a .env file."""
    found: dict[str, str] = {}
    for number, line in enumerate(read_text(path).splitlines(), 1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        key, equals, value = text.partition("=")
        if not equals or not key.strip():
            raise InvalidFile("is no line of a .env file", file=str(path), line=number, fix="NAME=VALUE")
        found[key.strip()] = value
    return found
