"""Shipped files become what the supervisor reads; mistakes in them are told with file and line."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import yaml

from maestro_cli.config.locations import shipped
from maestro_cli.core.errors import InvalidFile
from maestro_cli.cost.prices.reading import read_prices
from maestro_cli.local.instance import remove_run_files
from maestro_cli.local.preparation import prepare, read_manifests
from maestro_cli.slo.files.reading import read_objectives
from maestro_cli.slo.windows import PROFILES


@pytest.fixture
def deploy(tmp_path: Path) -> Path:
    """A copy of the shipped deploy folder without the models."""
    target = tmp_path / "deploy"
    shutil.copytree(shipped("deploy"), target, ignore=shutil.ignore_patterns("models"))
    return target


def test_the_shipped_manifests_are_the_workload(tmp_path: Path) -> None:
    prepare(tmp_path, PROFILES["drill"])
    manifests = json.loads((tmp_path / "config" / "manifests.json").read_text(encoding="utf-8"))
    kinds = [manifest["kind"] for manifest in manifests]
    service = ["ConfigMap", "ConfigMap", "Deployment", "Service", "PodDisruptionBudget"]
    assert kinds == ["Namespace", *service]
    deployment = manifests[3]
    assert deployment["spec"]["replicas"] == 3
    container = deployment["spec"]["template"]["spec"]["containers"][0]
    assert {"name": "MODELS_DIR", "value": str(shipped("deploy") / "models")} in container["env"]
    assert container["args"][container["args"].index("--models") + 1] == "$(MODELS_DIR)"
    assert container["args"][container["args"].index("--serve") + 1] == "fraud=1"


def test_the_second_service_is_made_as_the_first_and_is_there_only_where_it_is_wanted(tmp_path: Path) -> None:
    def of(service: str, *, second: bool) -> list[str]:
        prepare(tmp_path, PROFILES["drill"], second=second)
        manifests = json.loads((tmp_path / "config" / "manifests.json").read_text(encoding="utf-8"))
        mine = [one for one in manifests if one["metadata"]["name"].partition("-")[0] == service]
        return [json.dumps(one, sort_keys=True) for one in mine]

    first, second = of("fraud", second=True), of("recommendation", second=True)
    assert [
        one.replace("recommendation", "fraud").replace('"replicas": 2', '"replicas": 3') for one in second
    ] == first
    assert of("fraud", second=False) == first
    assert of("recommendation", second=False) == []


def test_the_context_and_the_rules_know_the_objectives_of_the_second_service_where_it_is(
    tmp_path: Path,
) -> None:
    for second in (True, False):
        prepare(tmp_path, PROFILES["drill"], second=second)
        context = json.loads((tmp_path / "config" / "context.json").read_text(encoding="utf-8"))
        names = [one.name for folder in context["objectives"] for one in read_objectives(Path(folder))]
        assert ("recommendation-latency" in names) is second
        rules = (tmp_path / "config" / "rules.yaml").read_text(encoding="utf-8")
        assert ("recommendation-availability" in rules) is second


def test_the_context_carries_the_assumed_costs(tmp_path: Path) -> None:
    prepare(tmp_path, PROFILES["drill"])
    context = json.loads((tmp_path / "config" / "context.json").read_text(encoding="utf-8"))
    assert context["namespace"] == "ml"
    assert context["costs"] == {
        "hourly_rate": 100,
        "currency": "USD",
        "value_per_request": 0.02,
        "replica_hourly_rate": 0.05,
        "budget_per_million": 5,
        "prices": str((shipped("deploy") / "local" / "prices.yaml").resolve()),
        "labels": {"model": ["app"]},
    }


def test_the_context_gives_runbooks_the_window_of_its_scrapes_of_serving(tmp_path: Path) -> None:
    prepare(tmp_path, PROFILES["drill"])
    context = json.loads((tmp_path / "config" / "context.json").read_text(encoding="utf-8"))
    assert context["parameters"] == {"WINDOW": "10s"}  # it scrapes every second
    prepare(tmp_path, PROFILES["production"])  # every 15 s: the defaults of the runbooks are right
    context = json.loads((tmp_path / "config" / "context.json").read_text(encoding="utf-8"))
    assert context["parameters"] == {}
    for name in ("high-error-rate", "high-latency", "model-degradation", "traffic-surge", "budget-burn"):
        assert "WINDOW" not in (shipped("playbooks") / f"{name}.yaml").read_text(encoding="utf-8")


def test_what_is_declared_is_kept_as_a_backup_that_the_context_names(tmp_path: Path) -> None:
    prepare(tmp_path, PROFILES["drill"])
    context = json.loads((tmp_path / "config" / "context.json").read_text(encoding="utf-8"))
    folder = Path(context["backups"])
    (backup,) = folder.glob("manifests-*")
    manifests = json.loads((tmp_path / "config" / "manifests.json").read_text(encoding="utf-8"))
    assert list(yaml.safe_load_all(backup.read_text(encoding="utf-8"))) == manifests
    assert list(folder.joinpath("models").iterdir()) == []
    remove_run_files(tmp_path)
    assert not folder.exists()


def test_the_price_of_the_alert_on_spend_is_the_price_list_s() -> None:
    deploy = shipped("deploy")
    prices = read_prices(deploy / "local" / "prices.yaml")
    groups = yaml.safe_load((deploy / "alerts" / "cost.yaml").read_text(encoding="utf-8"))["groups"]
    recorded = {rule.get("record"): rule["expr"] for group in groups for rule in group["rules"]}
    assert recorded["maestro:replica_hourly_rate:usd"] == f"vector({prices.figures.replica_hourly_rate})"
    assert prices.book is not None
    (version,) = prices.book.versions
    assert version.on_demand is not None
    assert recorded["maestro:cpu_hourly_rate:usd"] == f"vector({version.on_demand.cpu})"
    assert recorded["maestro:memory_gib_hourly_rate:usd"] == f"vector({version.on_demand.memory})"
    assert recorded["maestro:gpu_hourly_rate:usd"] == f"vector({version.on_demand.gpu})"
    standard = version.storage_class("standard")
    assert standard is not None
    assert recorded["maestro:storage_gib_hourly_rate:usd"] == f"vector({standard.per_gib_hour * 730:g} / 730)"


def test_a_kind_the_platform_does_not_create_is_refused_with_its_line(deploy: Path) -> None:
    (deploy / "local" / "30-job.yaml").write_text(
        "apiVersion: batch/v1\nkind: Job\nmetadata:\n  name: x\n", encoding="utf-8"
    )
    with pytest.raises(InvalidFile) as caught:
        read_manifests(deploy / "local", {})
    assert caught.value.where.endswith("30-job.yaml:2")


def test_a_missing_service_is_refused(deploy: Path) -> None:
    (deploy / "local" / "20-fraud.yaml").unlink()
    with pytest.raises(InvalidFile, match="exactly one Deployment"):
        read_manifests(deploy / "local", {})


def test_a_misspelt_price_is_refused_before_anything_is_written(deploy: Path, tmp_path: Path) -> None:
    (deploy / "local" / "prices.yaml").write_text("hourly_rat: 1\n", encoding="utf-8")
    with pytest.raises(InvalidFile) as caught:
        prepare(tmp_path / "state", PROFILES["drill"], deploy)
    assert "hourly_rate" in caught.value.fix
    assert not (tmp_path / "state").exists()
