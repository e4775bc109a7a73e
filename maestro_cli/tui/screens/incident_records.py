"""What people record of an incident: the use cases of `maestro incident …`, with a word about how it ended.

Invariant: they write the journal only, so that they work while nothing else answers and while the console is
read-only; what is over ends its silences as well, where changes are allowed, and says which still hold. Where
the state moves, the `seq` that was on the screen is passed on: when somebody was faster, nothing is done and
that is said.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from maestro_cli.tui.acting.model import Answers, Doing, Target

if TYPE_CHECKING:
    from maestro_cli.incidents.model import Incident
    from maestro_cli.services.root import Services

TRIAGE_TIMEOUT = "15s"


def _said(incident: Incident) -> str:
    return f"#{incident.number} is {incident.state.value}, {incident.severity.value}"


def acknowledge(services: Services, target: Target, answers: Answers) -> str:
    done = services.desk.acknowledge(target.id)
    return done.remark or f"{_said(done.incident)}, owned by {done.incident.owner or 'nobody'}"


def assign(services: Services, target: Target, answers: Answers) -> str:
    named = answers["owner"]
    owner = {"me": services.actor, "nobody": None}.get(named, named)
    found = services.desk.assign(target.id, owner, expected_seq=target.item.seq)
    return f"{_said(found)}, owned by {found.owner or 'nobody'}"


def set_role(services: Services, target: Target, answers: Answers) -> str:
    from maestro_cli.incidents.people.model import Role

    role, person = Role(answers["role"]), answers["person"]
    if not person:
        services.people.clear_role(target.id, role, expected_seq=target.item.seq)
        return f"nobody is {role.value}"
    holder = services.role_holder(services.actor if person == "me" else person)
    services.people.set_role(target.id, role, holder, expected_seq=target.item.seq)
    return f"{holder} is {role.value}"


def set_severity(services: Services, target: Target, answers: Answers) -> str:
    from maestro_cli.incidents.model import Severity

    return _said(
        services.desk.set_severity(
            target.id,
            Severity(answers["severity"]),
            reason=answers["reason"],
            expected_seq=target.item.seq,
        )
    )


def note(services: Services, target: Target, answers: Answers) -> str:
    services.desk.note(target.id, answers["text"])
    return "noted"


def add_task(services: Services, target: Target, answers: Answers) -> str:
    from maestro_cli.incidents.people.model import TaskKind

    made = services.people.add_task(
        target.id,
        answers["text"],
        kind=TaskKind.ACTION if answers["later"] == "yes" else TaskKind.TASK,
        owner={"me": services.actor, "": None}.get(answers["owner"], answers["owner"]),
        due_at=services.due(answers["due"]) if answers["due"] else None,
    )
    return f"{made.kind.value} {made.number} added"


def link(services: Services, target: Target, answers: Answers) -> str:
    from maestro_cli.incidents.model import LinkKind

    services.desk.link(
        target.id, answers["with"].removeprefix("#"), kind=LinkKind(answers["kind"]), note=answers["note"]
    )
    return f"linked with {answers['with']}"


def merge(services: Services, target: Target, answers: Answers) -> str:
    into = answers["into"].removeprefix("#")
    survivor = services.desk.merge(target.id, into, reason=answers["reason"], expected_seq=target.item.seq)
    return f"merged into #{survivor.number}"


def mitigate(services: Services, target: Target, answers: Answers) -> str:
    return _said(services.desk.mitigated(target.id, note=answers["how"], expected_seq=target.item.seq))


def resolve(doing: Doing) -> str:
    answers = doing.answers
    found = doing.services.desk.resolve(
        doing.target.id,
        force=answers["force"] == "yes",
        reason=answers["reason"],
        expected_seq=doing.target.item.seq,
    )
    return "; ".join((_said(found), *silences_left(doing.services)))


def silences_left(services: Services) -> tuple[str, ...]:
    """End the silences of incidents that are over, as far as changes are allowed; in words, what still holds.

    To end one is a change: without an armed context none is tried.
    """
    from maestro_cli.services.incident_silences import end_silences

    if not services.options.is_read_only:
        return tuple(end_silences(services).values())
    return tuple(
        f"the silence {one.matchers} of #{incident.number} holds until {one.until:%H:%M} UTC,"
        " since its context is not armed: W, then :silences ends it"
        for incident, one in services.desk.overdue_silences()
    )


def reopen(services: Services, target: Target, answers: Answers) -> str:
    return _said(services.desk.reopen(target.id, answers["reason"], expected_seq=target.item.seq))


def dismiss(doing: Doing) -> str:
    target = doing.target
    found = doing.services.desk.dismiss(target.id, doing.answers["reason"], expected_seq=target.item.seq)
    return "; ".join((_said(found), *silences_left(doing.services)))


def close(services: Services, target: Target, answers: Answers) -> str:
    return _said(services.desk.close(target.id, reason=answers["reason"], expected_seq=target.item.seq))


def tell(services: Services, target: Target, answers: Answers) -> str:
    from maestro_cli.incidents.people.model import Audience

    services.people.update(
        target.id,
        answers["conditions"],
        actions=answers["actions"],
        needs=answers["needs"],
        audience=Audience(answers["status"]),
    )
    return "told"


def triage(services: Services, target: Target, answers: Answers) -> str:
    from maestro_cli.core.progress import Quiet

    services.investigate(target.id, Quiet(), TRIAGE_TIMEOUT)
    return str(services.triaged_details(target.id).triage["conclusion"])  # type: ignore[index]


def write_postmortem(services: Services, target: Target, answers: Answers) -> str:
    """Where it was written, and how much of it waits for people."""
    written = str(services.write_postmortem(target.id, answers["path"] or None))
    lacking = sum(one.level == "error" for one in services.review_postmortem(target.id, written))
    return written + (f"; {lacking} things in it wait for people" if lacking else "")


def publish_postmortem(services: Services, target: Target, answers: Answers) -> str:
    reason = answers["reason"]
    return _said(
        services.publish_postmortem(target.id, answers["path"] or None, force=bool(reason), reason=reason)
    )
