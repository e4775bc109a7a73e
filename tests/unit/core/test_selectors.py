"""Label selectors in one line."""

from __future__ import annotations

import pytest

from maestro_cli.core.selectors import selector_matches

LABELS = {"app": "fraud", "tier": "gold", "example.com/team": "risk"}


@pytest.mark.parametrize(
    ("selector", "matches"),
    [
        ("", True),
        ("app=fraud", True),
        ("app==fraud,tier=gold", True),
        ("app=fraud,tier=silver", False),
        ("app!=fraud", False),
        ("zone!=a", True),
        ("tier in (silver, gold)", True),
        ("tier in (silver)", False),
        ("zone in (a)", False),
        ("tier notin (silver),app=fraud", True),
        ("zone notin (a,b)", True),
        ("example.com/team", True),
        ("!example.com/team", False),
        ("!zone,app", True),
        ("app=", False),
    ],
)
def test_requirements(selector: str, matches: bool) -> None:
    assert selector_matches(selector, LABELS) is matches


@pytest.mark.parametrize("selector", ["a b c", "app in fraud", "-x", "tier in (a", "app=fraud; rm"])
def test_what_cannot_be_read_is_not_guessed(selector: str) -> None:
    with pytest.raises(ValueError, match="not a label requirement"):
        selector_matches(selector, LABELS)
