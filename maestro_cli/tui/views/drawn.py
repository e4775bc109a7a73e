"""What a view was given last, so that the same is not drawn again.

Invariant: a fact that was read again and says the same is no news; whatever a view may look at is compared.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from maestro_cli.tui.store.model import Fact, FactKey, Snapshot
from maestro_cli.tui.views.view import View


@dataclass(frozen=True)
class Drawn:
    """A view, what is around its facts, and the facts themselves."""

    view: View
    around: tuple[object, ...]
    facts: Mapping[FactKey, Fact]

    @staticmethod
    def of(view: View, snapshot: Snapshot, recorded: frozenset[FactKey]) -> Drawn:
        """Every fact of the snapshot but those that are read for the recorder alone."""
        aside = recorded - view.keys(snapshot.scope)
        facts = {key: fact for key, fact in snapshot.facts.items() if key not in aside}
        now = snapshot.against
        if now is not None:
            facts |= {replace(key, feed=f"now {key.feed}"): now[key] for key in facts if key in now}
        around = (snapshot.scope, snapshot.replay_at, now is not None, dict(snapshot.armed))
        return Drawn(view, around, facts)

    def differs_from(self, other: Drawn | None) -> bool:
        """Whether there is anything to draw."""
        if other is None or other.view is not self.view or other.around != self.around:
            return True
        if other.facts.keys() != self.facts.keys():
            return True
        return any(
            fact.data is not old.data or fact.begun is not old.begun or fact.error != old.error
            for key, fact in self.facts.items()
            for old in (other.facts[key],)
        )
