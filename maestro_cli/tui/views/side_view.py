"""One place in several contexts side by side: the view of each in a pane with the context's name on it.

Invariant: a pane reads, shows and acts in its context alone; the keys go to the pane that has the focus. What
is filtered is filtered in all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import ClassVar

from rich.text import Text
from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widget import Widget

from maestro_cli.core.untrusted import visible
from maestro_cli.tui.acting.model import Target
from maestro_cli.tui.heading import Spans, standing_spans
from maestro_cli.tui.screens.model import Place, Screen
from maestro_cli.tui.store.model import FactKey, Scope, Snapshot
from maestro_cli.tui.swatches import swatch_tone
from maestro_cli.tui.views.view import View
from maestro_cli.tui.widgets.site_names import colour_here, toned_text

NARROWEST, LOWEST = 50, 8  # cells and lines of a pane, with its frame


def arranged(width: int, height: int, count: int) -> str:
    """How so many panes stand in so much room: `beside`, `stacked`, or `one` alone."""
    if width // count >= NARROWEST:
        return "beside"
    return "stacked" if height // count >= LOWEST else "one"


def room_words(count: int) -> str:
    return f"they need {NARROWEST * count} columns, or {LOWEST * count} lines between the frame's"


class SidePane(Vertical):
    """The view of one context in its frame."""

    def __init__(self, view: View) -> None:
        super().__init__()
        self.view = view
        self.count = View.CountChanged(0, 0)
        self._titled: tuple[object, ...] = ()

    def compose(self) -> ComposeResult:
        yield self.view

    @property
    def is_current(self) -> bool:
        return self.has_class("current")

    @on(View.CountChanged)
    def counted(self, event: View.CountChanged) -> None:
        """The line below the list counts the rows of the pane that has the keys; each frame its own."""
        self.count = event
        of = "" if event.shown == event.total else f" of {event.total:,}"
        self.border_subtitle = f"{event.shown:,}{of}"
        if not self.is_current:
            event.stop()

    def entitle(self, spans: Spans) -> None:
        made_of = spans, self.is_current, self.app.theme
        if made_of != self._titled:
            self._titled = made_of
            self.border_title = Text("▸" if self.is_current else "") + toned_text(self.app, spans)


class SideView(View):
    """Shows a screen once a context; Tab moves the keys on."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "tab", "pane(1)", "Next context", id="sides.next", tooltip="To the pane of the next context."
        ),
        Binding(
            "shift+tab", "pane(-1)", "Context before", id="sides.before",
            tooltip="To the pane of the context before.", show=False,
        ),
    ]  # fmt: skip
    DEFAULT_CSS = """
    SideView.beside { layout: horizontal; }
    SideView.one SidePane { display: none; }
    SideView.one SidePane.current { display: block; }
    SidePane { width: 1fr; height: 1fr; border: round $primary; border-title-color: $primary; }
    SidePane.current { border: heavy $primary; border-title-style: bold; }
    """

    def __init__(self, screen_: Screen, place: Place, contexts: Sequence[str]) -> None:
        super().__init__(screen_, replace(place, context=contexts[0]))
        self._names = tuple(contexts)
        views = [screen_.view(replace(place, context=name)) for name in contexts]
        self._panes = [SidePane(view) for view in views]
        self._panes[0].add_class("current")
        self.can_compare = views[0].can_compare
        self._shown: tuple[Snapshot, datetime] | None = None

    def compose(self) -> ComposeResult:
        yield from self._panes

    # Which pane has the keys

    @property
    def current(self) -> SidePane:
        return next(pane for pane in self._panes if pane.is_current)

    def action_pane(self, step: int) -> None:
        number = (self._panes.index(self.current) + step) % len(self._panes)
        self._go_to(number)
        within = self.home
        if within is not None:
            within.focus()

    def _go_to(self, number: int) -> None:
        for place, pane in enumerate(self._panes):
            pane.set_class(place == number, "current")
        self.place = replace(self.place, context=self._names[number])
        self._entitle()
        count = self.current.count
        self.post_message(self.CountChanged(count.shown, count.total))

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        for number, pane in enumerate(self._panes):
            if pane in event.widget.ancestors and not pane.is_current:
                self._go_to(number)

    @property
    def home(self) -> Widget | None:
        return self.current.view.home

    # What is shown

    def on_mount(self) -> None:
        self._arrange()

    def on_resize(self) -> None:
        self._arrange()

    def _arrange(self) -> None:
        how = arranged(self.size.width, self.size.height, len(self._panes))
        for one in ("beside", "stacked", "one"):
            self.set_class(one == how, one)
        self._entitle()

    def keys(self, scope: Scope) -> frozenset[FactKey]:
        return frozenset().union(*(pane.view.keys(scope) for pane in self._panes))

    def show(self, snapshot: Snapshot, now: datetime) -> None:
        """Each pane; one that cannot be drawn keeps no other from it."""
        self._shown = (snapshot, now)
        self._entitle()
        faults: list[Exception] = []
        if not all(pane.view.is_mounted for pane in self._panes):
            self.call_after_refresh(self._again)
        for pane in self._panes:
            try:
                if pane.view.is_mounted:
                    pane.view.show(snapshot, now)
            except Exception as error:  # noqa: BLE001 - told by whoever draws, once the others are there
                faults.append(error)
        if faults:
            raise faults[0]

    def _again(self) -> None:
        """What cannot be drawn is told by whoever draws: nothing is drawn past it."""
        if self.is_attached:
            self.post_message(self.KeysChanged())

    def _entitle(self) -> None:
        """The name of each context, whether it is armed, and which of them it is where one alone is shown."""
        for number, (name, pane) in enumerate(zip(self._names, self._panes, strict=True), 1):
            if self._shown is not None:
                spans = standing_spans(self._shown[0], name, self._shown[1])
            else:
                spans = ((visible(f" {name} "), swatch_tone(colour_here(self.app, name))),)
            if self.has_class("one"):
                spans = (*spans, (f" ({number} of {len(self._names)}, tab: the next)", ""))
            pane.entitle(spans)

    # What is chosen

    def targets(self) -> tuple[Target, ...]:
        return self.current.view.targets()

    @property
    def can_filter(self) -> bool:
        return self._panes[0].view.can_filter

    def rest(self) -> object:
        return [(pane.view.place.context, pane.view.rest()) for pane in self._panes]

    def resume(self, rested: object) -> None:
        known = dict(rested) if isinstance(rested, list) else {}
        for pane in self._panes:
            pane.view.resume(known.get(pane.view.place.context))

    def unmark(self) -> bool:
        return self.current.view.unmark()

    def set_filter(self, text: str) -> None:
        for pane in self._panes:
            pane.view.set_filter(text)
