"""Text that an attacker may have written.

Invariant: `Untrusted` travels unchanged, and reaches a screen or a document only through `visible`
(one line) or `visible_block` (lines kept). It is never markup, never part of a shell line.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
_REMEMBERED = 4096  # code points whose glyph is

# First and last code point of what no reader sees or what reorders the line. Python's tables know most of
# it as Cf; the others are letters and marks without a picture (Hangul fillers, variation selectors, …).
_UNSEEN = (
    (0x00AD, 0x00AD), (0x034F, 0x034F), (0x0600, 0x0605), (0x061C, 0x061C), (0x06DD, 0x06DD),
    (0x070F, 0x070F), (0x0890, 0x0891), (0x08E2, 0x08E2), (0x115F, 0x1160), (0x17B4, 0x17B5),
    (0x180B, 0x180F), (0x200B, 0x200F), (0x2028, 0x202E), (0x2060, 0x206F), (0x2800, 0x2800),
    (0x3164, 0x3164), (0xFE00, 0xFE0F), (0xFEFF, 0xFEFF), (0xFFA0, 0xFFA0), (0xFFF9, 0xFFFB),
    (0x110BD, 0x110BD), (0x110CD, 0x110CD), (0x13430, 0x1343F), (0x1BCA0, 0x1BCA3),
    (0x1D159, 0x1D159), (0x1D173, 0x1D17A), (0xE0000, 0xE0FFF),
)  # fmt: skip
_INVISIBLE = {code for first, last in _UNSEEN for code in range(first, last + 1)}

# What JSON and YAML allow raw but a terminal or a reader should not meet: DEL and C1 controls, lone
# surrogates, bidi and invisible characters. Writers of those formats escape each match.
UNSAFE = re.compile(
    "[\x7f-\x9f\ud800-\udfff" + "".join(f"{chr(first)}-{chr(last)}" for first, last in _UNSEEN) + "]"
)


class Untrusted(str):
    """A string from a label, log, event, file name or model answer."""

    __slots__ = ()


class CharacterTable(dict[int, T]):
    """What is made of a code point, made when it is first met; for `str.translate`. It stays small."""

    def __init__(self, make: Callable[[int], T]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, code: int) -> T:
        if len(self) >= _REMEMBERED:
            self.clear()
        made = self[code] = self._make(code)
        return made


def _glyph(code: int) -> str | int:
    if code < 0x20:
        return chr(0x2400 + code)  # control pictures: ESC becomes ␛
    if code == 0x7F:
        return "␡"
    if code in _INVISIBLE or unicodedata.category(chr(code)) in {"Cc", "Cf", "Cs", "Co", "Cn"}:
        return f"<U+{code:04X}>"
    return code


_GLYPHS = CharacterTable(_glyph)


def visible(text: str, limit: int | None = None) -> str:
    """One line in which escape, control, bidi and zero-width characters show as glyphs.

    With a limit, what is shown is at most that long; a longer one is cut and ends in `…`.
    """
    whole = text
    if limit is not None:
        text = text[: limit + 1]  # each character shows as at least one: more can never fit
    if not (text.isascii() and text.isprintable()):
        text = text.translate(_GLYPHS)
    if limit is None or len(text) <= limit >= len(whole):
        return text
    return text[: max(limit - 1, 0)] + "…"


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
