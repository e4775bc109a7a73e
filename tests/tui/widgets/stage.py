"""One widget alone in a headless program, and what it painted."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

from textual.app import App, ComposeResult
from textual.message import Message
from textual.pilot import Pilot
from textual.widget import Widget

from tests.patience import PATIENCE_SECONDS

Scene = Callable[[Pilot[None]], Awaitable[None]]


class Stage(App[None]):
    """Shows widgets below each other. Nothing in it depends on how fast the machine is."""

    CLICK_CHAIN_TIME_THRESHOLD = PATIENCE_SECONDS

    def __init__(self, *widgets: Widget) -> None:
        super().__init__()
        self.animation_level = "none"
        self._widgets = widgets

    def compose(self) -> ComposeResult:
        yield from self._widgets


def play(scene: Scene, *widgets: Widget, size: tuple[int, int] = (80, 24)) -> list[Message]:
    """Run a scene with the first widget in focus; answers every message that was sent, once."""
    seen: dict[int, Message] = {}  # the hook is asked again wherever a message bubbles to

    def note(message: Message) -> None:
        seen.setdefault(id(message), message)

    async def run() -> None:
        app = Stage(*widgets)
        async with app.run_test(size=size, message_hook=note) as pilot:
            widgets[0].focus()
            await pilot.pause()
            await scene(pilot)
            await pilot.pause()

    asyncio.run(run())
    return list(seen.values())


async def resize(pilot: Pilot[None], width: int, height: int, widget: Widget) -> None:
    """Another size of the terminal, and wait until the widget has its width."""
    await pilot.resize_terminal(width, height)
    until = time.monotonic() + PATIENCE_SECONDS
    while widget.region.width != width and time.monotonic() < until:
        await pilot.pause()
    assert widget.region.width == width
    await pilot.pause()


def painted(widget: Widget) -> list[str]:
    """The text of each line of a widget as it is now, without the blanks at its end."""
    return [widget.render_line(y).text.rstrip() for y in range(widget.size.height)]
