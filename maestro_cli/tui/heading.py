"""The words of the first line: where one is, and whether anything can be done there. Pure; nothing of a full
screen is imported: they are on the terminal before that is."""

from __future__ import annotations

from datetime import datetime

from maestro_cli.core.clock import seconds_between
from maestro_cli.core.quantities import format_duration
from maestro_cli.core.untrusted import visible
from maestro_cli.tui.store.model import Snapshot


def standing_text(snapshot: Snapshot, context: str, now: datetime) -> str:
    """`prod-eu READ-ONLY`, or that it is armed and for how long still."""
    if not snapshot.is_armed(context, now):
        return f"{context} READ-ONLY"
    left = format_duration(seconds_between(now, snapshot.armed[context]))
    return f"WRITE {context} ({left} left)"


def header_text(snapshot: Snapshot, now: datetime) -> str:
    """`maestro  prod-eu  READ-ONLY  namespace ml  incident #12`."""
    scope = snapshot.scope
    parts = ["maestro"]
    if snapshot.replay_at is not None:  # before what may have no room
        what = "REPLAY" if snapshot.against is None else "NOW AGAINST"
        at, today = snapshot.replay_at.astimezone(), now.astimezone().date()
        when = f"{at:%H:%M:%S %Z}" if at.date() == today else f"{at:%Y-%m-%d %H:%M:%S %Z}"
        parts.append(f"{what} {when}, nothing can be done")
    beside = (name for name in snapshot.armed if snapshot.is_armed(name, now))
    for context in dict.fromkeys((*scope.contexts, *beside)):
        parts.append(standing_text(snapshot, context, now))
    parts.append(f"namespace {scope.namespace}" if scope.namespace else "all namespaces")
    if scope.incident:
        parts.append(f"incident {scope.incident}")
    return visible("  ".join(parts))
