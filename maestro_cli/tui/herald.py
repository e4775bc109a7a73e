"""Tells what is new, on whatever screen one is: a bell, a line on the screen, and one on the desktop.

Invariant: what is new is told once, also while the past is shown; `off` keeps the line on the screen alone.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from maestro_cli.core.untrusted import visible
from maestro_cli.tui.announcing import Announcer, News
from maestro_cli.tui.notices import notice, way_of
from maestro_cli.tui.screens.table import announced_feed, strip_feed
from maestro_cli.tui.store.model import UNREAD, Fact, FactKey
from maestro_cli.tui.web.launch import is_served

LONGEST = 120  # characters of a line on the screen


class Herald:
    """`speak` writes to the terminal, `show` puts a line on the screen; `wanted` is one of WAYS."""

    def __init__(self, speak: Callable[[str], None], show: Callable[[str], None], wanted: str) -> None:
        self._speak, self._show, self.wanted = speak, show, wanted
        self._announcer = Announcer()
        self._heeded: dict[FactKey, Any] = {}

    @property
    def way(self) -> str:
        """How it rings here; in a browser by the bell alone."""
        if is_served() and self.wanted != "off":
            return "bell"
        return way_of(self.wanted, os.environ)

    def heed(self, contexts: Sequence[str], live: Mapping[FactKey, Fact]) -> None:
        """Tell what is new of these contexts."""
        for context in contexts:
            for feed, news_of in ((announced_feed(), self._of_incidents), (strip_feed(), self._of_burn)):
                key = feed.of(context)
                fact = live.get(key, UNREAD)
                if fact.is_known and self._heeded.get(key) is not fact.data:
                    self._heeded[key] = fact.data
                    for news in news_of(context, fact.data):
                        self.tell(news)

    def _of_incidents(self, context: str, rows: Sequence[Any]) -> list[News]:
        return self._announcer.heed(context, [row.incident for row in rows])

    def _of_burn(self, context: str, burning: Sequence[Any]) -> list[News]:
        return self._announcer.heed_burn(context, burning)

    def tell(self, news: News) -> None:
        way = self.way if news.is_grave or self.way == "off" else "bell"
        sequence = notice(way, news.words, is_in_tmux=bool(os.environ.get("TMUX")))
        if sequence:
            self._speak(sequence)
        self._show(visible(news.words, LONGEST))
