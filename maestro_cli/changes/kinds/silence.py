"""Silence: have Alertmanager notify nobody, for a while, of the alerts that some matchers take in.

Invariant: every silence has an end and narrows what it hides. Alertmanager takes no precondition, so before
each call the silence is looked for by its mark; should a call that was given up arrive after all, what it
made carries the same mark, ends at the same time, and is expired as a step.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar

from maestro_cli.changes.kinds.kind import Holds, Observation, Option, Probe, Request, Sent
from maestro_cli.changes.kinds.silencing import (
    Silencing,
    SilencingKind,
    alerts_diff,
    silence_diff,
    with_mark,
)
from maestro_cli.changes.kinds.writing import Draft
from maestro_cli.changes.model import GateReason, Plan, Undo
from maestro_cli.changes.ports import World
from maestro_cli.core.clock import from_rfc3339, to_rfc3339
from maestro_cli.core.errors import ExitCode, GateNotMet, UsageError
from maestro_cli.core.facts.alerts import Alert
from maestro_cli.core.quantities import format_duration, parse_duration_seconds
from maestro_cli.core.refs import ObjectRef
from maestro_cli.core.untrusted import visible

MAX_SECONDS = 31 * 86_400
MAX_COMMENT = 1000


class SilenceAlerts(SilencingKind):
    """Parameters: `duration`, such as `2h`, or `until` (an instant); `comment`."""

    name = "silence"
    count = 1
    options: ClassVar[Mapping[str, Option]] = {"duration": Option(str, needed=True), "comment": Option(str)}

    def known_parameters(self) -> frozenset[str]:
        return super().known_parameters() | {"until"}

    def draft(self, world: World, found: Silencing, request: Request) -> Draft:
        """Raises GateNotMet when a silence of these matchers is there already."""
        until = _until(request)
        comment = str(request.parameters.get("comment") or "")
        if len(comment) > MAX_COMMENT:
            raise UsageError(f"the comment is longer than {MAX_COMMENT} characters")
        if found.live:
            held = found.live[0]
            raise GateNotMet(
                f"{found.ref} is there already, until {to_rfc3339(held.ends_at)}",
                why=f"{held.id} was made by {visible(held.created_by, 80)}: {visible(held.comment, 200)}",
                fix=f"to have another end: maestro silence expire {held.id}, then add it again",
            )
        span = format_duration((until - request.now).total_seconds())
        hidden = alerts_diff(self.touched(world, found), "notifies", "silenced")
        return Draft(
            parameters={"until": to_rfc3339(until), "comment": comment, "by": request.actor},
            summary=f"silence the alerts of {found.ref} for {span}",
            spec={"silences": self.spec_of(found)["silences"] + 1},
            diff=silence_diff(found.ref.name, None, f"silenced until {to_rfc3339(until)}", hidden),
            holds=f"{found.ref} is active",
            undo=Undo("unsilence", {}, f"expire {found.ref}"),
            objections=_too_wide(found),
        )

    def touched(self, world: World, found: Silencing) -> Sequence[Alert]:
        return [one for one in world.alertmanager.alerts(matchers=found.matchers) if not one.suppressed_by]

    def apply(self, world: World, plan: Plan, *, resource_version: str, dry_run: bool = False) -> Silencing:
        """Find what this change made, or make it. Alertmanager has no dry run: then it is only looked at."""
        found = self.read(world, plan.target.ref)
        if dry_run or found.marked(plan.id):
            return found
        until = from_rfc3339(plan.parameters["until"])
        world.alertmanager.create_silence(
            found.matchers, starts_at=min(plan.created_at, until), ends_at=until,
            created_by=plan.parameters["by"] or "maestro",
            comment=with_mark(plan.parameters["comment"], plan.id),
        )  # fmt: skip
        return self.read(world, plan.target.ref)

    def probe(self, world: World, plan: Plan) -> Probe:
        """Look for the mark, also among silences that are over."""
        found = self.read(world, plan.target.ref)
        mine = found.marked(plan.id)
        if mine:
            evidence = f"{plan.target.ref} carries the mark of {plan.id}"
            return Probe(Sent.APPLIED, evidence, found, plan.payload_digest)
        return Probe(Sent.NOT_APPLIED, f"no silence carries the mark of {plan.id}", found)

    def observe(self, world: World, plan: Plan, *, left: str) -> Observation:
        mine = self.read(world, plan.target.ref).marked(plan.id)
        state = mine[0].state if mine else "gone"
        if state == "active":
            return Observation(Holds.YES, f"{mine[0].id} is active until {to_rfc3339(mine[0].ends_at)}")
        if state == "pending":
            return Observation(Holds.NOT_YET, f"{mine[0].id} is pending")
        return Observation(Holds.SUPERSEDED, f"{plan.target.ref} is {state}: somebody ended it")

    def pending(self, world: World, plan: Plan) -> Mapping[str, ObjectRef]:
        """What a second arrival of the call made."""
        extra = [one for one in self.read(world, plan.target.ref).marked(plan.id) if not one.is_over][1:]
        return {one.id: plan.target.ref for one in extra}

    def take(self, world: World, plan: Plan, ref: ObjectRef, uid: str) -> None:
        world.alertmanager.expire_silence(uid)


def _until(request: Request) -> datetime:
    """When it ends. Raises UsageError for a silence without an end, GateNotMet for one that is over."""
    given: Mapping[str, Any] = request.parameters
    if (given.get("duration") is None) == (given.get("until") is None):
        raise UsageError("a silence needs an end", fix="duration: 2h")
    try:
        if given.get("until") is not None:
            until = from_rfc3339(str(given["until"]))
        else:
            until = request.now + timedelta(seconds=parse_duration_seconds(str(given["duration"])))
    except (ValueError, OverflowError) as error:
        raise UsageError(f"the end of the silence: {error}", fix="duration: 2h") from error
    seconds = (until - request.now).total_seconds()
    if seconds <= 0:
        raise GateNotMet("the silence would be over already", why=f"it was to end at {to_rfc3339(until)}")
    if seconds > MAX_SECONDS and given.get("until") is None:  # what was there may be put back
        raise UsageError("a silence may last 31 days at most", fix="turn off an alert that nobody wants")
    return until


def _too_wide(found: Silencing) -> tuple[GateReason, ...]:
    if any(matcher.narrows for matcher in found.matchers):
        return ()
    reason = GateReason(
        "too-wide", ExitCode.POLICY_REFUSED, "the silence would hide every alert",
        why=f"{found.ref.name or 'no matcher'} takes in everything, or leaves out a few only",
        fix="name what to silence: alertname=NAME, namespace=NAME, …",
    )  # fmt: skip
    return (reason,)
