"""The tones of a log line: JSON by its tokens, words that name a level. Pure, linear in the line, bounded.

Invariant: the text is what `shown_line` makes of the line; only tones are added.
"""

from __future__ import annotations

import re

from maestro_cli.tui.text import Span, Spans, overlaid, shown_line

_COLOURED = 4096  # characters of a line that are looked at
# A string without its end goes to the end of the line, so that no start is tried twice.
_TOKEN = re.compile(
    r'(?P<string>"(?:[^"\\]|\\.)*+"?)(?P<colon>\s*:)?'
    r"|(?P<number>-?\b[0-9][0-9.eE+-]*)|(?P<literal>\b(?:true|false|null)\b)"
)
_LEVEL_KEYS = {'"level"', '"lvl"', '"severity"', '"levelname"', '"log.level"'}
LEVELS = {  # the tone of a level, by its name in small letters
    **dict.fromkeys(("error", "err", "fatal", "critical", "panic", "emergency", "alert"), "bad"),
    **dict.fromkeys(("warn", "warning"), "warn"),
}
_WORD = re.compile(r"\b(?:ERROR|FATAL|CRITICAL|PANIC|WARN(?:ING)?|Traceback)\b")
_KLOG = re.compile(r"[EFW][0-9]{4} ")  # E0102 15:04:05.000 of Kubernetes' own programs
_LOOKED_FOR_LEVEL = 200  # characters in which a level is looked for


def log_spans(line: str) -> Spans:
    """A shown line in tones."""
    text = shown_line(line)
    start = text.find("{")
    if start >= 0 and text.rstrip().endswith("}"):
        return (*_plain(text[:start]), *json_spans(text[start:]))
    return _plain(text)


def json_spans(text: str) -> Spans:
    """Shown JSON, or what looks like it, by its tokens."""
    done: list[Span] = []
    at = 0
    key = ""
    for match in _TOKEN.finditer(text, 0, _COLOURED):
        if match.start() > at:
            done.append((text[at : match.start()], ""))
        at = match.end()
        if match["colon"]:
            key = match["string"].lower()
            done += [(match["string"], "key"), (match["colon"], "")]
            continue
        tone = match.lastgroup or ""
        if key in _LEVEL_KEYS and tone == "string":
            tone = LEVELS.get(match[0].strip('"').lower(), tone)
        key = ""
        done.append((match[0], tone))
    if at < len(text):
        done.append((text[at:], ""))
    return tuple(done)


def _plain(text: str) -> Spans:
    if not text:
        return ()
    if _KLOG.match(text):
        return overlaid([(text, "")], [(0, 5)], "warn" if text[0] == "W" else "bad")
    word = _WORD.search(text, 0, _LOOKED_FOR_LEVEL)
    if word is None:
        return ((text, ""),)
    return overlaid([(text, "")], [word.span()], "warn" if word[0].startswith("WARN") else "bad")
