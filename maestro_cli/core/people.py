"""Who is who. Invariant: a name written another way, or in letters that look alike, is no second person."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from itertools import chain, groupby

# small letters, and what in Latin looks like each: Unicode TS 39, confusables.txt, for the scripts that are
# nearest to it; and the two digits that are taken for letters
_CYRILLIC = (
    "\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0456\u0458\u0455\u0501\u051b\u051d\u04bb\u043a\u043c"
    "\u0442\u0432\u043d\u0433\u0475\u044c\u04cf\u043f\u0438",
    "aeopcyxljsdqwhkmtbhrvblnu",
)
_GREEK = (
    "\u03b1\u03bf\u03c1\u03bd\u03c5\u03b9\u03ba\u03c7\u03b3\u03f2\u03f3\u03c4\u03b5\u03b7\u03bc\u03b2\u03c3",
    "aopvulkxycjtenubo",
)
_ARMENIAN = ("\u0585\u057d\u0578\u0570\u0581\u0566\u0584", "ounhgqp")
_LATIN = ("\u0251\u0261\u0131\u026910i", "aglllol")  # I, l and 1 are one
_LOOKS = str.maketrans(*map("".join, zip(_CYRILLIC, _GREEK, _ARMENIAN, _LATIN, strict=True)))
# scripts that one language is written in together
_TOGETHER = {"HIRAGANA": "CJK", "KATAKANA": "CJK", "HANGUL": "CJK", "BOPOMOFO": "CJK"}
_UNSEEN = ("Cf", "Cc")
# Default_Ignorable_Code_Point of Unicode, whole as it is reserved, and the blank pattern of Braille: no mark
# is drawn
_IGNORED = frozenset(
    chain(
        map(chr, (0xAD, 0x34F, 0x61C, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2800, 0x3164, 0xFEFF, 0xFFA0)),
        *(
            map(chr, range(first, last + 1))
            for first, last in (
                (0x180B, 0x180F), (0x200B, 0x200F), (0x202A, 0x202E), (0x2060, 0x206F), (0xFE00, 0xFE0F),
                (0xFFF0, 0xFFF8), (0x1BCA0, 0x1BCA3), (0x1D173, 0x1D17A), (0xE0000, 0xE0FFF),
            )
        ),
    )
)  # fmt: skip
_LETTERS = ("Lu", "Ll", "Lt", "Lo")  # modifiers are of no script


@dataclass(frozen=True, slots=True)
class Who:
    """A name, and as whom the cluster knows them by their credentials; empty where nothing tells."""

    name: str
    identity: str = ""


def is_same_person(one: str, other: str) -> bool:
    """Whether two names may be of one person: whatever their case, spaces around them, form of letters, and
    letters of another script that look like theirs.
    """
    return _plain(one) == _plain(other)


def why_no_name(name: str) -> str:
    """Why a name tells nobody: it has what is not seen, or letters of two scripts in one word, which may look
    like any other; else empty.
    """
    if any(_is_unseen(one) for one in name):
        return f"{name!a} has characters that are not seen"
    for word in unicodedata.normalize("NFKC", name).split():
        for is_letters, letters in groupby(filter(_is_of_a_word, word), _is_letter):
            scripts = {_script(letter) for letter in letters if is_letters}
            if len(scripts) <= 1:
                continue
            return f"{name} has letters of {' and '.join(sorted(one.title() for one in scripts))} in one word"
    return ""


def why_no_second(first: Who, second: Who) -> str:
    """Why the second is not taken for somebody else than the first, as the second is told; else empty."""
    if is_same_person(first.name, second.name):
        written = "" if first.name == second.name else f" ({first.name} and {second.name} read the same)"
        return f"you are {second.name}, who asked for it{written}"
    if why := why_no_name(second.name):
        return why
    if second.identity and second.identity == first.identity:
        return f"you and {first.name} use the same credentials, those of {second.identity}"
    if first.identity and not second.identity:
        return f"{first.name} is {first.identity} to the cluster, and nothing tells who you are to it"
    return ""


def _plain(name: str) -> str:
    seen = "".join(one for one in name if not _is_unseen(one))
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", seen).casefold())
    return " ".join(folded.translate(_LOOKS).split())


def _is_unseen(character: str) -> bool:
    is_format = unicodedata.category(character) in _UNSEEN and not character.isspace()
    return is_format or character in _IGNORED


def _is_of_a_word(character: str) -> bool:
    """Marks stand on letters, and part none."""
    return not unicodedata.category(character).startswith("M")


def _is_letter(character: str) -> bool:
    return unicodedata.category(character) in _LETTERS


def _script(letter: str) -> str:
    """By the first word of its name, which is that of its script; `CJK` for those of East Asia."""
    first = unicodedata.name(letter, "?").split()[0]
    return _TOGETHER.get(first, first)
