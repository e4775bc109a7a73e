"""The line above a body that says what is not fresh. Invariant: silent while everything is; in words, with
the backend, since when, and what to do."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from rich.text import Text

from maestro_cli.tui.store.model import Fact
from maestro_cli.tui.views.staleness import stale_text
from maestro_cli.tui.widgets.words import SomeLines


class StaleLine(SomeLines):
    DEFAULT_CSS = """
    StaleLine { height: auto; max-height: 6; display: none; }
    StaleLine { color: $text-warning; background: $warning-muted; }
    StaleLine.told { display: block; }
    """

    def show(
        self,
        needs: str,
        facts: Sequence[tuple[str, Fact]],
        now: datetime,
        *,
        is_past: bool = False,
        above: Sequence[str] = (),
    ) -> None:
        text = stale_text(needs, facts, now, is_past=is_past, above=above)
        if text != getattr(self, "_told", None):
            self._told = text
            self.set_class(bool(text), "told")
            self.update(Text(text))
