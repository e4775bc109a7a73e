"""The hours of an incident: those it touches, and as long before it where both can be compared."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from maestro_cli.cost.metering.model import Hours
from maestro_cli.services.costs.spans import hours_around

DAY = datetime(2026, 10, 4, tzinfo=UTC)


@pytest.mark.parametrize(
    ("start", "end", "first", "count"),
    [
        (2.25, 2.5, 2, 1),
        (2.25, 3.5, 2, 2),
        (2.0, 3.0, 2, 1),
        (4.5, 7.0, 2, 5),  # two and a half hours, and as long before
        (4.0, 6.0, 2, 4),
    ],
)
def test_an_incident_has_the_hours_it_touches(start: float, end: float, first: int, count: int) -> None:
    found = hours_around(DAY + timedelta(hours=start), DAY + timedelta(hours=end))
    assert found == Hours(DAY + timedelta(hours=first), count)
