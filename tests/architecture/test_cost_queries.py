"""No query about costs leaves without the labels of its cluster, where one Prometheus has several."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from maestro_cli.core.cancellation import Cancellation
from maestro_cli.core.facts.metrics import HeadSeries, Instant, Sample, Series
from maestro_cli.cost.cluster_series import ANY_CLUSTER
from maestro_cli.cost.storage.report import StorageWanted
from maestro_cli.services import GlobalOptions, Services
from maestro_cli.services.costs.rightsizing import RightsizingWanted
from maestro_cli.services.costs.storage import served_query
from maestro_cli.services.costs.unit_costs import UnitCostWanted
from maestro_cli.services.costs.wanted import AllocationWanted, CostWindow
from maestro_cli.services.costs.waste import WasteWanted
from maestro_cli.services.costs.what_if import WhatIfWanted
from maestro_cli.slo.ports import RawSeries

ROOT = Path(__file__).resolve().parents[2] / "maestro_cli"
ROOMS = ("cost", "services/costs")
METRIC = (
    r"(?:up|kube_\w+|container_\w+|node_\w+|DCGM_\w+|maestro_\w+|loki_\w+|tempo_\w+|otelcol_\w+|rotel_\w+)"
)
BRACES = re.compile(r'\{(?:[^"}]|"(?:[^"\\]|\\.)*")*\}')
LABELS_OF = re.compile(r"\b(by|on|without|ignoring)\s*\([^)]*\)")
BARE = re.compile(rf"\b{METRIC}\b(?!~)")
MATCHER = 'cluster="prod-eu"'
CONFIG = """
current_context: x
contexts:
  x:
    prometheus: {url: "http://127.0.0.1:1"}
    cluster: {kubeconfig: none}
    costs: {prices: prices.yaml, match: {cluster: prod-eu}, sends_to: internet}
"""
PRICES = """
currency: USD
CPU: 0.04
RAM: 0.005
GPU: 0.95
storage_classes:
  - {name: STANDARD, per_gib_month: 0.023}
  - {name: STANDARD_IA, per_gib_month: 0.0125}
