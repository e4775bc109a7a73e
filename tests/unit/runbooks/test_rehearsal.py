"""Rehearsals: what they do not do, and every way in which one can be surprised."""

from __future__ import annotations

import pytest

from maestro_cli.core.clock import SystemClock
from maestro_cli.core.errors import InvalidFile
from maestro_cli.runbooks.rehearsal import rehearse
from tests.unit.runbooks.bench import Bench

BOOK = """---
maestro: runbook/v1
params: {NAME: {default: fraud}}
---
```promql {id=look expect="> 0.5" on_fail=stop}
up{n="$NAME"}
```
```sh {id=rev capture=REV retries=2}
touch really; echo 7
```
```change {id=back approve=ic on_fail=rollback}
kind: rollback
target: ml/deploy/$NAME
to_revision: $REV
```
```sh {verify=back}
touch really
```
```ask {id=keep capture=KEEP choices=keep,drop}
Keep it?
```
```http {id=tell when="$KEEP == 'drop'" on_fail=continue}
POST https://x/
```
"""
GOOD = "look: {value: 1}, rev: {capture: 7}, back: {}, back/verify: {}"
BEGUN = "look: {value: 1}, rev: {capture: 7}"
CASE = "maestro: rehearsal/v1\ncases:\n- name: x\n  expect: {status: y, sequence: []}\n  mocks: {%s: {%s}}\n"
WHOLE = "[look, rev, back, back/verify, keep]"


def play(bench: Bench, mocks: str, expect: str, answers: str = "back: yes, keep: keep") -> str:
    """The fault of one case."""
    book = bench.write(BOOK)
    (bench.folder / "book.test.yaml").write_text(
        "maestro: rehearsal/v1\ncases:\n"
        f"  - name: one\n    mocks: {{{mocks}}}\n    answers: {{{answers}}}\n    expect: {{{expect}}}\n"
    )
    (result,) = rehearse(book, SystemClock())
    assert not (bench.folder / "really").exists()
    assert (bench.systems.requests, bench.changes.world, bench.journal.events()) == ([], [], [])
    assert (result.runbook, result.case, result.line) == ("book", "one", 3)
    return result.fault


@pytest.mark.parametrize(
    ("mocks", "expect", "answers"),
    [
        (GOOD, f"status: succeeded, exit_code: 0, sequence: {WHOLE}", "back: yes, keep: keep"),
        (GOOD + ", tell: {state: failed}", f"status: succeeded, sequence: {WHOLE[:-1]}, tell]",
         "back: yes, keep: drop"),
        ("look: {value: 0.1}", "status: failed, exit_code: 10, sequence: [look]", ""),
        ("look: {}", "status: failed, exit_code: 10, sequence: [look]", ""),
        ("look: {value: 1}, rev: [{state: failed}, {capture: 7}], back: {}, back/verify: {}",
         "status: succeeded, sequence: [look, rev, rev, back, back/verify, keep]", "back: yes, keep: keep"),
        (BEGUN, "status: waiting, exit_code: 17, sequence: [look, rev]", ""),
        (BEGUN, "status: failed, exit_code: 11, sequence: [look, rev]", "back: no"),
        (BEGUN + ", back: {}, back/verify: {state: failed}, back/undo: {}",
         "status: rolled_back, sequence: [look, rev, back, back/verify, back/undo]", "back: yes"),
        (BEGUN + ", back: {state: unknown}",
         "status: unknown, exit_code: 13, sequence: [look, rev, back]", "back: yes"),
    ],
)  # fmt: skip
def test_a_case_is_green_when_all_is_as_expected(bench: Bench, mocks: str, expect: str, answers: str) -> None:
    assert play(bench, mocks, expect, answers) == ""


@pytest.mark.parametrize(
    ("mocks", "expect", "answers", "fault"),
    [
        (GOOD, "status: failed, sequence: " + WHOLE, "back: yes, keep: keep", "it succeeded"),
        (GOOD, f"status: succeeded, exit_code: 10, sequence: {WHOLE}", "back: yes, keep: keep",
         "it ended with 0"),
        (GOOD, "status: succeeded, sequence: [look]", "back: yes, keep: keep", "the steps were look, rev"),
        ("look: {value: 1}", "status: failed, sequence: [look, rev, rev, rev]", "", "rev has no mock"),
        ("look: {value: 1}, rev: [{state: failed}]", "status: failed, sequence: [look, rev, rev, rev]", "",
         "rev is tried more often"),
        ("look: {value: 0}, rev: {}", "status: failed, sequence: [look]", "", "no step used the mock of rev"),
        (GOOD, "status: waiting, sequence: [look, rev, back, back/verify, keep]", "back: yes, keep: perhaps",
         "is no answer to keep"),
    ],
)  # fmt: skip
def test_a_surprise_is_told(bench: Bench, mocks: str, expect: str, answers: str, fault: str) -> None:
    assert fault in play(bench, mocks, expect, answers)


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("maestro: rehearsal/v1\ncases: []\n", 2, "is empty"),
        ("maestro: rehearsal/v2\ncases: []\n", 1, "rehearsal/v1"),
        (CASE % ("gone", ""), 5, "is no step"),
        (CASE % ("look", "stat: ok"), 5, "state"),
    ],
)  # fmt: skip
def test_a_wrong_file_is_refused_with_its_line(bench: Bench, text: str, line: int, says: str) -> None:
    book = bench.write(BOOK)
    (bench.folder / "book.test.yaml").write_text(text)
    with pytest.raises(InvalidFile) as caught:
        rehearse(book, SystemClock())
    assert caught.value.line == line
    assert says in f"{caught.value.what} {caught.value.fix}"


def test_a_runbook_without_rehearsal_says_so(bench: Bench) -> None:
    with pytest.raises(InvalidFile, match=r"book\.test\.yaml"):
        rehearse(bench.write(BOOK), SystemClock())
