"""The page about runbooks says what the program does."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec

from maestro_cli.config.strict import parse_yaml
from maestro_cli.core.errors import ExitCode
from maestro_cli.runbooks.attributes import ATTRIBUTES, EVERY
from maestro_cli.runbooks.model import OnFail
from maestro_cli.runbooks.reader import parse_runbook
from maestro_cli.runbooks.rehearsal import RehearsalSpec
from maestro_cli.runbooks.steps.change import OPTIONS

PAGE = (Path(__file__).parents[3] / "docs" / "runbooks.md").read_text()


def section(title: str) -> str:
    return re.split(r"^## ", PAGE.split(f"\n## {title}\n")[1], flags=re.MULTILINE)[0]


def rows(title: str) -> list[list[str]]:
    lines = [line for line in section(title).splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[1:]]


def test_each_attribute_is_in_the_table_and_each_row_is_an_attribute() -> None:
    table = {row[0].strip("`"): row for row in rows("Attributes")}
    assert list(table) == list(ATTRIBUTES)
    for name, attribute in ATTRIBUTES.items():
        kinds = table[name][1].removesuffix(" with an id")
        if kinds not in ("every kind", "steps"):
            assert {kind.strip() for kind in kinds.split(",")} == attribute.kinds, name
        else:
            assert attribute.kinds == EVERY, name
        assert table[name][1].endswith("with an id") == (attribute.roles == {"id"} and name != "id"), name
    for choice in OnFail:
        assert f"`{choice.value}`" in table["on_fail"][2]


def test_each_kind_of_step_is_there() -> None:
    named = {word for row in rows("Kinds of step") for word in re.findall(r"`(\w+)`", row[0])}
    assert named == EVERY


def test_each_kind_of_change_is_there_with_its_options() -> None:
    table = {row[0].strip("`"): re.findall(r"`(\w+)`", row[1]) for row in rows("Kinds of change")}
    assert table == {kind: list(options) for kind, options in OPTIONS.items()}


def test_the_exit_codes_exist() -> None:
    codes = [int(code) for row in rows("Runs") for code in re.findall(r"\d+", row[1])]
    assert codes == [0, 10, 11, 12, 13, 16, 17, 20, 75, 124, 130, 143]
    assert all(ExitCode(code) for code in codes if code)


def test_the_examples_are_what_they_show() -> None:
    example = PAGE.split("````markdown\n")[1].split("````\n")[0]
    front = "---\nmaestro: runbook/v1\nparams: {NAMESPACE: {}, NODE: {}}\n---\n"
    steps = parse_runbook(front + example, "example.md").steps
    assert [step.path for step in steps] == ["errors", "drain", "look"]
    assert [part.path for part in steps[1].parts] == ["drain/undo", "drain/probe"]
    blocks = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    book = parse_runbook(blocks[0], "example.md")
    assert [parameter.name for parameter in book.parameters] == ["DEPLOY", "WINDOW"]
    msgspec.convert(parse_yaml(blocks[1], "test.yaml").data, RehearsalSpec)
    assert parse_runbook(PAGE, "docs/runbooks.md").steps == ()
