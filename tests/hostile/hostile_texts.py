"""Ten thousand texts that somebody may have meant badly, always the same ones."""

from __future__ import annotations

import random
import unicodedata
from functools import cache

from tests.hostile.output.test_hostile_output import ATTACKS

COUNT = 10_000
_LONG = 20  # of 100 kB each
_FRAGMENTS = (
    *(text for text in ATTACKS.values() if len(text) < 1000),
    "[@click=app.quit]", "[@click='app.bell']x[/]", "[/]", "[/red]", "[type=x, v={'a[0]'}]", "[[", "\\[",
    "[link=http://evil.example]x[/link]", "[bold not italic on red]", "[$error]", "\x1b[?1049h",
    "\x1bP+q544e\x1b\\", "\x1b]52;c;ZXZpbA==\x07", "\x1b[6n", "\x9b6n", "\x1bc", "\x0e", "\u2028", "\u2029",
    "\u200d", "\ufe0f", "\u0301", "👩\u200d👩\u200d👧\u200d👦", "👍\U0001f3fd", "\U0001f1e9\U0001f1ea",
    "1\ufe0f\u20e3", "日本語", "ｆｕｌｌ", "\u1112\u1161\u11ab", "नमस्ते", "สวัสดี", "שלום", "\u0601",
    '{"level":"error"}', "- key: [", "```", "+++", "@@ -1 @@", "\t", "\r\n", " ", "ERROR", "name: ", "# ",
    "> ", '"', "\\", "-", "0",
)  # fmt: skip


@cache
def hostile_texts() -> tuple[str, ...]:
    chance = random.Random(20261126)
    made = [_text(chance) for _ in range(COUNT - _LONG)]
    made += [(_text(chance) or "x") * 100_000 for _ in range(_LONG)]
    return tuple(text[:100_000] for text in made)


def _text(chance: random.Random) -> str:
    parts = []
    for _ in range(chance.randint(0, 8)):
        kind = chance.random()
        if kind < 0.6:
            parts.append(chance.choice(_FRAGMENTS))
        elif kind < 0.8:
            parts.append("".join(chr(_code(chance)) for _ in range(chance.randint(1, 12))))
        else:
            parts.append(chance.randbytes(chance.randint(1, 24)).decode(errors="surrogateescape"))
    return "".join(parts)


def _code(chance: random.Random) -> int:
    """Any code point, halves of pairs too; the first planes as often as all others."""
    return chance.randrange(0x300) if chance.random() < 0.3 else chance.randrange(0x110000)


@cache
def is_dangerous(character: str) -> bool:
    """What a terminal would obey or hide, by Python's tables."""
    return unicodedata.category(character) in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
