"""The four themes of the console: dark, light, high-contrast and ansi (the terminal's own colours).

Invariant: no theme says anything that no word says. In high-contrast every text has a contrast of at least
7:1 with what is behind it; in dark and light at least 4.5:1, and in ansi on a dark terminal; there what a
tone colours has at least 3:1 on a light one too.
"""

from __future__ import annotations

from dataclasses import replace

from textual.theme import BUILTIN_THEMES, Theme

from maestro_cli.tui.swatches import OF_TERMINAL, ON_DARK, ON_LIGHT

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
        **ON_DARK,
    },
)  # fmt: skip

_INK = "#101010"  # of light: what is dim is a third of the way to what is behind it

# Components are drawn without the transparency that Textual gives a cursor that lost the focus.
_DARK = {"block-cursor-blurred-background": "#0c304c", "block-cursor-foreground": _WHITE} | ON_DARK
_LIGHT = {
    **ON_LIGHT,
    "block-cursor-blurred-background": "#9cb1c0", "text-warning": "#6b4000", "text-accent": "#6b4000",
    "text-success": "#1a5a30", "foreground": _INK, "footer-key-foreground": "#004578",
}  # fmt: skip

# Of the sixteen colours only two can be read on black and on white, wherever they come from (xterm, VGA,
# GNOME, Solarized): what is in no need of one has that of the terminal's text. Blue is the ground of a chosen
# row that has not the keys.
_ANSI = {
    **OF_TERMINAL,
    "text-error": "ansi_bright_red", "text-warning": "ansi_bright_magenta", "text-primary": "ansi_default",
    "text-success": "ansi_default", "text-accent": "ansi_bright_magenta", "warning-muted": "ansi_default",
    "input-selection-background": "ansi_cyan", "screen-selection-background": "ansi_cyan",
    "footer-key-foreground": "ansi_bright_magenta", "border": "ansi_bright_magenta",
    "block-cursor-blurred-background": "ansi_blue", "block-cursor-blurred-foreground": "ansi_bright_white",
}  # fmt: skip


def _varied(builtin: str, name: str, variables: dict[str, str]) -> Theme:
    theme = BUILTIN_THEMES[builtin]
    return replace(theme, name=name, variables={**theme.variables, **variables})


THEMES: tuple[Theme, ...] = (
    _varied("textual-dark", "dark", _DARK),
    _varied("textual-light", "light", _LIGHT),
    _HIGH_CONTRAST,
    _varied("ansi-dark", "ansi", _ANSI),
)
