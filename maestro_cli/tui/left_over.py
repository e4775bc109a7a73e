"""What nobody works on any more when the console opens: runs that wait, or whose process is gone.

Invariant: read from the journal alone; a journal that cannot be read leaves nothing to say here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from maestro_cli.core.errors import MaestroError
from maestro_cli.tui.keys.names import spoken_keys
from maestro_cli.tui.screens.table import every_screen

if TYPE_CHECKING:
    from maestro_cli.runbooks.model import RunRecord
    from maestro_cli.tui.console import Console
    from maestro_cli.tui.keys.keymap import Keymap

MOST = 200
LEFT = ("interrupted", "unknown", "waiting", "paused")  # the first is the most urgent


def left_over_words(console: Console, chosen: Keymap) -> str:
    """The most urgent of those runs and the keys that go on with it; "" where there is none."""
    found: list[RunRecord] = []
    for context in console.store.snapshot.scope.contexts:
        try:
            found += console.reading(context).run_history.list(limit=MOST)
        except MaestroError:
            continue
    left = sorted(
        (run for run in found if run.status.value in LEFT), key=lambda run: LEFT.index(run.status.value)
    )
    if not left:
        return ""
    more = f", and {len(left) - 1} more" if len(left) > 1 else ""
    first = left[0]
    lists, goes_on = _keys(chosen)
    said = f"{first.id} of {first.runbook} is {first.status.value}{more}"
    return f"{said}: {lists} lists them, {goes_on} goes on with one"


def _keys(chosen: Keymap) -> tuple[str, str]:
    """What shows the runs, and what goes on with one of them, as they are now."""
    runs = every_screen()["runs"]
    digit, go_on = runs.digit, next(one for one in runs.actions if one.id == "runs.go-on")
    lists = chosen.keys.get(f"console.favourite-{digit}", digit)
    is_pinned = digit in chosen.favourites
    return ":runs" if is_pinned else _first(lists), _first(chosen.keys.get(go_on.id, go_on.key))


def _first(keys: str) -> str:
    return spoken_keys(keys).split()[0]
