"""Names of keys as people and Textual write them, and which of them are too near for what cannot be undone.

Invariant: what hurts is on no key that a hand presses by habit: no character, nothing that moves or confirms,
no ctrl-letter, each of which a shell, tmux, vi, emacs or nano has a use for, and nothing with alt, which is
what a terminal makes of Esc and a letter after it, as a hand that knows vi types them.
"""

from __future__ import annotations

from maestro_cli.config.strict import suggestion

MODIFIERS = ("ctrl", "alt", "shift", "super")
NAMED = frozenset(
    {
        "backspace", "delete", "down", "end", "enter", "escape", "home", "insert", "left", "pagedown",
        "pageup", "right", "space", "tab", "up", "@",
        *(f"f{number}" for number in range(1, 13)),
    }
)  # fmt: skip
_SPOKEN = {
    "space": "Space", "enter": "Enter", "escape": "Esc", "tab": "Tab", "backspace": "Backspace",
    "up": "↑", "down": "↓", "left": "←", "right": "→", "pageup": "PgUp", "pagedown": "PgDn",
    "home": "Home", "end": "End", "delete": "Del", "insert": "Ins",
    "question_mark": "?", "colon": ":", "slash": "/", "minus": "-", "less_than_sign": "<",
    "greater_than_sign": ">", "circumflex_accent": "^", "left_square_bracket": "[",
    "right_square_bracket": "]", "equals_sign": "=", "vertical_line": "|",
    "at": "@", "comma": ",", "full_stop": ".", "plus": "+",
}  # fmt: skip
_CHARACTERS = {spoken: name for name, spoken in _SPOKEN.items() if len(spoken) == 1 and spoken.isascii()}


def split_keys(keys: str) -> tuple[str, ...]:
    """`up,k` is two keys; `,` alone is one."""
    return (keys,) if keys == "," else tuple(one.strip() for one in keys.split(",") if one.strip())


def normal_key(key: str) -> str:
    """A key under the one name that Textual has for it."""
    *modifiers, base = key.rsplit("+", 1) if key != "+" and not key.endswith("++") else [key]
    name = _CHARACTERS.get(base, base)
    return "+".join((*modifiers, name))


def spoken_key(key: str) -> str:
    """A key as help prints it."""
    *modifiers, base = key.split("+") if key != "+" else [key]
    return "+".join((*modifiers, _SPOKEN.get(base, base)))


def spoken_keys(keys: str) -> str:
    return " ".join(spoken_key(one) for one in split_keys(keys))


def fault_of_key(key: str) -> str:
    """Why there is no such key, in words; "" for one that there is."""
    *modifiers, base = normal_key(key).split("+")
    for one in modifiers:
        if one not in MODIFIERS:
            return f"{one!r} is no modifier: {suggestion(one, MODIFIERS)}"
    if len(set(modifiers)) < len(modifiers):
        return "a modifier is named twice"
    if base in NAMED or base in _SPOKEN or (len(base) == 1 and base.isprintable() and base != " "):
        return ""
    return suggestion(base, {*NAMED, "a"}).replace("known here:", "a character, or one of")


def is_safe_for_harm(key: str) -> bool:
    """Whether an action that hurts may be on it."""
    *modifiers, base = normal_key(key).split("+")
    if base.startswith("f") and base[1:].isdecimal():
        return "alt" not in modifiers
    if len(base) != 1 or not base.isalnum():
        return False
    return "alt" not in modifiers and ("super" in modifiers or {"ctrl", "shift"} <= {*modifiers})
