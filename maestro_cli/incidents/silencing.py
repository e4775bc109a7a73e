"""Which alerts a silence of one incident takes in.

Invariant: pure; every matcher holds for each of the signals, and no label is left out that all of them have
with the same value, so what is hidden beside them is like them in all that they share.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from maestro_cli.core.errors import GateNotMet
from maestro_cli.core.matchers import Matcher
from maestro_cli.core.workload_labels import WORKLOAD_LABELS
from maestro_cli.incidents.intake.correlation import MAX_NAME_CHARACTERS, MAX_VALUE_CHARACTERS
from maestro_cli.incidents.model import Incident, Signal

MAX_VALUES = 50  # of one label, one or another of which is taken
# Labels that say what and where; the signals of an incident may differ in them.
_ALTERNATIVES = ("alertname", "namespace", *(label for label, _ in WORKLOAD_LABELS))


def matchers_of(incident: Incident, signals: Sequence[Signal]) -> tuple[Matcher, ...]:
    """The matchers that take in its firing alerts, or all of them when none fires.

    Raises GateNotMet when it has no alert, as what people report Alertmanager does not know, and when a label
    that says where has too many values to name.
    """
    alerts = [one for one in signals if one.source.startswith(("alertmanager", "prometheus"))]
    alerts = [one for one in alerts if one.firing] or alerts
    if not alerts:
        raise GateNotMet(
            f"incident #{incident.number} has no alert to silence",
            why="its signals do not come from Alertmanager",
        )
    found = []
    for label in sorted(set.intersection(*(set(one.labels) for one in alerts))):
        values = sorted({one.labels[label] for one in alerts})
        if len(label) >= MAX_NAME_CHARACTERS or any(len(value) >= MAX_VALUE_CHARACTERS for value in values):
            continue  # the journal keeps such a one cut
        if len(values) == 1:
            found.append(Matcher(label, values[0]))
        elif label in _ALTERNATIVES:
            if len(values) > MAX_VALUES:
                raise GateNotMet(
                    f"incident #{incident.number} is too wide to silence",
                    why=f"its alerts have {len(values)} values of {label}, of which a silence names"
                    f" {MAX_VALUES} at most, and without them it would take in those of every other one",
                    fix="silence in Alertmanager what you mean",
                )
            found.append(Matcher(label, "|".join(map(re.escape, values)), is_regex=True))
    return tuple(sorted(found))
