"""A name written another way is no second person."""

from __future__ import annotations

import pytest

from maestro_cli.core.people import Who, is_same_person, why_no_name, why_no_second


@pytest.mark.parametrize(
    ("one", "other"),
    [("a", "A"), ("ann", " Ann "), ("Ann  Lee", "ann lee"), ("Straße", "STRASSE"), ("é", "e\u0301")],
)
def test_case_spaces_and_forms_of_letters_make_nobody_else(one: str, other: str) -> None:
    assert is_same_person(one, other)


def test_another_name_is_somebody_else() -> None:
    assert not is_same_person("ann", "anna")
    assert not is_same_person("", "ann")


@pytest.mark.parametrize(
    "other",
    ["ev\u0435", "\u0435v\u0435", "\u0435\u03bd\u0435", "e\u200bve", "\uff45ve", "e\u2060v\u00ade"],
    ids=["a cyrillic e", "two", "no latin letter", "with an unseen one", "wide", "with two unseen ones"],
)
def test_letters_that_look_alike_make_nobody_else(other: str) -> None:
    assert is_same_person("eve", other)
    assert why_no_second(Who("eve"), Who(other)) != ""


UNSEEN = [
    "\u034f", "\ufe0f", "\U000e0100", "\u180b", "\u2800", "\u200b", "\u3164",
    "\u2065", "\u206f", "\ufff0", "\ufff8", "\U000e0000", "\U000e01f0", "\U000e0fff",
]  # fmt: skip


@pytest.mark.parametrize("unseen", UNSEEN, ids=ascii)
def test_what_is_not_seen_makes_nobody_else_and_no_name(unseen: str) -> None:
    other = f"al{unseen}ice"
    assert is_same_person("alice", other)
    assert why_no_second(Who("alice"), Who(other)) != ""
    assert why_no_name(f"b{unseen}ob") != ""


def test_letters_that_are_one_stroke_make_nobody_else() -> None:
    assert is_same_person("alice", "aIice")
    assert is_same_person("alice", "a1ice")


def test_a_mark_between_letters_of_two_scripts_hides_neither() -> None:
    assert why_no_name("a\u0301\u0436") != ""
    assert why_no_name("a\u0483\u0436") != ""


@pytest.mark.parametrize(
    ("name", "is_one"),
    [
        ("ann", True),
        ("\u0438\u0432\u0430\u043d@web-01", True),
        ("\u0418\u0432\u0430\u043d Smith", True),
        ("O\u02bbktam", True),
        ("\u6771\u306e\u30ab", True),
        ("an\u0436a", False),
        ("d\u13a0n", False),
    ],
    ids=["latin", "user@host", "a word of each", "modifier", "japanese", "cyrillic in latin", "cherokee"],
)
def test_a_word_of_two_scripts_tells_nobody(name: str, is_one: bool) -> None:
    assert (why_no_name(name) == "") is is_one
    assert (why_no_second(Who("eve"), Who(name)) == "") is is_one
