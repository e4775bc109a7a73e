"""The four themes of the console: dark, light, high-contrast and ansi (the terminal's own colours).

Invariant: no theme says anything that no word says. In high-contrast every text has a contrast of at least
7:1 with what is behind it.
"""

from __future__ import annotations

from dataclasses import replace

from textual.theme import BUILTIN_THEMES, Theme

DEFAULT = "dark"

_BLACK, _WHITE = "#000000", "#ffffff"
_HIGH_CONTRAST = Theme(
    name="high-contrast",
    primary="#003a70", secondary="#00406b", accent="#4d2b00", warning="#4d3800", error="#7a0010",
    success="#00461c", foreground=_WHITE, background=_BLACK, surface=_BLACK, panel="#101010",
    boost="#101010", dark=True, luminosity_spread=0.0, text_alpha=1.0,
    variables={
        "text": _WHITE, "text-muted": "#e0e0e0", "text-disabled": "#c8c8c8", "foreground-muted": "#e0e0e0",
        "foreground-disabled": "#c8c8c8", "text-primary": "#9fd0ff", "text-secondary": "#9fe8ff",
        "text-accent": "#ffd28a", "text-warning": "#ffe26b", "text-error": "#ffb3b3",
        "text-success": "#8dffb4",
        "primary-muted": "#002447", "warning-muted": "#2e2200", "error-muted": "#470009",
        "success-muted": "#00290f", "block-cursor-background": "#ffff5f", "block-cursor-foreground": _BLACK,
        "block-cursor-blurred-background": "#202020", "block-cursor-blurred-foreground": _WHITE,
        "button-color-foreground": _WHITE, "button-foreground": _WHITE, "footer-key-foreground": "#ffe26b",
        "footer-background": "#101010", "footer-foreground": _WHITE, "footer-description-foreground": _WHITE,
        "input-selection-background": "#5f5f00", "input-cursor-background": _WHITE,
        "input-cursor-foreground": _BLACK, "border": "#9fd0ff", "border-blurred": "#808080",
    },
)  # fmt: skip

THEMES: tuple[Theme, ...] = (
    replace(BUILTIN_THEMES["textual-dark"], name="dark"),
    replace(BUILTIN_THEMES["textual-light"], name="light"),
    _HIGH_CONTRAST,
    replace(BUILTIN_THEMES["ansi-dark"], name="ansi"),
)
