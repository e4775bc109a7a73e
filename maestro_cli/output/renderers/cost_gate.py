"""What a change of manifests costs, as a view and as a comment of a pull request.

Invariant: what a manifest says stands in code spans that it cannot close; an amount beside an unknown is
shown as a lower bound, never as the cost.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from maestro_cli.chaos.ci.summary import code_span
from maestro_cli.core.money import money, money_change
from maestro_cli.core.quantities import counted
from maestro_cli.cost.gate.deciding import INCREASE
from maestro_cli.cost.gate.kinds import is_built_in
from maestro_cli.cost.gate.model import Asked, Changed, Monthly, Scale
from maestro_cli.cost.prices.model import ALWAYS
from maestro_cli.output.money import Amount, Change, amount_cell, change_cell
from maestro_cli.output.tones import verdict_tone
from maestro_cli.output.views import Column, Fields, Heading, Lines, Listing, Report

if TYPE_CHECKING:
    from maestro_cli.cost.gate.model import Judged
    from maestro_cli.cost.gate.report import GateReport

# of a comment, which GitHub refuses from 65,536 characters on
MOST_ROWS = 50
_MOST_REASONS, _MOST_CHARACTERS, _MOST_KINDS = 3, 200, 5


_PLAIN = re.compile(r"[A-Za-z0-9.-]{1,320}")  # what may stand in a line that people copy


def gate_view(report: GateReport) -> Report:
    """The increase first, then each object that asks for something else."""
    comparison, currency = report.comparison, report.currency
    rows: list[tuple[str, object]] = [
        ("verdict", "no limit was given" if report.verdict is None else report.verdict.value),
        (
            "increase a month",
            f"{_span(report, *_increases(report))}{'' if comparison.is_known else ', as far as known'}",
        ),
        (
            "before",
            _span(report, comparison.before(Scale.LEAST), comparison.before(Scale.MOST), signed=False),
        ),
        ("after", _span(report, comparison.after(Scale.LEAST), comparison.after(Scale.MOST), signed=False)),
        ("known of", f"{comparison.coverage:.0%} of {counted(len(comparison.changed), 'object')}"),
        ("old", report.old),
        ("new", report.new),
        ("prices", f"{report.prices}, list rates in {currency}{_since(report)}"),
        ("written", ", ".join(report.files.values()) or None),
    ]
    changed = _changes(report)
    limits: Listing[Judged] = Listing(
        "cost-gate-limits/v1",
        (
            Column("limit", lambda one: f"--{one.rule}"),
            Column("allowed", lambda one: amount_cell(one.bound), right=True),
            Column("found", _found, right=True),
            Column(
                "verdict",
                lambda one: one.judgement.verdict.value,
                tone=lambda one: verdict_tone(one.judgement.verdict.value),
                priority=1,
            ),
            Column("why", lambda one: one.judgement.reason, priority=1, folds=True),
        ),
        report.judged,
        document=_limit,
    )
    blocks: list[Heading | Fields | Listing[Any] | Lines] = [Heading("Cost gate"), Fields(rows)]
    blocks += [limits] if report.judged else []
    blocks.append(changed)
    told = [*comparison.notes, *_way_on(report)]
    blocks += [Lines("\n".join(told))] if told else []
    return Report("cost-gate/v1", gate_body(report), tuple(blocks), rows=_figures(report))


def _way_on(report: GateReport) -> Iterator[str]:
    """What to say where an operator's kind is not known, and somebody knows that it costs nothing."""
    found = (one.ref.kind for one in report.comparison.different if one.unknown)
    kinds = sorted({kind for kind in found if not is_built_in(kind) and _PLAIN.fullmatch(kind)})
    if kinds:
        yield f"if it is known to cost nothing: --ignore-unknown {','.join(kinds[:_MOST_KINDS])}"


def _changes(report: GateReport) -> Listing[Changed]:
    return Listing(
        "cost-gate-changes/v1",
        (
            Column("object", lambda one: str(one.ref)),
            Column("replicas", _replicas, priority=3),
            Column("before", lambda one: _side(one.old, report.scale), right=True, priority=2),
            Column("after", lambda one: _side(one.new, report.scale), right=True, priority=2),
            Column("increase", lambda one: _increase(one, report.scale), right=True, priority=1),
            Column("not known", lambda one: "; ".join(one.unknown) or None, priority=1, folds=True),
        ),
        report.comparison.different,
        document=_change,
        empty="nothing asks for anything else than before",
    )


