"""The last line: keys that work here, whole ones alone.

Invariant: where some have no room, the key that lists all of them stands last, whatever it is; the one that
ends experiments stands first, while there may be one.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.binding import Binding
from textual.widgets import Footer
from textual.widgets._footer import FooterKey

HELP = "keys"  # the action that lists every key
ABORT = "abort_experiments"  # the action that ends what experiments do
MORE = "more …"


def fitting(widths: Sequence[int], room: int) -> int:
    """How many entries of these widths stand whole in `room` cells, from the first on."""
    return sum(end <= room for end in accumulate(widths))


class KeyLine(Footer):
    """Textual's footer, which cuts its last entry anywhere."""

    tells_abort = False
    _told: tuple[Binding, ...] | None = None  # what was composed last

    @property
    def is_of_now(self) -> bool:
        """Whether it tells the keys that work now; it is told of them some turns after the focus moved."""
        return self._told == self._works()

    def _works(self) -> tuple[Binding, ...]:
        return tuple(one.binding for one in self.screen.active_bindings.values() if one.binding.show)

    def tell_abort(self, *, tells: bool) -> None:
        """Whether the key that ends experiments is told."""
        if tells is not self.tells_abort:
            self.tells_abort = tells
            self.refresh(recompose=True)

    def compose(self) -> ComposeResult:
        self._told = self._works()
        entries = [one for one in super().compose() if isinstance(one, FooterKey)]
        if self.tells_abort:
            entries[:0] = self._abort()
        room = self.app.size.width
        if sum(map(_cells, entries)) <= room:
            yield from entries
            return
        others = [one for one in entries if one.action != HELP]
        last = next((_of_more(one) for one in entries if one.action == HELP), None)
        shown = fitting([_cells(one) for one in others], room - (_cells(last) if last else 0))
        yield from others[:shown]
        if last is not None:
            yield last

    def _abort(self) -> list[FooterKey]:
        found = [one.binding for one in self.screen.active_bindings.values() if one.binding.action == ABORT]
        return [
            FooterKey(one.key, self.app.get_key_display(one), "Abort", ABORT, tooltip=one.tooltip).data_bind(
                compact=Footer.compact
            )
            for one in found[:1]
        ]

    def on_resize(self) -> None:
        self.call_after_refresh(self.recompose)


def _of_more(entry: FooterKey) -> FooterKey:
    told = FooterKey(entry.key, entry.key_display, MORE, entry.action, tooltip="Every key that works here.")
    return told.data_bind(compact=Footer.compact)


def _cells(entry: FooterKey) -> int:
    """With a blank on either side of the key and one behind what it does."""
    return cell_len(entry.key_display) + cell_len(entry.description) + 3
