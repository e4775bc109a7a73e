"""Whether people, a response or a runbook are at work on an incident, so that no watch may merge it away.

Invariant: read only. What stays behind with a merged incident (an ack, a role, a task, an update) is nobody's
loss, for it has none of them.
"""

from __future__ import annotations

from maestro_cli.incidents.model import Incident, State
from maestro_cli.incidents.register import Reads
from maestro_cli.runbooks.model import RunStatus
from maestro_cli.runbooks.plays import PlayStatus

GRAVER = "a graver signal belongs to it"  # why a watch grades an incident anew
# By somebody else than who opened it: a watch grades by signals, and gives the roles of a playbook, itself.
_DONE = (
    "incident.note", "incident.linked", "incident.silenced", "incident.severity_set", "incident.roles_set",
    "incident.task_added", "incident.updated", "incident.update_snoozed",
)  # fmt: skip
_KINDS = "','".join(_DONE)
_FINAL = "','".join(status.value for status in RunStatus if status.final)
_BEGUN = "','".join(status.value for status in PlayStatus if not status.final)
_AT_WORK = f"""
SELECT 1 FROM incident_responses WHERE incident = :id
UNION SELECT 1 FROM incident_signals WHERE incident = :id AND source = 'user'
UNION SELECT 1 FROM runs WHERE incident = :id AND status NOT IN ('{_FINAL}')
UNION SELECT 1 FROM playbook_runs WHERE incident = :id AND status IN ('{_BEGUN}')
UNION SELECT 1 FROM events WHERE subject = :subject AND actor <> :opened_by AND kind IN ('{_KINDS}')
    AND NOT (kind = 'incident.severity_set' AND json_extract(data, '$.reason') = :graver)
"""


def is_touched(reads: Reads, incident: Incident) -> bool:
    """Whether a person reported it, or did anything about it, or a response, run or play is at work on it."""
    if incident.times.acked_at or incident.owner is not None or incident.state is not State.DETECTED:
        return True
    named = {
        "id": incident.id, "subject": incident.subject, "opened_by": incident.opened_by, "graver": GRAVER,
    }  # fmt: skip
    return bool(reads.query(_AT_WORK, named))
