"""What sounds or looks like a secret among the words of a command, and is not repeated.

Invariant: a value behind a name that sounds like a secret is replaced (`--password=x`, `--token x`,
`API_KEY=x`, also inside a line for a shell), and so is a word that looks like one whatever its name.
The time it takes grows with the length of the text, and no text is looked at beyond a limit.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

HIDDEN = "«hidden»"
SECRET_NAMES = (
    r"passw|passphrase|passcode|(?<![a-z])pass(?![a-z])|secret|token|credential|authorization"
    r"|(?:api|private|access|signing|encryption|master|session|cookie)[-_]?key|connection[-_]?string|dsn"
)
_MOST_CHARACTERS = 8192  # what is longer is cut: nobody shows so much
_SOUNDS = re.compile(rf"(?i){SECRET_NAMES}")
_LOOKS = re.compile(
    r"://[^/\s:@]*:[^/\s@]+@"  # a URL with a password
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----"
    r"|(?<![\w-])eyJ[\w-]{8,}+\.[\w-]{8,}"  # a JSON web token
    r"|(?i:\b(?:bearer|basic))[ :]+(?=[\w.~+/=-]{0,99}\d)[\w.~+/=-]{8,}"  # a header
    # what services give out: AWS, GitHub, GitLab, Slack, OpenAI and alike, Hugging Face, Google
    r"|\bA[KS]IA[A-Z0-9]{16}\b|\bgh[pousr]_\w{20,}|\bgithub_pat_\w{20,}|\bglpat-[\w-]{16,}"
    r"|\bxox[a-z]-[\w-]{10,}|hooks\.slack\.com/services/\w|\bsk-(?:\w{2,8}-)?[A-Za-z0-9_]{20,}"
    r"|\bhf_[A-Za-z0-9]{20,}|\bAIza[\w-]{30,}"
)
_NAME = re.compile(r"[-\w.]+")
_VALUE = re.compile(r"\"[^\"]*\"|'[^']*'|[^\s;&|'\"]+")


def sounds_secret(name: str) -> bool:
    """Whether what has this name is to be hidden."""
    return bool(_SOUNDS.search(name))


def looks_secret(value: str) -> bool:
    """Whether this is to be hidden whatever its name."""
    return bool(_LOOKS.search(value))


def hide_word(word: str, before: str = "") -> str:
    """One word of a command as it may be shown; `before` is the word before it."""
    text = word if len(word) <= _MOST_CHARACTERS else word[:_MOST_CHARACTERS] + "…"
    if looks_secret(text) or (_is_option(before) and not text.startswith("-")):
        return HIDDEN
    name = _NAME.match(text)
    if name is not None and sounds_secret(name[0]) and text[name.end() : name.end() + 1] == "=":
        return f"{name[0]}={HIDDEN}" if text[name.end() + 1 :] else text
    return "".join(_hidden_inside(text))


def hide_words(words: Sequence[str]) -> tuple[str, ...]:
    """The words of a command as they may be shown."""
    return tuple(hide_word(word, before) for before, word in zip(("", *words), words, strict=False))


def _is_option(word: str) -> bool:
    """`--token`, whose value is the next word."""
    return word.startswith("-") and _NAME.fullmatch(word) is not None and sounds_secret(word)


def _hidden_inside(text: str) -> Iterator[str]:
    """A line for a shell, piece by piece."""
    told = 0
    for name in _NAME.finditer(text):
        if name.start() < told or not sounds_secret(name[0]):
            continue
        after = text[name.end() :]
        gap = 1 if after.startswith("=") else len(after) - len(after.lstrip()) if name[0][0] == "-" else 0
        value = _VALUE.match(text, name.end() + gap) if gap else None
        if value is not None and not (text[name.end()] != "=" and value[0].startswith("-")):
            yield text[told : value.start()] + HIDDEN
            told = value.end()
    yield text[told:]
