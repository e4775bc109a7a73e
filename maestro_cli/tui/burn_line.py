"""What the line of burn says of a snapshot.

Invariant: how an objective burns is one fact, that of the line, wherever it is on the screen; what is left of
its budget is that of the list of objectives while that is read, so that no two places differ.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from maestro_cli.core.clock import seconds_between
from maestro_cli.slo.words import gone_phrase, shown_state
from maestro_cli.tui.screens.objectives import EVERY_SECONDS, OBJECTIVES
from maestro_cli.tui.screens.services import BURNING
from maestro_cli.tui.widgets.burn_strip import BurnCell

if TYPE_CHECKING:
    from maestro_cli.slo.burning import Burning
    from maestro_cli.slo.kept import Kept
    from maestro_cli.tui.store.model import Fact, Snapshot

LISTED_SECONDS = 2 * EVERY_SECONDS  # how old the list of objectives may be for the line to go by it


@dataclass(frozen=True, slots=True)
class BurnLine:
    """`age_seconds` is how old the oldest of it is that cannot be read now; `unknown` contexts have none."""

    cells: tuple[BurnCell, ...]
    age_seconds: float | None
    unknown: tuple[str, ...]


def burn_line(snapshot: Snapshot, now: datetime) -> BurnLine:
    contexts = snapshot.scope.contexts
    facts = {one: snapshot.fact(BURNING.of(one)) for one in contexts}
    listed = {one: _listed(snapshot.fact(OBJECTIVES.of(one)), now) for one in contexts}
    return BurnLine(burn_cells(facts, listed), oldest_seconds(facts.values(), now), burn_unknown(facts))


def burn_cells(
    facts: Mapping[str, Fact], listed: Mapping[str, Sequence[Kept]] | None = None
) -> tuple[BurnCell, ...]:
    """Every objective of these facts by context, for the line of burn; named by context where several are.

    Then the contexts that have none are among them. `listed` are objectives of which it was just measured
    what is left.
    """
    without = [context for context, fact in facts.items() if fact.is_known and not fact.data]
    objectives = [
        _cell(one, one.objective.name if len(facts) == 1 else f"{context} {one.objective.name}")
        for context, fact in facts.items()
        for one in _of_left(fact.data or (), (listed or {}).get(context, ()))
    ]
    return (*objectives, *(BurnCell(context, None) for context in without if objectives))


def burn_unknown(facts: Mapping[str, Fact]) -> tuple[str, ...]:
    """The contexts of which no burn is known."""
    return tuple(context for context, fact in facts.items() if not fact.is_known)


def oldest_seconds(facts: Iterable[Fact], now: datetime) -> float | None:
    """How old the oldest is of those that cannot be read now; None while all are fresh."""
    ages = [
        seconds_between(fact.read_at, now) for fact in facts if fact.is_stale and fact.read_at is not None
    ]
    return max(ages, default=None)


def _listed(fact: Fact, now: datetime) -> Sequence[Kept]:
    is_new = fact.read_at is not None and seconds_between(fact.read_at, now) < LISTED_SECONDS
    return fact.data if is_new else ()


def _of_left(burning: Sequence[Burning], listed: Sequence[Kept]) -> Iterable[Burning]:
    """Each by what the list has as left, where it is there."""
    known = {one.objective.name: one for one in listed if one.left is not None}
    for one in burning:
        row = known.get(one.objective.name)
        yield one if row is None else row.with_burn(one).burning_of_left or one


def _cell(one: Burning, name: str) -> BurnCell:
    return BurnCell(name, shown_state(one), gone_phrase(one))
