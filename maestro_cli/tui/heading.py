"""The words of the first line: where one is, and whether anything can be done there. Pure; nothing of a full
screen is imported: they are on the terminal before that is."""

from __future__ import annotations

from datetime import datetime

from maestro_cli.core.clock import seconds_between
from maestro_cli.core.quantities import format_duration
from maestro_cli.core.untrusted import visible
from maestro_cli.tui.store.model import Snapshot
from maestro_cli.tui.swatches import swatch_tone

Spans = tuple[tuple[str, str], ...]  # texts, each with its tone


def standing_spans(snapshot: Snapshot, context: str, now: datetime) -> Spans:
    """` prod-eu READ-ONLY`, or that it is armed and for how long still; the name on its colour, a blank to
    each side of it."""
    name = (visible(f" {context} "), swatch_tone(snapshot.colour(context)))
    if not snapshot.is_armed(context, now):
        return (name, ("READ-ONLY", ""))
    left = format_duration(seconds_between(now, snapshot.armed[context]))
    return ((" WRITE", ""), name, (f"({left} left)", ""))


def header_text(snapshot: Snapshot, now: datetime) -> str:
    """`maestro  prod-eu READ-ONLY  namespace ml  incident #12`."""
    return "".join(text for text, _ in header_spans(snapshot, now))


def header_spans(snapshot: Snapshot, now: datetime) -> Spans:
    """The same, with the names of contexts on their colours."""
    scope = snapshot.scope
    parts = ["maestro"]
    if snapshot.replay_at is not None:  # before what may have no room
        what = "REPLAY" if snapshot.against is None else "NOW AGAINST"
        at, today = snapshot.replay_at.astimezone(), now.astimezone().date()
        when = f"{at:%H:%M:%S %Z}" if at.date() == today else f"{at:%Y-%m-%d %H:%M:%S %Z}"
        parts.append(f"{what} {when}, nothing can be done")
    done = [("  ".join(parts), "")]
    beside = (name for name in snapshot.armed if snapshot.is_armed(name, now))
    for context in dict.fromkeys((*scope.contexts, *beside)):
        done += [(" ", ""), *standing_spans(snapshot, context, now)]
    about = f"namespace {scope.namespace}" if scope.namespace else "all namespaces"
    incident = f"  incident {scope.incident}" if scope.incident else ""
    return (*done, (visible(f"  {about}{incident}"), ""))
