"""The first line: where one is, and whether anything can be done there. Invariant: in words; colour only
underlines them."""

from __future__ import annotations

from datetime import datetime

from maestro_cli.tui.heading import Spans, header_spans
from maestro_cli.tui.store.model import Snapshot
from maestro_cli.tui.widgets.site_names import toned_text
from maestro_cli.tui.widgets.words import OneLine


class Header(OneLine):
    DEFAULT_CSS = """
    Header { background: $primary-muted; color: $text; }
    Header.armed { background: $error; color: $text; }
    Header.replay { background: $warning; color: $text; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._spans: Spans = ()

    def show(self, snapshot: Snapshot, now: datetime) -> None:
        armed = any(snapshot.is_armed(one, now) for one in snapshot.armed)
        self.set_class(armed, "armed")
        self.set_class(snapshot.replay_at is not None, "replay")
        self._spans = header_spans(snapshot, now)
        self._draw()

    def notify_style_update(self) -> None:
        """The theme may be another."""
        super().notify_style_update()
        if self._spans:
            self._draw()

    def _draw(self) -> None:
        """One line, whatever it says: nothing around it moves."""
        self.update(toned_text(self.app, self._spans), layout=False)
