"""What a failover took and lost, on record for the objectives of recovery: once a run, by whoever is first.

Invariant: a run that died or was ended after the loss, or before that was proved, shows no failover. The run
says so, or the sweep that takes it back, and it is neither a pass nor left out: what nobody measured is not
known.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from maestro_cli.chaos.faults import REMEDIES
from maestro_cli.chaos.ledger import events_of, started_of
from maestro_cli.chaos.model import Injected
from maestro_cli.core.canonical import plain
from maestro_cli.journal.store import Journal
from maestro_cli.slo.measuring.recoveries import RECOVERY_MEASURED

METHOD = "the first good answer at the entrance after the last bad one; sentinels"
DIED = "its process died before it could tell, and a sweep took back what it left"
ENDED = "it was ended before the loss was proved"


def record_failover(
    journal: Journal, actor: str, run: str, declared: Mapping[str, Any], measured: Mapping[str, Any]
) -> None:
    """`declared` is what the run wrote of it as it began. Raises what the journal raises."""
    of = f"failover of {declared['of']} to {declared['to']} ({run})"
    data = {"of": of, "service": declared["service"], **measured}
    with journal.transaction() as transaction:
        subject = f"recovery/{run}"
        known = "SELECT seq FROM events WHERE subject = ? AND kind = ?"
        if not transaction.query(known, (subject, RECOVERY_MEASURED)):
            transaction.append(RECOVERY_MEASURED, subject, actor, plain(data))


def record_unshown(journal: Journal, actor: str, run: str, why: str) -> None:
    """Of a run that nobody measured: where its region was lost, or may have been, no failover was shown.

    Raises what the journal raises.
    """
    declared = started_of(journal, run).get("failover")
    lost_at = _lost_at(journal, run) if declared else ""
    if declared and lost_at:
        unknown = {"at": lost_at, "passed": False, "unknown": ["rto", "rpo"], "method": why}
        record_failover(journal, actor, run, declared, {**unknown, "rto_seconds": None, "rpo_seconds": None})


def _lost_at(journal: Journal, run: str) -> str:
    """When the first fault that hurts was put in; "" where none was, or none had an effect."""
    lost: dict[str, str] = {}
    for event in events_of(journal, run):
        if event.kind == "experiment.intended" and event.data["order"]["fault"] not in REMEDIES:
            lost[event.data["fault"]] = event.time
        elif event.kind == "experiment.injected" and event.data["outcome"] != Injected.EFFECTIVE.value:
            lost.pop(event.data["fault"], None)
    return next(iter(lost.values()), "")
