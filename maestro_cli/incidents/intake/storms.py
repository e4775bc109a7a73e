"""When so much begins at once that it is one incident.

Invariant: pure but for the one reading; the answer depends on what began when, not on the order in which it
came. A storm is counted in keys, so that many signals of one workload are none.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from maestro_cli.core.clock import from_rfc3339, to_rfc3339
from maestro_cli.incidents.intake.bindings import Bindings
from maestro_cli.incidents.intake.rules.model import STORM_PREFIX, Rule
from maestro_cli.incidents.register import Reads


@dataclass(frozen=True, slots=True)
class Beginning:
    """A signal that began: `key` is that of its own incident, `storm` that of the storm it would be in;
    `incident` is the one that it is on, empty while it is on none."""

    fingerprint: str
    key: str
    storm: str
    began: datetime
    incident: str = ""


def in_storms(beginnings: Sequence[Beginning], rule: Rule) -> set[str]:
    """The fingerprints of those within a window of the rule in which more keys than its threshold began."""
    groups: dict[str, list[Beginning]] = defaultdict(list)
    for one in sorted(beginnings, key=lambda one: one.began):
        groups[one.storm].append(one)
    return {name for ordered in groups.values() for name in _in_one(ordered, rule)}


def _in_one(ordered: Sequence[Beginning], rule: Rule) -> set[str]:
    """Of what began in order: a window slides over it once."""
    window = timedelta(seconds=rule.window_seconds)
    keys: Counter[str] = Counter()
    found: set[str] = set()
    first = told = 0
    for place, one in enumerate(ordered):
        keys[one.key] += 1
        while one.began - ordered[first].began > window:
            gone = ordered[first].key
            keys[gone] -= 1
            if not keys[gone]:
                del keys[gone]
            first += 1
        if len(keys) > rule.threshold:
            found.update(each.fingerprint for each in ordered[max(first, told) : place + 1])
            told = place + 1
    return found


_BEGUN = """
SELECT s.fingerprint, s.labels, s.starts_at, i.key, i.id FROM incident_signals s
JOIN incidents i ON i.id = s.incident
WHERE s.current = 1 AND s.starts_at BETWEEN :since AND :until AND i.drill = :drill AND s.source <> 'user'
    AND (i.started_at >= :since OR i.key = 'storm' OR i.key GLOB 'storm/*')
"""


def begun(
    reads: Reads, bindings: Bindings, rule: Rule, since: datetime, until: datetime, *, drill: bool
) -> list[Beginning]:
    """What began within a window of that time, on incidents that began then as well and on storms, which may
    last for many windows."""
    window = timedelta(seconds=rule.window_seconds)
    rows = reads.query(
        _BEGUN, {"since": to_rfc3339(since - window), "until": to_rfc3339(until + window), "drill": drill}
    )
    found = []
    for fingerprint, text, starts_at, key, incident in rows:
        labels = json.loads(text)
        own = bindings.key(labels) if key.split("/")[0] == STORM_PREFIX[0] else key
        began = from_rfc3339(starts_at)
        found.append(Beginning(fingerprint, own, rule.key(labels), began, incident))
    return found
