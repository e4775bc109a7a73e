"""keys.yaml against the table of keys.

Invariant: a file that would put two things on one key of a screen, or what hurts on a key that a hand presses
by habit, is refused whole, with its line; none of it is used.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from maestro_cli.config.keys_file import KeysFile, read_keys_file
from maestro_cli.config.strict import Document, suggestion
from maestro_cli.core.errors import MaestroError
from maestro_cli.tui.keys.model import Key
from maestro_cli.tui.keys.names import fault_of_key, is_safe_for_harm, normal_key, split_keys, spoken_key
from maestro_cli.tui.keys.table import clashes, every_key, keys_together
from maestro_cli.tui.screens.table import every_screen


@dataclass(frozen=True, slots=True)
class Keymap:
    """`keys` is what Textual's keymap takes; `favourites` is a line of the command line by digit."""

    keys: Mapping[str, str] = field(default_factory=dict)
    favourites: Mapping[str, str] = field(default_factory=dict)


def load_keymap() -> Keymap:
    """What the person at this machine chose; nothing where there is no keys.yaml. Raises InvalidFile."""
    found = read_keys_file()
    return Keymap() if found is None else checked_keymap(*found)


def usable_keymap() -> tuple[Keymap, MaestroError | None]:
    """As `load_keymap`; the keys as they come, and why, where the file cannot be used."""
    try:
        return load_keymap(), None
    except MaestroError as error:
        return Keymap(), error


def checked_keymap(document: Document, file: KeysFile) -> Keymap:
    """Raises InvalidFile."""
    known = {key.id: key for key in every_key()}
    for name, keys in file.keys.items():
        if name not in known:
            raise document.fail("is no id of a key", ("keys", name), fix=suggestion(name, known))
        _check(document, known[name], keys)
    chosen = {name: ",".join(map(normal_key, split_keys(keys))) for name, keys in file.keys.items()}
    for screen in every_screen().values():
        for key, one, other in clashes(keys_together(screen), chosen):
            name = other.id if other.id in file.keys else one.id
            raise document.fail(
                f"puts two things on {spoken_key(key)}",
                ("keys", name),
                why=f"on the screen {screen.id} it is {one.id} and {other.id}",
                fix="give one of them another key",
            )
    return Keymap(chosen, {str(digit): line for digit, line in file.favourites.items()})


def _safe_keys() -> str:
    """Which keys what hurts may be on, without those that do something everywhere."""
    taken = {normal_key(one) for key in every_key() for one in split_keys(key.keys)}
    free = (f"f{number}" for number in range(1, 13) if f"f{number}" not in taken)
    return (
        f"use one of {', '.join(free)}, or ctrl+shift+letter where the terminal tells that from ctrl+letter"
    )


def _check(document: Document, key: Key, keys: str) -> None:
    if not split_keys(keys):
        raise document.fail("names no key", ("keys", key.id), fix="name one, such as f9")
    for one in split_keys(keys):
        if fault := fault_of_key(one):
            raise document.fail(f"{one[:60]!r} is no key", ("keys", key.id), why=fault, fix="ctrl+t, f9, X")
        if key.worst.needs_typing and not is_safe_for_harm(one):
            raise document.fail(
                f"{spoken_key(normal_key(one))} is too easily pressed for what can be {key.worst.value}",
                ("keys", key.id),
                fix=_safe_keys(),
            )
