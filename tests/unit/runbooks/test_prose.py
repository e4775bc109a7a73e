"""Any Markdown can be walked through, heading by heading, as a run like any other."""

from __future__ import annotations

from maestro_cli.core.errors import ExitCode
from maestro_cli.runbooks.export import export_run
from maestro_cli.runbooks.model import Answer, Question, Runbook, RunStatus, State
from maestro_cli.runbooks.pinned import pinned
from maestro_cli.runbooks.prose import walkable
from maestro_cli.runbooks.reader import parse_runbook
from tests.unit.runbooks.bench import Bench

NOTES = """Read this first.

# Queue full

## Look at the depth

```sh
touch pwned
```

Setext
------
Two lines
of text.

## Look at the depth

### Сбой

Again.

## Tell the owner
"""


def book(text: str = NOTES) -> Runbook:
    return walkable(parse_runbook(text, "notes.md"))


def test_each_heading_with_something_to_read_or_to_do_is_a_stop() -> None:
    assert [(step.path, step.title, step.line) for step in book().steps] == [
        ("part-1", "Queue full", 0),
        ("look-at-the-depth", "Look at the depth", 5),
        ("setext", "Setext", 11),
        ("part-4", "Сбой", 18),
        ("tell-the-owner", "Tell the owner", 22),
    ]
    bodies = [step.body.strip() for step in book().steps]
    assert bodies[2:] == ["Two lines\nof text.", "Again.", ""]


def test_stops_are_told_apart_and_front_matter_is_no_text() -> None:
    text = "---\ntitle: x\n---\n# A 3\nx\n# A\nx\n# A\nx\n# A 3\nx\n"
    assert [step.path for step in book(text).steps] == ["a-3", "a", "a-3-3", "a-3-4"]
    assert [step.path for step in book("only words\n").steps] == ["part-1"]
    assert book("---\nmaestro: runbook/v1\n---\n\n").steps == ()


def test_a_runbook_with_steps_is_not_walked() -> None:
    marked = parse_runbook("# A\nx\n```sh {id=a}\ntrue\n```\n# B\ny\n", "book.md")
    assert walkable(marked) is marked


def test_ticks_are_durable_and_a_walk_goes_on_where_it_was(bench: Bench) -> None:
    asked: list[str] = []

    def two(question: Question) -> Answer | None:
        asked.append(question.path)
        return True if len(asked) <= 2 else None

    notes = bench.write(NOTES)
    first = bench.runner().start(notes, {}, confirm=two)
    assert (first.status, first.exit_code, first.run.waiting_for) == (
        RunStatus.WAITING,
        ExitCode.WAITING_APPROVAL,
        "setext",
    )
    run = bench.control().answer(first.id, "setext", "yes")
    assert run.steps[1].state is State.OK
    last = bench.runner().resume(first.id, confirm=lambda question: asked.append(question.path) or True)  # type: ignore[func-returns-value]
    assert last.status is RunStatus.SUCCEEDED
    assert asked == ["part-1", "look-at-the-depth", "setext", "part-4", "tell-the-owner"]
    assert not (bench.folder / "pwned").exists()
    assert export_run(last.run, pinned(last.run)).count("> **ok**") == 5


def test_who_does_not_tick_says_what_follows(bench: Bench) -> None:
    def skips(question: Question) -> Answer | None:
        return "continue" if question.kind == "failed" else question.path != "setext"

    result = bench.runner().start(bench.write(NOTES), {}, confirm=skips)
    assert result.ok
    assert [step.state for step in result.run.steps].count(State.FAILED) == 1
