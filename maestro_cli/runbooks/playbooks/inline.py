"""Steps written in a playbook, as a runbook of their own.

Invariant: what is made is read by the one reader of runbooks, so that nothing is a step here that would be
none there; the same steps make the same text, and its digest names the file that a run is pinned to.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec

from maestro_cli.config.locations import make_private, state_dir
from maestro_cli.config.strict import Document, dump_yaml
from maestro_cli.core.errors import ActionFailed, InvalidFile
from maestro_cli.core.files import unusable, write_atomically
from maestro_cli.runbooks.model import Runbook
from maestro_cli.runbooks.playbooks.spec import InlineSpec, PartSpec, StepSpec
from maestro_cli.runbooks.reader import parse_runbook

_TICKS = re.compile(r"`+")
_NO_MARKS = ("kind", "body", "id", "pre", "verify", "undo", "probe")
_Place = tuple[str | int, ...]


def inline_runbook(playbook: str, title: str, number: int, step: StepSpec, document: Document) -> Runbook:
    """The runbook of the steps that stand in step `number` (from 0); raises InvalidFile with their place."""
    at: _Place = ("steps", number)
    page = _Page(f"{playbook[:50]}.step-{number + 1}", f"{title}, step {number + 1}", step, at)
    try:
        book = parse_runbook(page.text, "inline.md")
    except InvalidFile as error:
        place = page.place_of(error.line or 1)
        what = error.what.removeprefix(f"{error.where}: ")  # with the attribute
        raise document.fail(what, place, why=error.why, fix=error.fix) from error
    if any(one.kind == "runbook" for one in book.steps):
        raise document.fail("cannot run a runbook", at, fix="write '- runbook: ID' as a step of the playbook")
    return replace(book, file=str(_folder() / book.digest[:32] / f"{book.id}.md"))


def put_down(book: Runbook) -> Runbook:
    """Write a generated runbook where its runs are pinned to it; raises ActionFailed.

    A file is never written again: its folder is named by its digest.
    """
    path = Path(book.file)
    try:
        if not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != book.digest:
            make_private(path.parent)
            write_atomically(path, book.text, durable=True)
    except OSError as error:
        raise ActionFailed(f"{path} cannot be written", why=unusable(path.parent, error)) from error
    return book


def _folder() -> Path:
    return state_dir() / "playbooks"


class _Page:
    """The text of a runbook, and which line of it came from where."""

    def __init__(self, name: str, title: str, step: StepSpec, at: _Place) -> None:
        declared = {key: _without_none(spec) for key, spec in step.params.items()}
        params = declared | {key: {} for key in step.values if key not in declared}
        front = {
            "maestro": "runbook/v1",
            "id": name,
            "title": title,
            **({"order": step.order} if step.order != "file" else {}),
            **({"params": params} if params else {}),
        }
        self._lines = ["---", *dump_yaml(front).splitlines(), "---"]
        self._places: list[tuple[int, _Place]] = [(1, (*at, "params"))]
        for index, one in enumerate(step.inline):
            for marks, part, place in _parts(one, (*at, "inline", index)):
                self._places.append((len(self._lines) + 1, place))
                self._lines += ["", *_fence(part.kind, marks | _marks(part), _body(part))]
        self.text = "\n".join(self._lines) + "\n"

    def place_of(self, line: int) -> _Place:
        return next(place for first, place in reversed(self._places) if first <= line)


def _parts(one: InlineSpec, at: _Place) -> Iterator[tuple[dict[str, Any], PartSpec, _Place]]:
    """The step and what serves it, each with the mark that makes it so."""
    yield {"id": one.id}, one, at
    for role, parts in (("pre", one.pre), ("verify", one.verify)):
        for index, part in enumerate(parts):
            yield {role: one.id}, part, (*at, role, index)
    for role, single in (("undo", one.undo), ("probe", one.probe)):
        if single is not None:
            yield {role: one.id}, single, (*at, role)


def _marks(part: PartSpec) -> dict[str, Any]:
    return {name: value for name, value in _without_none(part).items() if name not in _NO_MARKS}


def _without_none(spec: msgspec.Struct) -> dict[str, Any]:
    """The fields that are written, under the names they are written by."""
    named = {one.encode_name: getattr(spec, one.name) for one in msgspec.structs.fields(spec)}
    return {name: value for name, value in named.items() if value is not None and value != ""}


def _body(part: PartSpec) -> str:
    return part.body if isinstance(part.body, str) else dump_yaml(part.body)


def _fence(kind: str, marks: Mapping[str, Any], body: str) -> list[str]:
    """A fence that nothing in its body can close, below a comment that nothing in its marks can."""
    written = json.dumps(marks, ensure_ascii=False).replace(">", "\\u003e")
    ticks = max((len(found) for found in _TICKS.findall(body)), default=0)
    fence = "`" * max(3, ticks + 1)
    language = kind if re.fullmatch(r"[a-z]{1,20}", kind) else "?"
    return [f"<!-- maestro: {written} -->", f"{fence}{language}", *body.rstrip("\n").split("\n"), fence]
