"""docs/embedded-cluster.md lists what the contract suite has, no more and no less."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
MERGE = (
    "run its tests with CONTRACT_RESULTS=FILE on both clusters, then: "
    "python scripts/write_cluster_docs.py --merge FILE"
)
RENEW = "run: python scripts/write_cluster_docs.py (make docs-cluster runs the suite for it)"


@pytest.fixture(scope="module")
def writer() -> ModuleType:
    path = ROOT / "scripts" / "write_cluster_docs.py"
    spec = importlib.util.spec_from_file_location("write_cluster_docs", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_test_of_the_suite_declares_its_behaviour(writer: ModuleType) -> None:
    assert writer.undeclared_tests() == []


def test_the_page_is_written_from_the_results(writer: ModuleType) -> None:
    results = json.loads(writer.KEPT.read_text(encoding="utf-8"))
    shown = writer.PAGE.read_text(encoding="utf-8")
    assert shown == writer.page(results, shown), "run: python scripts/write_cluster_docs.py"


def test_the_results_are_of_the_behaviours_that_the_suite_has(writer: ModuleType) -> None:
    results = json.loads(writer.KEPT.read_text(encoding="utf-8"))
    kept = {(one["area"], one["rule"]): one["test"] for one in results["behaviours"]}
    assert kept == writer.declared(), RENEW


def test_a_result_does_not_outlive_a_change_of_its_test(writer: ModuleType) -> None:
    (behaviour, before), *_ = writer.declared().items()
    row = {"area": behaviour[0], "rule": behaviour[1], "test": before, "lite": "pass"}
    assert writer._kept(behaviour, before, row) == row
    assert "lite" not in writer._kept(behaviour, "another", row)


def test_a_changed_line_of_a_test_changes_its_digest(writer: ModuleType) -> None:
    source = '@behaviour("area", "rule")\ndef test_it() -> None:\n    assert one == {}\n'
    (first, second) = (dict(writer._declared_in(source.format(number))) for number in (1, 2))
    assert first.keys() == second.keys() == {("area", "rule")}
    assert first != second


def test_every_row_has_a_result_and_none_is_a_failure(writer: ModuleType) -> None:
    results = json.loads(writer.KEPT.read_text(encoding="utf-8"))
    rows = results["behaviours"] + results["commands"]
    assert rows
    assert [one for one in rows if "fails" in one.values()] == []
    assert [one for one in rows if not one.keys() & set(writer.CLUSTERS)] == [], MERGE


def _results(writer: ModuleType, test: str, **outcomes: str) -> dict[str, Any]:
    row = {"area": "area", "rule": "rule", "test": test, **outcomes}
    return {"behaviours": [row], "commands": [{"command": "get", **outcomes}]}


def test_a_partial_run_takes_the_place_of_what_it_ran_alone(writer: ModuleType) -> None:
    kept = _results(writer, "one", lite="pass", kubernetes="pass")
    kept["behaviours"].append({"area": "area", "rule": "other", "test": "o", "lite": "refuses"})
    kept["commands"].append({"command": "top", "kubernetes": "pass"})
    found = writer.merged(kept, _results(writer, "one", lite="refuses"))
    assert found["behaviours"] == [kept["behaviours"][1], kept["behaviours"][0] | {"lite": "refuses"}]
    assert found["commands"] == kept["commands"], "another test passed with it"
    failed = writer.merged(kept, _results(writer, "one", lite="fails"))
    assert [row.get("lite") for row in failed["commands"]] == ["fails", None]


def test_a_partial_run_of_a_changed_test_leaves_nothing_of_what_it_said_before(writer: ModuleType) -> None:
    kept = _results(writer, "one", lite="pass", kubernetes="pass")
    found = writer.merged(kept, _results(writer, "two", lite="pass"))
    assert found["behaviours"] == [{"area": "area", "rule": "rule", "test": "two", "lite": "pass"}]


def test_the_option_merges_into_what_is_kept(
    writer: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept, page, partial = (tmp_path / name for name in ("kept.json", "page.md", "partial.json"))
    kept.write_text(json.dumps(_results(writer, "one", lite="pass", kubernetes="pass")))
    page.write_text("prose")
    told = {"area": "area", "rule": "rule", "lite": "refuses"}
    gone = {"area": "area", "rule": "no test declares this", "lite": "pass"}
    partial.write_text(json.dumps({"behaviours": [told, gone], "commands": []}))
    monkeypatch.setattr(writer, "KEPT", kept)
    monkeypatch.setattr(writer, "PAGE", page)
    monkeypatch.setattr(writer, "declared", lambda: {("area", "rule"): "one"})
    assert writer.main(["--merge", str(partial)]) == 0
    after = json.loads(kept.read_text(encoding="utf-8"))
    assert after["behaviours"] == [told | {"test": "one", "kubernetes": "pass"}]
    assert after["commands"] == [{"command": "get", "lite": "pass", "kubernetes": "pass"}]
    assert "| rule | refuses, and names the other | yes |" in page.read_text(encoding="utf-8")
