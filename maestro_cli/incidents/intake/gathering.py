"""What had opened by itself before a storm was known to be one.

Invariant: used inside one transaction. What nobody is at work on goes into the storm whole; what somebody is
stays theirs, and is linked with the storm once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from maestro_cli.incidents.intake.touched import is_touched
from maestro_cli.incidents.merging import merge_events
from maestro_cli.incidents.model import Incident, LinkKind
from maestro_cli.incidents.register import find_incident, links_of
from maestro_cli.journal.store import Transaction

Append = Callable[[str, str, Mapping[str, Any]], None]  # kind, incident, data
BEGAN_WITH = "it began with this storm"


def gather(transaction: Transaction, append: Append, storm: str, earlier: Iterable[str]) -> None:
    """Merge the `earlier` incidents into the open incident of the storm, or link them with it."""
    found = (find_incident(transaction, one) for one in earlier if one != storm)
    for one in sorted(found, key=lambda one: one.number):
        into = find_incident(transaction, storm)
        if not one.state.is_open or one.drill is not into.drill:
            continue
        if is_touched(transaction, one):
            _link(transaction, append, into, one)
            continue
        for kind, incident, data in merge_events(one, into, BEGAN_WITH):
            append(kind, incident, data)


def _link(transaction: Transaction, append: Append, storm: Incident, one: Incident) -> None:
    if any(link.target == one.id for link in links_of(transaction, storm.id)):
        return
    data = {
        "number": storm.number, "kind": LinkKind.RELATED, "note": BEGAN_WITH, "other": one.id, "url": "",
        "words": f"#{one.number}",
    }  # fmt: skip
    append("incident.linked", storm.id, data)
