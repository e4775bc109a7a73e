"""A game day, as a view."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from maestro_cli.core.quantities import format_duration
from maestro_cli.output.renderers.drills import scorecard_document
from maestro_cli.output.renderers.experiment_runs import burned_lines
from maestro_cli.output.tones import verdict_tone
from maestro_cli.output.views import Column, Fields, Heading, Listing, Report

if TYPE_CHECKING:
    from maestro_cli.chaos.drills.model import Scorecard
    from maestro_cli.chaos.gameday.plan import GameDay
    from maestro_cli.chaos.gameday.score import DayResult, Taken

_RIGHT = {True: "right", False: "wrong", None: "not scored"}


def gameday_view(day: GameDay, result: DayResult) -> Report:
    """The verdict first, then who did what, each step with what was expected of it, and drills' scores."""
    cards = [one.card for one in result.taken if one.card is not None]
    drills = sum(bool(one.drill) for one in result.taken)
    rows: list[tuple[str, object]] = [
        ("verdict", result.verdict.value),
        ("exit code", int(result.exit_code)),
        *([("ended early", result.ended_early)] if result.ended_early else []),
        ("resilience score", "not known" if result.score is None else f"{result.score} of 100"),
        *([("drills passed", f"{sum(one.passed for one in cards)} of {drills}")] if drills else []),
        ("description", day.description or None),
        *((role, name) for role, name in day.roles),
    ]
    taken = _steps(result)
    document = {
        "title": day.title,
        "file": day.file,
        "roles": dict(day.roles),
        "verdict": result.verdict.value,
        "exit_code": int(result.exit_code),
        "ended_early": result.ended_early,
        "score": result.score,
        "experiments": [_document(one) for one in result.taken],
    }
    scores = (Heading("Scores of the drills"), _scores(cards)) if cards else ()
    blocks = (Heading(day.title), Fields(rows), taken, *scores)
    return Report("chaos-gameday/v1", document, blocks, rows=taken)


def _steps(result: DayResult) -> Listing[Taken]:
    columns: tuple[Column[Taken], ...] = (
        Column("step", _name, priority=1, folds=True),
        Column("expected", lambda one: one.expect.value),
        Column(
            "verdict",
            lambda one: one.outcome.verdict.value,
            tone=lambda one: verdict_tone(one.outcome.verdict.value),
        ),
        Column("exit code", lambda one: int(one.outcome.exit_code), right=True),
        Column("as expected", _as_expected),
        Column("took", _took, right=True, priority=3),
        Column("burned meanwhile", lambda one: burned_lines(_burned(one)), folds=True, priority=3),
        Column("who", lambda one: ", ".join(map(": ".join, one.roles)) or None, folds=True, priority=3),
        Column("watched", lambda one: one.watch or None, folds=True, priority=3),
        Column("why", lambda one: one.outcome.against[0].what if one.outcome.against else None, folds=True),
    )
    return Listing("chaos-gameday-steps/v1", columns, result.taken, document=_document)


def _burned(one: Taken) -> Sequence[Mapping[str, Any]]:
    return one.outcome.ours.get("actual_burn") or ()


def _name(one: Taken) -> str:
    return f"drill {one.drill}: {one.outcome.title}" if one.drill else one.outcome.title


def _scores(cards: list[Scorecard]) -> Listing[Scorecard]:
    """Each drill that has a score: its phases since the defect was there, cause and fix."""
    phases = [phase.name for phase in cards[0].phases]
    columns: tuple[Column[Scorecard], ...] = (
        Column("drill", lambda card: card.scenario),
        Column(
            "result",
            lambda card: "PASS" if card.passed else "FAIL",
            tone=lambda card: "good" if card.passed else "bad",
            priority=1,
        ),
        *(_phase(index, name) for index, name in enumerate(phases)),
        Column("cause", lambda card: f"{card.blamed} ({_RIGHT[card.cause_is_right]})", folds=True),
        Column("fix", lambda card: f"{card.fix} ({_RIGHT[card.fix_is_right]})", folds=True),
        Column("incident", lambda card: card.incident or None, priority=3),
        Column("post-mortem", lambda card: card.postmortem or None, folds=True, priority=3),
    )
    return Listing("chaos-gameday-drills/v1", columns, cards, document=scorecard_document)


def _phase(index: int, name: str) -> Column[Scorecard]:
    def told(card: Scorecard) -> str | None:
        seconds = card.phases[index].seconds
        return None if seconds is None else format_duration(seconds)

    return Column(name, told, right=True, tone=lambda card: "" if card.phases[index].met else "bad")


def _as_expected(one: Taken) -> object:
    """With why not, where the verdict alone would be: of what is bad, only a deviation can be expected."""
    if one.is_as_expected or one.outcome.verdict is not one.expect:
        return one.is_as_expected
    return "no: not a deviation (10)" if one.is_recorded else "no: it has no record"


def _took(one: Taken) -> str | None:
    return None if one.seconds is None else format_duration(one.seconds)


def _document(one: Taken) -> dict[str, Any]:
    outcome = one.outcome
    return {
        "name": outcome.name, "title": outcome.title, "drill": one.drill or None, "run": outcome.run,
        "expected": one.expect.value, "verdict": outcome.verdict.value,
        "exit_code": int(outcome.exit_code), "as_expected": one.is_as_expected, "seconds": one.seconds,
        "watch": one.watch, "roles": dict(one.roles),
        "reasons": [against.what for against in outcome.against],
        "predicted_burn": list(outcome.ours.get("predicted_burn") or ()), "actual_burn": list(_burned(one)),
        "scorecard": None if one.card is None else scorecard_document(one.card),
    }  # fmt: skip
