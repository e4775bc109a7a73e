"""A name written another way is no second person."""

from __future__ import annotations

import pytest

from maestro_cli.core.people import is_same_person


@pytest.mark.parametrize(
    ("one", "other"),
    [("a", "A"), ("ann", " Ann "), ("Ann  Lee", "ann lee"), ("Straße", "STRASSE"), ("é", "e\u0301")],
)
def test_case_spaces_and_forms_of_letters_make_nobody_else(one: str, other: str) -> None:
    assert is_same_person(one, other)


def test_another_name_is_somebody_else() -> None:
    assert not is_same_person("ann", "anna")
    assert not is_same_person("", "ann")
