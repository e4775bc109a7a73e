"""What the name of a context stands on, by its colour and theme. Pure data.

Invariant: a swatch has its text and its ground, so that it can be read wherever it stands: in the header
while that is armed, in a list at the cursor, in the frame of a dialog. Each theme has one for each colour.
"""

from __future__ import annotations

from collections.abc import Mapping

from maestro_cli.config.colours import COLOURS

_TONE = "context-"
SWATCH_TONES: tuple[str, ...] = tuple(f"{_TONE}{colour}" for colour in COLOURS)

_ON_DARK = {
    "red": "#ff8a80", "orange": "#ffb055", "yellow": "#f5e050", "green": "#7ddc7d", "cyan": "#5fd7e0",
    "blue": "#82b1ff", "purple": "#c9a0ff", "pink": "#ff9fd6", "grey": "#c4c9cf",
}  # fmt: skip
_ON_LIGHT = {
    "red": "#a01020", "orange": "#8a3f00", "yellow": "#6b5600", "green": "#14602a", "cyan": "#005f68",
    "blue": "#0b4a9e", "purple": "#5e2ca5", "pink": "#9c1a6b", "grey": "#4a4f55",
}  # fmt: skip
# Of the sixteen colours the pairs that can be read in xterm and in VGA: black on magenta or brown cannot.
_OF_TERMINAL = {
    "red": ("bright_white", "red"), "orange": ("black", "bright_red"), "yellow": ("black", "bright_yellow"),
    "green": ("black", "green"), "cyan": ("black", "cyan"), "blue": ("bright_white", "blue"),
    "purple": ("bright_white", "magenta"), "pink": ("black", "bright_magenta"), "grey": ("black", "white"),
}  # fmt: skip


def swatch_tone(colour: str) -> str:
    """The tone of a context's name."""
    return f"{_TONE}{colour}"


def _variables(pairs: Mapping[str, tuple[str, str]]) -> dict[str, str]:
    """As variables of a theme: `context-blue` is the ground, `context-blue-text` what stands on it."""
    grounds = {swatch_tone(colour): ground for colour, (_, ground) in pairs.items()}
    return grounds | {f"{swatch_tone(colour)}-text": text for colour, (text, _) in pairs.items()}


ON_DARK = _variables({colour: ("#000000", ground) for colour, ground in _ON_DARK.items()})
ON_LIGHT = _variables({colour: ("#ffffff", ground) for colour, ground in _ON_LIGHT.items()})
OF_TERMINAL = _variables(
    {colour: (f"ansi_{text}", f"ansi_{ground}") for colour, (text, ground) in _OF_TERMINAL.items()}
)
