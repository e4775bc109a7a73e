"""Canaries in the journal.

Invariant: a canary is recorded before the change that starts it and ended before the change that ends it, by
the ids of these changes; what became of them says where the canary is. Nothing runs while it waits.

    canary.started      ref, model, version, stable, share, rules, change, beside
    canary.ending       as (promoted, aborted), change
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from datetime import datetime
from typing import Any

from maestro_cli.changes.canary.model import Canary, Rules
from maestro_cli.changes.history import find_change
from maestro_cli.changes.model import Plan, State
from maestro_cli.core.canonical import plain
from maestro_cli.core.clock import from_rfc3339
from maestro_cli.core.errors import GateNotMet, NotFound
from maestro_cli.core.refs import ObjectRef, ref_of
from maestro_cli.journal.model import Event
from maestro_cli.journal.store import Journal

_SUBJECTS = "canary/"


def started(journal: Journal, actor: str, plan: Plan, rules: Rules) -> None:
    """Record the canary that this plan (a set-traffic or a set-weight) starts; raises as `check_free`."""
    asked = plan.parameters
    model = asked.get("model", "")
    check_free(journal, plan.target.ref, model, asked.get("beside", ""))
    data = {
        "ref": plain(plan.target.ref), "model": model, "version": asked.get("version", 0),
        "stable": asked.get("stable", 0), "share": asked["share"], "rules": plain(rules), "change": plan.id,
        "beside": asked.get("beside", ""),
    }  # fmt: skip
    journal.append("canary.started", f"{_SUBJECTS}{_id_of(plan.id)}", actor, data)


def check_free(journal: Journal, ref: ObjectRef, model: str, beside: str) -> None:
    """Raises GateNotMet while another canary of that model runs, or one that has to do with the Deployment.

    Two canaries may have the same stable Deployment; a canary is nobody's stable one, nor the other way.
    """
    for running in list_running(journal):
        same = (running.ref, running.model) == (ref, model)
        turned = running.beside and (running.stable_ref == ref or (beside and running.ref.name == beside))
        if same or (turned and not model and running.ref.namespace == ref.namespace):
            raise GateNotMet(
                f"{running.name} is a canary of {running.model or running.stable_name} already",
                why=f"{running.id}, started by {running.actor}",
                fix="maestro canary promote, or maestro canary abort",
            )


def ending(journal: Journal, actor: str, canary: Canary, plan: Plan, ended_as: str) -> None:
    """Record that this plan ends the canary as `promoted` or `aborted`."""
    journal.append("canary.ending", f"{_SUBJECTS}{canary.id}", actor, {"as": ended_as, "change": plan.id})


def get_running(journal: Journal, ref: ObjectRef, model: str) -> Canary:
    """The canary of that model, or the Deployment that is one (without a model); raises NotFound."""
    found = find_running(journal, ref, model)
    if found is None and not model:
        raise NotFound(f"{ref} is no canary", fix="name the Deployment that is one, or --model")
    if found is None:
        raise NotFound(f"there is no canary of {model} in {ref}", fix="maestro canary start")
    return found


def find_running(journal: Journal, ref: ObjectRef, model: str) -> Canary | None:
    """The canary of that model, or the Deployment that is one; None when none runs."""
    found = [one for one in list_running(journal) if (one.ref, one.model) == (ref, model)]
    return found[0] if found else None


def list_running(journal: Journal) -> list[Canary]:
    """The canaries whose start took effect, since when it did, and whose end did not; newest first."""
    found = []
    for canary in reversed(list_canaries(journal)):
        began = _applied(journal, canary.change)
        if began is not None and not (canary.ending and _applied(journal, canary.ending)):
            found.append(replace(canary, started_at=began))
    return found


def list_canaries(journal: Journal) -> list[Canary]:
    """Every canary that was to be started, oldest first."""
    found: dict[str, Canary] = {}
    for event in journal.events(subject=_SUBJECTS):
        canary_id = event.subject.removeprefix(_SUBJECTS)
        if event.kind == "canary.started":
            found[canary_id] = _read(canary_id, event)
        elif event.kind == "canary.ending" and canary_id in found:
            found[canary_id] = replace(
                found[canary_id], ending=event.data["change"], ended_as=event.data["as"]
            )
    return sorted(found.values(), key=lambda canary: canary.started_at)


def _read(canary_id: str, event: Event) -> Canary:
    data: Mapping[str, Any] = event.data
    known = {item.name for item in fields(Rules)}
    rules = Rules(**{name: value for name, value in data["rules"].items() if name in known})
    return Canary(
        canary_id, ref_of(**data["ref"]), data["model"], data["version"], data["stable"], data["share"],
        event.actor, rules, data["change"], from_rfc3339(event.time), beside=data.get("beside", ""),
    )  # fmt: skip


def _applied(journal: Journal, change_id: str) -> datetime | None:
    """Since when the change holds, or None when it does not."""
    change = find_change(journal, change_id)
    if change is None or change.state not in (State.APPLIED, State.VERIFIED):
        return None
    return change.finished_at or change.applied_at


def _id_of(change_id: str) -> str:
    return f"can-{change_id.removeprefix('chg-')}"
