"""How steps add up to a total, one after the other. Invariant: a step begins where the last ended."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Step:
    """An amount that is added; a total says where the sum is and adds nothing."""

    name: str
    amount: float = 0.0
    is_total: bool = False


@dataclass(frozen=True, slots=True)
class Placed:
    """A step from `start` to `end`; a total goes from 0 to the sum of the steps before it."""

    name: str
    start: float
    end: float
    is_total: bool

    @property
    def amount(self) -> float:
        return self.end - self.start


def waterfall(steps: Iterable[Step]) -> Iterator[Placed]:
    level = 0.0
    for step in steps:
        if step.is_total:
            yield Placed(step.name, 0.0, level, True)
        else:
            yield Placed(step.name, level, level + step.amount, False)
            level += step.amount
