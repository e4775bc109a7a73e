"""What a log line says first: its level, its message, then the rest. Pure, linear in the line, bounded.

Invariant: nothing of a line is lost but its own time and the names of level and message; what stays of its
JSON stays as it was written. A line that is no such object stays as it is.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from maestro_cli.tui.text import Spans, shown_line
from maestro_cli.tui.widgets.log_colours import LEVELS, json_spans, log_spans

_MOST = 8000  # characters of a line that is read as JSON
_MESSAGES = ("message", "msg", "event", "error", "exception")  # by what it is worth
_LEVEL_NAMES = frozenset({"level", "lvl", "severity", "levelname", "log.level"})
_TIMES = frozenset({"time", "ts", "timestamp", "@timestamp", "asctime"})
_LEVEL = re.compile(r"[A-Za-z]{1,12}")
_OWN_TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d)? +")
_RANDOM_END = re.compile(r"-([a-z0-9]{5})$")  # what a controller gives its pods
_BLANKS = re.compile(r"[ \t\r\n]*")
_DECODER = json.JSONDecoder()


@dataclass(frozen=True, slots=True)
class LogWords:
    """`error`, `inference failed`, `{"status": 500}`; each may be empty."""

    level: str = ""
    message: str = ""
    rest: str = ""

    @property
    def text(self) -> str:
        return " ".join(part for part in (self.level, self.message, self.rest) if part)


def log_words(line: str) -> LogWords:
    """A raw line, told without its own time."""
    stripped = line.strip()
    parts = _members(stripped) if stripped.startswith("{") and len(stripped) <= _MOST else None
    if parts is None:
        return LogWords(message=line[own.end() :] if (own := _OWN_TIME.match(line)) else line)
    values = {key: value for key, value, _ in parts}
    level = next((key for key in values if key.lower() in _LEVEL_NAMES and _is_level(values[key])), None)
    message = next((key for key in _MESSAGES if isinstance(values.get(key), str) and values[key]), None)
    if level is None and message is None:
        return LogWords(message=line)
    gone = {level, message, *(key for key in values if key.lower() in _TIMES)}
    rest = ", ".join(raw for key, _, raw in parts if key not in gone)
    return LogWords(
        str(values[level]) if level is not None else "",
        str(values[message]) if message is not None else "",
        f"{{{rest}}}" if rest else "",
    )


def _is_level(value: object) -> bool:
    return isinstance(value, str) and _LEVEL.fullmatch(value) is not None


def _members(text: str) -> list[tuple[str, object, str]] | None:
    """Name, value and raw text of each member of a JSON object; None for what is no object, or has a name
    twice."""
    found: list[tuple[str, object, str]] = []
    at = _past_blanks(text, 1)
    try:
        while text[at] != "}" or found:
            start = at
            key, at = _DECODER.raw_decode(text, at)
            at = _past_blanks(text, at)
            if not isinstance(key, str) or text[at] != ":":
                return None
            value, at = _DECODER.raw_decode(text, _past_blanks(text, at + 1))
            found.append((key, value, text[start:at]))
            at = _past_blanks(text, at)
            if text[at] == "}":
                break
            if text[at] != ",":
                return None
            at = _past_blanks(text, at + 1)
    except (ValueError, IndexError, RecursionError):
        return None
    is_whole = at == len(text) - 1 and len({key for key, _, _ in found}) == len(found)
    return found if is_whole else None


def _past_blanks(text: str, at: int) -> int:
    found = _BLANKS.match(text, at)
    return at if found is None else found.end()


def words_spans(words: LogWords) -> Spans:
    """These words in tones; their text is `shown_line(words.text)`."""
    if not words.level and not words.rest:
        return log_spans(words.text)
    text = shown_line(words.text)
    head = shown_line(" ".join(part for part in (words.level, words.message) if part))
    level, after = text[: len(words.level)], text[len(words.level) :]
    spans = [(level, LEVELS.get(level.lower(), "key"))] if level else []
    if words.rest and text.startswith(head + " "):
        tail = text[len(head) :]
        return (*spans, *_plain(after[: len(after) - len(tail)]), *json_spans(tail))
    return (*spans, *_plain(after))


def _plain(text: str) -> Spans:
    return ((text, ""),) if text else ()


def short_name(pod: str) -> str:
    """`fraud-547bgn6cmg-q4twv` as `q4twv`; a name that no controller made up as it is."""
    found = _RANDOM_END.search(pod)
    return found[1] if found else pod
