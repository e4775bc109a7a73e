"""Any text becomes one PromQL literal."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maestro_cli.core.promql import promql_regex, promql_selector, promql_string

_TOKEN = re.compile(r'\\(?:x[0-9a-f]{2}|[\\"nrt])|[^\\"\n]')


def unquoted(literal: str) -> str:
    """Go's strconv.Unquote, for the escapes that are written."""
    assert literal[0] == literal[-1] == '"'
    body, out, place = literal[1:-1], [], 0
    while place < len(body):
        match = _TOKEN.match(body, place)
        assert match is not None, body[place:]
        token = match.group()
        if token.startswith("\\x"):
            out.append(chr(int(token[2:], 16)))
        else:
            out.append({"\\\\": "\\", '\\"': '"', "\\n": "\n", "\\r": "\r", "\\t": "\t"}.get(token, token))
        place = match.end()
    return "".join(out)


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_a_literal_reads_back(text: str) -> None:
    assert unquoted(promql_string(text)) == text


@given(st.text(st.characters(max_codepoint=0x7E, min_codepoint=0x20)))
def test_a_regex_matches_its_text_alone(text: str) -> None:
    pattern = unquoted(promql_regex(text))
    assert re.fullmatch(pattern, text)
    assert not re.fullmatch(pattern, text + "x")


def test_a_lone_surrogate_becomes_the_replacement_character() -> None:
    assert promql_string("a\ud800") == '"a\ufffd"'


def test_a_selector_refuses_names_that_are_not_names() -> None:
    assert promql_selector("up", {"b": "2", "a": "1"}, extra='c=~"5.."') == 'up{a="1",b="2",c=~"5.."}'
    for metric, label in (("up}", "a"), ("up", "a=b"), ("", "a"), ("up", "")):
        with pytest.raises(ValueError, match="is not a"):
            promql_selector(metric, {label: "x"})
