"""Unsilence: end a silence now.

Invariant: by its id, so that sent twice it ends one silence once, and never one that was made after. It
leaves no mark: that this very silence is over is what shows it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from maestro_cli.changes.kinds.kind import Holds, Observation, Option, Probe, Request, Sent
from maestro_cli.changes.kinds.silencing import (
    Silencing,
    SilencingKind,
    alerts_diff,
    mark_of,
    silence_diff,
    without_mark,
)
from maestro_cli.changes.kinds.writing import Draft
from maestro_cli.changes.model import Plan, Undo
from maestro_cli.changes.ports import World
from maestro_cli.core.clock import to_rfc3339
from maestro_cli.core.errors import NotFound, NothingToChange, UsageError
from maestro_cli.core.facts.alerts import Alert, Silence


class Unsilence(SilencingKind):
    """Parameters: `id`, where several silences have these matchers."""

    name = "unsilence"
    count = -1
    options: ClassVar[Mapping[str, Option]] = {"id": Option(str)}

    def draft(self, world: World, found: Silencing, request: Request) -> Draft:
        """Raises UsageError when it is not clear which, GateNotMet when there is none."""
        ended = _chosen(found, request.parameters.get("id"))
        first, heard = ended[0], self.touched(world, found)
        until = to_rfc3339(max(one.ends_at for one in ended))
        lines = alerts_diff(heard, "silenced", "notifies")
        return Draft(
            parameters={"ids": [one.id for one in ended]},
            summary=f"expire {found.ref}, which would end at {until}",
            spec={"silences": self.spec_of(found)["silences"] - 1},
            diff=silence_diff(found.ref.name, f"silenced until {until}", None, lines),
            holds=f"{found.ref} is over",
            undo=Undo(
                "silence",
                {"until": until, "comment": without_mark(first.comment)},
                f"silence {found.ref} again until {until}",
            ),
        )

    def touched(self, world: World, found: Silencing) -> Sequence[Alert]:
        """Those that nothing but these silences holds."""
        ids = {one.id for one in found.live}
        there = world.alertmanager.alerts(matchers=found.matchers)
        return [one for one in there if one.suppressed_by and ids.issuperset(one.suppressed_by)]

    def apply(self, world: World, plan: Plan, *, resource_version: str, dry_run: bool = False) -> Silencing:
        """Those of its silences that are not over; Alertmanager has no dry run: then it only looks."""
        found = self.read(world, plan.target.ref)
        for one in found.live:
            if one.id in plan.parameters["ids"] and not dry_run:
                world.alertmanager.expire_silence(one.id)
        return found if dry_run else self.read(world, plan.target.ref)

    def probe(self, world: World, plan: Plan) -> Probe:
        """One of its silences still holds: it may be sent again."""
        found = self.read(world, plan.target.ref)
        left = [one.id for one in found.live if one.id in plan.parameters["ids"]]
        if left:
            return Probe(Sent.NOT_APPLIED, f"{left[0]} is not over", found)
        evidence = f"{', '.join(plan.parameters['ids'])} is over; an expiry does not say whose it was"
        return Probe(Sent.APPLIED, evidence, found, plan.payload_digest)

    def observe(self, world: World, plan: Plan, *, left: str) -> Observation:
        found = self.read(world, plan.target.ref)
        still = [one.id for one in found.live if one.id in plan.parameters["ids"]]
        if still:
            return Observation(Holds.NOT_YET, f"{still[0]} is not over yet")
        return Observation(Holds.YES, f"{', '.join(plan.parameters['ids'])} is over")


def _chosen(found: Silencing, wanted: object) -> tuple[Silence, ...]:
    """The silence to end, with those of the same mark."""
    if not found.live:
        raise NothingToChange(
            f"there is nothing to change in {found.ref}",
            why="no silence with these matchers holds now",
            fix="maestro silence list",
        )
    live = [one for one in found.live if wanted in (None, "", one.id)]
    if not live:
        raise NotFound(f"{wanted!r} is none of the silences of {found.ref}", fix="maestro silence list")
    if len({mark_of(one) or one.id for one in live}) > 1:
        ids = ", ".join(one.id for one in live)
        raise UsageError(f"several silences have these matchers: {ids}", fix="say which: id")
    mark = mark_of(live[0])
    return tuple(one for one in found.live if one == live[0] or (mark and mark_of(one) == mark))
