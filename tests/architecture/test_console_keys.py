"""Keys of the console: each does one thing on a screen, says what, and is not too near for it."""

from __future__ import annotations

import pytest

from maestro_cli.tui.acting.model import Danger
from maestro_cli.tui.keys.names import fault_of_key, is_safe_for_harm, split_keys
from maestro_cli.tui.keys.table import clashes, every_key, keys_together
from maestro_cli.tui.screens.table import every_screen

SCREENS = tuple(every_screen().values())


@pytest.mark.parametrize("screen", SCREENS, ids=lambda screen: screen.id)
def test_no_key_does_two_things_on_a_screen(screen: object) -> None:
    found = clashes(keys_together(screen), {})  # type: ignore[arg-type]
    assert [(key, one.id, other.id) for key, one, other in found] == []


def test_each_key_has_an_id_of_its_own_a_title_and_says_what_it_does() -> None:
    keys = every_key()
    assert len({key.id for key in keys}) == len(keys)
    assert [key.id for key in keys if "." not in key.id or not key.title or not key.tooltip] == []
    assert [(key.id, one) for key in keys for one in split_keys(key.keys) if fault_of_key(one)] == []


def test_what_hurts_is_on_no_key_that_a_hand_presses_by_habit() -> None:
    hurting = [key for key in every_key() if key.danger in (Danger.DISRUPTIVE, Danger.DESTRUCTIVE)]
    assert hurting
    assert [(k.id, one) for k in hurting for one in split_keys(k.keys) if not is_safe_for_harm(one)] == []


def test_no_digit_is_the_favourite_of_two_screens() -> None:
    digits = [screen.digit for screen in SCREENS if screen.digit]
    assert len(set(digits)) == len(digits)
