"""The tones of YAML, Markdown and diffs, line by line. Pure, linear in the line; markup is never obeyed.

Invariant: the text is what `shown_line` makes of the line; only tones are added.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from maestro_cli.tui.text import Span, Spans, shown_line
from maestro_cli.tui.widgets.log_colours import json_spans

MOST_LINES = 50_000
_COLOURED = 1000  # characters in which the key of a line ends
_YAML_KEY = re.compile(
    r"(?P<lead>[ ]*(?:- +)*)(?P<key>[^\s:#\"'{\[&*!|>%@`-][^:#]*|\"[^\"]*\"|'[^']*')(?P<colon>:)(?=\s|$)"
)
_YAML_LITERAL = re.compile(r"(?:true|false|null|yes|no|on|off|~)$", re.IGNORECASE)
_YAML_NUMBER = re.compile(r"[-+]?[0-9][0-9_.eE+-]*(?:m|[KMGTPE]i?)?$")
_HEADING = re.compile(r" {0,3}#{1,6}(?:\s|$)")
_FENCE = re.compile(r" {0,3}(?:```|~~~)")
_QUOTE = re.compile(r" {0,3}>")
_ITEM = re.compile(r"\s*(?:[-*+]|[0-9]{1,9}[.)])\s")


def source_lines(text: str, kind: str) -> list[Spans]:
    """A text of kind yaml, json, markdown or diff in tones; any other kind has none."""
    lines = text.replace("\r\n", "\n").split("\n")
    if lines and not lines[-1]:
        lines.pop()
    made = list(_coloured(lines[:MOST_LINES], kind))
    if len(lines) > MOST_LINES:
        made.append(((f"… {len(lines) - MOST_LINES:,} lines not shown", "gap"),))
    return made


def _coloured(lines: list[str], kind: str) -> Iterator[Spans]:
    if kind == "markdown":
        yield from _markdown(lines)
        return
    colour = _BY_KIND.get(kind, _plain)
    for line in lines:
        yield colour(shown_line(line))


def yaml_spans(line: str) -> Spans:
    """One shown line of YAML: key, value, comment."""
    bare = line.lstrip()
    if bare.startswith("#"):
        return ((line, "comment"),)
    if bare in ("---", "..."):
        return ((line, "dim"),)
    match = _YAML_KEY.match(line, 0, _COLOURED)
    if match is None:
        lead = len(line) - len(bare)
        while bare.startswith("- "):
            lead, bare = lead + 2, bare[2:]
        return _filled([(line[:lead], ""), *_value(line[lead:])])
    return _filled([(match["lead"], ""), (match["key"], "key"), (":", "dim"), *_value(line[match.end() :])])


def _value(text: str) -> list[Span]:
    at = text.find(" #")
    quoted = text.lstrip()[:1] in ("'", '"')
    body, comment = (text, "") if at < 0 or quoted else (text[:at], text[at:])
    bare = body.strip()
    if quoted:
        tone = "string"
    elif len(bare) > 100:
        tone = ""
    else:
        tone = "literal" if _YAML_LITERAL.match(bare) else "number" if _YAML_NUMBER.match(bare) else ""
    return [(body, tone), (comment, "comment")]


def diff_spans(line: str) -> Spans:
    """One shown line of a unified diff; its sign stays, so that colour is not needed."""
    if line.startswith(("+++", "---", "diff ", "index ")):
        return _plain(line, "dim")
    tones = {"+": "good", "-": "bad", "@": "key"}
    return _plain(line, tones.get(line[:1], ""))


def _markdown(lines: list[str]) -> Iterator[Spans]:
    """Headings, fences, quotes and items; a fence goes on until it ends."""
    is_fenced = False
    for raw in lines:
        line = shown_line(raw)
        if _FENCE.match(line):
            is_fenced = not is_fenced
            yield _plain(line, "dim")
        elif is_fenced:
            yield _plain(line, "string")
        elif _HEADING.match(line):
            yield _plain(line, "title")
        elif _QUOTE.match(line):
            yield _plain(line, "comment")
        elif match := _ITEM.match(line):
            yield _filled([(match[0], "key"), (line[match.end() :], "")])
        else:
            yield _plain(line)


def _plain(line: str, tone: str = "") -> Spans:
    return ((line, tone),) if line else ()


def _filled(spans: list[Span]) -> Spans:
    return tuple(span for span in spans if span[0])


_BY_KIND: dict[str, Callable[[str], Spans]] = {"yaml": yaml_spans, "json": json_spans, "diff": diff_spans}
