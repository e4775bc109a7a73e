"""What triage recorded of an incident as views. Invariant: what was recorded says how old it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from maestro_cli.core.clock import from_rfc3339, seconds_between
from maestro_cli.core.quantities import format_duration
from maestro_cli.output.views import Column, Fields, Heading, Listing, Report

if TYPE_CHECKING:
    from maestro_cli.incidents.details import Details

STALE_SECONDS = 300.0  # what was recorded earlier than that may be otherwise now


def age_of(instant: str | datetime, now: datetime) -> str:
    """`12m04s ago`."""
    at = from_rfc3339(instant) if isinstance(instant, str) else instant
    return f"{format_duration(max(seconds_between(at, now), 0.0))} ago"


def _marked(instant: str, now: datetime) -> str:
    """The age, and that it is stale when it is."""
    stale = seconds_between(from_rfc3339(instant), now) > STALE_SECONDS
    return f"{age_of(instant, now)}, stale" if stale else age_of(instant, now)


def triage_age(details: Details) -> str:
    return _marked(details.triage_at, details.now)


def triage_view(details: Details) -> Report:
    """The suspects; JSON has `incident`, `number`, `at`, `age_seconds`, `onset`, `conclusion`, `suspects`."""
    triage = details.triage or {}
    rows = [
        ("incident", f"#{details.incident.number}  {details.incident.id}"),
        ("triaged", triage_age(details)),
        ("began", f"{triage['onset']['at']}, by {triage['onset']['basis']}"),
        ("conclusion", triage["conclusion"]),
        *([("severity", severity_words(triage))] if triage.get("severity") else []),
        ("no answer", ", ".join(triage["failed"])),
    ]
    document = {
        "incident": details.incident.id,
        "number": details.incident.number,
        "at": details.triage_at,
        "age_seconds": _age_seconds(details.triage_at, details.now),
        **{name: value for name, value in triage.items() if name != "incident"},
    }
    return Report("incident-triage/v1", document, (Fields(rows), Heading("Suspects"), suspects_view(triage)))


def severity_words(triage: Mapping[str, Any]) -> str:
    """The severity that triage proposes and why; "" where an older triage proposed none."""
    proposed = triage.get("severity")
    return f"{proposed['severity']} is proposed: {'; '.join(proposed['reasons'])}" if proposed else ""


def suspects_view(triage: Mapping[str, Any]) -> Listing[Mapping[str, Any]]:
    """Suspects as recorded in the journal, first the most probable."""
    columns: tuple[Column[Mapping[str, Any]], ...] = (
        Column("score", lambda suspect: f"{suspect['score']:.2f}", right=True, priority=1),
        Column("kind", lambda suspect: suspect["kind"], priority=3),
        Column("suspect", lambda suspect: suspect["subject"], priority=0),
        Column("for", lambda suspect: "; ".join(suspect["reasons_for"]), priority=1, folds=True),
        Column("against", lambda suspect: "; ".join(suspect["reasons_against"]), priority=2, folds=True),
        Column("fix", lambda suspect: _fix(suspect.get("fix")), priority=1, folds=True),
    )
    return Listing("incident-suspects/v1", columns, triage["suspects"], empty=str(triage["conclusion"]))


def _fix(fix: Mapping[str, Any] | None) -> str | None:
    if not fix:
        return None
    parameters = " ".join(f"{name}={value}" for name, value in fix["parameters"].items())
    return f"{fix['name']} {parameters}".strip()


def evidence_view(evidence: Sequence[Mapping[str, Any]], now: datetime) -> Listing[Mapping[str, Any]]:
    """One line a finding; what could not be found out says why."""
    columns: tuple[Column[Mapping[str, Any]], ...] = (*_finding_columns(now), _query(wide=True))
    return _evidence_listing(columns, evidence, now)


def findings_view(evidence: Sequence[Mapping[str, Any]], now: datetime) -> Listing[Mapping[str, Any]]:
    """The same with the query of each; JSON has all of its facts."""
    columns: tuple[Column[Mapping[str, Any]], ...] = (
        *_finding_columns(now),
        Column("time", lambda item: from_rfc3339(item["at"]), priority=3),
        _query(wide=False),
    )
    return _evidence_listing(columns, evidence, now)


def _evidence_listing(
    columns: Sequence[Column[Mapping[str, Any]]], evidence: Sequence[Mapping[str, Any]], now: datetime
) -> Listing[Mapping[str, Any]]:
    return Listing(
        "incident-evidence/v1",
        columns,
        evidence,
        document=lambda item: evidence_document(item, now),
        empty="no evidence was collected: maestro incident triage",
    )


def _finding_columns(now: datetime) -> tuple[Column[Mapping[str, Any]], ...]:
    return (
        Column("kind", lambda item: item["kind"]),
        Column(
            "finding",
            lambda item: item["summary"] if item["ok"] else f"not available: {item['error']}",
            tone=lambda item: "" if item["ok"] else "warn",
            priority=1,
            folds=True,
        ),
        Column("age", lambda item: _marked(item["at"], now), right=True),
        Column("source", lambda item: item["source"], priority=3),
    )


def _query(*, wide: bool) -> Column[Mapping[str, Any]]:
    return Column("query", lambda item: item["query"], wide=wide)


def evidence_document(item: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    return {**item, "age_seconds": _age_seconds(item["at"], now)}


def _age_seconds(instant: str, now: datetime) -> float:
    return round(seconds_between(from_rfc3339(instant), now), 3)
