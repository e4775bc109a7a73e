"""Plans, decisions and errors as the journal keeps them.

Invariant: what is read back equals what was written, except the payload, which is never written, and
what the redactor replaced. Text from the cluster comes back `Untrusted`. What an older record lacks is its
default, and what is no longer known is left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

from maestro_cli.changes.candidates.model import Judged, Standing
from maestro_cli.changes.model import (
    Appeal,
    Approval,
    BlastRadius,
    BudgetHeadroom,
    ChangeError,
    Condition,
    Diff,
    DiffLine,
    Gate,
    GateDecision,
    GateReason,
    Plan,
    Reached,
    RecentChange,
    Risk,
    Target,
    Undo,
    Unread,
)
from maestro_cli.changes.served import BudgetTouched, Impact, Traffic
from maestro_cli.core import errors
from maestro_cli.core.canonical import plain
from maestro_cli.core.clock import from_rfc3339
from maestro_cli.core.errors import ActionFailed, ExitCode, MaestroError
from maestro_cli.core.refs import ref_of
from maestro_cli.core.untrusted import Untrusted

_ERRORS: dict[str, type[MaestroError]] = {
    name: kind
    for name, kind in vars(errors).items()
    if isinstance(kind, type)
    and issubclass(kind, MaestroError)
    and kind not in (errors.InvalidFile, errors.Interrupted)
}


def plan_to_data(plan: Plan) -> dict[str, Any]:
    """JSON-like form of a plan without its payload."""
    data: dict[str, Any] = plain(replace(plan, payload={}))
    del data["payload"]
    return data


def plan_from_data(data: Mapping[str, Any]) -> Plan:
    """The plan that `plan_to_data` wrote; its payload is empty."""
    target, blast, undo = data["target"], data["blast"], data["undo"]
    apart = (
        "target",
        "blast",
        "undo",
        "verify",
        "diff",
        "objections",
        "risks",
        "cautions",
        "considered",
        "notes",
        "created_at",
        "payload",
    )
    simple = {name: value for name, value in _known(Plan, data).items() if name not in apart}
    return Plan(
        **simple,
        target=Target(**{**target, "ref": ref_of(**target["ref"])}),
        diff=Diff(
            tuple(
                DiffLine(Untrusted(line["path"]), _untrusted(line["before"]), _untrusted(line["after"]))
                for line in data["diff"]["lines"]
            )
        ),
        blast=_blast(blast),
        undo=None if undo is None else Undo(**undo),
        verify=Condition(**data["verify"]),
        objections=tuple(map(_reason, data.get("objections", ()))),
        risks=tuple(Risk(**risk) for risk in data.get("risks", ())),
        cautions=tuple(map(Untrusted, data.get("cautions", ()))),
        considered=tuple(map(_judged, data.get("considered", ()))),
        notes=tuple(map(Untrusted, data.get("notes", ()))),
        created_at=from_rfc3339(data["created_at"]),
    )


def _untrusted(text: str | None) -> Untrusted | None:
    return None if text is None else Untrusted(text)


def _blast(data: Mapping[str, Any]) -> BlastRadius:
    lists: dict[str, Any] = {
        "budgets": tuple(BudgetHeadroom(**item) for item in data["budgets"]),
        "recent": tuple(RecentChange(**{**item, "at": from_rfc3339(item["at"])}) for item in data["recent"]),
        "blind": tuple(data["blind"]),
        "namespaces": tuple(data.get("namespaces", ())),
        "reaches": tuple(Reached(ref_of(**one["ref"]), one["labels"]) for one in data.get("reaches", ())),
        "unread": tuple(Unread(**one) for one in data.get("unread", ())),
    }
    zones = data.get("zones_left")
    lists["zones_left"] = None if zones is None else tuple(zones)
    lists["impact"] = _impact(data.get("impact"))
    return BlastRadius(**{**_known(BlastRadius, data), **lists})


def _impact(data: Mapping[str, Any] | None) -> Impact | None:
    if data is None:
        return None
    traffic = (
        Traffic(**{**one, "zones_left": None if one["zones_left"] is None else tuple(one["zones_left"])})
        for one in data["traffic"]
    )
    budgets = (BudgetTouched(**one) for one in data["budgets"])
    return Impact(tuple(traffic), tuple(budgets), tuple(data["incidents"]))


def _known(kind: type, data: Mapping[str, Any]) -> dict[str, Any]:
    """What of a record are fields of that dataclass."""
    return {item.name: data[item.name] for item in fields(kind) if item.name in data}


def decision_from_data(data: Mapping[str, Any]) -> GateDecision:
    """The decision that `plain` wrote."""
    reasons = tuple(map(_reason, data["reasons"]))
    return GateDecision(Gate(data["outcome"]), reasons, tuple(data["warnings"]))


def appeal_from_data(data: Mapping[str, Any]) -> Appeal:
    return Appeal(data["identity"], data["typed_context"], frozenset(data["accepts"]))


def approval_from_data(data: Mapping[str, Any]) -> Approval:
    return Approval(**{**data, "until": from_rfc3339(data["until"])})


def _judged(data: Mapping[str, Any]) -> Judged:
    return Judged(**{**data, "standing": Standing(data["standing"]), "reason": Untrusted(data["reason"])})


def _reason(data: Mapping[str, Any]) -> GateReason:
    return GateReason(**{**data, "exit_code": ExitCode(data["exit_code"])})


def error_record(error: MaestroError) -> ChangeError:
    """An error as the journal keeps it; a class that only a source knows becomes its parent in core."""
    for kind in type(error).__mro__:
        if kind.__name__ in _ERRORS:
            return ChangeError(kind.__name__, error.what, error.why, error.fix)
    return ChangeError("ActionFailed", error.what, error.why, error.fix)


def recorded_error(record: ChangeError) -> MaestroError:
    """The error again, to be raised."""
    kind = _ERRORS.get(record.type, ActionFailed)
    return kind(record.what, why=record.why, fix=record.fix)


def decision_error(decision: GateDecision) -> MaestroError:
    """The error a refused or waiting decision ends with: that of its first, gravest reason."""
    first = decision.reasons[0]
    kind = next((kind for kind in _ERRORS.values() if kind.exit_code == first.exit_code), errors.GateNotMet)
    why = "; ".join(filter(None, [first.why, *(f"also: {reason.what}" for reason in decision.reasons[1:])]))
    return kind(first.what, why=why, fix=first.fix)
