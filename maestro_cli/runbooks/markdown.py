"""Markdown as CommonMark reads it: front matter, headings and fences.

Invariant: a fence is found here exactly when it is rendered as code, so what runs can be seen by a
reviewer: a fence inside an HTML comment, an indented block or another fence is not found.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from markdown_it import MarkdownIt
from markdown_it.token import Token

from maestro_cli.core.errors import InvalidFile

_COMMENT = re.compile(r"\s*<!--\s*maestro:(?P<body>.*?)-->\s*", re.DOTALL)
_OURS = re.compile(r"^maestro[ \t]*:", re.MULTILINE)
_FRONT_MATTER = re.compile(r"---[ \t]*\n(?P<body>.*?)(?:^|(?<=\n))(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Fence:
    """One fenced block. Lines count from 1; `comment` is the YAML of a maestro comment right above it."""

    info: str
    body: str
    line: int
    heading: str
    closed: bool
    comment: str | None = None
    comment_line: int = 0


@dataclass(frozen=True, slots=True)
class Title:
    level: int
    text: str
    line: int


@dataclass(frozen=True, slots=True)
class Page:
    """What a Markdown file is made of; `front_matter` is maestro's, `foreign` that of another program."""

    front_matter: str | None
    titles: tuple[Title, ...]
    fences: tuple[Fence, ...]
    foreign: str | None = None


def read_markdown(text: str, file: str) -> Page:
    """Split a Markdown text; raises InvalidFile for a maestro comment that is above no fence.

    Front matter without a `maestro:` line belongs to another program and is prose.
    """
    text = whole_lines(text)
    front, rest, offset = split_front_matter(text)
    parser = MarkdownIt("commonmark")
    parser.core.ruler.enableOnly(["normalize", "block"])
    lines = rest.split("\n")
    tokens = parser.parse(rest)
    titles: list[Title] = []
    fences: list[Fence] = []
    for index, token in enumerate(tokens):
        if token.map is None:
            continue
        line = token.map[0] + 1 + offset
        if token.type == "heading_open":
            titles.append(Title(int(token.tag[1:]), tokens[index + 1].content.strip(), line))
        elif token.type == "fence":
            comment, comment_line = _comment_above(tokens, index, offset)
            heading = titles[-1].text if titles else ""
            closed = _is_closed(token, lines)
            fences.append(
                Fence(token.info.strip(), token.content, line, heading, closed, comment, comment_line)
            )
        elif token.type == "html_block" and _COMMENT.match(token.content):
            _refuse_stray_comment(tokens, index, file, line)
    return Page(front, tuple(titles), tuple(fences), _foreign(text) if front is None else None)


def _foreign(text: str) -> str | None:
    match = _FRONT_MATTER.match(text)
    return match.group("body") if match is not None else None


def whole_lines(text: str) -> str:
    """The text with `\\n` at the end of each line, and no byte order mark."""
    return text.replace("\r\n", "\n").replace("\r", "\n").removeprefix("\ufeff")


def split_front_matter(text: str) -> tuple[str | None, str, int]:
    """The front matter if it is ours, the rest, and how many lines were taken off."""
    match = _FRONT_MATTER.match(text)
    if match is None:
        return None, text, 0
    taken = text[: match.end()]
    offset = taken.count("\n")
    ours = _OURS.search(match.group("body")) is not None
    return (match.group("body") if ours else None), text[match.end() :], offset


def _comment_above(tokens: list[Token], index: int, offset: int) -> tuple[str | None, int]:
    before = tokens[index - 1] if index else None
    here = tokens[index].map
    if before is None or before.type != "html_block" or before.map is None or here is None:
        return None, 0
    match = _COMMENT.fullmatch(before.content)
    if match is None or before.map[1] != here[0]:
        return None, 0
    # The body starts on the line of `maestro:`.
    line = before.map[0] + 1 + offset + before.content[: match.start("body")].count("\n")
    return match.group("body"), line


def _refuse_stray_comment(tokens: list[Token], index: int, file: str, line: int) -> None:
    following = tokens[index + 1] if index + 1 < len(tokens) else None
    own = tokens[index].map
    placed = following is not None and following.type == "fence" and following.map and own
    if not placed or following is None or following.map is None or own is None or following.map[0] != own[1]:
        raise InvalidFile(
            "a maestro comment must stand directly above a fence",
            file=file,
            line=line,
            fix="put it on the line before the ``` line, or remove it",
        )


def _is_closed(token: Token, lines: list[str]) -> bool:
    assert token.map is not None  # block tokens have one
    first, after = token.map
    if after - first < 2 or after > len(lines):
        return False
    last = lines[after - 1].strip(" \t>")
    return len(last) >= len(token.markup) and not last.strip(token.markup[0])
