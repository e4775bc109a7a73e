"""How the terminal rings, and asks the desktop to show a line.

Invariant: pure. A text is made visible before it stands in a sequence, so that none can end the sequence or
begin another one; a terminal that is not known to show such lines only rings.
"""

from __future__ import annotations

from collections.abc import Mapping

from maestro_cli.core.untrusted import visible

BELL = "\a"
LONGEST = 200  # characters of a line on the desktop
WAYS = ("auto", "off", "bell", "osc9", "osc99", "osc777")
# Parts of what terminals call themselves → the sequence that they show a line for.
_SHOWN_BY = {
    "kitty": "osc99", "iterm": "osc9", "wezterm": "osc777", "ghostty": "osc777", "foot": "osc777",
    "rxvt": "osc777", "konsole": "osc777",
}  # fmt: skip
# Variables that such a terminal sets, also for what runs in a multiplexer in it.
SET_BY = {
    "KITTY_WINDOW_ID": "osc99", "ITERM_SESSION_ID": "osc9", "WEZTERM_PANE": "osc777",
    "GHOSTTY_RESOURCES_DIR": "osc777", "VTE_VERSION": "osc777",
}  # fmt: skip


def way_of(wanted: str, environment: Mapping[str, str]) -> str:
    """What is wanted; for `auto` what the terminal is known to show, else the bell."""
    if wanted in WAYS and wanted != "auto":
        return wanted
    names = " ".join(environment.get(name, "") for name in ("TERM_PROGRAM", "LC_TERMINAL", "TERM")).lower()
    by_name = (way for part, way in _SHOWN_BY.items() if part in names)
    by_variable = (way for name, way in SET_BY.items() if environment.get(name))
    return next(by_name, next(by_variable, "bell"))


def notice(way: str, words: str, *, is_in_tmux: bool) -> str:
    """What is written to the terminal to ring and show a line; "" for `off`.

    tmux hands it on to the terminal where its `allow-passthrough` is on, and drops it else.
    """
    if way == "off":
        return ""
    text = visible(f"maestro: {words}", LONGEST).replace(";", ",")
    sequence = {
        "osc9": f"\x1b]9;{text}\a",
        "osc99": f"\x1b]99;;{text}\x1b\\",
        "osc777": f"\x1b]777;notify;maestro;{text.removeprefix('maestro: ')}\a",
    }.get(way, "")
    if sequence and is_in_tmux:
        sequence = "\x1bPtmux;" + sequence.replace("\x1b", "\x1b\x1b") + "\x1b\\"
    return BELL + sequence
