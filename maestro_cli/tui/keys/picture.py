"""A picture of the screen. Invariant: of what was looked at, with its keys, not of the line in which it was
asked for."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from textual.errors import NoWidget
from textual.screen import Screen
from textual.widget import Widget

from maestro_cli.core.errors import UsageError
from maestro_cli.tui.keys.export import write_new

if TYPE_CHECKING:
    from maestro_cli.tui.app import ConsoleApp

LOOK_SECONDS = 0.02  # until it is looked again whether the line has gone
LOOKS = 50  # a screen that has not settled by then is pictured as it is


def take(app: ConsoleApp, name: str, looks: int = LOOKS) -> None:
    """Write it once the screen is as it will be, and say where it is."""
    if looks and not is_settled(app):
        app.set_timer(LOOK_SECONDS, partial(take, app, name, looks - 1))
        return
    default = f"maestro-{app.now().astimezone():%Y%m%d-%H%M%S}.svg"
    try:
        path = write_new(name, default, app.export_screenshot(title="maestro"))
    except UsageError as error:
        app.status.tell(f"{error.what}; {error.why}; {error.fix}")
    else:
        app.status.tell(f"written: {path}")


def is_settled(app: ConsoleApp) -> bool:
    """Whether the line that was typed in has gone, the keys are those of what has the focus again, and all of
    that has its place on the screen."""
    screen, line = app.screen_stack[0], app.prompt
    if line.is_open or line.has_focus_within or is_placed(screen, line) or not app.key_line.is_of_now:
        return False
    return all(is_placed(screen, key) for key in app.key_line.children)


def is_placed(screen: Screen[object], widget: Widget) -> bool:
    try:
        return bool(screen.find_widget(widget).region)
    except NoWidget:
        return False
