"""Take the pictures of the console that the documents show: `docs/pictures/console-*.svg`.

    maestro drill run bad-release --keep
    maestro rollback ml/deploy/fraud --to-revision 2 --yes    # broken again; wait for its incident
    python scripts/take_pictures.py [FOLDER]

They show the platform that is up, as the console shows it; nothing is changed there. Look at them before you
keep them.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from textual.pilot import Pilot

from maestro_cli.core.clock import SystemClock
from maestro_cli.services.backends import GlobalOptions
from maestro_cli.tui.app import ConsoleApp
from maestro_cli.tui.console import Console
from maestro_cli.tui.screens.model import Place
from maestro_cli.tui.screens.table import every_screen
from maestro_cli.tui.store.events import ContextArmed

TARGET = Path(__file__).parents[1] / "docs" / "pictures"
CONTEXT = "local"
SIZE = (132, 36)
PATIENCE_SECONDS = 60.0
STILL_SECONDS = 3.0  # for so long nothing is read for the first time before a picture is taken


@dataclass(frozen=True)
class Picture:
    """`keys` are pressed once everything is read; `is_armed` lets a dialog of a change be opened."""

    name: str
    place: Place
    keys: Sequence[str] = ()
    size: tuple[int, int] = SIZE
    is_armed: bool = False


PICTURES = (
    Picture("incidents", Place("incidents"), size=(132, 24)),
    Picture("incident", Place("incident", "latest", CONTEXT), size=(160, 48)),
    Picture("service", Place("service", "fraud", CONTEXT)),
    Picture("workloads", Place("workloads"), size=(132, 24)),
    Picture("revisions", Place("revisions", "ml/deploy/fraud", CONTEXT), size=(132, 24)),
    Picture("actions", Place("workloads"), ("x",), size=(132, 30), is_armed=True),
    Picture(
        "rollback",
        Place("incident", "latest", CONTEXT),
        ("x", *["down"] * 4, "enter"),
        (132, 44),
        is_armed=True,
    ),
    Picture("experiments", Place("experiments"), size=(132, 30)),
    Picture("logs", Place("logs", "ml/deploy/fraud", CONTEXT), size=(132, 28)),
)


async def until(pilot: Pilot[None], holds: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        if time.monotonic() > end:
            raise SystemExit(f"never: {what}")
        await pilot.pause(0.1)


async def take(picture: Picture, folder: Path) -> None:
    console = Console(GlobalOptions(), SystemClock(), (CONTEXT,), "")
    place = picture.place
    if place.argument == "latest":
        newest = console.reading(CONTEXT).desk.get("latest")
        place = Place(place.screen, f"#{newest.number}", CONTEXT)
    app = ConsoleApp(console, place)

    def unread() -> list[Any]:
        view, snapshot = app.view, console.store.snapshot
        keys = view.keys(snapshot.scope) if view is not None else frozenset()
        return [key for key in keys if not snapshot.fact(key).is_known]

    async with app.run_test(size=picture.size) as pilot:
        await until(pilot, lambda: app.view is not None and not unread(), f"{place} is read")
        await pilot.pause(STILL_SECONDS)
        if picture.is_armed:
            console.store.dispatch(ContextArmed(CONTEXT, console.clock.now() + timedelta(minutes=10)))
        for key in picture.keys:
            await pilot.press(key)
            await pilot.pause(STILL_SECONDS)
        svg = app.export_screenshot(title=f"maestro tui — {every_screen()[place.screen].title}")
    (folder / f"console-{picture.name}.svg").write_text(svg, encoding="utf-8")


if __name__ == "__main__":
    chosen = Path(sys.argv[1]) if len(sys.argv) > 1 else TARGET
    chosen.mkdir(parents=True, exist_ok=True)
    for picture in PICTURES:
        asyncio.run(take(picture, chosen))
