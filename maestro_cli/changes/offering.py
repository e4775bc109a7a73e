"""Plans in turn: each made once the one before it is done, and made anew where it went stale meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import TypeAlias

from maestro_cli.changes.model import Plan
from maestro_cli.core.errors import StalePlan

Plans: TypeAlias = Generator[Plan, None, None]


def offered(make: Callable[[], Plan]) -> Plans:
    """One plan; whoever throws a StalePlan in gets the same of what is there now."""
    while True:
        plan = make()
        try:
            yield plan
        except StalePlan:
            continue
        return


def following(plans: Plans, stale: StalePlan | None) -> Plan | None:
    """The next plan, None after the last; where one went stale the same of what is there now."""
    return next(plans, None) if stale is None else plans.throw(stale)
