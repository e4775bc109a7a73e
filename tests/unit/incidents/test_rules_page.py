"""docs/incident-rules.md says what the program does."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

from maestro_cli.incidents.intake.correlation import SEVERITIES
from maestro_cli.incidents.intake.rules.lint import lint_rules
from maestro_cli.incidents.intake.rules.reader import read_rules
from maestro_cli.incidents.intake.rules.spec import FlappingSpec, RuleSpec, RulesSpec, StormSpec

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "incident-rules.md").read_text(encoding="utf-8")


def test_the_example_can_be_read_and_names_every_key(tmp_path: Path) -> None:
    (example,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    file = tmp_path / "rules.yaml"
    file.write_text(example, encoding="utf-8")
    book = read_rules((file,))
    assert [one for one in lint_rules(book, (), (), {}) if one.level == "error"] == []
    fields = {
        name for struct in (RulesSpec, RuleSpec, StormSpec, FlappingSpec) for name in struct.__struct_fields__
    }
    assert {name for name in fields if f"{name}:" not in example} == set()


def test_the_table_of_severities_is_the_one_that_is_used() -> None:
    words: dict[str, list[str]] = defaultdict(list)
    for word, severity in SEVERITIES.items():
        words[severity.value if severity is not None else "never opens an incident"].append(word)
    rows = re.findall(r"^\| ([a-z0-9, ]+) \| ([a-z0-9 ]+) \|$", PAGE, re.MULTILINE)
    assert {said: told.split(", ") for told, said in rows if said != "severity"} == words
