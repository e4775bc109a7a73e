"""Which lost requests a killed replica explains."""

from __future__ import annotations

import pytest

from tests.e2e.disturbance import Kill, Request, lost_without_a_kill

KILL = Kill(at=10.0, pod="fraud-1")


@pytest.mark.parametrize(
    ("intended", "ended", "code", "is_unexplained"),
    [
        (9.0, 10.5, "error", False),
        (10.5, 10.6, "error", False),
        (9.0, 9.9, "error", True),
        (12.1, 12.2, "error", True),
        (9.0, 9.9, "timeout", True),
        (9.0, 9.9, "503", True),
        (9.0, 9.9, "200", False),
    ],
)
def test_only_what_was_under_way_at_a_kill_is_explained_by_it(
    intended: float, ended: float, code: str, is_unexplained: bool
) -> None:
    request = Request(intended, ended, code, "")
    found = lost_without_a_kill([request], [KILL], slack_seconds=2.0)
    assert found == ([request] if is_unexplained else [])
