"""Which signals of an incident a drill takes for the alert that it waits for."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from maestro_cli.incidents.model import Signal
from maestro_cli.services.rehearsing import is_told

NOW = datetime(2026, 1, 1, tzinfo=UTC)
READ, SAID = "alertmanager-api", "alertmanager-webhook"


def signal(name: str, source: str, *, firing: bool = True) -> Signal:
    return Signal(name, "c", firing, name, {}, {}, NOW, source, "inc-1", NOW, NOW)


@pytest.mark.parametrize(
    ("signals", "told"),
    [
        ([], False),
        ([signal("Down", READ, firing=False)], False),
        ([signal("Burn", READ)], False),
        ([signal("Down", SAID)], True),
        ([signal("Down", READ), signal("Burn", READ)], True),
        ([signal("Down", SAID), signal("Burn", SAID)], True),
        ([signal("Down", SAID), signal("Burn", READ)], False),
        ([signal("Down", SAID), signal("Burn", READ, firing=False)], True),
    ],
    ids=[
        "none",
        "over",
        "another",
        "hearsay-alone",
        "read",
        "all-hearsay",
        "another-goes-first",
        "other-over",
    ],
)
def test_it_is_the_one_that_a_response_would_begin_with(signals: list[Signal], told: bool) -> None:
    assert is_told(signals, "Down") is told


def test_any_will_do_where_none_is_named() -> None:
    assert is_told([signal("Burn", SAID)], "")
    assert not is_told([], "")
