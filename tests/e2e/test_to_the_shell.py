"""To the shell and back in a real terminal: all is painted again, and who began the console stops with it."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest

from maestro_cli.config.locations import config_dir
from maestro_cli.tui.keys.remembered import Remembered, remember
from tests.e2e.terminal import Terminal, is_missing, terminal

pytestmark = [pytest.mark.e2e, pytest.mark.skipif(is_missing(), reason="there is no tmux here")]
PARTS = ("READ-ONLY", "SEVERITY", "x Actions")  # of the heading, the screen and the keys
TUI = f"{sys.executable} -m maestro_cli tui"


@pytest.mark.parametrize("started", [TUI, f"sh -c '{TUI}; echo over'"], ids=["by the shell", "by a script"])
def test_who_comes_back_from_the_shell_sees_the_whole_screen(tmp_path: Path, started: str) -> None:
    """A script that began it stops with it, or the shell would wait for ever."""
    with terminal(["bash", "--norc", "-i"], configured(), str(tmp_path)) as opened:
        opened.type(f"{started}\n")
        whole(opened)
        opened.press("C-z")
        opened.await_text("Stopped")
        opened.type("clear; fg\n")
        whole(opened)
        opened.press("C-q")
        opened.await_no("READ-ONLY")


def test_where_no_shell_would_notice_it_stays(tmp_path: Path) -> None:
    with terminal(["sh", "-c", TUI], configured(), str(tmp_path)) as opened:
        whole(opened)
        opened.press("C-z")
        opened.await_text("there is no shell to go to here")


def test_one_that_was_stopped_without_being_asked_goes_on_and_is_painted_again(tmp_path: Path) -> None:
    with terminal(["bash", "--norc", "-i"], configured(), str(tmp_path)) as opened:
        opened.type(f"{TUI}\n")
        whole(opened)
        (console,) = [one.pid for one in opened.processes() if "tui" in one.cmdline()]
        os.kill(console, signal.SIGSTOP)
        opened.await_text("Stopped")
        opened.type("clear; fg\n")
        whole(opened)
        opened.press("C-q")
        opened.await_no("READ-ONLY")


def configured() -> dict[str, str]:
    remember(Remembered(has_seen_tour=True))
    config = config_dir() / "config.yaml"
    config.parent.mkdir(parents=True, exist_ok=True)
    config.write_text("current_context: prod\ncontexts: {prod: {prometheus: {url: 'http://127.0.0.1:9'}}}\n")
    return dict(os.environ)


def whole(opened: Terminal) -> None:
    opened.await_screen(lambda shown: all(part in shown for part in PARTS), f"all of {PARTS}")
