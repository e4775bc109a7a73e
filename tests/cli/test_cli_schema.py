"""`maestro schema`: for editors, so that it is JSON and nothing else."""

from __future__ import annotations

import json

from tests.cli.program import maestro


def test_a_schema_is_json_alone_and_a_wrong_kind_says_which_there_are() -> None:
    result = maestro("schema", "policy")
    assert (result.code, result.err) == (0, "")
    assert json.loads(result.out)["$schema"].endswith("2020-12/schema")
    listed = maestro("schema", "-o", "json")
    assert "policy" in [item["kind"] for item in json.loads(listed.out)["items"]]
    for words in (["nope"], ["policy", "-o", "csv"]):
        refused = maestro("schema", *words)
        assert (refused.code, refused.out) == (2, "")
    assert "use one of: budgets, chaos-schedules" in maestro("schema", "nope").err
