"""The published schemas take what is shown and held here, and refuse what the loader refuses."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from maestro_cli.config.strict import parse_yaml
from maestro_cli.services.schemas import KINDS, schema_of

ROOT = Path(__file__).resolve().parents[2]
FENCE = re.compile(r"^```yaml\n(.*?)^```$", re.DOTALL | re.MULTILINE)
OPEN = {"experiment"}  # Chaos Toolkit passes over what it does not know
FRONT = re.compile(r"\A---\n(.*?)^---$", re.DOTALL | re.MULTILINE)


def _examples() -> Iterator[tuple[str, str, str]]:
    """Of each kind: where it is written, and its text."""
    shown = {
        "budgets": ("docs/cost-budgets.md", "maestro: budgets/v1"),
        "config": ("docs/contexts.md", "current_context:"),
        "contract": ("docs/objectives.md", "maestro: contract/v1"),
        "exclusions": ("docs/objectives.md", "maestro: exclusions/v1"),
        "chaos-schedules": ("docs/experiments.md", "maestro: chaos-schedules/v1"),
        "gameday": ("docs/experiments.md", "maestro: gameday/v1"),
        "incident-rules": ("docs/incident-rules.md", "maestro: incident-rules/v1"),
        "keys": ("docs/console.md", "maestro: keys/v1"),
        "prices": ("docs/cost-prices.md", "currency: EUR"),
        "policy": ("docs/policy.md", "schema: maestro.policy/1"),
        "oncall": ("docs/people.md", "maestro: oncall/v1"),
        "playbook": ("docs/playbooks.md", "maestro: playbook/v1"),
        "runbook": ("docs/runbooks.md", "---\nmaestro: runbook/v1"),
    }
    for kind, (page, begins) in shown.items():
        for text in FENCE.findall((ROOT / page).read_text(encoding="utf-8")):
            if text.startswith(begins):
                yield kind, page, text.removeprefix("---\n").removesuffix("---\n")
    held = {
        "incident-rules": "deploy/incident-rules.yaml",
        "objectives": "deploy/objectives/*.yaml",
        "experiment": "playbooks/chaos/*.yaml",
        "playbook": "playbooks/*.yaml",
        "prices": "deploy/local/prices.yaml",
    }
    for kind, pattern in held.items():
        for file in sorted(ROOT.glob(pattern)):
            yield kind, str(file.relative_to(ROOT)), file.read_text(encoding="utf-8")
    for text in FENCE.findall((ROOT / "docs/experiments.md").read_text(encoding="utf-8")):
        if text.startswith("extensions:"):
            (extension,) = parse_yaml(text, "docs/experiments.md").data["extensions"]
            yield "experiment-extension", "docs/experiments.md", json.dumps(extension)
    for file in sorted((ROOT / "runbooks").glob("*.md")):
        for text in FRONT.findall(file.read_text(encoding="utf-8")):
            yield "runbook", str(file.relative_to(ROOT)), text


EXAMPLES = list(_examples())


def _read(text: str, file: str) -> Any:
    return parse_yaml(text, file).data


def test_every_kind_has_an_example() -> None:
    assert {kind for kind, _, _ in EXAMPLES} == set(KINDS)


@cache
def _validator(kind: str) -> jsonschema.Draft202012Validator:
    """That of the published schema of a kind, which is one of JSON and a schema itself."""
    made = schema_of(kind)
    json.dumps(made)
    jsonschema.Draft202012Validator.check_schema(made)
    return jsonschema.Draft202012Validator(made)


@pytest.mark.parametrize(("kind", "file", "text"), EXAMPLES, ids=[f"{kind}-{at}" for kind, at, _ in EXAMPLES])
def test_what_is_shown_is_what_the_schema_takes(kind: str, file: str, text: str) -> None:
    validator = _validator(kind)
    data = _read(text, file)
    assert [error.message for error in validator.iter_errors(data)] == []
    assert validator.is_valid({**data, "no_such_key": 1}) is (kind in OPEN)


@pytest.mark.parametrize(
    "wrong",
    [
        {"rules": [{"name": "r", "max_share": 2}]},
        {"rules": [{"kinds": ["scale"]}]},
        {"budgets": [{"name": "b"}]},
        {"schema": "maestro.policy/2"},
        {"read_only": "perhaps"},
    ],
)
def test_the_schema_of_a_policy_refuses_what_the_loader_refuses(wrong: dict[str, Any]) -> None:
    validator = jsonschema.Draft202012Validator(schema_of("policy"))
    assert not validator.is_valid({"schema": "maestro.policy/1", **wrong})
