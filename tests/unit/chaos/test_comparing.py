"""A comparison says what got worse, and passes only where everything is known and nothing did."""

from __future__ import annotations

from typing import Any

import pytest

from maestro_cli.chaos.comparing import Trend, compare
from maestro_cli.chaos.model import Recovery
from maestro_cli.core.verdict import Verdict
from tests.unit.chaos.ci.outcomes import performed


def trends(was: dict[str, Any], now: dict[str, Any], tolerated: float = 0.25) -> dict[str, Trend]:
    found = compare(was, now, tolerated, is_same_file=True)
    return {one.name: one.trend for one in found.figures if one.trend is not Trend.SAME}


def recovered(seconds: float | None) -> dict[str, Any]:
    return performed(findings={"recoveries": (Recovery("slow", seconds is not None, "pods ready", seconds),)})


def test_a_run_against_itself_is_the_same() -> None:
    found = compare(performed(), performed(), 0.0, is_same_file=True)
    assert found.verdict is Verdict.PASS
    assert {one.trend for one in found.figures} == {Trend.SAME}


@pytest.mark.parametrize(
    ("now", "figure"),
    [
        (performed({"during": ("met", "missed")}), "looks during that missed"),
        (performed({"during": ("met", "none")}), "looks during that told nothing"),
        (performed({"after": "none"}), "coverage"),
        (performed(findings={"residue": ("x",)}), "left behind"),
        (recovered(9.0), "recovery of slow"),
    ],
)
def test_what_got_worse_is_worse_and_the_other_way_round_better(now: dict[str, Any], figure: str) -> None:
    assert trends(performed(), now)[figure] is Trend.WORSE
    assert trends(now, performed())[figure] is Trend.BETTER
    assert compare(performed(), now, 0.25, is_same_file=True).verdict is Verdict.FAIL


@pytest.mark.parametrize(
    ("worse", "better"),
    [
        (performed(findings={"residue": ("x",)}), performed({"after": "missed"})),
        (performed({"after": "missed"}), performed({"after": "none"})),
        (performed({"after": "none"}), performed()),
    ],
)
def test_a_graver_end_is_worse(worse: dict[str, Any], better: dict[str, Any]) -> None:
    assert trends(better, worse)["exit code"] is Trend.WORSE


def test_small_changes_are_noise_and_large_ones_are_not() -> None:
    assert trends(recovered(10.0), recovered(12.4)) == {}
    assert trends(recovered(10.0), recovered(12.6)) == {"recovery of slow": Trend.WORSE}
    assert trends(recovered(0.1), recovered(0.9)) == {}


def test_what_is_not_known_any_more_is_no_improvement() -> None:
    was, now = performed(), recovered(None)
    now["maestro"] = {**was["maestro"], "proof_of_recovery": now["maestro"]["proof_of_recovery"]}
    found = compare(was, now, 0.25, is_same_file=True)
    assert found.verdict is Verdict.INDETERMINATE
    assert trends(was, now) == {"recovery of slow": Trend.UNKNOWN}
