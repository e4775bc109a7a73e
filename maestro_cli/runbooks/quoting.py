"""Where a shell text uses a variable without quotes.

Invariant: text in quotes, comments, arithmetic, `[[ … ]]`, here-documents and the right of an assignment is
left alone: there a value is neither split nor matched against files. Nothing is executed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_VARIABLE = re.compile(r"\$(?:(?P<plain>[A-Z][A-Z0-9_]*)|\{(?P<braced>[A-Z][A-Z0-9_]*)(?!#\})[^{}]*\})")
_HERE = re.compile(r"<<(?P<dash>-?)[ \t]*(?P<quote>['\"]?)(?P<word>[A-Za-z_][A-Za-z0-9_]*)(?P=quote)")
_ASSIGNMENT = re.compile(r"(?:[A-Za-z_][A-Za-z0-9_]*)(?:\[[^\]]*\])?\+?=")
_LEFT = re.compile(r"<[a-z][a-z0-9]*(?:[ _-][a-z0-9]+)*>")


@dataclass(frozen=True, slots=True)
class Use:
    """A variable without quotes, or a placeholder that nobody filled in; `line` counts from 0."""

    name: str
    line: int


def unquoted_uses(text: str) -> Iterator[Use]:
    """Each variable in capitals that stands without quotes."""
    for match, line in _outside(text, _VARIABLE):
        yield Use(match.group("plain") or match.group("braced"), line)


def placeholders(text: str) -> Iterator[Use]:
    """Each `<name>` outside quotes: a shell would read from a file of that name."""
    for match, line in _outside(text, _LEFT):
        yield Use(match.group(0), line)


def _outside(text: str, wanted: re.Pattern[str]) -> Iterator[tuple[re.Match[str], int]]:
    """The matches in places where the shell would split a value into words."""
    reading = _Reading(text)
    while reading.at < len(text):
        match = wanted.match(text, reading.at)
        if match is None:
            reading.step()
            continue
        if reading.splits:
            yield match, text.count("\n", 0, reading.at)
        reading.at = match.end()


class _Reading:
    """A place in a shell text, and what is open there."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = self._word = 0
        self._inside: list[str] = []  # `"`, `$(`, `((`, `[[`
        self._here: list[str] = []  # here-documents that begin on the next line

    @property
    def splits(self) -> bool:
        """Whether a value that stands here is split into words."""
        safe = self._inside[-1:] in (['"'], ["[["]) or "((" in self._inside
        assigned = _ASSIGNMENT.match(self.text[self._word : self.at]) is not None
        return not safe and not assigned and not self.text.endswith("case ", 0, self.at)

    def step(self) -> None:
        """Go on by one token, at least by one character."""
        one, two = self.text[self.at], self.text[self.at : self.at + 2]
        last = self._inside[-1] if self._inside else ""
        if one == "\\":
            self.at += 2
        elif one == '"':
            self._close() if last == '"' else self._open('"', 1)
        elif self.text.startswith("$((", self.at):
            self._open("((", 3)
        elif two == "$(":
            self._open("$(", 2)
        elif two == "))" and last == "((":
            self._close(2)
        elif last == '"':
            self.at += 1
        elif one == ")" and last == "$(":
            self._close()
        elif two == "]]" and last == "[[":
            self._close(2)
        elif two == "((" or (two == "[[" and self.at == self._word):
            self._open(two, 2)
        else:
            self._skip(one)

    def _open(self, what: str, length: int) -> None:
        self._inside.append(what)
        self.at += length
        if what == "$(":
            self._word = self.at

    def _close(self, length: int = 1) -> None:
        self._inside.pop()
        self.at += length

    def _skip(self, one: str) -> None:
        """Pass over single quotes, a comment, a here-document or one character."""
        found = _HERE.match(self.text, self.at)
        if one == "'":
            self._skip_to("'", 1)
        elif one == "#" and self.at == self._word:
            self._skip_to("\n", 0)
        elif found is not None:
            self._here.append(found.group("word"))
            self.at = found.end()
        elif one == "\n" and self._here:
            self.at = self._word = _after_here(self.text, self.at + 1, self._here)
            self._here = []
        else:
            self.at += 1
            self._word = self.at if one in " \t\n;&|(){}" else self._word

    def _skip_to(self, end: str, beyond: int) -> None:
        place = self.text.find(end, self.at + 1)
        self.at = len(self.text) if place < 0 else place + beyond


def _after_here(text: str, at: int, words: list[str]) -> int:
    """The place behind the here-documents that start there."""
    for word in words:
        end = re.compile(rf"^[ \t]*{re.escape(word)}$", re.MULTILINE).search(text, at)
        at = len(text) if end is None else end.end()
    return at
