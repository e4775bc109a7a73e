"""What an incident means for the contract of its context: the credit with it, and what had been due without.

Invariant: while the period is not over, or a promise is open, no credit is told as due; drills owe nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from maestro_cli.core.canonical import plain
from maestro_cli.core.errors import MaestroError
from maestro_cli.incidents.model import Incident
from maestro_cli.incidents.report.credit import CREDIT, TITLE
from maestro_cli.incidents.triage.model import Evidence
from maestro_cli.services.excluding import exclusions_of
from maestro_cli.services.measuring import MeasureWanted, raw_metrics, store_of
from maestro_cli.services.objectives import contract_of
from maestro_cli.services.recoveries import incident_name, recovered
from maestro_cli.slo.files.exclusions import excluding
from maestro_cli.slo.measuring.measure import Outside, measure
from maestro_cli.slo.measuring.model import Excluded
from maestro_cli.slo.measuring.window import Span, calendar_span, zone_named
from maestro_cli.slo.objectives import Objective
from maestro_cli.slo.policy import INCIDENT_SHARE, wants_review
from maestro_cli.slo.report.credits import credit_of, dearest
from maestro_cli.slo.report.model import Credit, Line, Terms
from maestro_cli.slo.report.shapes import spent_between
from maestro_cli.slo.report.text import credit_text, spent_text

if TYPE_CHECKING:
    from maestro_cli.services.root import Services


@dataclass(frozen=True, slots=True)
class _Case:
    """Of one promise: what is due, what without the incident, and what was spent of its budget meanwhile."""

    name: str
    due: Credit | None
    without: Credit | None
    spent: float | None


def measure_credit(services: Services, incident: Incident, now: datetime) -> Evidence | None:
    """By the contract of the context, over the period the incident began in; None without a contract."""
    asked = MeasureWanted()
    try:
        contract = contract_of(services)
        if contract is None:
            return None
        span = calendar_span(incident.times.started_at, contract.terms.unit, contract.zone)
        source = raw_metrics(services, asked)
        known = [services.objectives[name] for name in contract.terms.objectives]
        found = recovered(services, now) if any(not one.is_of_metrics for one in known) else ()
        outside = Outside(source, now, store_of(services, asked, source, [span.zone]), found)
        cases = [_case(one, contract.terms, incident, services, span, outside) for one in known]
    except MaestroError as error:
        why = f"not known: {error.what}"
        return Evidence(CREDIT, TITLE, "", now, "prometheus", why, ok=False, error=error.what)
    return _evidence(contract.terms, incident, span, cases, now)


def _case(
    objective: Objective, terms: Terms, incident: Incident, services: Services, span: Span, outside: Outside
) -> _Case:
    """As the contract counts it, and the same without the incident: its time, and its recovery."""
    out = excluding(exclusions_of(services), span.start, span.end, [objective.name])
    excluded = [Excluded(one.start, one.end, one.id) for one in out.counted]
    found = measure(objective, span, outside, excluded)
    start, end = _stretch(incident, outside.now)
    more = [*(excluded if terms.judged == "adjusted" else ()), Excluded(start, end, incident.id)]
    others = tuple(one for one in outside.recovered if one.of != incident_name(incident))
    other = measure(objective, span, replace(outside, recovered=others), more)
    counted = Line(found, (), None).counted(terms)
    return _Case(
        objective.name,
        credit_of(counted, terms),
        credit_of(other.adjusted or other, terms),
        spent_between(found, start, end),
    )


def _stretch(incident: Incident, now: datetime) -> tuple[datetime, datetime]:
    times = incident.times
    return times.started_at, times.mitigated_at or times.resolved_at or now


def _evidence(
    terms: Terms, incident: Incident, span: Span, cases: Sequence[_Case], now: datetime
) -> Evidence:
    due, without = dearest(one.due for one in cases), dearest(one.without for one in cases)
    spent = sorted(((one.name, one.spent) for one in cases if one.spent), key=lambda one: (-one[1], one[0]))
    facts = {
        "contract": terms.name,
        "customer": terms.customer,
        "period": span.label or str(span),
        "credit": plain(due),
        "without_it": plain(without),
        "budget_spent": [{"objective": name, "share": share} for name, share in spent],
    }
    return Evidence(CREDIT, TITLE, "", now, "prometheus", _words(due, without, span, spent, now), facts)


def _words(
    due: Credit | None, without: Credit | None, span: Span, spent: Sequence[tuple[str, float]], now: datetime
) -> str:
    told = f"it spent {spent_text(spent)} of the budgets of {span.label or span}"
    if reviewed := [name for name, share in spent if wants_review(share)]:
        told += (
            f", over {INCIDENT_SHARE:.0%} of that of {', '.join(reviewed)}: the budget policy wants a review"
        )
    if due is None or without is None:
        return f"the contract owes no credit; {told}"
    if now < span.end:
        end = span.end.astimezone(zone_named(span.zone))
        return f"not known until {end:%Y-%m-%d}, when the period is over; so far {told}"
    return f"{credit_text(due)} of the fee, {credit_text(without)} without this incident; {told}"
