"""`maestro tui` before its screen opens: what is wrong is three lines, and completion knows its words."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.cli.program import maestro

SETTINGS = "contexts:\n  prod-eu: {}\n  prod-us: {}\n  staging: {}\n"


@pytest.fixture
def settings() -> None:
    folder = Path(os.environ["XDG_CONFIG_HOME"]) / "maestro"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.yaml").write_text(SETTINGS, encoding="utf-8")


def test_without_a_terminal_it_ends_with_2_and_says_what_to_run_instead() -> None:
    result = maestro("tui")
    assert (result.code, result.out) == (2, "")
    assert result.err.splitlines() == [
        "maestro: error: the console needs a terminal",
        "  why: its input or output is none",
        "  fix: maestro status -o json",
    ]


@pytest.mark.usefixtures("settings")
def test_contexts_and_screens_are_completed() -> None:
    def complete(words: str) -> str:
        return maestro(env={"_MAESTRO_COMPLETE": "complete_zsh", "_TYPER_COMPLETE_ARGS": words}).out

    offered = complete("maestro tui prod")
    assert all(name in offered for name in ("prod-eu", "prod-us"))
    assert "staging" not in offered
    offered = complete("maestro tui --screen po")
    assert "pods" in offered
    assert "nodes" not in offered