"""
LABELS = {
    "namespace": "ml", "pod": "fraud-1", "container": "main", "node": "n1", "resource": "cpu", "uid": "u",
    "instance": "i", "job": "j", "deployment": "fraud", "model": "fraud", "version": "1", "code": "200",
    "owner_kind": "ReplicaSet", "owner_name": "fraud", "replicaset": "fraud", "created_by_kind": "ReplicaSet",
    "created_by_name": "fraud", "horizontalpodautoscaler": "fraud", "scaletargetref_kind": "Deployment",
    "scaletargetref_name": "fraud", "metric_name": "cpu", "metric_target_type": "utilization",
    "result": "hit", "persistentvolume": "v", "service": "fraud", "verdict": "right", "UUID": "GPU-1",
}  # fmt: skip


class Asked:
    """A Prometheus that has a series for whatever it is asked, and keeps every query."""

    days_at_once = 4

    def __init__(self) -> None:
        self.queries: list[str] = []

    def query(self, promql: str, *, at: datetime | None = None) -> Instant:
        self.queries.append(promql)
        now = at or datetime.now(UTC)
        return Instant(promql, now, (Sample(LABELS, 0.5 if "lookups" in promql else 500.0, now),))

    def query_range(
        self, promql: str, start: datetime, end: datetime, step_seconds: float
    ) -> tuple[Series, ...]:
        self.queries.append(promql)
        return (Series(LABELS, ((start, 1.0), (end, 1.0))),)

    def steps(self, promql: str, start: datetime, end: datetime, step_seconds: float) -> Sequence[RawSeries]:
        self.queries.append(promql)
        count = int((end - start).total_seconds() // step_seconds)
        times = [start.timestamp() + (one + 1) * step_seconds for one in range(count)]
        told = [LABELS, {}] if "by (instance)" in promql else [LABELS]  # by exporter, and by any
        return [RawSeries(of, times, [60.0] * count) for of in told]

    def samples(self, selector: str, start: datetime, end: datetime) -> Sequence[RawSeries]:
        self.queries.append(selector)
        times = [start.timestamp() + one * 60.0 for one in range(1000)]
        return (RawSeries(LABELS, times, [float(one) for one in range(1000)]),)

    def label_sets(self, selector: str, start: datetime, end: datetime) -> Sequence[Mapping[str, str]]:
        self.queries.append(selector)
        return (LABELS,)

    def series(self, selector: str, start: datetime, end: datetime) -> Sequence[Mapping[str, str]]:
        self.queries.append(selector)
        above = {**LABELS, "__name__": "kube_replicaset_owner", "owner_kind": "Deployment"}
        return *({"__name__": name, **LABELS} for name in ("kube_pod_info", "kube_node_info")), above

    def version(self) -> str:
        return "3.0.0"

    def retention_seconds(self) -> float | None:
        return None

    def head_series(self) -> HeadSeries:
        raise AssertionError("it counts the series of all clusters")


class NoObjects:
    """A cluster that has nothing."""

    def get_object(self, path: str) -> dict[str, Any]:
        return {}

    def list_autoscalers(self, namespace: str | None) -> tuple[()]:
        return ()

    def list_disruption_budgets(self, namespace: str | None) -> tuple[()]:
        return ()

    def list_all_workloads(self, namespace: str | None) -> tuple[()]:
        return ()

    def list_nodes(self) -> tuple[()]:
        return ()

    def list_readable_workloads(self, namespace: str | None) -> tuple[()]:
        return ()


class NoSignals:
    def cooperative(self) -> Cancellation:
        return Cancellation()


@pytest.fixture
def asked() -> Asked:
    return Asked()


@pytest.fixture
def services(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asked: Asked) -> Iterator[Services]:
    (tmp_path / "maestro").mkdir()
    (tmp_path / "maestro" / "config.yaml").write_text(CONFIG)
    (tmp_path / "maestro" / "prices.yaml").write_text(PRICES)
    (tmp_path / "store" / "fraud" / "1").mkdir(parents=True)
    (tmp_path / "store" / "fraud" / "1" / "model.onnx").write_bytes(b"model")
    for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MAESTRO_CONTEXT", raising=False)
    with Services(GlobalOptions(), NoSignals()) as built:
        vars(built).update(prometheus=asked, raw_prometheus=asked, cluster=NoObjects())
        yield built


WINDOW = CostWindow(window="2d", until="2026-01-03T00:30:00Z")  # no hour that only began
HITS = ("ml/deploy/fraud=80%",)
VIEWS: dict[str, tuple[int, Callable[[Services], object]]] = {
    "rightsize": (20, lambda one: one.rightsizing(RightsizingWanted(everywhere=True))),
    "waste": (12, lambda one: one.waste(WasteWanted(WINDOW))),
    "unit": (4, lambda one: one.unit_costs(UnitCostWanted(everywhere=True))),
    "unit of versions": (10, lambda one: one.version_costs(UnitCostWanted(everywhere=True, machines=False))),
    "storage": (2, lambda one: one.stored(StorageWanted(Path("store"), cold="STANDARD_IA"))),
    "show": (11, lambda one: one.allocation(AllocationWanted(WINDOW))),
    "prices": (2, lambda one: one.price_list()),
    "what-if": (1, lambda one: one.what_if(WhatIfWanted(WINDOW, cache_hits=HITS))),
}


@pytest.mark.parametrize("name", VIEWS)
def test_every_selector_of_every_view_has_the_labels_of_the_cluster(
    name: str, services: Services, asked: Asked
) -> None:
    least, view = VIEWS[name]
    view(services)
    anywhere = served_query_of_all() if name == "storage" else ""
    assert len(asked.queries) >= least
    assert [query for query in asked.queries if query != anywhere and unmatched(query)] == []


class OthersAlone(Asked):
    """Only other clusters have told what they serve."""

    def query(self, promql: str, *, at: datetime | None = None) -> Instant:
        found = super().query(promql, at=at)
        return Instant(promql, found.at, ()) if MATCHER in promql else found


def test_what_any_cluster_had_loaded_is_kept_and_is_not_enough(services: Services) -> None:
    vars(services).update(prometheus=OthersAlone())
    stored = services.stored(StorageWanted(Path("store"), cold="STANDARD_IA"))
    assert stored.unknown == "no model server told Prometheus in the last 30 days what it serves"
    (item,) = stored.items
    assert "which had it loaded" in item.why


def served_query_of_all() -> str:
    """One store may be that of several clusters: what any of them had loaded is kept."""
    return served_query(ANY_CLUSTER)


def unmatched(query: str) -> list[str]:
    """What of a query is not bound to the cluster."""
    found = [one for one in BRACES.findall(query) if MATCHER not in one]
    return found + BARE.findall(LABELS_OF.sub(" ", BRACES.sub("~", query)))


def test_an_unmatched_selector_would_be_seen() -> None:
    bound = 'max by (node) (kube_pod_info{cluster="prod-eu"})'
    assert unmatched(bound) == []
    assert unmatched(f'{bound} + sum(rate(container_x_total[5m])) + count(up) + kube_y{{a="}}"}}') == [
        '{a="}"}',
        "container_x_total",
        "up",
    ]


def test_selectors_of_costs_are_written_in_one_place() -> None:
    written = re.compile(rf"\(\s*{METRIC}\b|\b{METRIC}\s*[\[{{]")
    for path in sorted(one for room in ROOMS for one in (ROOT / room).rglob("*.py")):
        tree = ast.parse(path.read_text())
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module == "maestro_cli.core.promql":
                names = {one.name for one in node.names}
                assert path.name == "cluster_series.py" or "promql_selector" not in names, path
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and "\n" not in node.value:
                assert not written.search(node.value), f"{path}:{node.lineno}: {node.value}"
