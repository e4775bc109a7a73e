"""What right-sizing measured last is what completion offers, and no name that metrics tell acts there."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from maestro_cli.cost.rightsizing.model import WorkloadId
from maestro_cli.services.costs.measured import keep_measured, measured

AT = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "maestro" / "rightsizing" / "prod.json"


def report(*names: str) -> Any:
    items = [SimpleNamespace(workload=WorkloadId(*name.split("/"))) for name in names]
    return SimpleNamespace(context="prod", end=AT, items=items)


def names() -> list[str]:
    return [name for name, _ in measured("prod")]


def test_a_report_of_all_of_a_namespace_takes_away_what_is_gone_there() -> None:
    keep_measured(report("ml/Deployment/a", "ml/Deployment/b", "mlops/Deployment/c"), "")
    keep_measured(report("ml/Deployment/b"), "ml")
    assert names() == ["ml/deploy/b", "mlops/deploy/c"]
    keep_measured(report("mlops/Deployment/d"), None)
    assert names() == ["mlops/deploy/d", "ml/deploy/b", "mlops/deploy/c"]
    keep_measured(report("ml/Deployment/b"), "")
    assert names() == ["ml/deploy/b"]
    assert list(measured("staging")) == []


def test_what_is_no_name_of_an_object_is_neither_kept_nor_read(cache: Path) -> None:
    keep_measured(report("ml/Deployment/$(reboot)", "ml/Deployment/a\nb", "ml/Deployment/fine"), "")
    assert names() == ["ml/deploy/fine"]
    assert "reboot" not in cache.read_text()
    odd = [["ml/deploy/x;y", "z"], ["ml/deploy/a"], 3, ["ml/deploy/ok", "then"], ["ml/deploy/b", 1], None]
    cache.write_text(json.dumps(odd))
    assert list(measured("prod")) == [("ml/deploy/ok", "then")]


HUGE = " " * 1_000_001 + '[["ml/deploy/x", "then"]]'


@pytest.mark.parametrize(
    "text",
    ["", "{}", "[[", "nul", "[" * 200_000, HUGE],
    ids=["empty", "object", "cut", "cut word", "deep", "huge"],
)
def test_a_file_that_is_none_offers_nothing_and_the_next_report_mends_it(cache: Path, text: str) -> None:
    keep_measured(report(), "")
    cache.write_text(text)
    assert names() == []
    keep_measured(report("ml/Deployment/a"), None)
    assert names() == ["ml/deploy/a"]


def test_of_a_huge_cluster_the_first_two_thousand_are_kept() -> None:
    keep_measured(report(*(f"ml/Deployment/w{number}" for number in range(2_500))), "")
    assert len(names()) == 2_000
