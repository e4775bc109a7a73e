"""The decision about a canary, as people and scripts read it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from maestro_cli.changes.canary.decision import decide, patience
from maestro_cli.changes.canary.examination import Examination
from maestro_cli.changes.canary.model import Canary, Rules, Surroundings, Tally
from maestro_cli.core.refs import ObjectRef
from maestro_cli.output.renderers.canaries import canary_view
from maestro_cli.output.views import Fields, Listing

NOW = datetime(2026, 3, 1, 3, 0, tzinfo=UTC)
RULES = Rules()
CANARY = Canary(
    "can-1", ObjectRef("ConfigMap", "ml", "fraud-routing"), "fraud", 2, 1, 0.1, "ada", RULES, "chg-1",
    NOW - timedelta(minutes=5),
)  # fmt: skip
MINE, USUAL = Tally(100, 30, 0, 100, 1.0, 100, 30), Tally(900, 0, 0, 900, 9.0, 900, 0)


def examined(mine: Tally, usual: Tally, *, overdue: bool = False) -> Examination:
    decision = decide(mine, usual, RULES, Surroundings())
    return Examination(CANARY, NOW, mine, usual, decision, patience(50.0, 0.01, 0.1, RULES), overdue)


def test_the_decision_is_told_first_and_each_criterion_with_its_verdict() -> None:
    view = canary_view(examined(MINE, USUAL))
    fields, criteria = view.blocks
    assert isinstance(fields, Fields)
    assert isinstance(criteria, Listing)
    assert fields.rows[0][0] == "decision"
    assert str(fields.rows[0][1]).startswith("abort: burn")
    assert [one["verdict"] for one in view.document["criteria"]] == ["PASS", "FAIL", "FAIL", "INDETERMINATE"]
    assert (view.document["decision"], view.document["counts"]["canary"]["errors"]) == ("abort", 30)
    assert view.document["target"] == "ml/configmap/fraud-routing"


def test_what_is_not_known_is_null_and_never_a_number() -> None:
    view = canary_view(examined(Tally(None, None), USUAL, overdue=True))
    assert view.document["counts"]["canary"]["requests"] is None
    assert (view.document["decision"], view.document["overdue"]) == ("hold", True)
    fields = view.blocks[0]
    assert isinstance(fields, Fields)
    assert ("deadline", "passed: it is held") in fields.rows
    assert "an unknown number" in str(dict(fields.rows)["requests"])
