"""The page of incidents says what the program does."""

from __future__ import annotations

import re
from pathlib import Path

from maestro_cli.cli.commands.incident import COMMANDS
from maestro_cli.core.quantities import parse_duration_seconds
from maestro_cli.incidents.clock import Budgets, Phase
from maestro_cli.incidents.model import TRANSITIONS, LinkKind
from maestro_cli.output.renderers.incident_findings import STALE_SECONDS
from maestro_cli.services.incident_following import UNTIL

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "incidents.md").read_text(encoding="utf-8")
# Pages of their own tell the others.
OWN = {
    "open", "list", "show", "timeline", "evidence", "suspects", "ack", "assign", "severity", "note", "link",
    "merge", "silence", "resolve", "mitigate", "dismiss", "reopen", "close", "gate", "watch", "stats",
    "triage",
}  # fmt: skip


def test_the_table_of_states_is_the_programs() -> None:
    rows = re.findall(r"^\| ([a-z ]+) \| ([a-z, ]+) \| ([a-z]+) \|$", PAGE, re.MULTILINE)
    assert rows == [
        ("event", "from", "to"),
        *(
            (
                kind.removeprefix("incident.").replace("_", " "),
                ", ".join(state.value for state in sources),
                target.value,
            )
            for kind, (sources, target) in TRANSITIONS.items()
        ),
    ]


def test_the_budgets_are_the_programs() -> None:
    rows = re.findall(r"^\| (\w+) \| [^|]+ \| [^|]+ \| (\S+) \|$", PAGE, re.MULTILINE)[1:]
    assert [phase for phase, _ in rows] == [phase.value for phase in Phase]
    told = {phase: parse_duration_seconds(text) for phase, text in rows if text != "-"}
    assert told == {
        phase: getattr(Budgets(), f"{phase}_seconds")
        for phase in ("detect", "triage", "resolve", "postmortem")
    }
    assert STALE_SECONDS == 300
    assert "five minutes ago is marked as stale" in PAGE


def test_every_command_and_word_on_it_exists_and_none_is_left_out() -> None:
    known = {name for name, _ in COMMANDS}
    named = set(re.findall(r"^maestro incident ([a-z]+)", PAGE, re.MULTILINE))
    assert named <= known
    assert named == OWN
    for word in (*UNTIL, *(kind.value for kind in LinkKind)):
        assert re.search(rf"\b{word}\b", PAGE), word
