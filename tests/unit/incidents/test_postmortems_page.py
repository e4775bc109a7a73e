"""docs/post-mortems.md says what the program does."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from maestro_cli.incidents.desk import IncidentDesk
from maestro_cli.incidents.report.human import parts
from maestro_cli.incidents.report.postmortem import PostMortem
from maestro_cli.incidents.report.review import RULES
from tests.unit.incidents.world import Room, alert

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "post-mortems.md").read_text(encoding="utf-8")


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    made = Room(tmp_path)
    made.detector.reconcile([alert()], source="alertmanager-api")
    yield made
    made.journal.close()


def rows(head: str) -> dict[str, str]:
    """First and second cell of the table whose first column is called so."""
    table = PAGE.split(f"| {head} |")[1].split("\n\n")[0]
    return dict(re.findall(r"^\| `?([a-z./-]+?)`? \| (.+) \|$", table, re.MULTILINE))


def test_the_parts_are_those_of_the_document(room: Room) -> None:
    text = PostMortem(room.journal, room.clock, "ana").render(
        IncidentDesk(room.journal, room.clock, "ana").get("1").id
    )
    assert list(rows("part")) == list(parts(text) or {})
    (example,) = re.findall(r"```markdown\n(.*?)```", PAGE, re.DOTALL)
    assert example in text


def test_the_rules_are_those_of_the_review() -> None:
    assert rows("rule") == dict(RULES)


def test_the_options_that_it_names_are_the_program_s() -> None:
    commands = (Path(__file__).resolve().parents[3] / "docs" / "commands.md").read_text(encoding="utf-8")
    told = "".join(
        commands.split(f"### maestro incident {name}\n")[1].split("\n### ")[0]
        for name in ("postmortem", "export", "verify")
    )
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", PAGE))
    assert {option for option in named if option not in told} == set()
