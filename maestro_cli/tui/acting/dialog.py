"""What all dialogs of the console have in common.

Invariant: Escape is no; what is agreed to can be read to its end whatever has the focus, and the frame says
while there is more of it. On a low screen fields and buttons take a line each, so that they are on it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import ClassVar, cast

from rich.text import Text
from textual import on
from textual.binding import BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Button, Static

from maestro_cli.core.untrusted import visible
from maestro_cli.output.views import View
from maestro_cli.tui.text import Spans
from maestro_cli.tui.widgets.report_view import ReportView
from maestro_cli.tui.widgets.site_names import site_names
from maestro_cli.tui.widgets.text_view import TextView

LOW = 32  # lines of a screen under which room is saved


class Dialog(ModalScreen[object]):
    """Base of all; a line says what is wrong with an answer. What is read has the class `read`.

    `sites` are the contexts that it is about: their names stand on the frame, each on its colour.
    """

    sites: Sequence[str] = ()

    SHARE = 45  # per cent of the screen that is for what is read, at most

    VERTICAL_BREAKPOINTS = [(0, "-low"), (LOW, "-high")]  # noqa: RUF012 - as the base class has it
    DEFAULT_CSS = """
    Dialog { align: center middle; }
    Dialog > Vertical { width: 90%; max-width: 110; height: auto; max-height: 90%; border: round $border;
        background: $surface; padding: 0 1; overflow-y: auto; border-subtitle-color: $text-warning; }
    Dialog .read { height: 1; }
    Dialog Horizontal { height: auto; }
    Dialog Label { width: 100%; }
    Dialog .problem { color: $text-error; height: auto; }
    Dialog.-low { Vertical { max-height: 100%; }
        Input, Input:focus { height: 1; border: none; padding: 0 1; background: $panel; }
        Button { height: 1; border: none !important; line-pad: 1; min-width: 10; margin-right: 1; } }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        ("escape", "cancel", "Cancel"),
        ("pagedown", "turn(1)", "Read on"),
        ("pageup", "turn(-1)", "Read back"),
    ]

    def on_mount(self) -> None:
        """Textual calls it of every class, whatever those below have of their own."""
        for box in self.children if self.sites else ():
            box.border_title = site_names(self.app, self.sites)

    def show_whole(self, view: View, first: Sequence[Spans] = ()) -> None:
        """Show what is decided on, `first` above it, once there is room for it."""
        show = partial(self._follow, lambda one: cast(ReportView, one).show(view, first=first))
        self.call_after_refresh(show)

    def show_lines(self, lines: Sequence[Spans]) -> None:
        """Likewise lines of one's own."""
        self.call_after_refresh(partial(self._follow, lambda one: one.show_lines(lines)))

    def _follow(self, show: Callable[[TextView], None]) -> None:
        for one in self.query(".read").results(TextView):
            show(one)
            for name in ("scroll_y", "virtual_size", "size"):
                self.watch(one, name, self._tell_more)

    def _tell_more(self) -> None:
        """As high as what is shown, where there is room; the frame says how much of it is below."""
        for one in self.query(".read").results(TextView):
            most = self.app.size.height * self.SHARE // 100
            height = max(min(one.virtual_size.height, most), 1)
            if height != one.size.height:
                one.styles.height = height
        for box in self.query(Vertical).results(Vertical):
            below = [one.max_scroll_y - round(one.scroll_y) for one in self.query(TextView)]
            lines = max(below, default=0)
            box.border_subtitle = f"{lines} more lines: PgDn" if lines > 0 else ""

    def action_turn(self, pages: int) -> None:
        """Turn what is shown, whatever has the focus: what is agreed to can be read to its end."""
        for view in self.query(TextView):
            view.scroll_relative(y=pages * max(view.size.height - 1, 1), animate=False)

    def action_cancel(self) -> None:
        self.answer(None)

    def answer(self, answer: object) -> None:
        """Once, and only while it is on top: dismissing another time would take away the dialog above it."""
        if self.app.screen is self:
            self.dismiss(answer)

    def problem(self, text: str) -> None:
        self.query_one(".problem", Static).update(Text(visible(text, 2000)))

    @on(Button.Pressed, "#cancel")
    def cancelled(self) -> None:
        self.answer(None)
