"""The first line: where one is, and whether anything can be done there. Invariant: in words; colour only
underlines them."""

from __future__ import annotations

from datetime import datetime

from rich.text import Text

from maestro_cli.tui.heading import header_text
from maestro_cli.tui.store.model import Snapshot
from maestro_cli.tui.widgets.words import OneLine


class Header(OneLine):
    DEFAULT_CSS = """
    Header { background: $primary-muted; color: $text; }
    Header.armed { background: $error; color: $text; }
    Header.replay { background: $warning; color: $text; }
    """

    def show(self, snapshot: Snapshot, now: datetime) -> None:
        armed = any(snapshot.is_armed(one, now) for one in snapshot.armed)
        self.set_class(armed, "armed")
        self.set_class(snapshot.replay_at is not None, "replay")
        text = Text(header_text(snapshot, now))
        self.update(text, layout=False)  # one line, whatever it says: nothing around it moves
