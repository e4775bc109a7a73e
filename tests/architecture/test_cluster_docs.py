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
    assert {(one["area"], one["rule"]) for one in results["behaviours"]} == writer.declared(), RENEW


def test_no_result_is_a_failure(writer: ModuleType) -> None:
    results = json.loads(writer.KEPT.read_text(encoding="utf-8"))
    rows = results["behaviours"] + results["commands"]
    outcomes = [one.get(cluster) for one in rows for cluster in writer.CLUSTERS]
    assert "fails" not in outcomes
    assert "pass" in outcomes
