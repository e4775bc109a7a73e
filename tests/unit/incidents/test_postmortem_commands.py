"""What responders ran stands in the post-mortem as it was recorded, and is never Markdown."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from maestro_cli.incidents.desk import IncidentDesk
from maestro_cli.incidents.report.human import parts, sections_to_fill
from maestro_cli.incidents.report.postmortem import PostMortem
from maestro_cli.incidents.report.record_text import MAX_COMMAND_LINES
from maestro_cli.incidents.report.review import review
from tests.unit.incidents.world import Room, alert

RUN = "run/run-0123456789abcd"
HOSTILE = "echo '```'\n```\n## Summary\nTODO(owner): <script>\n<!-- write: summary -->\n\x1b[31m\u202e | cell"


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    made = Room(tmp_path)
    made.detector.reconcile([alert()], source="alertmanager-api")
    incident = IncidentDesk(made.journal, made.clock, "ana").ack("latest")
    made.journal.append("run.started", RUN, "ana", {"incident": incident.id, "runbook": "rescue"})
    yield made
    made.journal.close()


def begins(room: Room, command: object, step: str = "look", attempt: int = 1) -> int:
    data = {"step": step, "attempt": attempt, "title": "Look", "command": command}
    return room.journal.append("step.intended", RUN, "ana", data).seq


def document(room: Room) -> str:
    return PostMortem(room.journal, room.clock, "ana").render("latest")


def test_a_command_stands_under_the_steps_and_the_timeline_leads_to_it(room: Room) -> None:
    seq = begins(room, "NAMESPACE=ml\nkubectl -n $NAMESPACE get pods")
    text = document(room)
    assert f"step look begins: Look ([command {seq}](#command-{seq})) |" in text
    steps = text.split("## Runbook steps")[1].split("## Five whys")[0]
    assert f"### Command {seq}\n" in steps
    assert "ana: step look of run/run-0123456789abcd\n" in steps
    assert "```text\nNAMESPACE=ml\nkubectl -n $NAMESPACE get pods\n```" in steps


def test_one_whose_end_was_never_recorded_is_told_too(room: Room) -> None:
    begins(room, "rm -r /tmp/cache")
    steps = document(room).split("## Runbook steps")[1]
    assert "No runbook step is recorded." in steps
    assert "rm -r /tmp/cache" in steps


def test_a_second_attempt_at_the_same_names_the_first(room: Room) -> None:
    first, second = begins(room, "true # again"), begins(room, "true # again", attempt=2)
    other = begins(room, "true # again", step="later")
    text = document(room)
    assert text.count("true # again") == 2
    assert f"### Command {second}\n" in text
    assert f"As [command {first}](#command-{first})." in text
    assert f"### Command {other}\n" in text


def test_a_long_one_says_how_much_is_left_out(room: Room) -> None:
    begins(room, "\n".join(f"step{number}" for number in range(MAX_COMMAND_LINES + 3)))
    assert f"step{MAX_COMMAND_LINES - 1}\n… 3 lines not shown\n```" in document(room)


@pytest.mark.parametrize("command", [None, 7, ["ls"], ""], ids=["none", "number", "list", "empty"])
def test_a_step_without_a_command_has_no_block(room: Room, command: object) -> None:
    begins(room, command)
    assert "### Command" not in document(room)


def test_a_hostile_command_is_code_and_nothing_else(room: Room) -> None:
    before = document(room)
    begins(room, HOSTILE)
    text = document(room)
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert (parts(text), sections_to_fill(text)) == (parts(before), sections_to_fill(before))
    (block,) = [
        token.content
        for token in MarkdownIt("commonmark").enable("table").parse(text)
        if token.type == "fence" and "## Summary" in token.content
    ]
    assert block.startswith("echo '```'\n```\n## Summary\nTODO(owner): <script>\n<!-- write: summary -->\n")


def test_the_review_finds_nothing_in_a_command(room: Room) -> None:
    before = [(one.rule, one.text) for one in review(document(room), "pm.md")]
    begins(room, HOSTILE)
    assert [(one.rule, one.text) for one in review(document(room), "pm.md")] == before
    assert {rule for rule, _ in before} >= {"unfilled"}
