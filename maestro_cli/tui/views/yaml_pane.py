"""An object as YAML. Invariant: it is drawn anew only when it has changed, so that nobody loses the place."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from textual.app import ComposeResult

from maestro_cli.tui.screens.inspection import YAML
from maestro_cli.tui.store.model import Snapshot
from maestro_cli.tui.views.stale_line import StaleLine
from maestro_cli.tui.views.view import View
from maestro_cli.tui.widgets.yaml_view import YamlView


class YamlPane(View):
    """Renders YAML."""

    def __init__(self, screen_: Any, place: Any) -> None:
        super().__init__(screen_, place)
        self._text = ""

    def compose(self) -> ComposeResult:
        yield StaleLine()
        yield YamlView()

    def show(self, snapshot: Snapshot, now: datetime) -> None:
        key = min(self.keys(snapshot.scope))
        fact = snapshot.fact(key)
        is_past = snapshot.replay_at is not None
        self.query_one(StaleLine).show(YAML.needs, [(key.context, fact)], now, is_past=is_past)
        if is_past and not fact.is_known:
            self._text = ""
            self.query_one(YamlView).show("")
        if fact.is_known and fact.data.text != self._text:
            self._text = fact.data.text
            hidden = f"# not shown: {', '.join(fact.data.hidden)}\n" if fact.data.hidden else ""
            self.query_one(YamlView).show(hidden + self._text)
