"""docs/embedded-cluster.md lists what the contract suite has, no more and no less."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]
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


def test_no_result_is_a_failure(writer: ModuleType) -> None:
    results = json.loads(writer.KEPT.read_text(encoding="utf-8"))
    rows = results["behaviours"] + results["commands"]
    outcomes = [one.get(cluster) for one in rows for cluster in writer.CLUSTERS]
    assert "fails" not in outcomes
    assert "pass" in outcomes
