"""What a gate of experiments decided, as a view."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from maestro_cli.chaos.ci.cases import State, cases_of, count
from maestro_cli.core.canonical import plain
from maestro_cli.core.quantities import format_duration
from maestro_cli.output.tones import verdict_tone
from maestro_cli.output.views import Column, Fields, Heading, Listing, Report

if TYPE_CHECKING:
    from maestro_cli.chaos.ci.cases import Case
    from maestro_cli.chaos.ci.decision import Decision
    from maestro_cli.chaos.ci.outcome import Outcome


def gate_view(outcomes: Sequence[Outcome], decision: Decision, files: Mapping[str, str]) -> Report:
    """The verdict first, the score second, then each experiment and what speaks against it."""
    waived = ", ".join(str(int(code)) for code in decision.waived)
    rows: list[tuple[str, object]] = [
        ("verdict", decision.verdict.value),
        ("exit code", int(decision.exit_code)),
        ("not failed on", waived or None),
        ("resilience score", "not known" if decision.score is None else f"{decision.score} of 100"),
        ("written", ", ".join(files.values()) or None),
    ]
    experiments: Listing[Outcome] = Listing(
        "chaos-gate-experiments/v1",
        (
            Column("experiment", lambda one: one.title, priority=1, folds=True),
            Column(
                "verdict", lambda one: one.verdict.value, tone=lambda one: verdict_tone(one.verdict.value)
            ),
            Column("exit code", lambda one: int(one.exit_code), right=True),
            Column("cases", _counts),
            Column("took", lambda one: format_duration(one.seconds) if one.seconds else None, right=True),
            Column("run", lambda one: one.run or None, priority=3),
        ),
        outcomes,
        document=_document,
        empty="there was nothing to judge",
    )
    against: Listing[tuple[Outcome, Case]] = Listing(
        "chaos-gate-against/v1",
        (
            Column("experiment", lambda one: one[0].name),
            Column("case", lambda one: one[1].name, priority=0),
            Column("", lambda one: one[1].state.value),
            Column("why", lambda one: one[1].why, priority=1, folds=True),
        ),
        [
            (one, case)
            for one in outcomes
            for case in cases_of(one)
            if case.state in (State.FAILED, State.ERROR)
        ],
        empty="nothing speaks against it",
    )
    document = {**gate_body(outcomes, decision), "files": dict(files)}
    blocks = (Heading("Chaos gate"), Fields(rows), experiments, against)
    return Report("chaos-gate/v1", document, blocks, rows=experiments)


def gate_body(outcomes: Sequence[Outcome], decision: Decision) -> dict[str, Any]:
    """What a gate decided, as data."""
    return {
        "verdict": decision.verdict.value,
        "exit_code": int(decision.exit_code),
        "ends_with": int(decision.ends_with),
        "waived": [int(code) for code in decision.waived],
        "score": decision.score,
        "experiments": [_document(one) for one in outcomes],
    }


def _counts(outcome: Outcome) -> str:
    cases = cases_of(outcome)
    bad = count(cases, State.FAILED) + count(cases, State.ERROR)
    return f"{count(cases, State.PASSED)} passed, {bad} not, {count(cases, State.SKIPPED)} skipped"


def _document(outcome: Outcome) -> dict[str, Any]:
    ours = outcome.ours
    return {
        "name": outcome.name,
        "title": outcome.title,
        "file": outcome.file,
        "run": outcome.run,
        "verdict": outcome.verdict.value,
        "exit_code": int(outcome.exit_code),
        "weight": outcome.weight,
        "seconds": outcome.seconds,
        "seed": ours.get("seed"),
        "coverage": ours.get("coverage"),
        "predicted_burn": plain(ours.get("predicted_burn") or []),
        "actual_burn": plain(ours.get("actual_burn") or []),
        "reasons": [
            {"rule": one.rule, "what": one.what, "code": int(one.exit_code)} for one in outcome.against
        ],
        "cases": [
            {"name": case.name, "state": case.state.value, "why": case.why} for case in cases_of(outcome)
        ],
    }
