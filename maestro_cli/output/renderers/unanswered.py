"""What nobody responds to, in words: of an empty list of incidents, and above a list. Invariant: pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from maestro_cli.core.clock import from_rfc3339
from maestro_cli.core.quantities import counted
from maestro_cli.core.untrusted import visible
from maestro_cli.output.renderers.incident_findings import age_of

if TYPE_CHECKING:
    from maestro_cli.core.facts.alerts import Alert
    from maestro_cli.incidents.intake.blindness import Sight
    from maestro_cli.incidents.unanswered import Unanswered

MOST_NAMES = 3  # of alerts that are told by name


def no_incident_words(found: Unanswered) -> str:
    """What stands where no incident is open, and what fires was asked for."""
    if found.is_quiet:
        return "no incidents; all quiet"
    if found.alerts:
        return f"no incidents, but {counted(len(found.alerts), 'alert')} {_fire(found.alerts)}"
    if found.unknown:
        return "no incidents; whether anything fires is not known"
    if not found.sight.watchers:
        return "no incidents; nothing fires now, and nobody would see it: maestro watch"
    return "no incidents; nothing fires now, but the watch is blind"


def unasked_words(sight: Sight) -> str:
    """The same where the journal alone was read."""
    if not sight.watchers:
        return "no incidents, but nobody watches (maestro watch); maestro status tells what fires"
    if sight.blind_since is not None:
        return "no incidents, but the watch is blind; maestro status tells what fires"
    return "no incidents; a watch sees the alerts"


def left_out_words(count: int, options: Sequence[str]) -> str:
    """What stands where there are incidents, and none that was asked for."""
    verb = "is" if count == 1 else "are"
    return f"no incidents by {visible(' '.join(options), 120)}: {counted(count, 'other')} {verb} left out"


def unanswered_lines(found: Unanswered, now: datetime) -> tuple[str, ...]:
    """A line for each of what fires, what is not known, and that nobody watches; none while it is quiet."""
    lines = []
    if found.alerts:
        what = f"{counted(len(found.alerts), 'alert')} {_fire(found.alerts)} in no open incident"
        opens = "" if not found.sight.watchers else ', maestro incident open "WHAT IS WRONG" opens one'
        lines.append(f"{what}: {_named(found.alerts)} — :status shows them{opens}")
    if found.unknown:
        lines.append(f"whether anything fires is not known: {found.unknown}")
    if not found.sight.watchers:
        does = "opens incidents of what fires, with --respond it responds"
        lines.append(f"nobody watches — maestro watch {does}")
    elif found.sight.blind_since is not None:
        since = age_of(from_rfc3339(found.sight.blind_since), now)
        lines.append(f"the watch is blind since {since}: {found.sight.error}")
    return tuple(lines)


def _fire(alerts: Sequence[Alert]) -> str:
    return "fires" if len(alerts) == 1 else "fire"


def _named(alerts: Sequence[Alert]) -> str:
    """`2 page, 1 ticket (ErrorBudgetBurn)`."""
    by_severity = Counter(alert.labels.get("severity", "") or "of no severity" for alert in alerts)
    counts = ", ".join(f"{count} {severity}" for severity, count in sorted(by_severity.items()))
    names = list(dict.fromkeys(alert.name for alert in alerts))
    more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    return f"{counts} ({', '.join(names[:MOST_NAMES])}{more})"
