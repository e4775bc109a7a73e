"""Links of a Markdown file that lead nowhere. Invariant: only the file system is asked, never a server."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

from markdown_it import MarkdownIt
from markdown_it.token import Token

from maestro_cli.core.untrusted import visible

_NOT_IN_ANCHORS = re.compile(r"[^\w\- ]")


def dead_links(text: str, file: Path) -> Iterator[tuple[int, str]]:
    """The line and a sentence for each link to a file or heading that is not there."""
    front = len(text) - len(_without_front_matter(text))
    offset = text.count("\n", 0, front)
    tokens = MarkdownIt("commonmark").parse(text[front:])
    anchors = set(_anchors(tokens))
    for token in tokens:
        if token.type != "inline" or token.map is None:
            continue
        for child in token.children or ():
            target = str(child.attrGet("href") or child.attrGet("src") or "")
            why = _fault(target, file, anchors)
            if why:
                yield token.map[0] + 1 + offset, f"{visible(target, 120)}: {why}"


def _without_front_matter(text: str) -> str:
    match = re.match(r"---[ \t]*\n.*?^(?:---|\.\.\.)[ \t]*$\n?", text, re.DOTALL | re.MULTILINE)
    return text[match.end() :] if match else text


def _fault(target: str, file: Path, anchors: set[str]) -> str:
    try:
        parts = urlsplit(target)
    except ValueError:
        return "it is not an address"
    if not target or parts.scheme or parts.netloc:
        return ""
    path = unquote(parts.path)
    if "\0" in path:
        return "it is not a path"
    if not path:
        return "" if parts.fragment.lower() in anchors or not parts.fragment else "there is no such heading"
    if path.startswith("/"):
        return ""  # from the root of a site that is not known here
    try:
        return "" if (file.parent / path).exists() else "there is no such file"
    except OSError:
        return "it is not a path"


def _anchors(tokens: list[Token]) -> Iterator[str]:
    """The names that GitHub gives to headings."""
    seen: dict[str, int] = {}
    for index, token in enumerate(tokens):
        if token.type == "heading_open":
            words = tokens[index + 1].content.strip().lower()
            name = _NOT_IN_ANCHORS.sub("", words).replace(" ", "-")
            count = seen.get(name, 0)
            seen[name] = count + 1
            yield f"{name}-{count}" if count else name
