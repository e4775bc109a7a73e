"""A game day passes when each experiment came out as its plan expected."""

from __future__ import annotations

import pytest

from maestro_cli.chaos.ci.outcome import Outcome
from maestro_cli.chaos.gameday.score import Taken, day_result
from maestro_cli.core.errors import ExitCode
from maestro_cli.core.verdict import Verdict
from tests.unit.chaos.ci.outcomes import outcome

PASSED, DEVIATED = outcome(), outcome({"after": "missed"})
LEFT, BLIND = outcome(findings={"residue": ("x",)}), outcome({"after": "none"})


@pytest.mark.parametrize(
    ("made", "expect", "verdict", "code"),
    [
        (PASSED, Verdict.PASS, Verdict.PASS, ExitCode.OK),
        (DEVIATED, Verdict.FAIL, Verdict.PASS, ExitCode.OK),
        (PASSED, Verdict.FAIL, Verdict.FAIL, ExitCode.CONDITION_NOT_MET),
        (DEVIATED, Verdict.PASS, Verdict.FAIL, ExitCode.CONDITION_NOT_MET),
        (LEFT, Verdict.FAIL, Verdict.FAIL, ExitCode.UNDO_FAILED),
        (BLIND, Verdict.PASS, Verdict.INDETERMINATE, ExitCode.NO_DATA),
    ],
)
def test_one_is_as_expected_or_ends_the_day_with_its_code(
    made: Outcome, expect: Verdict, verdict: Verdict, code: ExitCode
) -> None:
    result = day_result([Taken(made, expect, "")])
    assert (result.verdict, result.exit_code) == (verdict, code)


def test_the_gravest_decides_and_nothing_is_no_pass() -> None:
    both = day_result([Taken(DEVIATED, Verdict.PASS, ""), Taken(LEFT, Verdict.PASS, "")])
    assert (both.verdict, both.exit_code) == (Verdict.FAIL, ExitCode.UNDO_FAILED)
    nothing = day_result([])
    assert (nothing.verdict, nothing.exit_code) == (Verdict.INDETERMINATE, ExitCode.NO_DATA)
