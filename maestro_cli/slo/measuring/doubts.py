"""What may have been counted, or may not have happened: increments of which nobody knows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, TypeVar

from maestro_cli.slo.measuring.pieces import COUNTED, TOTAL

At = TypeVar("At", int, float)


class Doubt(NamedTuple):
    """Up to so many events more or less: of both counts at once, of all events, of the counted ones."""

    both: float = 0.0
    more_total: float = 0.0
    more_counted: float = 0.0
    less_total: float = 0.0
    less_counted: float = 0.0

    @classmethod
    def of(cls, role: int, value: float) -> Doubt:
        """An increment of a series with that role that may be in the span or not."""
        if role == TOTAL | COUNTED:
            return cls(both=value)
        return cls(more_total=value) if role == TOTAL else cls(more_counted=value)

    def __add__(self, other: object) -> Doubt:
        if not isinstance(other, Doubt):
            return NotImplemented
        return Doubt(*(one + more for one, more in zip(self, other, strict=True)))

    def matched(self) -> Doubt:
        """The same where every counted event is one of all events: what both may have more, both have."""
        alike = min(self.more_total, self.more_counted)
        return self._replace(both=self.both + alike, more_counted=self.more_counted - alike)


def added(*found: Mapping[At, Doubt]) -> dict[At, Doubt]:
    """Doubts by minute or instant, taken together."""
    whole: dict[At, Doubt] = {}
    for one in found:
        for index, doubt in one.items():
            whole[index] = whole.get(index, Doubt()) + doubt
    return whole
