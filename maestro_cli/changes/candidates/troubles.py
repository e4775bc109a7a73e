"""The incidents that a workload had. Invariant: reads the journal only, whichever room wrote it."""

from __future__ import annotations

from maestro_cli.changes.candidates.model import Trouble
from maestro_cli.core.clock import from_rfc3339
from maestro_cli.core.refs import WorkloadRef
from maestro_cli.core.untrusted import Untrusted
from maestro_cli.journal.store import Journal


def troubles_of(journal: Journal, ref: WorkloadRef) -> tuple[Trouble, ...]:
    """Every incident about that workload, oldest first; those that were dismissed were none."""
    found: dict[str, Trouble] = {}
    for event in journal.events(subject="incident/", kinds=("incident.opened", "incident.dismissed")):
        if event.kind == "incident.dismissed":
            found.pop(event.subject, None)
        elif event.data.get("workload") == str(ref):
            data = event.data
            found[event.subject] = Trouble(
                event.subject.partition("/")[2],
                Untrusted(data["title"]),
                from_rfc3339(data["started_at"]),
                bool(data["drill"]),
            )
    return tuple(found.values())
