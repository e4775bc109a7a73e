"""In what order keys stand at the foot. Invariant: a key of one's own stands where the usual one stood."""

from __future__ import annotations

from textual.binding import ActiveBinding

from maestro_cli.tui.painting import FrontScreen


def in_their_order(found: dict[str, ActiveBinding]) -> dict[str, ActiveBinding]:
    """By whom they are of, as found, and there as they were bound: Textual puts remapped ones last."""
    nodes = list(dict.fromkeys(active.node for active in found.values()))
    bound = {
        (at, binding.id): place
        for at, node in enumerate(nodes)
        for place, (_, binding) in enumerate(node._bindings)
    }

    def place(active: ActiveBinding) -> tuple[int, int]:
        at = nodes.index(active.node)
        return at, bound.get((at, active.binding.id), len(bound))

    return dict(sorted(found.items(), key=lambda entry: place(entry[1])))


class OrderedScreen(FrontScreen):
    """The first screen where keys were remapped."""

    @property
    def active_bindings(self) -> dict[str, ActiveBinding]:
        return in_their_order(super().active_bindings)
