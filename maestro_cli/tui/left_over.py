"""What nobody works on any more when the console opens: what was interrupted, and runs that wait.

Invariant: read from the journal alone; a journal that cannot be read leaves nothing to say here. A change
that may have been applied comes before every run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from maestro_cli.core.errors import MaestroError
from maestro_cli.output.tones import LEFT_RUNS
from maestro_cli.tui.keys.table import first_key
from maestro_cli.tui.screens.table import every_screen

if TYPE_CHECKING:
    from maestro_cli.changes.model import Change
    from maestro_cli.runbooks.model import RunRecord
    from maestro_cli.tui.console import Console
    from maestro_cli.tui.keys.keymap import Keymap

MOST = 200


def left_over_words(console: Console, chosen: Keymap) -> str:
    """The most urgent of those, where it is, and the safest keys that go on with it; "" for none."""
    changes: list[tuple[str, Change]] = []
    runs: list[tuple[str, RunRecord]] = []
    contexts = console.store.snapshot.scope.contexts
    for context in contexts:
        try:
            changes += [(context, one) for one in console.reading(context).abandoned_changes()]
            runs += [(context, one) for one in console.reading(context).run_history.list(limit=MOST)]
        except MaestroError:
            continue
    left = sorted(
        (found for found in runs if found[1].status.value in LEFT_RUNS),
        key=lambda found: LEFT_RUNS.index(found[1].status.value),
    )
    more = len(changes) + len(left) - 1
    others = f", and {more} more" if more > 0 else ""
    if changes:
        return f"{changes[0][0]}: {_of_change(changes[0][1], others, chosen)}"
    if not left:
        return ""
    context, run = left[0]
    said = f"{context}: {run.id} of {run.runbook} is {run.status.value}{others}"
    go_on = first_key("runs.go-on", chosen.keys)
    return f"{said}: {_leads_to('runs', chosen)} lists them, {go_on} goes on with one"


def _of_change(change: Change, others: str, chosen: Keymap) -> str:
    """Looking at it comes first; going on with it finds out how it stands before anything is done."""
    stands = "is not verified" if change.applied_at is not None else "may have been applied"
    said = f"{change.kind} of {change.ref} was interrupted and {stands}{others}"
    look, menu = first_key("table.open", chosen.keys), first_key("view.menu", chosen.keys)
    return f"{said}: {_leads_to('changes', chosen)} lists it, {look} shows it, {menu} Carry out probes first"


def _leads_to(screen: str, chosen: Keymap) -> str:
    """What shows that list, as the keys are now."""
    digit = every_screen()[screen].digit
    return (
        f":{screen}" if digit in chosen.favourites else first_key(f"console.favourite-{digit}", chosen.keys)
    )
