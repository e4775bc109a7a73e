"""docs/objects.md names every key of what a script reads of an object and of a log."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest

from maestro_cli.core.facts.inspection import Description, ObjectCondition, OwnedObject, OwnerLink
from maestro_cli.core.facts.logs import LogLine
from maestro_cli.output.renderers import logs
from maestro_cli.output.renderers.descriptions import description_view
from maestro_cli.output.views import SCHEMA_PREFIX
from tests.unit.output.test_description_fit import FOUND, NOW

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "objects.md").read_text(encoding="utf-8")
_INSTEAD = {"ref": "object"}


@pytest.mark.parametrize("fact", [Description, ObjectCondition, OwnerLink, OwnedObject, LogLine])
def test_every_key_is_on_the_page(fact: type[LogLine]) -> None:
    told = set(re.findall(r"`([a-z_]+)(?:\[\])?`", PAGE))
    names = {one.name for one in dataclasses.fields(fact)}
    assert {_INSTEAD.get(name, name) for name in names} <= told


def test_the_schemas_are_those_of_the_documents() -> None:
    for schema in (f"{SCHEMA_PREFIX}{description_view(FOUND, NOW).schema}", logs.SCHEMA):
        assert f": `{schema}`" in PAGE
