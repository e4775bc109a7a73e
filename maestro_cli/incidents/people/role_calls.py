"""Roles that are given to whoever is on call: `commander: schedule:primary` in a playbook, or by hand.

Invariant: the name of the schedule stands until it is known whose turn it is; then the role is handed over
once, unless somebody else has it by then.
"""

from __future__ import annotations

from maestro_cli.incidents.model import OPEN_STATES
from maestro_cli.incidents.people.model import Turn
from maestro_cli.incidents.people.reading import roles_of
from maestro_cli.incidents.register import Reads, find_incident
from maestro_cli.journal.store import Journal

PREFIX = "schedule:"


def roles_to_call(reads: Reads) -> tuple[Turn, ...]:
    """The roles of open incidents that a schedule has."""
    states = ",".join(f"'{state.value}'" for state in OPEN_STATES)
    rows = reads.query(
        "SELECT DISTINCT t.incident FROM people_turns t JOIN incidents i ON i.id = t.incident"
        f" WHERE t.until IS NULL AND t.person GLOB '{PREFIX}*' AND i.state IN ({states})"
    )
    held = (turn for row in rows for turn in roles_of(reads, row["incident"]).values())
    return tuple(turn for turn in held if turn.person.startswith(PREFIX))


def hand_to(journal: Journal, actor: str, turn: Turn, person: str) -> bool:
    """Hand the role over from the schedule; False when somebody else has it by then."""
    with journal.transaction() as transaction:
        now = roles_of(transaction, turn.incident).get(turn.role)
        if now is None or now.person != turn.person:
            return False
        data = {
            "incident": turn.incident,
            "roles": {turn.role.value: person},
            "was": {turn.role.value: turn.person},
        }
        transaction.append(
            "incident.roles_set", find_incident(transaction, turn.incident).subject, actor, data
        )
        return True
