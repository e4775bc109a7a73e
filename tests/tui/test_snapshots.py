"""Every screen of the console as it was when somebody looked at it, in three sizes and two themes.

A file of `golden/` is one screen in one size: its lines, then the styles of each theme. After a change that
is meant, `UPDATE_SNAPSHOTS=1 python -m pytest tests/tui/test_snapshots.py` writes them again: read the
diff.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from textual.pilot import Pilot

from maestro_cli.tui.app import ConsoleApp
from maestro_cli.tui.screens.model import Place
from maestro_cli.tui.screens.table import every_screen, strip_feed
from maestro_cli.tui.store.events import FactRead
from tests.patience import PATIENCE_SECONDS
from tests.tui.cases import NOW, StillConsole, run_app, tell
from tests.tui.facts import FACTS, PLACES, SITE, burning
from tests.tui.screen_text import layer_of, lines_of, strips_of

GOLDEN = Path(__file__).parent / "golden"
SIZES = ((80, 24), (120, 40), (200, 50))
THEMES = ("dark", "high-contrast")
SERVICES = SimpleNamespace(policy=SimpleNamespace(protected=False))
UPDATES = os.environ.get("UPDATE_SNAPSHOTS") == "1"
# In a row without a difference: it is drawn. What is not as wanted gets seconds: others may compute.
STILL_LOOKS = 25 if UPDATES else 250


@pytest.fixture(autouse=True)
def in_utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Times are those of one zone, wherever the test runs."""
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def test_every_screen_has_facts_to_be_looked_at_with() -> None:
    missing = set(every_screen()) - set(FACTS)
    assert not missing, f"give {sorted(missing)} facts in tests/tui/facts.py, and UPDATE_SNAPSHOTS=1"


def golden(screen: str, size: tuple[int, int]) -> Path:
    return GOLDEN / f"{screen}-{size[0]}x{size[1]}.txt"


def kept(file: Path) -> dict[str, list[str]]:
    """The parts of a file, by their heading."""
    parts: dict[str, list[str]] = {}
    for line in file.read_text(encoding="utf-8").splitlines() if file.exists() else ():
        if line.startswith("=== "):
            parts[line.removeprefix("=== ")] = []
        else:
            parts[list(parts)[-1]].append(line)
    return parts


async def drawn(app: ConsoleApp, pilot: Pilot[None], wanted: dict[str, list[str]]) -> dict[str, list[str]]:
    """What is on the screen once that is as wanted, else once it does not change any more."""
    end, same, last = time.monotonic() + PATIENCE_SECONDS, 0, dict[str, list[str]]()
    while time.monotonic() < end and same < STILL_LOOKS:
        await pilot.pause(0.02)
        strips = strips_of(app)
        found = {"screen": lines_of(strips), app.theme: layer_of(strips)}
        if found == wanted and not UPDATES:
            return found
        same, last = same + 1 if found == last else 0, found
    return last


@pytest.mark.parametrize("screen", every_screen())
def test_a_screen_is_as_it_was(screen: str) -> None:
    place = PLACES.get(screen, Place(screen))
    console = StillConsole(SERVICES, (SITE,))
    found: dict[tuple[int, int], dict[str, list[str]]] = {size: {} for size in SIZES}

    async def look(app: ConsoleApp, pilot: Pilot[None]) -> None:
        facts = {**FACTS[screen](), strip_feed().of(SITE): burning()}
        tell(console, *(FactRead(key, data, NOW) for key, data in facts.items()))
        for size in SIZES:
            wanted = kept(golden(screen, size))
            await pilot.resize_terminal(*size)
            for theme in THEMES:
                app.theme = theme
                part = {name: wanted.get(name, []) for name in ("screen", theme)}
                found[size] |= await drawn(app, pilot, part)

    run_app(console, look, place=place, size=SIZES[0])
    for size, parts in found.items():
        if UPDATES:
            text = [line for name, lines in parts.items() for line in (f"=== {name}", *lines)]
            golden(screen, size).write_text("\n".join(text) + "\n", encoding="utf-8")
        assert parts == kept(golden(screen, size)), f"{screen} in {size}: see the head of this file"


def test_no_snapshot_is_left_of_a_screen_that_is_gone() -> None:
    named = {f"{screen}-{width}x{height}.txt" for screen in every_screen() for width, height in SIZES}
    assert {file.name for file in GOLDEN.iterdir()} == named


def test_nothing_hostile_is_on_any_screen() -> None:
    """No control or bidi character is kept, though facts have them; and the hostile facts are there."""
    texts = [file.read_text(encoding="utf-8") for file in GOLDEN.iterdir()]
    bad = {c for text in texts for c in text if (ord(c) < 32 and c != "\n") or c in "\u202e\u200b"}
    assert bad == set()
    assert sum("␛[31m" in text for text in texts) > len(SIZES) * 5
