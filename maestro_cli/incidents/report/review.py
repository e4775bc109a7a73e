"""What a written post-mortem still lacks.

Invariant: pure; the file's words decide, whoever wrote them. An error is something that a grave incident is
not published with; a warning is something that may be true and should be looked at.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from maestro_cli.core.untrusted import visible
from maestro_cli.incidents.report.human import PLACEHOLDER, prose_lines
from maestro_cli.runbooks.lint import Finding

RULES: Mapping[str, str] = {
    "unfilled": "a place that waits for a person",
    "missing-section": "a section that a post-mortem has is not there",
    "empty-section": "a section holds nothing",
    "no-actions": "no action item is listed",
    "action-owner": "an action item has no owner",
    "action-due": "an action item has no due date",
    "missing-time": "a time of the clock is missing",
}
SECTIONS = ("Summary", "Impact", "Cause", "Timeline", "Five whys", "Action items")
_HEADING = re.compile(r"(#{1,6}) +(.*?) *#*")
_MARK = re.compile(r"<!--.*-->")
_CELL = re.compile(r"(?<!\\)\|")
_NOBODY = {"", "–", "-", "?", "nobody", "tbd", "todo"}


@dataclass(frozen=True, slots=True)
class _Section:
    """A heading with the lines (number, text) below it, down to the next of its level or above.

    In `prose` the lines of code are empty.
    """

    level: int
    title: str
    line: int
    lines: tuple[tuple[int, str], ...]
    prose: tuple[tuple[int, str], ...]

    @property
    def is_empty(self) -> bool:
        return not any(text.strip() and not _MARK.fullmatch(text.strip()) for _, text in self.lines)


def review(markdown: str, file: str) -> tuple[Finding, ...]:
    """Every finding, in the order of its lines; `file` is how it is named."""
    text = markdown.replace("\r\n", "\n")
    sections = list(_sections(text))
    found = [
        *_unfilled(text, file),
        *_missing(sections, file),
        *_actions(sections, file),
        *_times(sections, file),
    ]
    return tuple(sorted(found, key=lambda finding: (finding.line, finding.rule)))


def _of(rule: str, file: str, line: int, text: str, level: Literal["error", "warning"] = "error") -> Finding:
    return Finding(rule, level, file, line, text)


def _sections(markdown: str) -> Iterator[_Section]:
    lines = markdown.split("\n")
    prose = dict(prose_lines(markdown))
    headings = [
        (number, len(match[1]), match[2])
        for number, line in prose.items()
        if (match := _HEADING.fullmatch(line))
    ]
    for number, end, level, title in reversed(list(_spans(headings, len(lines) + 1))):
        below = range(number + 1, end)
        yield _Section(
            level,
            title,
            number,
            tuple((line, lines[line - 1]) for line in below),
            tuple((line, prose.get(line, "")) for line in below),
        )


def _spans(headings: Sequence[tuple[int, int, str]], end: int) -> Iterator[tuple[int, int, int, str]]:
    """Line, line after the section, level and title of each heading, from the last to the first."""
    ends = [end] * 7  # by level: where the next heading of it is
    for number, level, title in reversed(headings):
        yield number, min(ends[: level + 1]), level, title
        ends[level] = number


def _unfilled(markdown: str, file: str) -> Iterator[Finding]:
    for number, line in prose_lines(markdown):
        if PLACEHOLDER in line:
            left = line.replace(PLACEHOLDER, "").strip(" |:-–>0123456789.")
            yield _of("unfilled", file, number, f"write here: {visible(left, 80) or 'nobody has yet'}")


def _missing(sections: Sequence[_Section], file: str) -> Iterator[Finding]:
    titles = {section.title for section in sections}
    for wanted in SECTIONS:
        if wanted not in titles:
            yield _of("missing-section", file, 1, f"there is no section {wanted}")
    for section in sections:
        if section.is_empty:
            yield _of("empty-section", file, section.line, f"{visible(section.title, 80)} holds nothing")


def _rows(section: _Section) -> Iterator[tuple[int, Mapping[str, str]]]:
    """Line and cells by column of each row of the tables in a section."""
    head: list[str] = []
    for number, line in section.prose:
        stripped = line.strip()
        if not stripped.startswith("|"):
            head = []
            continue
        cells = [cell.strip() for cell in _CELL.split(stripped.strip("|") if stripped != "|" else "")]
        if not head:
            head = [cell.lower() for cell in cells]
        elif set("".join(cells)) - set("-: "):
            yield number, dict(zip(head, cells, strict=False))


def _named(sections: Sequence[_Section], title: str) -> _Section | None:
    return next((section for section in sections if section.title == title), None)


def _actions(sections: Sequence[_Section], file: str) -> Iterator[Finding]:
    section = _named(sections, "Action items")
    if section is None:
        return
    rows = list(_rows(section))
    if not rows:
        yield _of("no-actions", file, section.line, "say what will be done, or that nothing will", "warning")
    for number, row in rows:
        action = row.get("action", "")
        if PLACEHOLDER in action or row.get("state", "open") != "open":
            continue  # told as unfilled; done or dropped
        if row.get("owner", "").lower() in _NOBODY:
            yield _of("action-owner", file, number, f"{visible(action, 80)}: who does it?")
        if not _is_date(row.get("due", "")):
            yield _of("action-due", file, number, f"{visible(action, 80)}: until when, as YYYY-MM-DD?")


def _is_date(text: str) -> bool:
    try:
        return bool(re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text)) and bool(date.fromisoformat(text))
    except ValueError:
        return False


def _times(sections: Sequence[_Section], file: str) -> Iterator[Finding]:
    section = _named(sections, "Clock")
    for number, row in _rows(section) if section is not None else ():
        if row.get("took") == "–" and not row.get("phase", "").startswith("post-mortem"):
            why = row.get("verdict", "")
            phase = visible(row.get("phase", ""), 60)
            yield _of("missing-time", file, number, f"{phase}: {visible(why, 40)}", "warning")
