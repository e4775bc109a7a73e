"""Whether the last line tells of the key that ends experiments. Pure."""

from __future__ import annotations

from maestro_cli.tui.store.model import Snapshot
from maestro_cli.tui.views.view import View

BEGIN_OR_END = {"experiments.abort", "drills.play"}  # actions that screens of experiments have
LIVE = "live-experiment"  # the facts of one that this console works on


def tells_abort(view: View | None, snapshot: Snapshot) -> bool:
    """Where experiments are looked at, and on every screen while this console works on one."""
    is_about = view is not None and any(one.id in BEGIN_OR_END for one in view.spec.actions)
    return is_about or any(key.feed == LIVE for key in snapshot.facts)
