"""A log line is coloured by its tokens, and stays the text that it is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maestro_cli.tui.text import plain_text, shown_line
from maestro_cli.tui.widgets.log_colours import json_spans, log_spans


def test_json_is_coloured_by_its_tokens() -> None:
    assert json_spans('{"n": -1.5e3, "ok":true}') == (
        ("{", ""),
        ('"n"', "key"),
        (":", ""),
        (" ", ""),
        ("-1.5e3", "number"),
        (", ", ""),
        ('"ok"', "key"),
        (":", ""),
        ("true", "literal"),
        ("}", ""),
    )


@pytest.mark.parametrize(
    ("line", "tone"),
    [
        ('{"level":"ERROR"}', "bad"),
        ('{"severity": "warning"}', "warn"),
        ('{"level":"info"}', "string"),
        ('{"name":"error"}', "string"),
    ],
    ids=["error", "warning", "info", "another key"],
)
def test_the_level_of_a_json_line_has_its_tone(line: str, tone: str) -> None:
    assert log_spans(line)[-2][1] == tone


@pytest.mark.parametrize(
    ("line", "word", "tone"),
    [
        ("12:00 ERROR no route", "ERROR", "bad"),
        ("WARNING: slow", "WARNING", "warn"),
        ("E0102 15:04:05.000 x.go:1] failed", "E0102", "bad"),
        ("W0102 15:04:05.000 x.go:1] slow", "W0102", "warn"),
    ],
)
def test_a_word_that_names_a_level_has_its_tone(line: str, word: str, tone: str) -> None:
    assert (word, tone) in log_spans(line)
    assert plain_text(log_spans(line)) == line


def test_ordinary_words_have_no_tone() -> None:
    assert log_spans("an errorless line with ERRORS") == (("an errorless line with ERRORS", ""),)
    assert log_spans("") == ()


def test_a_prefix_before_json_stays_plain() -> None:
    assert log_spans('app | {"a":1}')[0] == ("app | ", "")


def test_strings_without_an_end_cost_one_pass() -> None:
    """Tried from each start, this would take minutes."""
    line = '{"a":' + '"\\' * 50_000 + "}"
    assert plain_text(log_spans(line)) == shown_line(line)


@given(st.text(st.sampled_from('{}[]":,\\ 019.-eE+truefalsn\x1b\u202eWEORN日')))
def test_colours_add_nothing_and_lose_nothing(line: str) -> None:
    assert plain_text(log_spans(line)) == shown_line(line)
    assert plain_text(log_spans("{" + line + "}")) == shown_line("{" + line + "}")
