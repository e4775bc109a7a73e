"""A runbook without steps, walked through heading by heading.

Invariant: nothing of it is executed. Each stop is a step of kind manual that a person ticks, and who does not
tick it says what follows; in everything else the walk is a run as any other.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from maestro_cli.core.untrusted import visible
from maestro_cli.runbooks.markdown import split_front_matter, whole_lines
from maestro_cli.runbooks.model import Heading, OnFail, Role, Runbook, Step

MAX_STOPS = 2000
_ODD = re.compile(r"[^a-z0-9]+")
_UNDERLINE = re.compile(r" {0,3}(=+|-+)[ \t]*")


@dataclass(frozen=True, slots=True)
class _Section:
    """A heading, and the lines below it up to the next one."""

    title: str
    line: int
    level: int
    lines: tuple[str, ...]

    @property
    def is_empty(self) -> bool:
        return not any(line.strip() for line in self.lines)


def walkable(book: Runbook) -> Runbook:
    """The runbook with a stop for each heading; as it is when it has steps.

    A heading with nothing but smaller headings below it is no stop. A text without any has none.
    """
    if book.steps:
        return book
    sections = list(_sections(book))
    stops = [
        section
        for section, after in zip(sections, [*sections[1:], None], strict=True)
        if not section.is_empty or (section.title and (after is None or after.level <= section.level))
    ]
    steps: list[Step] = []
    taken: set[str] = set()
    for number, section in enumerate(stops[:MAX_STOPS], start=1):
        path = _path(section.title, number, taken)
        taken.add(path)
        steps.append(_stop(path, section, book))
    return replace(book, steps=tuple(steps))


def _sections(book: Runbook) -> Iterator[_Section]:
    text = whole_lines(book.text)
    _, _, offset = split_front_matter(text)
    lines = text.split("\n")
    first = book.headings[0].line if book.headings else len(lines) + 1
    yield _Section("", offset, 0, tuple(lines[offset : first - 1]))
    ends = [*(heading.line - 1 for heading in book.headings[1:]), len(lines)]
    for heading, end in zip(book.headings, ends, strict=False):
        yield _Section(heading.text, heading.line, heading.level, _below(heading, lines[heading.line : end]))


def _below(heading: Heading, lines: list[str]) -> tuple[str, ...]:
    """The lines of a section; the line that underlines its heading is blank."""
    if lines and heading.level <= 2 and _UNDERLINE.fullmatch(lines[0]):
        return ("", *lines[1:])
    return tuple(lines)


def _stop(path: str, section: _Section, book: Runbook) -> Step:
    body = "\n".join(section.lines).rstrip()
    title = visible(section.title, 200) or book.title
    return Step(
        path=path,
        role=Role.MAIN,
        kind="manual",
        body=body,
        line=section.line,
        heading=title,
        title=title,
        on_fail=OnFail.ASK,
    )


def _path(title: str, number: int, taken: set[str]) -> str:
    """`look-again` of "Look again"; `part-3` where a title has no letters, `…-3` where it is taken."""
    path = _ODD.sub("-", title.lower()).strip("-")[:50].strip("-") or f"part-{number}"
    while path in taken:
        path = f"{path}-{number}"
    return path
