"""Where a text is found in a line. Pure; a plain text, no expression: lines are hostile."""

from __future__ import annotations

_MOST = 200  # matches of one line that are highlighted


def is_match(line: str, needle: str) -> bool:
    """In any case, unless the needle has capitals."""
    return needle in _as_searched(line, needle)


def found_in(line: str, needle: str) -> list[tuple[int, int]]:
    """Where it is, as ranges of characters that do not overlap."""
    if not needle:
        return []
    text = _as_searched(line, needle)
    found: list[tuple[int, int]] = []
    at = text.find(needle)
    while at >= 0 and len(found) < _MOST:
        found.append((at, at + len(needle)))
        at = text.find(needle, at + len(needle))
    return found


def _as_searched(line: str, needle: str) -> str:
    """The line in the case that is searched, character by character the same length."""
    if needle != needle.lower():
        return line
    text = line.lower()
    if len(text) == len(line):
        return text
    return "".join(small if len(small := one.lower()) == 1 else one for one in line)
