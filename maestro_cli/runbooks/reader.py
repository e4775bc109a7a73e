"""From a Markdown file to a `Runbook`.

Invariant: a file that is read can be run: every attribute is known and fits its step, every name that
is referred to exists, every variable has a source. Errors name file and line. Plain Markdown is a
runbook without steps.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import msgspec

from maestro_cli.config.strict import MAX_BYTES, parse_yaml
from maestro_cli.core.errors import InvalidFile
from maestro_cli.core.files import open_file
from maestro_cli.core.quantities import parse_duration_seconds
from maestro_cli.core.untrusted import visible
from maestro_cli.runbooks.fences import build_steps
from maestro_cli.runbooks.forms import is_variable
from maestro_cli.runbooks.linear_regex import line_regex
from maestro_cli.runbooks.markdown import Page, read_markdown
from maestro_cli.runbooks.model import Heading, Parameter, Runbook
from maestro_cli.runbooks.runme import adopt
from maestro_cli.runbooks.substitution import names_in

# Starts with a letter or digit, so that a value can never be read as an option by a command.
DEFAULT_PATTERN = r"[A-Za-z0-9][A-Za-z0-9._:/@+-]{0,252}"
_SOURCE = re.compile(r"(?:label|annotation)\.[a-zA-Z_][a-zA-Z0-9_]*")
_PHASES = ("detect", "triage", "mitigate", "resolve")


class ParameterSpec(msgspec.Struct, forbid_unknown_fields=True, rename={"source": "from"}):
    source: str = ""
    pattern: str = ""
    default: str | int | float | None = None
    description: str = ""


class FrontMatter(msgspec.Struct, forbid_unknown_fields=True):
    maestro: Literal["runbook/v1"]
    id: str = ""
    title: str = ""
    alerts: list[str] = []
    params: dict[str, ParameterSpec] = {}
    lock: str = ""
    order: Literal["file", "needs"] = "file"
    budget: dict[str, str] = {}


def read_runbook(path: Path) -> Runbook:
    """Read one file; raises InvalidFile when it is missing, too large, not UTF-8 or wrong."""
    try:
        with open_file(path) as stream:
            raw = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise InvalidFile("cannot be read", file=str(path), why=error.strerror or "") from error
    if len(raw) > MAX_BYTES:
        raise InvalidFile(f"is larger than {MAX_BYTES} bytes", file=str(path))
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise InvalidFile("is not UTF-8", file=str(path), line=line) from error
    return parse_runbook(text, str(path))


def parse_runbook(text: str, file: str) -> Runbook:
    """Read the text of a runbook; raises InvalidFile, and nothing else."""
    adopted = adopt(read_markdown(text, file), file)
    page = adopted.page
    front, parameters = _front_matter(page, file)
    parameters = (*parameters, *_not_taken(adopted.parameters, parameters, file))
    declared = {parameter.name for parameter in parameters}
    steps = build_steps(page.fences, file, declared)
    first_title = next((title.text for title in page.titles), "")
    budget = _budget(front, page, file)
    return Runbook(
        id=front.id or Path(file).stem,
        title=front.title or first_title or Path(file).stem,
        file=file,
        digest=hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest(),
        text=text,
        alerts=tuple(front.alerts),
        parameters=parameters,
        lock=front.lock,
        is_by_needs=front.order == "needs",
        budget_seconds=budget,
        headings=tuple(Heading(title.level, title.text, title.line) for title in page.titles),
        steps=steps,
        notes=adopted.notes,
    )


def _not_taken(more: Sequence[Parameter], declared: Sequence[Parameter], file: str) -> tuple[Parameter, ...]:
    """Each of them once; raises InvalidFile when the file declares one of that name."""
    for parameter in more:
        if any(parameter.name == one.name for one in declared):
            raise InvalidFile("is the name of a step that is asked for", file=file, key=parameter.name)
    return tuple({parameter.name: parameter for parameter in more}.values())


def _front_matter(page: Page, file: str) -> tuple[FrontMatter, tuple[Parameter, ...]]:
    if page.front_matter is None:
        return FrontMatter(maestro="runbook/v1"), ()
    document = parse_yaml(page.front_matter, file, first_line=2)
    front = document.decode(FrontMatter)
    if front.id and not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}", front.id):
        raise document.fail("is not an id", ("id",), fix="use letters, digits, '-', '_' and '.'")
    parameters = tuple(_parameter(name, spec, document) for name, spec in front.params.items())
    missing = names_in(front.lock) - {parameter.name for parameter in parameters}
    if missing:
        raise document.fail(f"${min(missing)} is not a parameter", ("lock",), fix="declare it under params")
    return front, parameters


def _parameter(name: str, spec: ParameterSpec, document: Any) -> Parameter:
    where = ("params", name)
    if not is_variable(name):
        why = "it needs capitals, digits and '_', and must be none that programs act upon, such as PATH"
        raise document.fail("cannot be a parameter", where, why=why)
    if spec.source and not _SOURCE.fullmatch(spec.source):
        raise document.fail("is not a source", (*where, "from"), fix="write label.NAME or annotation.NAME")
    try:
        pattern = line_regex(spec.pattern or DEFAULT_PATTERN)
    except ValueError as error:
        raise document.fail("is not a regular expression", (*where, "pattern"), why=str(error)) from error
    default = None if spec.default is None else str(spec.default)
    if default is not None and not pattern.matches(default):
        raise document.fail("does not match the pattern", (*where, "default"))
    return Parameter(name, spec.source, spec.pattern or DEFAULT_PATTERN, default, visible(spec.description))


def _budget(front: FrontMatter, page: Page, file: str) -> dict[str, float]:
    if not front.budget:
        return {}
    document = parse_yaml(page.front_matter or "", file, first_line=2)
    seconds: dict[str, float] = {}
    for phase, text in front.budget.items():
        if phase not in _PHASES:
            raise document.fail("is not a phase", ("budget", phase), fix=f"use {', '.join(_PHASES)}")
        try:
            seconds[phase] = parse_duration_seconds(text)
        except ValueError as error:
            raise document.fail(str(error), ("budget", phase)) from error
    return seconds
