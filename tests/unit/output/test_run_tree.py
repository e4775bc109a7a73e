"""What a run looks like while it runs: every step once, what runs now always, on any screen."""

from __future__ import annotations

import pytest

from maestro_cli.journal.model import Event
from maestro_cli.output.run_tree import TAIL_LINES, RunTree
from maestro_cli.runbooks.model import Runbook
from maestro_cli.runbooks.reader import parse_runbook

BOOK = """# Slow

```sh {id=look title="what runs there"}
true
```

```sh {id=drain mutates}
true
```

```sh {verify=drain}
true
```
"""


def event(kind: str, step: str = "", **more: object) -> Event:
    data = {"step": step, "title": step, **more} if step else dict(more)
    return Event(1, "", kind, "run/run-1", "ada", data, "", "")


def a_tree(book: Runbook | None = None) -> RunTree:
    tree = RunTree()
    tree.expect(book or parse_runbook(BOOK, "slow.md"), None)
    tree.hear(event("run.started"), 0.0)
    return tree


def texts(tree: RunTree, now: float = 10.0, height: int = 20) -> list[str]:
    return [line.text for line in tree.lines(now, height)]


def test_steps_that_are_to_come_are_there_and_their_checks_only_once_they_matter() -> None:
    tree = a_tree()
    assert texts(tree) == ["Slow  run-1  0 of 2 steps", "· look  what runs there", "· drain"]
    tree.hear(event("step.intended", "drain"), 4.0)
    assert texts(tree)[2:] == ["▶ drain  (6.0s)", "  · drain/verify"]


def test_a_step_shows_what_it_prints_until_it_ends_and_then_how_it_ended() -> None:
    tree = a_tree()
    assert tree.hear(event("step.intended", "look"), 1.0) == "look"
    tree.print("look", "\n".join(map(str, range(9))))
    assert texts(tree)[2:-1] == [f"  │ {number}" for number in range(9 - TAIL_LINES, 9)]
    tree.hear(event("step.finished", "look", state="failed", reason="ended with 3"), 3.5)
    assert texts(tree)[1] == "✗ look  what runs there  failed  (2.5s)  ended with 3"
    assert texts(tree)[0] == "Slow  run-1  1 of 2 steps"


def test_what_was_done_before_is_told_when_a_run_goes_on() -> None:
    tree = a_tree()
    tree.hear(event("step.skipped", "look", reason="it needs x"), 1.0)
    assert texts(tree)[1] == "- look  what runs there  skipped  it needs x"


def test_where_nothing_is_redrawn_there_is_a_line_for_each_end() -> None:
    tree = a_tree()
    told = [event("run.started"), event("step.intended", "look"), event("step.finished", "look", state="ok")]
    lines = []
    for number, one in enumerate(told):
        tree.hear(one, float(number))
        lines.append(tree.line(one, float(number)))
    assert lines == ["run-1: Slow", "", "✓ look  what runs there  (1.0s)"]


def test_events_of_a_run_within_this_one_are_not_its_own() -> None:
    tree = a_tree()
    inner = Event(2, "", "step.intended", "run/run-2", "ada", {"step": "other"}, "", "")
    assert tree.hear(inner, 1.0) == ""
    assert len(texts(tree)) == 3


@pytest.mark.parametrize("height", [1, 2, 3, 5, 8, 24])
def test_what_runs_now_is_on_any_screen(height: int) -> None:
    fences = "".join(f"```sh {{id=s{number}}}\ntrue\n```\n\n" for number in range(100))
    tree = a_tree(parse_runbook(fences, "long.md"))
    for number in (0, 50, 99):
        for before in range(number):
            tree.hear(event("step.finished", f"s{before}", state="ok"), 1.0)
        tree.hear(event("step.intended", f"s{number}"), 1.0)
        shown = texts(tree, height=height)
        assert len(shown) <= max(height, 2)
        assert any(line.startswith(f"▶ s{number} ") for line in shown), shown


def test_a_repetition_stands_below_its_step_which_stands_as_it_does() -> None:
    tree = RunTree()
    book = parse_runbook("```sh {id=a for_each='x y' as=X}\ntrue\n```\n\n```sh {id=b}\ntrue\n```\n", "b.md")
    tree.expect(book, None)
    tree.run = "run-1"
    for number, kind in ((1, "intended"), (1, "finished"), (2, "intended")):
        data = {"step": f"a[{number}]", "state": "ok"}
        tree.hear(Event(1, "", f"step.{kind}", "run/run-1", "", data, "", ""), 1.0)
    assert [line.text.split()[:2] for line in tree.lines(1.0, 20)[1:]] == [
        ["▶", "a"],
        ["✓", "a[1]"],
        ["▶", "a[2]"],
        ["·", "b"],
    ]


def test_a_repeated_step_runs_while_a_repetition_does_and_each_prints_for_itself() -> None:
    text = "```sh {id=each for_each='a b' as=ITEM}\ntrue\n```\n"
    tree = a_tree(parse_runbook(text, "each.md"))
    for number in (1, 2):
        tree.hear(event("step.intended", f"each[{number}]"), 2.0)
        tree.print(f"each[{number}]", f"word {number}")
    tree.hear(event("step.finished", "each[1]", state="ok"), 3.0)
    shown = texts(tree, now=4.0)
    assert shown[1].startswith("▶ each  (2.0s)")
    assert [line for line in shown if "word" in line] == ["    │ word 2"]
    tree.hear(event("step.finished", "each[2]", state="failed"), 6.0)
    assert texts(tree)[1].startswith("✗ each  failed  (4.0s)")
