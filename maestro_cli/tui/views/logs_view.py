"""The logs of one target, on a screen of their own."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from maestro_cli.tui.store.model import FactKey, Scope, Snapshot
from maestro_cli.tui.views.logs_pane import LogsPane
from maestro_cli.tui.views.view import View


class LogsView(View):
    """Renders the tail of LOGS."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "p", "previous", "Run before", id="logs.previous", tooltip="The log of the run before, or of now."
        ),
    ]

    def __init__(self, screen_: Any, place: Any) -> None:
        super().__init__(screen_, place)
        self._pane = LogsPane(place.argument, place.filter)

    def compose(self) -> ComposeResult:
        yield self._pane

    def keys(self, scope: Scope) -> frozenset[FactKey]:
        key = self._pane.key(self.place.context or scope.context)
        return frozenset() if key is None else frozenset({key})

    def show(self, snapshot: Snapshot, now: datetime) -> None:
        self._pane.show(snapshot, now, self.place.context or snapshot.scope.context)

    def set_filter(self, text: str) -> None:
        self._pane.set_filter(text)

    def action_previous(self) -> None:
        self._pane.turn_previous()
