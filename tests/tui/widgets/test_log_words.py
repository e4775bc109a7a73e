"""A log line is told by its level and its message first, and loses nothing but its own time."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maestro_cli.tui.text import plain_text, shown_line
from maestro_cli.tui.widgets.log_words import LogWords, log_words, short_name, words_spans

LINE = (
    '{"time": "2026-11-26T03:00:00.123456Z", "level": "error", "message": "inference failed",'
    ' "status": 5.0e2, "who": {"a": [1, "}"]}}'
)


def test_level_and_message_come_first_and_the_rest_stays_as_it_was_written() -> None:
    rest = '{"status": 5.0e2, "who": {"a": [1, "}"]}}'
    assert log_words(LINE) == LogWords("error", "inference failed", rest)
    assert log_words('{"ts":1,"msg":"up"}').text == "up"
    assert words_spans(log_words(LINE))[0] == ("error", "bad")
    assert ('"status"', "key") in words_spans(log_words(LINE))


@pytest.mark.parametrize(
    "line",
    [
        "listening on :8080", '{"a": 1}', '{"level": {"a": 1}, "x": 2}', '{"level": "info"', "{}", "",
        '{"level": "info"} and more', '{"level": "info", "level": "error"}', '{"message": ""}',
        "[" * 4000, '{"message":' + "[" * 4000, '{"level": "' + "x" * 30 + '"}',
    ],
)  # fmt: skip
def test_what_is_no_record_stays_as_it_is(line: str) -> None:
    assert log_words(line).text == line


def test_a_line_that_begins_with_its_time_is_told_without_it() -> None:
    assert log_words("2026-11-26T03:00:00Z WARN slow").text == "WARN slow"
    assert log_words("2026-11-26 03:00:00,123 INFO up").text == "INFO up"


@given(st.dictionaries(st.sampled_from(["level", "msg", "message", "time", "n"]) | st.text(), st.text()))
def test_tones_add_nothing_and_no_member_is_lost(record: dict[str, str]) -> None:
    words = log_words(json.dumps(record))
    assert plain_text(words_spans(words)) == shown_line(words.text)
    if words.rest and words.rest != words.message:
        rest = json.loads(words.rest)
        assert all(rest[key] == value for key, value in record.items() if key in rest)
        told = {words.level, words.message}
        times = {"time", "ts", "timestamp", "@timestamp", "asctime"}
        assert all(value in told or key.lower() in times for key, value in record.items() if key not in rest)


def test_a_pod_is_named_by_what_its_controller_made_up() -> None:
    assert short_name("fraud-547bgn6cmg-q4twv") == "q4twv"
    assert short_name("kafka-0") == "kafka-0"
