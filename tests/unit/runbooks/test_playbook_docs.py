"""The page about playbooks says what the program does."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest

from maestro_cli.incidents.response.occasions import RECENT
from maestro_cli.runbooks.linear_regex import MAX_LENGTH
from maestro_cli.runbooks.playbooks import lint
from maestro_cli.runbooks.playbooks.model import DEFAULT_RUNS_PER_HOUR, ROLES, Playbook
from maestro_cli.runbooks.playbooks.reader import read_playbook
from maestro_cli.runbooks.playbooks.spec import IncidentEvent, Mode, Moment, TriggerSpec
from maestro_cli.runbooks.playbooks.template import INCIDENT_NAMES

PAGE = (Path(__file__).parents[3] / "docs" / "playbooks.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
HEAD = "maestro: playbook/v1\nid: one\n"
TRIGGER = "trigger: {alert: {matchers: [alertname=Slow]}}\n"


def section(title: str) -> str:
    return re.split(r"^## ", PAGE.split(f"\n## {title}\n")[1], flags=re.MULTILINE)[0]


def rows(title: str) -> list[list[str]]:
    lines = [line for line in section(title).splitlines() if line.startswith("| ")]
    return [[cell.strip().strip("`") for cell in line.strip("|").split(" | ")] for line in lines[1:]]


@pytest.mark.parametrize("block", BLOCKS, ids=range(len(BLOCKS)))
def test_each_example_is_a_playbook_or_completes_one(tmp_path: Path, block: str) -> None:
    assert isinstance(completed(tmp_path, block), Playbook)


def completed(folder: Path, block: str) -> Playbook:
    whole = block
    for key, text in (("maestro:", HEAD), ("trigger:", TRIGGER), ("steps:", "steps: [{runbook: a}]\n")):
        if not re.search(f"^{key}", block, re.MULTILINE):
            whole = text + whole if key == "maestro:" else whole + text
    (folder / "one.yaml").write_text(whole, encoding="utf-8")
    return read_playbook(folder / "one.yaml")


def test_each_rule_is_in_the_table_with_its_words() -> None:
    assert [row[0] for row in rows("Keeping them true")] == list(lint.RULES)
    assert {row[1] for row in rows("Keeping them true")} == {"error", "warning"}


def test_each_mode_is_there() -> None:
    assert [row[0] for row in rows("Policy")] == list(Mode.__args__)  # type: ignore[attr-defined]


def test_each_trigger_event_moment_and_role_is_there() -> None:
    started = section("What starts one")
    assert [row[0] for row in rows("What starts one")] == list(TriggerSpec.__struct_fields__)
    assert all(event in started for event in IncidentEvent.__args__)  # type: ignore[attr-defined]
    failing = section("When it fails, and who is told")
    assert all(moment in failing for moment in Moment.__args__)  # type: ignore[attr-defined]
    assert all(f"`{role}`" in section("Which signals are one incident") for role in ROLES)
    assert timedelta(minutes=15) == RECENT
    assert "for 15 minutes" in started
    assert f"{DEFAULT_RUNS_PER_HOUR} if nothing" in section("Policy")


def test_names_and_limits_are_those_of_the_program() -> None:
    assert all(f"`{name}`" in section("Steps") for name in INCIDENT_NAMES)
    limits = section("Which playbook an alert means")
    assert f"{MAX_LENGTH:,} characters" in limits
