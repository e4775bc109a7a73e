"""The review finds what a written post-mortem lacks, and where."""

from __future__ import annotations

import pytest

from maestro_cli.incidents.report.review import RULES, review

WHOLE = """# Post-mortem of incident 1: x

## Summary
It broke.

## Impact
- Users: 3 of 10 requests failed.

## Clock
| Phase | Took | Budget | Verdict | Since opening |
|---|---|---|---|---|
| triaged (T3 − T1) | 30s | 10m00s | met | 30s |

## Cause
A release.

## Timeline
```text
TODO(owner) in code is code
```

## Five whys
1. Because.

## Action items
| Action | Kind | Owner | Due |
|---|---|---|---|
| Test it \\| twice | prevent | ana | 2026-12-01 |
"""


def found(text: str) -> list[tuple[str, int]]:
    return [(one.rule, one.line) for one in review(text, "pm.md")]


def test_a_whole_document_has_no_finding() -> None:
    assert found(WHOLE) == []


def test_a_table_in_code_is_no_table() -> None:
    fenced = WHOLE.replace("| Action |", "```text\n| Action |") + "```\n"
    assert found(fenced) == [("no-actions", 25)]


def test_a_section_ends_where_the_next_of_its_level_or_above_begins() -> None:
    assert found(WHOLE.replace("It broke.", "### Below\nIt broke.")) == []
    assert found(WHOLE.replace("It broke.", "### Below")) == [("empty-section", 4)]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("It broke.", "TODO(owner): say it", ("unfilled", 4)),
        ("It broke.\n", "\n", ("empty-section", 3)),
        ("It broke.", "<!-- write: summary -->", ("empty-section", 3)),
        ("## Cause\nA release.\n", "", ("missing-section", 1)),
        ("| ana |", "| – |", ("action-owner", 28)),
        ("| ana |", "| nobody |", ("action-owner", 28)),
        ("2026-12-01", "soon", ("action-due", 28)),
        ("2026-12-01", "2026-13-01", ("action-due", 28)),
        ("| Test it \\| twice | prevent | ana | 2026-12-01 |\n", "", ("no-actions", 25)),
        ("| 30s | 10m00s | met |", "| – | 10m00s | skipped |", ("missing-time", 12)),
    ],
)
def test_each_rule_has_a_document_that_breaks_it(old: str, new: str, expected: tuple[str, int]) -> None:
    broken = WHOLE.replace(old, new, 1)
    assert broken != WHOLE
    assert found(broken) == [expected]
    assert expected[0] in RULES


def test_a_task_that_is_recorded_needs_an_owner_and_a_date_until_it_is_done() -> None:
    table = "| Task | Action | Kind | Owner | Due | State |\n|---|---|---|---|---|---|\n"
    with_open = WHOLE + "\n" + table + "| \\#4 | Alert earlier | action | – | – | open |\n"
    assert found(with_open) == [("action-due", 32), ("action-owner", 32)]
    assert found(with_open.replace("| open |", "| done |")) == []