def _figures(report: GateReport) -> Listing[Changed]:
    """The same for programs: amounts are numbers, and which of them are lower bounds has its own column."""

    def amount(side: Monthly | None) -> Amount | None:
        return None if side is None else Amount(side.at(report.scale))

    return Listing(
        "cost-gate-changes/v1",
        (
            Column("object", lambda one: str(one.ref)),
            Column("replicas", _replicas),
            Column("before", lambda one: amount(one.old)),
            Column("after", lambda one: amount(one.new)),
            Column(
                "increase", lambda one: None if one.unknown_before else Change(one.increase(report.scale))
            ),
            Column("lower bounds", lambda one: "; ".join(_bounds(one)) or None),
            Column("not known", lambda one: "; ".join(one.unknown) or None),
        ),
        report.comparison.different,
    )


def _bounds(one: Changed) -> Iterator[str]:
    """The columns whose amounts are at least so much."""
    if one.old is not None and one.old.unknown:
        yield "before"
    if one.new is not None and one.new.unknown:
        yield "after"
    if one.unknown_after and not one.unknown_before:
        yield "increase"


def gate_body(report: GateReport) -> dict[str, Any]:
    """What was decided, as data; `increase` and `total` are lower bounds where something is not known."""
    comparison = report.comparison
    return {
        "verdict": None if report.verdict is None else report.verdict.value,
        "exit_code": int(report.exit_code),
        "ends_with": int(report.ends_with),
        "currency": report.currency,
        "at": report.scale.value,
        "increase": {one.value: comparison.increase(one) for one in Scale},
        "before": {one.value: comparison.before(one) for one in Scale},
        "after": {one.value: comparison.after(one) for one in Scale},
        "is_known": comparison.is_known,
        "coverage": comparison.coverage,
        "limits": [_limit(one) for one in report.judged],
        "old": report.old,
        "new": report.new,
        "prices": {"source": report.prices, "since": report.prices_since},
        "assumed": {
            "hours_a_month": 730,
            "nodes": report.assumed.nodes,
            "job_hours": report.assumed.job_hours,
            "namespace": report.assumed.namespace,
            "ignored": sorted(report.assumed.ignored),
        },
        "items": [_change(one) for one in comparison.different],
        "unchanged": sum(1 for one in comparison.changed if one.same),
        "notes": list(comparison.notes),
        "files": dict(report.files),
    }


def gate_markdown(report: GateReport, commit: str) -> str:
    """A comment for a pull request: the increase in its first line, a table, what is not known."""
    return "".join(_markdown(report, commit))


def _markdown(report: GateReport, commit: str) -> Iterator[str]:
    comparison, different = report.comparison, report.comparison.different
    verdict = "" if report.verdict is None else f": {report.verdict.value}"
    yield f"## Cost gate{verdict}\n\n"
    known = "" if comparison.is_known else ", as far as known"
    yield f"**{code_span(_span(report, *_increases(report)))} a month**{known}. "
    before, after = (_amount(one(report.scale), report) for one in (comparison.before, comparison.after))
    yield f"Before {before}, after {after} at {report.scale.value} replicas.\n\n"
    for one in report.judged:
        told = code_span(one.judgement.reason)
        yield f"- {code_span(f'--{one.rule}')}: {one.judgement.verdict.value}, {told}\n"
    yield "\n" if report.judged else ""
    if different:
        yield "| object | replicas | before | after | increase | not known |\n|---|---|---:|---:|---:|---|\n"
    for changed in different[:MOST_ROWS]:
        cells = (
            str(changed.ref), _replicas(changed), _side(changed.old, report.scale),
            _side(changed.new, report.scale), _increase(changed, report.scale), _reasons(changed),
        )  # fmt: skip
        yield f"| {' | '.join(_cell('' if cell is None else str(cell)) for cell in cells)} |\n"
    if len(different) > MOST_ROWS:
        yield f"\n{counted(len(different) - MOST_ROWS, 'more object')} in the report.\n"
    for note in [*comparison.notes[:MOST_ROWS], *_way_on(report)]:
        yield f"\n- {_cell(note)}"
    yield f"\n\nRequests × replicas × list rates of {code_span(report.prices)}"
    yield f"{_since(report)}, 730 hours a month; old: {code_span(report.old)}"
    yield f", commit {code_span(commit)}.\n" if commit else ".\n"


