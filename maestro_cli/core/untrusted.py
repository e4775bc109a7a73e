"""Text that an attacker may have written.

Invariant: `Untrusted` travels unchanged, and reaches a screen or a document only through `visible`
(one line) or `visible_block` (lines kept). It is never markup, never part of a shell line.
"""

from __future__ import annotations

import re
import unicodedata

_KEEP = {" "}
_BIDI_AND_INVISIBLE = {
    *range(0x200B, 0x2010), *range(0x2028, 0x202F), *range(0x2060, 0x2070), *range(0xFE00, 0xFE10),
    0x00AD, 0x034F, 0x061C, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x180E, 0x3164, 0xFEFF, 0xFFA0,
    *range(0xFFF9, 0xFFFC), *range(0xE0000, 0xE0200),
}  # fmt: skip


class Untrusted(str):
    """A string from a label, log, event, file name or model answer."""

    __slots__ = ()


def _glyph(character: str) -> str:
    code = ord(character)
    if character in _KEEP:
        return character
    if code < 0x20:
        return chr(0x2400 + code)  # control pictures: ESC becomes ␛
    if code == 0x7F:
        return "␡"
    if code in _BIDI_AND_INVISIBLE or unicodedata.category(character) in {"Cc", "Cf", "Cs", "Co", "Cn"}:
        return f"<U+{code:04X}>"
    return character


def visible(text: str, limit: int | None = None) -> str:
    """One line in which escape, control, bidi and zero-width characters show as glyphs.

    With a limit, a longer text is cut and ends in `…`.
    """
    if limit is not None and len(text) > limit:
        text = text[: max(limit - 1, 0)]
        return "".join(map(_glyph, text)) + "…"
    return "".join(map(_glyph, text))


def visible_block(text: str, limit_lines: int | None = None) -> str:
    """Like `visible`, with line breaks and tabs (as spaces) kept."""
    lines = text.replace("\r\n", "\n").replace("\t", "    ").split("\n")
    dropped = 0
    if limit_lines is not None and len(lines) > limit_lines:
        dropped = len(lines) - limit_lines
        lines = lines[:limit_lines]
    shown = "\n".join(visible(line) for line in lines)
    return f"{shown}\n… {dropped} lines not shown" if dropped else shown


_MARKDOWN = set("\\`*_{}[]<>()#+!|~&$@")
_AUTOLINK = re.compile(r"(?i)(?<=[a-z0-9+.-]):(?=//)|(?<=www)\.|(?<=mailto):|(?<=xmpp):")


def markdown_text(text: str, limit: int | None = None) -> str:
    """`visible` text that Markdown and HTML render as it is: no link, tag, emphasis or table cell."""
    escaped = "".join(f"\\{c}" if c in _MARKDOWN else c for c in visible(text, limit))
    return _AUTOLINK.sub(lambda match: f"\\{match[0]}", escaped)  # GitHub links bare addresses


def markdown_code(text: str, limit_lines: int | None = None) -> str:
    """A fenced block that its content cannot close."""
    body = visible_block(text, limit_lines)
    longest = run = 0
    for character in body:
        run = run + 1 if character == "`" else 0
        longest = max(longest, run)
    fence = "`" * max(3, longest + 1)
    return f"{fence}text\n{body}\n{fence}"
