"""Changes: what was done to the world, by whom, and how it ended."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from maestro_cli.core.errors import GateNotMet
from maestro_cli.tui.acting.model import Action, Answers, Ask, Danger, Doing, Target
from maestro_cli.tui.feeds.journal import journal_feed
from maestro_cli.tui.screens.model import Moment, Place, ReportScreen, TableScreen

if TYPE_CHECKING:
    from maestro_cli.changes.model import Change, Plan
    from maestro_cli.output.views import Listing, Report
    from maestro_cli.services.root import Services

MOST = 500


def read_changes(services: Services, argument: str) -> tuple[Change, ...]:
    return services.list_changes(MOST)


def read_change(services: Services, argument: str) -> Change:
    return services.get_change(argument)


CHANGES = journal_feed("changes", read_changes)
CHANGE = journal_feed("change", read_change)


def changes_listing(changes: Sequence[Change], moment: Moment) -> Listing[Change]:
    from maestro_cli.output.renderers.changes import changes_view

    return changes_view(changes)


def change_report(change: Change, moment: Moment) -> Report:
    from maestro_cli.output.renderers.changes import change_view

    return change_view(change)


def change_target(change: Change, place: Place) -> Target:
    return Target(place.context, "Change", change.id, change.id, change)


def why_not_waiting(target: Target) -> str:
    """Why nobody's word is wanted for it; "" where it waits for one."""
    state: str = target.item.state.value
    return "" if state == "waiting" else f"it waits for nobody: it is {state}"


def why_no_undo(target: Target) -> str:
    """Why there is nothing to take back; "" where there is."""
    change: Change = target.item
    if change.applied_at is None:
        return f"it has changed nothing: it is {change.state.value}"
    if change.undone_by is not None:
        return f"it was taken back already, by {change.undone_by}"
    return "" if change.plan.undo is not None else f"what a {change.kind} does cannot be taken back"


def why_not_carried_out(target: Target) -> str:
    """Why there is nothing to go on with; "" where there is."""
    change: Change = target.item
    if change.finished or change.state.value == "planned":
        return f"there is nothing to go on with: it is {change.state.value}"
    if change.state.value == "waiting" and change.approval is None:
        return "nobody has approved it; a second person does: Actions › Approve"
    return ""


def undo_danger(target: Target) -> Danger:
    """That of what would be done to take it back."""
    undo = target.item.plan.undo
    return Danger.REVERSIBLE if undo is None else danger_of_kind(undo.kind, Danger.DISRUPTIVE)


def carrying_danger(target: Target) -> Danger:
    """That of what was planned."""
    return danger_of(target.item.plan)


def plan_undo(services: Services, target: Target, answers: Answers) -> Plan:
    return services.changes.plan_undo(target.id)


def approve(doing: Doing) -> str:
    """The word of a second person for the plan that is shown; who asked for the change carries it out."""
    from maestro_cli.output.renderers.changes import change_view
    from maestro_cli.services.approving import approvals

    desk = approvals(doing.services)
    change = desk.check(doing.target.id)
    asked = f"{change.plan.summary}, asked for by {change.actor}: approve it?"
    if not doing.agree(asked, change_view(change), "Approve"):
        return "you said no; it waits on"
    return (
        f"approved: {desk.approve(change).id}; {CARRY_OUT.title} (x) does it now, here or at {change.actor}'s"
    )


def danger_of(plan: Plan) -> Danger:
    """That of the action which plans this kind; of what none plans, by whether it can be undone."""
    return danger_of_kind(plan.kind, Danger.DISRUPTIVE if plan.undo is None else Danger.REVERSIBLE)


def danger_of_kind(kind: str, unknown: Danger) -> Danger:
    """That of the actions which plan changes of a kind; `unknown` where none does."""
    from maestro_cli.tui.screens.table import every_screen

    actions = [one for screen in every_screen().values() for one in screen.actions]
    return {one.kind: one.danger for one in actions if one.kind}.get(kind, unknown)


def carry_out(doing: Doing) -> str:
    """Go on with what was approved or interrupted, exactly as it was planned; raises what the gate says.

    The target of what disrupts is typed, as where it was planned.
    """
    from maestro_cli.changes.model import State
    from maestro_cli.output.renderers.changes import change_view

    services = doing.services
    change = services.get_change(doing.target.id)
    if change.finished or change.state is State.PLANNED:
        raise GateNotMet(f"there is nothing to go on with: {change.id} is {change.state.value}")
    if change.state is State.WAITING and change.approval is None:
        raise GateNotMet(f"nobody has approved {change.id}", fix="a second person: Actions › Approve")
    name = str(change.ref) if danger_of(change.plan).needs_typing else ""
    asked = f"{change.plan.summary}: carry it out?"
    if not doing.agree(asked, change_view(change), CARRY_OUT.title, name):
        return "you said no; it stays as it is"
    done = services.changes.recover(change.id, progress=doing.progress, cancellation=doing.cancellation)
    return f"{done.state.value}: {done.id}"


def deny(services: Services, target: Target, answers: Answers) -> str:
    from maestro_cli.services.approving import approvals

    return f"denied: {approvals(services).deny(target.id, answers['why']).id}"


CARRY_OUT = Action(
    "changes.resume",
    "Carry out",
    "do what was approved, or go on with what was interrupted; it is found out first how it stands",
    Danger.REVERSIBLE,
    lambda target, answers: ("change", "resume", target.id),
    performs=carry_out,
    grade=carrying_danger,
    refuses=why_not_carried_out,
)

ACTIONS = (
    CARRY_OUT,
    Action(
        "changes.undo",
        "Take back",
        "undo it, by another change",
        Danger.REVERSIBLE,
        lambda target, answers: ("change", "undo", target.id),
        plans=plan_undo,
        grade=undo_danger,
        refuses=why_no_undo,
    ),
    Action(
        "changes.approve",
        "Approve",
        "give the second person's word to a change that waits",
        Danger.RECORD,
        lambda target, answers: ("approve", target.id, "--yes"),
        performs=approve,
        refuses=why_not_waiting,
    ),
    Action(
        "changes.deny",
        "Deny",
        "end a change that waits; nothing of it is done",
        Danger.RECORD,
        lambda target, answers: ("approve", "deny", target.id, "--why", answers["why"]),
        asks=(Ask("why", "what the requester is told", is_needed=False),),
        records=deny,
        refuses=why_not_waiting,
    ),
)

SCREENS = (
    TableScreen(
        id="changes",
        title="Changes",
        help="What was changed, by whom, and how it ended; newest first.",
        feed=CHANGES,
        rows=tuple,
        listing=changes_listing,
        key=lambda change: change.id,
        target=change_target,
        opens=lambda target: Place("change", target.id, target.context),
        aliases=("chg",),
        digit="5",
        has_namespace=False,
        actions=ACTIONS,
    ),
    ReportScreen(
        id="change",
        title="Change",
        help="One change: plan, diff, blast radius, how it ended.",
        feed=CHANGE,
        report=change_report,
        target=lambda place, change: change_target(change, place),
        actions=ACTIONS,
    ),
)
