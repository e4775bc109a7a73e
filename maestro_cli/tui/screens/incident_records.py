"""What people record of an incident: the use cases of `maestro incident …`, with a word about how it ended.

Invariant: they write the journal only, so that they work while nothing else answers and while the console is
read-only; what is over ends its silences as well, after a yes to each such change, and says which still hold.
Where the state moves, the `seq` that was on the screen is passed on: when somebody was faster, nothing is
done and that is said.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from maestro_cli.core.errors import GateNotMet
from maestro_cli.tui.acting.model import Answers, Doing, Target

if TYPE_CHECKING:
    from maestro_cli.changes.model import Plan
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
    return "; ".join((_said(found), *silences_left(doing)))


def silences_left(doing: Doing) -> tuple[str, ...]:
    """End the silences of incidents that are over, each after a yes to its plan; in words, what still holds.

    To end one is a change: none is tried without an armed context, nor where its name has to be typed for
    each.
    """
    from maestro_cli.services.incident_silences import end_silences

    services = doing.services
    if services.options.is_read_only:
        why = "its context is not armed; once it is, :silences ends it"
    elif services.policy.protected:
        why = "its context is protected: :silences ends it"
    else:
        return tuple(end_silences(services, agrees=partial(_agrees, doing)).values())
    return tuple(
        f"the silence {one.matchers} of #{incident.number} holds until {one.until:%H:%M} UTC, since {why}"
        for incident, one in services.desk.overdue_silences()
    )


def _agrees(doing: Doing, plan: Plan) -> bool:
    """Somebody's yes to what ends a silence. Raises GateNotMet where it was disarmed meanwhile."""
    from maestro_cli.changes.model import Consent
    from maestro_cli.output.renderers.changes import plan_view
    from maestro_cli.tui.acting.advice import decision_here

    decision = doing.services.changes.decide(plan, Consent(True, plan.digest))
    asked = f"{plan.summary}: its incident is over; end it?"
    if not doing.agree(asked, plan_view(plan, decision_here(decision)), "End the silence"):
        return False
    if why := doing.services.options.why_held():
        raise GateNotMet(why)
    return True


def reopen(services: Services, target: Target, answers: Answers) -> str:
    return _said(services.desk.reopen(target.id, answers["reason"], expected_seq=target.item.seq))


def dismiss(doing: Doing) -> str:
    target = doing.target
    found = doing.services.desk.dismiss(target.id, doing.answers["reason"], expected_seq=target.item.seq)
    return "; ".join((_said(found), *silences_left(doing)))


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
