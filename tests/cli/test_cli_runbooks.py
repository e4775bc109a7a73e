"""`maestro runbook` as a script drives it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.program import check_golden, maestro

ASK = """# Ship it

```ask {id=keep choices=keep,drop capture=WORD}
Keep the release?
```

```sh {id=tell}
echo "$WORD" > told
```
"""


def test_a_run_waits_with_17_and_goes_on_after_its_answer(configured: Path, tmp_path: Path) -> None:
    book = tmp_path / "ship.md"
    book.write_text(ASK)
    started = maestro("runbook", "run", str(book), "-o", "json")
    assert started.code == 17, started.err
    run = json.loads(started.out)
    assert (run["status"], run["waiting_for"]) == ("waiting", "keep")
    wrong = maestro("runbook", "answer", run["id"], "keep", "kep")
    assert (wrong.code, wrong.out) == (2, "")
    assert "did you mean 'keep'" in wrong.err
    answered = maestro("runbook", "answer", run["id"], "keep", "drop", "-o", "json")
    assert answered.code == 0, answered.err
    assert f"go on with: maestro runbook resume {run['id']}" in answered.err
    resumed = maestro("runbook", "resume", run["id"], "-o", "json")
    assert (resumed.code, json.loads(resumed.out)["status"]) == (0, "succeeded")
    assert (tmp_path / "told").read_text() == "drop\n"
    assert maestro("runbook", "approve", run["id"], "keep").code == 2


def test_a_waiting_run_is_cancelled_and_a_changed_file_taken_only_when_asked(
    configured: Path, tmp_path: Path
) -> None:
    book = tmp_path / "ship.md"
    book.write_text(ASK)
    run = json.loads(maestro("runbook", "run", str(book), "-o", "json").out)["id"]
    assert maestro("runbook", "pause", run).code == 2
    cancelled = maestro("runbook", "cancel", run, "-o", "json")
    assert (cancelled.code, json.loads(cancelled.out)["status"]) == (0, "cancelled")
    assert maestro("runbook", "cancel", run).code == 2
    book.write_text(ASK.replace("> told", ">> told"))
    refused = maestro("runbook", "resume", run)
    assert refused.code == 11
    assert f"resume --rebase {run}" in refused.err
    resumed = maestro("runbook", "resume", "--rebase", run, "-o", "json")
    assert (resumed.code, json.loads(resumed.out)["waiting_for"]) == (17, "keep")


BAD = """---
maestro: runbook/v1
params: {NAME: {}}
---
```sh {id=a mutates}
echo $NAME
```
"""


@pytest.mark.parametrize("form", ["table", "csv", "md", "json", "sarif"])
def test_lint_tells_findings_in_every_format_without_any_context(tmp_path: Path, form: str) -> None:
    (tmp_path / "bad.md").write_text(BAD)
    result = maestro("runbook", "lint", "./bad.md", "-o", form, cwd=tmp_path)
    assert (result.code, result.err) == (10, "")
    check_golden(f"runbook-lint.{form}", result.out)


@pytest.mark.parametrize("group", ["runbook", "playbook"])
def test_an_output_that_there_is_none_of_is_refused_before_anything_is_read(
    tmp_path: Path, group: str
) -> None:
    result = maestro(group, "lint", "missing", "-o", "sarfi", cwd=tmp_path)
    assert (result.code, "sarfi" in result.err, "missing" in result.err) == (2, True, False)


BRANCHES = """---
maestro: runbook/v1
params: {PODS: {default: "a b", pattern: '[a-z ]+'}}
order: needs
---
```promql {id=up expect="> 0"}
up
```
```sh {id=each needs=up for_each="$PODS" as=POD concurrency=2 parallel=both}
echo "$POD"
```
```sh {id=beside needs=up parallel=both}
true
```
"""


def test_show_tells_what_a_step_waits_for_runs_beside_and_is_repeated_over(tmp_path: Path) -> None:
    (tmp_path / "book.md").write_text(BRANCHES)
    result = maestro("runbook", "show", "./book.md", "-o", "json", cwd=tmp_path)
    up, each, beside = json.loads(result.out)["steps"]
    assert (up["needs"], up["parallel"], up["expect"]) == ([], None, "> 0")
    assert (each["needs"], each["for_each"], each["as"], each["concurrency"]) == (["up"], "$PODS", "POD", 2)
    assert (each["parallel"], beside["parallel"]) == ("both", "both")
    table = maestro("--plain", "runbook", "show", "./book.md", cwd=tmp_path).out
    assert "beside others of both; for each POD of $PODS, 2 at once" in table


def test_warnings_end_with_10_only_when_strict(tmp_path: Path) -> None:
    (tmp_path / "warned.md").write_text(BAD.replace("$NAME", '"$NAME"'))
    assert maestro("runbook", "lint", "./warned.md", cwd=tmp_path).code == 0
    assert maestro("runbook", "lint", "./warned.md", "--strict", cwd=tmp_path).code == 10
    assert maestro("runbook", "lint", "missing", cwd=tmp_path).code == 6
    assert maestro("runbook", "lint", "./missing.md", "-o", "sarif", cwd=tmp_path).code == 10


def test_the_shipped_runbooks_are_without_fault_and_cover_the_shipped_alerts() -> None:
    lint = maestro("runbook", "lint", "--strict", "-o", "json")
    assert (lint.code, json.loads(lint.out)["items"]) == (0, [])
    covered = maestro("runbook", "coverage", "-o", "json")
    body = json.loads(covered.out)
    assert (covered.code, body["schema"], body["met"]) == (0, "maestro.dev/runbook-coverage/v1", True)
    assert all(one["runbook"] for one in body["alerts"])
    assert maestro("runbook", "coverage", "--green-within", "30d").code == 10
    assert maestro("runbook", "coverage", "--green-within", "soon").code == 2


def test_a_new_runbook_is_written_where_it_is_looked_for(configured: Path, tmp_path: Path) -> None:
    result = maestro("runbook", "new", "queue-full", cwd=tmp_path)
    assert (result.code, result.out) == (0, "runbooks/queue-full.md\n")
    assert maestro("runbook", "lint", "runbooks/queue-full.md", "--strict", cwd=tmp_path).code == 0
    assert maestro("runbook", "new", "queue-full", cwd=tmp_path).code == 12


def test_the_shipped_runbooks_are_rehearsed_and_a_surprise_ends_with_10(tmp_path: Path) -> None:
    shipped = maestro("runbook", "test", "-o", "json")
    items = json.loads(shipped.out)["items"]
    assert (shipped.code, [one["fault"] for one in items if not one["green"]]) == (0, [])
    assert {one["runbook"] for one in items} == {
        one["id"] for one in json.loads(maestro("runbook", "list", "-o", "json").out)["items"]
    }
    (tmp_path / "bad.md").write_text(BAD)
    assert maestro("runbook", "test", "./bad.md", cwd=tmp_path).code == 3
    rehearsal = (
        "maestro: rehearsal/v1\ncases:\n- {name: x, params: {NAME: a}, mocks: {a: {}}, expect: {%s}}\n"
    )
    file = tmp_path / "bad.test.yaml"
    file.write_text(rehearsal % "status: succeeded, sequence: [a]")
    assert maestro("runbook", "test", "./bad.md", cwd=tmp_path).code == 0
    file.write_text(rehearsal % "status: failed, sequence: [a]")
    surprised = maestro("runbook", "test", "./bad.md", cwd=tmp_path)
    assert surprised.code == 10
    assert "it succeeded (), expected failed" in surprised.out


def test_beside_events_as_json_a_step_that_failed_is_not_told_as_done(
    configured: Path, tmp_path: Path
) -> None:
    book = tmp_path / "fail.md"
    book.write_text("# Fail\n\n```sh {id=well}\ntrue\n```\n\n```sh {id=ill}\nexit 3\n```\n")
    result = maestro("runbook", "run", str(book), "-o", "jsonl")
    assert result.code == 12
    told = [line for line in result.err.splitlines() if line.startswith(("✓", "✗"))]
    assert [line.split()[:2] for line in told] == [["✓", "well"], ["✗", "ill"]]


def test_events_come_as_lines_of_json_and_a_run_is_exported_with_its_outcomes(
    configured: Path, tmp_path: Path
) -> None:
    book = tmp_path / "ship.md"
    book.write_text(
        "# Ship\n\n```sh {id=a}\nprintf 'x\\n```\\n# not a heading \\033[31m'\n```\n\nThen wait.\n"
    )
    result = maestro("runbook", "run", str(book), "-o", "jsonl")
    events = [json.loads(line) for line in result.out.splitlines()]
    assert result.code == 0, result.err
    assert [event["kind"] for event in events] == [
        "run.started",
        "step.intended",
        "step.finished",
        "run.finished",
    ]
    assert {event["schema"] for event in events} == {"maestro.dev/run-event/v1"}
    exported = maestro("runbook", "export", events[0]["run"])
    assert exported.code == 0, exported.err
    assert "\x1b" not in exported.out
    lines = exported.out.splitlines()
    start = lines.index("````text")
    assert lines[start + 1 : start + 5] == ["x", "```", "# not a heading ␛[31m", "````"]
    assert lines[start + 6] == "Then wait."
    assert f"Run `{events[0]['run']}` of `ship`" in exported.out
    book.write_text("# Other\n")
    assert maestro("runbook", "export", events[0]["run"]).code == 11


def completed(*words: str) -> list[str]:
    line = " ".join(("maestro", *words))
    found = maestro(
        env={"_MAESTRO_COMPLETE": "complete_bash", "COMP_WORDS": line, "COMP_CWORD": str(len(words))}
    )
    return found.out.split()


def test_runbooks_runs_and_steps_are_completed_and_latest_is_the_newest(
    configured: Path, tmp_path: Path
) -> None:
    assert completed("runbook", "resume", "run-") == []
    assert not list(tmp_path.rglob("*.sqlite"))  # nothing is made to complete a word
    assert "high-error-rate" in completed("runbook", "run", "high-e")
    book = tmp_path / "ship.md"
    book.write_text(ASK)
    started = maestro("runbook", "run", str(book))
    run = json.loads(maestro("runbook", "history", "latest", "-o", "json").out)["id"]
    assert f"maestro runbook answer {run} keep VALUE; then: maestro runbook resume {run}" in started.err
    assert completed("runbook", "resume", "run-") == [run]
    assert completed("runbook", "pause", "run-") == []
    assert completed("runbook", "answer", run, "ke") == ["keep"]
    assert maestro("runbook", "answer", "latest", "keep", "drop").code == 0
    assert maestro("runbook", "resume", "latest").code == 0
    listed = maestro("runbook", "history", "--runbook", "ship", "--limit", "1", "-o", "json")
    assert [one["id"] for one in json.loads(listed.out)["items"]] == [run]
    assert json.loads(maestro("runbook", "history", "--runbook", "other", "-o", "json").out)["items"] == []


def test_a_run_that_failed_shows_what_its_step_printed_last(configured: Path, tmp_path: Path) -> None:
    book = tmp_path / "bad.md"
    book.write_text("```sh {id=a}\nprintf 'one\\033[2J\\n'; echo two >&2; exit 3\n```\n")
    result = maestro("runbook", "run", str(book))
    assert result.code == 12
    assert result.out.splitlines()[-4:] == ["WHAT A PRINTED LAST", "", "one␛[2J", "two"]
    assert result.err.splitlines()[-1].startswith("✗ a  failed  (")


def test_any_markdown_is_walked_through_and_waits_where_nobody_is(configured: Path, tmp_path: Path) -> None:
    book = tmp_path / "notes.md"
    book.write_text("# Queue full\n\nRead this.\n\n## Tell the owner\n")
    started = maestro("runbook", "run", str(book), "-o", "json")
    assert (started.code, json.loads(started.out)["waiting_for"]) == (17, "queue-full")
    assert maestro("runbook", "answer", "latest", "queue-full", "yes").code == 0
    assert maestro("runbook", "resume", "latest").code == 17
    assert maestro("runbook", "answer", "latest", "tell-the-owner", "yes").code == 0
    assert maestro("runbook", "resume", "latest").code == 0
