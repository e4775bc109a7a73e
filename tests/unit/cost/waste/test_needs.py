"""Replicas that an autoscaler or a disruption budget wants are not to spare."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from maestro_cli.core.facts.cluster import Autoscaler, DisruptionBudget, Workload
from maestro_cli.core.refs import WorkloadRef
from maestro_cli.cost.waste.needs import Needs, needs_of

WEB = WorkloadRef("Deployment", "ml", "web")


def workload(**container: Any) -> Workload:
    template = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [container]}}
    at = datetime(2026, 11, 1, tzinfo=UTC)
    return Workload(WEB, "u", "1", 1, 1, 1, 8, 8, 8, 8, 8, False, "app=web", at, template=template)


def budget(least: int | str | None, selector: str = "app=web", namespace: str = "ml") -> DisruptionBudget:
    return DisruptionBudget(namespace, "web", selector, 1, 8, 7, 8, least)


@pytest.mark.parametrize(
    ("least", "needed"),
    [
        (None, 0),
        (0, 1),
        (4, 5),
        ("0%", 1),
        ("50%", 2),
        ("75%", 4),
        ("80%", 5),
        ("100%", 8),
        ("many", 8),
        ("٥٠%", 8),
    ],
)
def test_one_more_stays_than_a_budget_wants_available(least: int | str | None, needed: int) -> None:
    found = needs_of([workload()], [budget(least)], [])
    assert found.get("ml/deploy/web", Needs()).at_least(8) == needed


def test_a_budget_of_other_pods_wants_nothing_and_one_that_cannot_be_read_wants_its_replicas() -> None:
    others = [budget(6, "app=api"), budget(6, namespace="shop")]
    assert needs_of([workload()], others, []) == {}
    assert needs_of([workload()], [budget(6, "app in web")], [])["ml/deploy/web"].at_least(8) == 7


def test_an_autoscaler_wants_its_minimum_also_where_a_budget_wants_less() -> None:
    scaler = Autoscaler("ml", "by-cpu", "Deployment", "web", 5, 20)
    found = needs_of([workload()], [budget("50%")], [scaler])["ml/deploy/web"]
    assert (found.scaler, found.at_least(8)) == ("by-cpu", 5)


def test_a_device_is_what_a_container_asks_a_plugin_for_and_nobody_meters() -> None:
    limits = {"cpu": "1", "nvidia.com/gpu": 1, "google.com/tpu": 8}
    found = needs_of([workload(resources={"limits": limits})], [], [])
    assert found["ml/deploy/web"].device == "google.com/tpu"
    assert needs_of([workload(resources={"limits": {"cpu": "1", "amd.com/gpu": 1}})], [], []) == {}
