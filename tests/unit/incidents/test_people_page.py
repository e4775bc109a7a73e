"""docs/people.md says what the program does."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest

from maestro_cli.cli.lazy import load
from maestro_cli.cli.registry import COMMANDS
from maestro_cli.core.quantities import parse_duration_seconds
from maestro_cli.incidents.model import Severity
from maestro_cli.incidents.people.model import UPDATE_EVERY, Role
from maestro_cli.incidents.people.oncall_file import read_oncall
from maestro_cli.incidents.people.oncall_spec import (
    HoursSpec,
    LayerSpec,
    OnCallFile,
    OverrideSpec,
    PersonSpec,
    PolicySpec,
    RepeatSpec,
    ScheduleSpec,
    StepSpec,
)

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "people.md").read_text(encoding="utf-8")
SHOWN = [
    shlex.split(line, comments=True)
    for fence in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
    for line in fence.splitlines()
]


def test_the_example_can_be_read_and_names_every_key(tmp_path: Path) -> None:
    (example,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    file = tmp_path / "oncall.yaml"
    file.write_text(example, encoding="utf-8")
    assert [policy.name for policy in read_oncall(file).policies] == ["grave", "rest"]
    structs = (OnCallFile, PersonSpec, ScheduleSpec, LayerSpec, HoursSpec, OverrideSpec, PolicySpec, StepSpec,
               RepeatSpec)  # fmt: skip
    fields = {name for struct in structs for name in struct.__struct_encode_fields__}
    assert {name for name in fields if f"{name}:" not in example} == set()


def test_the_table_of_updates_is_the_one_that_is_used() -> None:
    table = dict(re.findall(r"^\| (sev\d) \| (.*?) \|$", PAGE, re.MULTILINE))
    short = {name: re.sub(r" (m|h|d)\w+", r"\1", text) for name, text in table.items()}
    told = {Severity(name): parse_duration_seconds(text) for name, text in short.items()}
    assert told == {severity: every.total_seconds() for severity, every in UPDATE_EVERY.items()}


def test_every_role_is_named() -> None:
    assert [role.value for role in Role if f"`{role.value}`" not in PAGE] == []


@pytest.mark.parametrize("words", SHOWN, ids=" ".join)
def test_each_command_that_is_shown_is_one_that_can_be_given(words: list[str]) -> None:
    assert words[0] == "maestro"
    command: Any = load(next(stub for stub in COMMANDS if stub.name == words[1]))
    rest = words[2:]
    while hasattr(command, "commands"):
        command, rest = command.commands[rest[0]], rest[1:]
    command.make_context(command.name, rest)  # raises a usage error
