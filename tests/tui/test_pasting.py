"""Nothing that is pasted is a key, whatever it holds and in whatever parts it comes; and no key is lost."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maestro_cli.tui.pasting import BEGIN, END, MOST_CHARACTERS, Pastes, Piece, tamed

ESC = "\x1b"
HOSTILE = f"look {ESC}:write 60\n\t\n{ESC}{ESC}jjj" + "j" * 40


def told(*parts: str) -> list[Piece]:
    """The pieces of what comes in these parts in one breath."""
    pastes = Pastes()
    pieces = [piece for part in parts for piece in pastes.fed(part)]
    while pastes.is_waiting:
        pieces += pastes.rest()
    return pieces


def typed(pieces: list[Piece]) -> str:
    return "".join(one.text for one in pieces if not one.is_pasted)


def pasted(pieces: list[Piece]) -> str:
    return "".join(one.text for one in pieces if one.is_pasted)


def test_keys_without_a_paste_are_typed_as_they_come() -> None:
    assert told("jk", f"{ESC}[A", "G") == [Piece("jk"), Piece(f"{ESC}[A"), Piece("G")]


def test_an_escape_waits_for_what_may_belong_to_it_and_is_itself_then() -> None:
    pastes = Pastes()
    assert (pastes.fed(ESC), pastes.is_waiting) == ([], True)
    assert (pastes.rest(), pastes.is_waiting) == ([Piece(ESC)], False)


def test_what_is_typed_around_a_paste_stays_in_its_order() -> None:
    assert told(f"j{BEGIN}words{END}k") == [Piece("j"), Piece("words", is_pasted=True), Piece("k")]


def test_escapes_within_a_paste_are_pasted() -> None:
    assert told(f"{BEGIN}{HOSTILE}{END}") == [Piece(HOSTILE, is_pasted=True)]


def test_an_end_that_was_pasted_makes_no_keys_of_what_follows_it() -> None:
    pieces = told(f"{BEGIN}a{END}:write 60\n", f"more{END}")
    assert (typed(pieces), pasted(pieces)) == ("", "a:write 60\nmore")


def test_neither_does_an_end_with_a_beginning_behind_it() -> None:
    pieces = told(f"{BEGIN}a{END}:write 60\n{BEGIN}b", f"c{END}")
    assert (typed(pieces), pasted(pieces)) == ("", "a:write 60\nbc")


def test_a_paste_whose_end_never_comes_is_one_all_the_same_and_keys_are_keys_again() -> None:
    pastes = Pastes()
    assert pastes.fed(f"{BEGIN}words{ESC}[20") == []
    assert pastes.is_open
    assert pastes.rest() == [Piece(f"words{ESC}[20", is_pasted=True)]
    assert (pastes.fed("j"), pastes.rest()) == ([], [Piece("j")])
    assert pastes.fed("k") == [Piece("k")]


def test_the_rest_of_a_paste_that_was_given_on_without_its_end_is_pasted_too() -> None:
    """As over a network that stood still for longer than a paste is waited for."""
    pastes = Pastes()
    pastes.fed(f"{BEGIN}a")
    assert pastes.rest() == [Piece("a", is_pasted=True)]
    assert pastes.fed(f":write 60\n{END}k") == []
    assert pastes.rest() == [Piece(":write 60\n", is_pasted=True), Piece("k")]
    assert pastes.fed("j") == [Piece("j")]


@pytest.mark.parametrize("size", range(1, len(BEGIN)))
def test_a_beginning_whose_parts_come_far_apart_is_one(size: int) -> None:
    pastes = Pastes()
    pieces = pastes.fed(BEGIN[:size])
    if not pastes.is_begun:  # such a part of a mark is waited for
        pieces += [*pastes.rest(), *pastes.rest()]
    pieces += pastes.fed(f"{BEGIN[size:]}:write 60\n{END}")
    assert typed(pieces) == (BEGIN[:size] if size < 3 else "")
    assert pastes.rest() == [Piece(":write 60\n", is_pasted=True)]


def test_a_bracket_after_an_escape_is_a_key() -> None:
    pastes = Pastes()
    pastes.fed(ESC)
    assert pastes.rest() == [Piece(ESC)]
    assert pastes.fed("[") == [Piece("[")]
    assert pastes.fed("200~") == [Piece("200~")]


def test_a_paste_is_kept_to_a_length() -> None:
    pieces = told(BEGIN, "a" * MOST_CHARACTERS, "b" * MOST_CHARACTERS, END, "j")
    assert (len(pasted(pieces)), typed(pieces)) == (MOST_CHARACTERS, "j")
    behind = told(f"{BEGIN}{END}", "c" * (MOST_CHARACTERS + 1))
    assert (len(pasted(behind)), typed(behind)) == (MOST_CHARACTERS, "")


MARKS = st.sampled_from([BEGIN, END, ESC, f"{ESC}[", f"{ESC}[20", "0~", "1~"])
TEXTS = st.lists(st.one_of(MARKS, st.text(alphabet="ab:\n", max_size=3)), max_size=12).map("".join)


@given(before=st.text(alphabet="jk", max_size=3), inner=TEXTS, data=st.data())
def test_whatever_is_between_the_marks_of_a_terminal_is_pasted_in_whatever_parts_it_comes(
    before: str, inner: str, data: st.DataObject
) -> None:
    whole = f"{before}{BEGIN}{inner}{END}"
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=4)))
    parts = [whole[start:end] for start, end in zip([0, *cuts], [*cuts, len(whole)], strict=True)]
    assert typed(told(*parts)) == before


@given(st.text(alphabet=f"ab{ESC}[201~", max_size=20), st.data())
def test_without_a_beginning_every_character_is_typed_once(text: str, data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(text)))
    assert BEGIN in text or typed(told(text[:cut], text[cut:])) == text


@pytest.mark.parametrize(
    ("message", "sent"),
    [
        ("j", "j"),
        (f"{ESC}[A", f"{ESC}[A"),
        (f"{BEGIN}a{ESC}:q{END}", f"{BEGIN}a:q{END}"),
        (f"k{BEGIN}a{END}:q{END}G", f"k{BEGIN}a[201~:q{END}G"),
        (f"{BEGIN}a{ESC}b", f"{BEGIN}ab{END}"),
    ],
    ids=["a key", "a key with an escape", "an escape", "an end within", "no end"],
)
def test_a_page_sends_no_escape_within_a_paste(message: str, sent: str) -> None:
    assert tamed(message) == sent
