"""Contrast: every tone can be read on what is behind it, also while something else has the keys."""

from __future__ import annotations

import pytest
from textual.color import Color
from textual.theme import Theme

from maestro_cli.tui.themes import THEMES

LEAST = 4.5
PAIRS = (
    ("foreground", "surface"),
    ("foreground", "panel"),
    ("text-warning", "surface"),
    ("text-warning", "warning-muted"),
    ("text-success", "surface"),
    ("text-success", "panel"),
    ("text-error", "surface"),
    ("text-error", "panel"),
    ("text-primary", "surface"),
    ("text-accent", "surface"),
    ("text-warning", "panel"),
    ("block-cursor-blurred-foreground", "block-cursor-blurred-background"),
)
OWN = [theme for theme in THEMES if theme.name != "ansi"]  # of which the terminal knows the colours


def luminance(colour: str) -> float:
    """Relative luminance as WCAG 2.1 defines it; a component is drawn without transparency."""
    parts = (part / 255 for part in Color.parse(colour).rgb)
    red, green, blue = (c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("theme", OWN, ids=lambda theme: theme.name)
@pytest.mark.parametrize(("text", "behind"), PAIRS)
def test_a_text_can_be_read_on_what_is_behind_it(theme: Theme, text: str, behind: str) -> None:
    colours = {**theme.to_color_system().generate(), **theme.variables}
    dark, light = sorted((luminance(colours[text]), luminance(colours[behind])))
    ratio = (light + 0.05) / (dark + 0.05)
    assert ratio >= LEAST, f"{colours[text]} on {colours[behind]} is {ratio:.1f}:1"
