"""What nobody works on any more when the console opens: what was interrupted, and runs that wait.

Invariant: read from the journal alone; a journal that cannot be read leaves nothing to say here. A change
that may have been applied comes before every run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from maestro_cli.core.errors import MaestroError
from maestro_cli.output.tones import LEFT_RUNS
from maestro_cli.tui.keys.names import spoken_keys
from maestro_cli.tui.keys.table import every_key
from maestro_cli.tui.screens.table import every_screen

if TYPE_CHECKING:
    from maestro_cli.changes.model import Change
    from maestro_cli.runbooks.model import RunRecord
    from maestro_cli.tui.console import Console
    from maestro_cli.tui.keys.keymap import Keymap

MOST = 200


def left_over_words(console: Console, chosen: Keymap) -> str:
    """The most urgent of those and the safest keys that go on with it; "" where there is none."""
    changes: list[Change] = []
    runs: list[RunRecord] = []
    for context in console.store.snapshot.scope.contexts:
        try:
            changes += console.reading(context).abandoned_changes()
            runs += console.reading(context).run_history.list(limit=MOST)
        except MaestroError:
            continue
    left = sorted(
        (run for run in runs if run.status.value in LEFT_RUNS),
        key=lambda run: LEFT_RUNS.index(run.status.value),
    )
    more = len(changes) + len(left) - 1
    others = f", and {more} more" if more > 0 else ""
    if changes:
        return _of_change(changes[0], others, chosen)
    if not left:
        return ""
    said = f"{left[0].id} of {left[0].runbook} is {left[0].status.value}{others}"
    return f"{said}: {_leads_to('runs', chosen)} lists them, {_key('runs.go-on', chosen)} goes on with one"


def _of_change(change: Change, others: str, chosen: Keymap) -> str:
    """Looking at it comes first; going on with it finds out how it stands before anything is done."""
    stands = "is not verified" if change.applied_at is not None else "may have been applied"
    said = f"{change.kind} of {change.ref} was interrupted and {stands}{others}"
    look, menu = _key("table.open", chosen), _key("view.menu", chosen)
    return f"{said}: {_leads_to('changes', chosen)} lists it, {look} shows it, {menu} Carry out probes first"


def _leads_to(screen: str, chosen: Keymap) -> str:
    """What shows that list, as the keys are now."""
    digit = every_screen()[screen].digit
    return f":{screen}" if digit in chosen.favourites else _key(f"console.favourite-{digit}", chosen)


def _key(id: str, chosen: Keymap) -> str:
    keys = next(key.keys for key in every_key() if key.id == id)
    return spoken_keys(chosen.keys.get(id, keys)).split()[0]
