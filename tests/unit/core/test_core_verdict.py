"""No data is never PASS, and no expectation holds for what is not there."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maestro_cli.core.errors import ExitCode
from maestro_cli.core.verdict import Judgement, Verdict, combine, judge, verdict_of
from maestro_cli.runbooks.expectation import parse_expectation


@pytest.mark.parametrize(
    ("value", "holds", "coverage"),
    [(None, True, 1.0), (math.nan, True, 1.0), (1.0, None, 1.0), (1.0, True, 0.0), (1.0, True, math.nan)],
)
def test_without_evidence_nothing_is_decided(
    value: float | None, holds: bool | None, coverage: float
) -> None:
    judgement = judge(value, holds=holds, coverage=coverage, reason="")
    assert judgement.verdict is Verdict.INDETERMINATE
    assert not judgement.passed


@pytest.mark.parametrize(("holds", "verdict"), [(True, Verdict.PASS), (False, Verdict.FAIL)])
def test_with_evidence_it_is_what_holds(holds: bool, verdict: Verdict) -> None:
    assert judge(0.0, holds=holds, coverage=0.5, reason="").verdict is verdict


@given(st.lists(st.sampled_from(Verdict)))
def test_the_worst_decides_and_nothing_is_no_pass(verdicts: list[Verdict]) -> None:
    whole = combine(Judgement(verdict, 1.0, "") for verdict in verdicts)
    if Verdict.FAIL in verdicts:
        assert whole is Verdict.FAIL
    elif Verdict.INDETERMINATE in verdicts or not verdicts:
        assert whole is Verdict.INDETERMINATE
    else:
        assert whole is Verdict.PASS


@pytest.mark.parametrize(
    ("text", "value", "holds"),
    [
        ("< 0.5", 0.4, True), ("< 0.5", 0.5, False), ("<= 5%", 0.05, True), (">= 3", 3.0, True),
        ("==0", 0.0, True), ("!= 0", 0.0, False), ("> -1e-3", 0.0, True), ("absent", None, True),
        ("absent", 1.0, False), ("present", 1.0, True),
    ],
)  # fmt: skip
def test_an_expectation_compares(text: str, value: float | None, holds: bool) -> None:
    assert parse_expectation(text).holds(value) is holds


@pytest.mark.parametrize("text", ["< 1", ">= 0", "!= 3", "present"])
@pytest.mark.parametrize("value", [None, math.nan])
def test_nothing_but_absent_holds_for_what_is_missing(text: str, value: float | None) -> None:
    assert parse_expectation(text).holds(value) is None
    assert parse_expectation("absent").holds(value) is True


@pytest.mark.parametrize("text", ["", "0.5", "=< 1", "< x", "< 1 or > 2", "< nan", "< 1; drop"])
def test_what_is_no_expectation_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not an expectation"):
        parse_expectation(text)


@pytest.mark.parametrize("code", ExitCode)
def test_a_code_says_bad_only_where_something_bad_was_seen_and_passes_only_by_0(code: ExitCode) -> None:
    bad = {10, 13, 14, 16}
    expected = Verdict.PASS if code == 0 else Verdict.FAIL if int(code) in bad else Verdict.INDETERMINATE
    assert verdict_of(code) is expected
