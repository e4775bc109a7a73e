"""The parts of a post-mortem that people write, each between two comments that no reader sees.

Invariant: a part is found only where both its comments stand alone on a line, once, outside code; text whose
parts cannot all be found has none, so nothing of it is ever taken for maestro's own.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

PLACEHOLDER = "TODO(owner)"
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_MARK = re.compile(r"<!-- (write|end): ([a-z-]{1,40}) -->")


def part(name: str, lines: Iterable[str]) -> Iterator[str]:
    """A part with what is in it until somebody writes."""
    yield f"<!-- write: {name} -->"
    yield from lines
    yield f"<!-- end: {name} -->"


def prose_lines(markdown: str) -> Iterator[tuple[int, str]]:
    """Number (from 1) and text of each line that is not code, the fences themselves left out."""
    fence = ""
    for number, line in enumerate(markdown.split("\n"), 1):
        match = _FENCE.match(line)
        if fence:
            if match and match[1][0] == fence[0] and len(match[1]) >= len(fence):
                fence = ""
        elif match:
            fence = match[1]
        else:
            yield number, line


def parts(markdown: str) -> Mapping[str, str] | None:
    """What stands in each part; None when the comments are not one pair a part."""
    spans = _spans(markdown)
    lines = markdown.split("\n")
    return None if spans is None else {name: "\n".join(lines[a:b]) for name, (a, b) in spans.items()}


def _spans(markdown: str) -> Mapping[str, tuple[int, int]] | None:
    """Index of the first line of each part and of the comment that ends it."""
    found: dict[str, tuple[int, int]] = {}
    name, start = "", 0
    for number, line in prose_lines(markdown):
        match = _MARK.fullmatch(line)
        if match is None:
            continue
        if match[1] == "write":
            if name or match[2] in found:
                return None
            name, start = match[2], number
        else:
            if match[2] != name:
                return None
            found[name], name = (start, number - 1), ""
    return None if name else found


def skeleton(markdown: str) -> str | None:
    """SHA-256 (hex) of all that maestro wrote: the text without what is in the parts. None without parts."""
    emptied = with_parts(markdown, dict.fromkeys(parts(markdown) or {}, ""))
    return None if not emptied else hashlib.sha256(emptied.encode("utf-8", "replace")).hexdigest()


def with_parts(markdown: str, written: Mapping[str, str]) -> str | None:
    """The text with other words in its parts; None where it lacks one of them."""
    spans = _spans(markdown)
    if spans is None or not written or not set(written) <= set(spans):
        return None
    lines: Sequence[str] = markdown.split("\n")
    out: list[str] = []
    at = 0
    for name, (first, last) in sorted(spans.items(), key=lambda item: item[1]):
        words = written.get(name, "\n".join(lines[first:last]))
        out += [*lines[at:first], *([words] if words else [])]
        at = last
    return "\n".join([*out, *lines[at:]])


def without_marks(markdown: str) -> str:
    """The text as its readers see it."""
    marked = {number for number, line in prose_lines(markdown) if _MARK.fullmatch(line)}
    return "\n".join(line for number, line in enumerate(markdown.split("\n"), 1) if number not in marked)


def sections_to_fill(markdown: str) -> int:
    """How many lines outside code blocks still hold the placeholder."""
    return sum(PLACEHOLDER in line for _, line in prose_lines(markdown))
