"""Policy files and what they say as views."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from maestro_cli.output.views import Column, Listing

if TYPE_CHECKING:
    from maestro_cli.changes.policy_file import PolicyRules
    from maestro_cli.changes.rules import Judgement

Line = tuple[str, str, str]  # what it is, its name, its place


def policy_view(rules: PolicyRules) -> Listing[Line]:
    """Every rule and freeze of a file that was read, with its place."""
    lines = [
        *(("rule", rule.name, rules.place("rules", index)) for index, rule in enumerate(rules.content.rules)),
        *(("freeze", freeze.name, rules.place("freezes", index))
          for index, freeze in enumerate(rules.content.freezes)),
        *(("budget", budget.name, rules.place("budgets", index))
          for index, budget in enumerate(rules.content.budgets)),
    ]  # fmt: skip
    columns: tuple[Column[Line], ...] = (
        Column("what", lambda line: line[0]),
        Column("name", lambda line: line[1], priority=0),
        Column("place", lambda line: line[2], priority=3),
    )

    def document(line: Line) -> dict[str, Any]:
        return {"what": line[0], "name": line[1], "place": line[2]}

    return Listing(
        "policy/v1", columns, lines, document=document, empty="the policy is valid and has no rules"
    )


def judgements_view(judgements: Sequence[Judgement]) -> Listing[Judgement]:
    """What each rule says of one change."""
    columns: tuple[Column[Judgement], ...] = (
        Column("rule", lambda judgement: judgement.rule),
        Column("matched", lambda judgement: "yes" if judgement.matched else "no"),
        Column("says", _says, tone=lambda judgement: "bad" if judgement.refuses else "dim", priority=1),
        Column("why", lambda judgement: judgement.why, priority=1, folds=True),
        Column("place", lambda judgement: judgement.place, priority=3),
    )
    return Listing(
        "policy-explanation/v1", columns, judgements, document=_document, empty="this context has no policy"
    )


def _says(judgement: Judgement) -> str:
    return "refused" if judgement.refuses else "second person" if judgement.asks else "nothing"


def _document(judgement: Judgement) -> dict[str, Any]:
    return {
        "rule": judgement.rule, "place": judgement.place, "matched": judgement.matched,
        "refuses": judgement.refuses, "unknown": judgement.unknown,
        "asks_second_person": judgement.asks, "why": judgement.why,
    }  # fmt: skip
