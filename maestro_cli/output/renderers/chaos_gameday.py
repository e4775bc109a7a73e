"""A game day, as a view."""

from __future__ import annotations

from typing import TYPE_CHECKING

from maestro_cli.core.quantities import format_duration
from maestro_cli.output.tones import verdict_tone
from maestro_cli.output.views import Column, Fields, Heading, Listing, Report

if TYPE_CHECKING:
    from maestro_cli.chaos.gameday.plan import GameDay
    from maestro_cli.chaos.gameday.score import DayResult, Taken


def gameday_view(day: GameDay, result: DayResult) -> Report:
    """The verdict first, then who did what, then each experiment with what was expected of it."""
    rows: list[tuple[str, object]] = [
        ("verdict", result.verdict.value),
        ("exit code", int(result.exit_code)),
        ("resilience score", "not known" if result.score is None else f"{result.score} of 100"),
        ("description", day.description or None),
        *((role, name) for role, name in day.roles),
    ]
    taken: Listing[Taken] = Listing(
        "chaos-gameday-steps/v1",
        (
            Column("experiment", lambda one: one.outcome.title, priority=1, folds=True),
            Column("expected", lambda one: one.expect.value),
            Column(
                "verdict",
                lambda one: one.outcome.verdict.value,
                tone=lambda one: verdict_tone(one.outcome.verdict.value),
            ),
            Column("exit code", lambda one: int(one.outcome.exit_code), right=True),
            Column("as expected", _as_expected),
            Column("took", lambda one: _took(one), right=True, priority=3),
            Column("watched", lambda one: one.watch or None, folds=True, priority=3),
            Column(
                "why", lambda one: one.outcome.against[0].what if one.outcome.against else None, folds=True
            ),
        ),
        result.taken,
        document=_document,
    )
    document = {
        "title": day.title,
        "file": day.file,
        "roles": dict(day.roles),
        "verdict": result.verdict.value,
        "exit_code": int(result.exit_code),
        "score": result.score,
        "experiments": [_document(one) for one in result.taken],
    }
    return Report("chaos-gameday/v1", document, (Heading(day.title), Fields(rows), taken), rows=taken)


def _as_expected(one: Taken) -> object:
    """With why not, where the verdict alone would be: of what is bad, only a deviation can be expected."""
    if one.is_as_expected or one.outcome.verdict is not one.expect:
        return one.is_as_expected
    return "no: not a deviation (10)"


def _took(one: Taken) -> str | None:
    return format_duration(one.outcome.seconds) if one.outcome.seconds else None


def _document(one: Taken) -> dict[str, object]:
    outcome = one.outcome
    return {
        "name": outcome.name, "title": outcome.title, "run": outcome.run, "expected": one.expect.value,
        "verdict": outcome.verdict.value, "exit_code": int(outcome.exit_code),
        "as_expected": one.is_as_expected, "seconds": outcome.seconds, "watch": one.watch,
        "reasons": [against.what for against in outcome.against],
    }  # fmt: skip
