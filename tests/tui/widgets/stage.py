"""One widget alone in a headless program, and what it painted."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from textual.app import App, ComposeResult
from textual.message import Message
from textual.pilot import Pilot
from textual.widget import Widget

Scene = Callable[[Pilot[None]], Awaitable[None]]


class Stage(App[None]):
    """Shows widgets below each other."""

    def __init__(self, *widgets: Widget) -> None:
        super().__init__()
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


def painted(widget: Widget) -> list[str]:
    """The text of each line of a widget as it is now, without the blanks at its end."""
    return [widget.render_line(y).text.rstrip() for y in range(widget.size.height)]
