"""Which row, which action a word means. Invariant: pure; nothing is guessed: a word that may mean two things
is refused with both."""

from __future__ import annotations

from collections.abc import Sequence

from maestro_cli.config.explanation import suggestion
from maestro_cli.core.errors import UsageError
from maestro_cli.core.quantities import counted
from maestro_cli.tui.acting.model import Action, Target

MOST_NAMED = 5  # of those that a word may mean
MOST_DIGITS = 9  # of the number of a row


def chosen_rows(words: Sequence[str], rows: Sequence[Target]) -> tuple[Target, ...]:
    """A row for each word, by its number, its name or the last part of that. Raises UsageError."""
    found = [_row(word, rows) for word in words]
    return tuple({(one.context, one.id): one for one in found}.values())


def _row(word: str, rows: Sequence[Target]) -> Target:
    if word.isascii() and word.isdecimal():
        number = int(word) if len(word) <= MOST_DIGITS else 0
        if not 1 <= number <= len(rows):
            raise UsageError(f"there is no row {word[:20]}", why=f"{counted(len(rows), 'row')} read")
        return rows[number - 1]
    exact = [one for one in rows if one.name == word]
    found = exact or [one for one in rows if one.name.rpartition("/")[2] == word]
    if len(found) == 1:
        return found[0]
    if not found:
        raise UsageError(f"no row is called {word[:60]!r}", why=suggestion(word, [one.name for one in rows]))
    names = ", ".join(one.name for one in found[:MOST_NAMED])
    raise UsageError(f"{word[:60]!r} may be {len(found)} rows", why=names, fix="say the number of one")


def chosen_action(word: str, actions: Sequence[Action]) -> Action:
    """By its id, the id's last part, its title, or its key on the full screen. Raises UsageError."""
    wanted = word.lower()
    named = [one for one in actions if wanted in (one.id, one.id.split(".")[-1], one.title.lower())]
    found = named or [one for one in actions if one.key == word]
    if len(found) == 1:
        return found[0]
    ids = [one.id for one in actions]
    why = suggestion(wanted, ids) if not found else ", ".join(one.id for one in found)
    raise UsageError(f"no one action is called {word[:60]!r}", why=why, fix="actions tells of each")
