"""Plans and changes as views."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from maestro_cli.changes.left import Left
from maestro_cli.changes.model import State
from maestro_cli.core.canonical import plain
from maestro_cli.core.quantities import counted, format_duration
from maestro_cli.output.views import Column, Fields, Heading, Listing, Report

if TYPE_CHECKING:
    from maestro_cli.changes.candidates.model import Judged
    from maestro_cli.changes.model import (
        BlastRadius,
        Change,
        DiffLine,
        GateDecision,
        Plan,
        RecentChange,
    )
    from maestro_cli.changes.served import Impact


_SHOWN = 20


def standing_tone(judged: Judged) -> str:
    """The tone of how a revision stands."""
    return {"good": "good", "bad": "bad"}.get(judged.standing.value, "warn")


def plan_view(plan: Plan, decision: GateDecision) -> Report:
    """Targets, diff, blast radius, undo and what the gate says; JSON has the same."""
    document = {"dry_run": True, "plan": plan_document(plan), "gate": plain(decision)}
    gate: list[tuple[str, object]] = [("gate", decision.outcome.value)]
    for reason in decision.reasons:
        gate += [("reason", reason.what), ("why", reason.why), ("fix", reason.fix)]
    gate += [("warning", warning) for warning in decision.warnings]
    return Report("change-plan/v1", document, (*_plan_blocks(plan), Fields(gate)))


def proposal_view(plan: Plan) -> Report:
    """The same without what the gate says, where that stands elsewhere with its warnings."""
    return Report("change-plan/v1", {"plan": plan_document(plan)}, _plan_blocks(replace(plan, cautions=())))


def plan_document(plan: Plan) -> dict[str, Any]:
    """All of a plan but its payload, which may hold secrets."""
    document: dict[str, Any] = plain(plan)
    document.pop("payload", None)
    document["target"]["ref"] = str(plan.target.ref)
    return document


def changes_view(changes: Sequence[Change]) -> Listing[Change]:
    """Newest first; JSON as in `change_view`."""
    columns: tuple[Column[Change], ...] = (
        Column("change", lambda change: change.id),
        Column("state", _state, tone=_tone, priority=1),
        Column("what", lambda change: change.plan.summary, priority=1),
        Column("actor", lambda change: change.actor, priority=3),
        Column("at", lambda change: change.created_at),
        Column("cause", lambda change: change.cause, wide=True),
    )
    return Listing("change-list/v1", columns, changes, document=change_document, empty="no changes were made")


def _state(change: Change) -> str:
    """Of a rehearsal, which waits for nothing, that it is one."""
    return "dry run" if change.dry_run and change.state is State.PLANNED else change.state.value


def _tone(change: Change) -> str:
    tones = {
        "verified": "good", "planned": "dim", "refused": "dim", "cancelled": "dim", "expired": "dim",
        "waiting": "warn",
    }  # fmt: skip
    return tones.get(change.state.value, "bad")


def change_view(change: Change) -> Report:
    """A change that was carried out."""
    rows: list[tuple[str, object]] = [
        ("change", change.id),
        ("state", _state(change)),
        *_waiting(change),
        ("applied", change.applied_at),
        ("finished", change.finished_at),
        ("evidence", change.evidence),
        ("undo", f"maestro change undo {change.id}" if change.plan.undo else None),
    ]
    return Report("change/v1", change_document(change), (*_plan_blocks(change.plan), Fields(rows)))


def waiting_view(changes: Sequence[Change]) -> Listing[Change]:
    """Changes that wait for a second person; JSON as in `change_view`."""
    columns: tuple[Column[Change], ...] = (
        Column("change", lambda change: change.id),
        Column("what", lambda change: change.plan.summary, priority=1),
        Column("actor", lambda change: change.actor, priority=2),
        Column("since", lambda change: change.updated_at, priority=3),
        Column("approved by", _approver),
        Column("cause", lambda change: change.cause, wide=True),
    )
    empty = "no change waits for an approval"
    return Listing("change-waiting/v1", columns, changes, document=change_document, empty=empty)


def _approver(change: Change) -> str:
    given = change.approval
    return "" if given is None else f"{given.by}, until {given.until:%H:%M:%S}Z"


def _waiting(change: Change) -> list[tuple[str, object]]:
    given = change.approval
    if given is not None:
        known_as = f" ({given.identity})" if given.identity else ""
        rows: list[tuple[str, object]] = [("approved by", f"{_approver(change)}{known_as}")]
        return [*rows, ("next", f"maestro change resume {change.id}")] if not change.finished else rows
    if change.state is not State.WAITING or change.decision is None:
        return []
    return [("waits for", f"{reason.what}: {reason.why}") for reason in change.decision.reasons]


def change_document(change: Change) -> dict[str, Any]:
    return {
        "id": change.id,
        "kind": change.kind,
        "target": str(change.ref),
        "state": change.state.value,
        "actor": change.actor,
        "cause": change.cause,
        "applied_at": change.applied_at,
        "finished_at": change.finished_at,
        "evidence": change.evidence,
        "undone_by": change.undone_by,
        "waits_for": [plain(reason) for reason in change.decision.reasons]
        if change.state is State.WAITING and change.decision
        else [],
        "approval": plain(change.approval),
        "dry_run": change.dry_run,
        "plan": plan_document(change.plan),
    }


def _lately(recent: RecentChange) -> str:
    by = f" by {recent.actor}" if recent.actor else ""
    return f"{recent.kind}{by} at {recent.at:%H:%M:%S}Z: {recent.state}"


def _touched(blast: BlastRadius) -> list[tuple[str, object]]:
    if blast.alerts_hidden is not None:
        return [("alerts", f"{blast.alerts_hidden} that fire now")]
    if blast.zones_left is None:
        share = "not known" if blast.namespace_share is None else f"{blast.namespace_share:.0%}"
        return [
            ("replicas", f"{blast.replicas_now} now, {blast.replicas_after} after"),
            ("ends", f"{counted(blast.replicas_ended, 'replica')}, {share} of the namespace's pods"),
        ]
    zones = ", ".join(blast.zones_left) or "no zone"
    return [
        ("pods", f"{blast.replicas_now} on the node, {blast.replicas_ended} of them end"),
        ("open nodes", f"{blast.nodes_left} after, in {zones}"),
    ]


def _reached(blast: BlastRadius) -> list[str]:
    """Every object besides the target, each once; what is not known of them is among what was not seen."""
    names = list(dict.fromkeys(str(one.ref) for one in blast.reaches))
    more = [f"{len(names) - _SHOWN} more (-o json names them)"] if len(names) > _SHOWN else []
    return [*names[:_SHOWN], *more]


def _served(impact: Impact | None) -> list[tuple[str, object]]:
    """What users, objectives and responders have to do with it."""
    if impact is None:
        return []
    rows: list[tuple[str, object]] = []
    for traffic in impact.traffic:
        zones = traffic.zones_left
        left = "" if zones is None else f", ready ones left in {', '.join(zones) or 'no zone'}"
        rows.append(("traffic", f"{traffic.share:.0%} of the endpoints of {traffic.service}{left}"))
    for budget in impact.budgets:
        left = Left(budget.left, low=budget.low, high=budget.high).words
        of = f"budget of {budget.window}" if budget.window else "budget"
        burn = "not known" if budget.burn is None else f"{budget.burn:.1%} of it"
        rows.append(("objective", f"{budget.objective}: {of} left: {left}; burnt at worst: {burn}"))
    return [*rows, *(("open", name) for name in impact.incidents)]


def _plan_blocks(plan: Plan) -> tuple[Any, ...]:
    blast = plan.blast
    rows: list[tuple[str, object]] = [
        ("change", plan.summary),
        *(("caution", text) for text in plan.cautions),
        ("target", plan.target.ref),
        *_touched(blast),
        *(
            (
                "budget",
                f"{budget.name}: {counted(budget.allowed, 'disruption')} allowed, {budget.healthy} healthy",
            )
            for budget in blast.budgets
        ),
        *(("reaches", text) for text in _reached(blast)),
        *_served(blast.impact),
        *(("lately", _lately(recent)) for recent in blast.recent),
        *(("not seen", text) for text in blast.blind),
        *(("note", text) for text in plan.notes),
        ("verify", f"{plan.verify.text}, within {format_duration(plan.verify.timeout_seconds)}"),
        ("undo", plan.undo.summary if plan.undo else "none: it cannot be taken back"),
        ("digest", plan.digest[:16]),
    ]
    columns: tuple[Column[DiffLine], ...] = (
        Column("path", lambda line: line.path),
        Column("before", lambda line: line.before, tone=lambda _: "bad", priority=1, folds=True),
        Column("after", lambda line: line.after, tone=lambda _: "good", priority=1, folds=True),
    )
    diff = Listing("change-diff/v1", columns, plan.diff.lines, empty="no difference")
    return (Fields(rows), *_considered(plan), Heading("Diff"), diff)


def _considered(plan: Plan) -> tuple[Any, ...]:
    """What a target was chosen from, if it was chosen."""
    columns: tuple[Column[Judged], ...] = (
        Column("revision", lambda one: one.revision, right=True),
        Column("standing", lambda one: one.standing.value, tone=standing_tone, priority=1),
        Column("why", lambda one: one.reason, priority=1, folds=True),
    )
    if not plan.considered:
        return ()
    return (Heading("Earlier revisions"), Listing("change-considered/v1", columns, plan.considered))
