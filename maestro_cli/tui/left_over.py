"""What nobody works on any more when the console opens: runs that wait, or whose process is gone.

Invariant: read from the journal alone; a journal that cannot be read leaves nothing to say here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from maestro_cli.core.errors import MaestroError

if TYPE_CHECKING:
    from maestro_cli.runbooks.model import RunRecord
    from maestro_cli.tui.console import Console

MOST = 200
LEFT = ("interrupted", "unknown", "waiting", "paused")  # the first is the most urgent


def left_over_words(console: Console) -> str:
    """The most urgent of those runs and how to go on with it; "" where there is none."""
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
    return f"{first.id} of {first.runbook} is {first.status.value}{more}: 8 lists them, e goes on with one"
