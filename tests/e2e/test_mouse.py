"""Mouse and clipboard in a real terminal: what is clicked is done, and what is copied is what is seen."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.terminal import Terminal, is_missing, terminal
from tests.e2e.test_to_the_shell import configured

pytestmark = [pytest.mark.e2e, pytest.mark.skipif(is_missing(), reason="there is no tmux here")]
HOSTILE = "slow \x1b]52;c;aGFja2Vk\a\x1b[31mred\u202edne $(id) [b]bold[/b]"
WHEEL_UP, WHEEL_DOWN = 64, 65
MOVE = 32


@pytest.fixture
def console(tmp_path: Path) -> Iterator[Terminal]:
    """The list of two incidents whose titles were written by an attacker."""
    environment = configured()
    for name in ("first", "second"):
        words = ["incident", "open", f"{name} {HOSTILE}", "-n", "ml", "-w", f"deploy/{name}"]
        subprocess.run(
            [sys.executable, "-m", "maestro_cli", *words], env=environment, check=True, capture_output=True
        )
    with terminal([sys.executable, "-m", "maestro_cli", "tui"], environment, str(tmp_path)) as opened:
        opened.tmux("set-option", "-g", "mouse", "on", ";", "set-option", "-g", "set-clipboard", "on")
        opened.await_text("▸ +#2 (?s:.*) #1 (?s:.*)x Actions")
        yield opened
        opened.press("C-q")
        opened.await_no("READ-ONLY")


def point(console: Terminal, button: int, x: int, y: int, *, is_up: bool = False) -> None:
    """One event as terminals tell it (SGR, 1006); places are from 0."""
    told = f"\x1b[<{button};{x + 1};{y + 1}{'m' if is_up else 'M'}"
    console.tmux("send-keys", "-H", *(f"{ord(letter):x}" for letter in told))


def place_of(console: Terminal, pattern: str) -> tuple[int, int]:
    """Where the text stands first."""
    lines = console.await_text(pattern).splitlines()
    found = ((re.search(pattern, line), y) for y, line in enumerate(lines))
    return next((match.start(), y) for match, y in found if match is not None)


def click(console: Terminal, pattern: str) -> None:
    x, y = place_of(console, pattern)
    point(console, 0, x, y)
    point(console, 0, x, y, is_up=True)


def copied(console: Terminal) -> str:
    return console.tmux("show-buffer")


def test_rows_keys_and_lines_of_a_menu_are_clicked_and_the_wheel_scrolls(console: Terminal) -> None:
    click(console, "detected .* first slow")
    console.await_text("▸ +#1 ")
    click(console, "Actions")
    console.await_text("Put a note on the timeline")
    click(console, "Note +record")
    console.await_text("Note: #1(?s:.*)what to note")
    click(console, "Cancel")
    console.await_no("what to note")
    console.press("?")
    console.await_text("What can be done on Incidents")
    x, y = place_of(console, "What can be done on Incidents")
    for _ in range(3):
        point(console, WHEEL_DOWN, x, y + 5)
    console.await_no("What can be done on Incidents")
    for _ in range(3):
        point(console, WHEEL_UP, x, y + 5)
    console.await_text("What can be done on Incidents")
    console.press("Escape")
    console.await_no("What can be done on Incidents")


def test_what_is_dragged_over_is_copied_as_it_is_seen_and_nothing_that_a_terminal_obeys(
    console: Terminal,
) -> None:
    console.press("Enter")
    x, y = place_of(console, "opened as sev3")
    point(console, 0, x, y)
    point(console, MOVE, x + 5, y)
    point(console, MOVE, x + 38, y + 1)
    point(console, 0, x + 38, y + 1, is_up=True)
    console.press("C-c")
    console.await_text(r"copied \d+ characters")
    text = copied(console)
    assert text.startswith("opened as sev3: second slow")
    assert "␛]52;c;" in text
    assert all(one.isprintable() or one == "\n" for one in text)


def test_the_line_of_what_was_done_is_copied_by_its_key(console: Terminal) -> None:
    console.press("i")
    console.await_text("what to note")
    console.type("looked at it")
    console.press("Enter")
    console.await_text("Note #2: noted")
    console.press("C-t")
    console.await_text("incident note 2")
    console.press("y")
    console.await_text("copied: maestro")
    assert copied(console) == "maestro --context prod incident note 2 'looked at it'"
