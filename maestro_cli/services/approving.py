"""Approving what waits, on the command line. Invariant: the plan is shown before it is agreed to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from maestro_cli.core.errors import GateNotMet, UsageError
from maestro_cli.core.quantities import parse_duration_seconds

if TYPE_CHECKING:
    from maestro_cli.changes.approvals import Approvals
    from maestro_cli.changes.model import Change
    from maestro_cli.core.progress import Progress
    from maestro_cli.services.root import Services


def approvals(services: Services) -> Approvals:
    from maestro_cli.changes.approvals import Approvals

    return Approvals(
        services.journal, services, policy=services.policy, clock=services.clock, actor=services.actor
    )


def approve(services: Services, change_id: str, *, yes: bool) -> Change:
    """Show the plan and record the approval; `--yes` stands for the answer where there is no terminal."""
    desk = approvals(services)
    change = desk.check(change_id)
    person = services.person
    if not yes and person is not None:
        from maestro_cli.output.renderers.changes import change_view

        person.show(change_view(change))
        yes = person.confirm(f"{change.plan.summary}, asked for by {change.actor}: approve it?")
        if not yes:
            raise GateNotMet("you said no; it waits on", fix=f"to end it: maestro approve deny {change_id}")
    if not yes:
        raise GateNotMet(
            "nobody agreed to this approval",
            why="there was no answer to a prompt, and --yes was not given",
            fix=f"look at it (maestro change show {change_id}), then add --yes",
        )
    return desk.approve(change)


def await_approval(services: Services, change_id: str, timeout: str, progress: Progress) -> None:
    """Look until a change is approved or waits no more. Raises UsageError, TimedOut and Interrupted."""
    try:
        seconds = parse_duration_seconds(timeout)
    except ValueError as error:
        raise UsageError(f"--timeout: {error}") from error
    progress.phase("approval", f"waiting for a second person: maestro approve {change_id}")
    approvals(services).await_word(change_id, seconds, services.cancellation)
