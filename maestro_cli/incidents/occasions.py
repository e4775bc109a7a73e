"""What a playbook may say of an incident. Invariant: everything is text, as it was when it was asked for."""

from __future__ import annotations

from maestro_cli.incidents.model import Incident
from maestro_cli.runbooks.playbooks.template import Facts


def facts_of(incident: Incident) -> Facts:
    """What `{{ incident.NAME }}` stands for."""
    return {
        "incident": {
            "id": incident.id,
            "number": str(incident.number),
            "title": incident.title,
            "severity": incident.severity.value,
            "namespace": incident.namespace or "",
            "owner": incident.owner or "",
        }
    }