def _reasons(one: Changed) -> str:
    told, more = one.unknown[:_MOST_REASONS], len(one.unknown) - _MOST_REASONS
    return "; ".join(told) + (f"; and {more} more" if more > 0 else "")


def _cell(text: str) -> str:
    return code_span(text if len(text) <= _MOST_CHARACTERS else text[: _MOST_CHARACTERS - 1] + "…")


def _increases(report: GateReport) -> tuple[float, float]:
    return report.comparison.increase(Scale.LEAST), report.comparison.increase(Scale.MOST)


def _change(one: Changed) -> dict[str, Any]:
    return {
        "object": str(one.ref),
        "kind": one.ref.kind,
        "namespace": one.ref.namespace,
        "name": one.ref.name,
        "before": _monthly(one.old),
        "after": _monthly(one.new),
        "increase": {scale.value: one.increase(scale) for scale in Scale},
        "asked": {"before": _asked(one.old_asked), "after": _asked(one.new_asked)},
        "unknown": list(one.unknown),
    }


def _monthly(side: Monthly | None) -> dict[str, Any] | None:
    return None if side is None else {"min": side.least, "max": side.most, "unknown": list(side.unknown)}


def _asked(side: Asked | None) -> dict[str, Any] | None:
    if side is None:
        return None
    return {
        "replicas": {"min": side.least, "max": side.most},
        "cpu": side.cpu,
        "memory_gib": side.memory_gib,
        "gpus": side.gpus,
        "gpu": side.gpu,
        "capacity": side.capacity.value,
        "claims": [{"class": one.storage_class, "gib": one.gib} for one in (*side.claims, *side.own_claims)],
        "load_balancers": side.balancers,
        "hours": side.hours,
        "extended": dict(side.extended),
        "parts": [_asked(one) for one in side.parts],
    }


def _limit(one: Judged) -> dict[str, Any]:
    return {
        "limit": one.rule,
        "allowed": one.bound,
        "found": one.judgement.value,
        "verdict": one.judgement.verdict.value,
        "coverage": one.judgement.coverage,
        "reason": one.judgement.reason,
    }


def _replicas(one: Changed) -> str:
    sides = [_range(side) for side in (one.old_asked, one.new_asked)]
    return sides[0] if sides[0] == sides[1] else " → ".join(sides)


def _range(side: Asked | None) -> str:
    if side is None:
        return "none"
    if side.parts:
        return " + ".join(map(_range, side.parts))
    return f"{side.least:g}" if side.least == side.most else f"{side.least:g}-{side.most:g}"


def _side(side: Monthly | None, scale: Scale) -> Amount | str | None:
    return None if side is None else _least(Amount(side.at(scale)), side.unknown)


def _increase(one: Changed, scale: Scale) -> Amount | str:
    if one.unknown_before:
        return "not known"
    return _least(Change(one.increase(scale)), one.unknown_after)


def _least(amount: Amount, unknown: Sequence[str]) -> Amount | str:
    """A lower bound is no number."""
    return f"≥ {amount}" if unknown else amount


def _found(one: Judged) -> Amount | None:
    found = (change_cell if one.rule == INCREASE else amount_cell)(one.judgement.value)
    return None if found is None else found.beside(one.bound)


def _span(report: GateReport, least: float, most: float, *, signed: bool = True) -> str:
    low, high = ((money_change if signed else money)(one, report.currency) for one in (least, most))
    return low if low == high else f"{low} to {high} (fewest to most replicas)"


def _since(report: GateReport) -> str:
    return "" if report.prices_since <= ALWAYS else f" since {report.prices_since:%Y-%m-%d}"


def _amount(amount: float, report: GateReport) -> str:
    return code_span(money(amount, report.currency))
