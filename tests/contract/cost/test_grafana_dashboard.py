"""The dashboard asks for what somebody exports, in PromQL, and each of its panels shows something."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from maestro_cli.config.locations import shipped
from maestro_cli.config.strict import parse_yaml
from maestro_cli.local.metrics import pods
from maestro_cli.sources.promtool import find_promtool, parse_with
from tests.contract.recorded_prometheus import recorded_prometheus

pytestmark = pytest.mark.contract
ROOT = Path(__file__).parents[3]
BOARD: dict[str, Any] = json.loads((shipped("deploy") / "grafana" / "cost.json").read_text(encoding="utf-8"))
RULES = (shipped("deploy") / "alerts" / "cost.yaml").read_text(encoding="utf-8")
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
PANELS = [one for one in BOARD["panels"] if one["type"] != "row"]
QUERIES = [
    (panel["title"], target["expr"].replace("$namespace", ".*"))
    for panel in PANELS
    for target in panel["targets"]
]
EXPORTERS = ("local/metrics", "local/kubelet", "serving")
NAME = re.compile(
    r"\b(?:maestro:[a-z_]+:[a-z]+|(?:kube|container|node|machine|maestro|DCGM)_[A-Za-z0-9_]+)\b"
)
RECORDED = {
    "namespace_hourly_cost:usd": 0.5, "namespace_cpu:cores": 4, "namespace_memory:gib": 8,
    "namespace_gpu:gpus": 1, "namespace_storage:gib": 20, "month_spend:usd": 200, "month_forecast:usd": 360,
    "month_budget:usd": 300,
}  # fmt: skip
RATES = {"cpu": 0.03, "memory_gib": 0.004, "gpu": 0.95, "storage_gib": 0.00005, "replica": 0.05}


def exported() -> set[str]:
    """What the embedded platform and its model servers write, by their own tables."""
    text = "".join(
        file.read_text(encoding="utf-8")
        for folder in EXPORTERS
        for file in (ROOT / "maestro_cli" / folder).rglob("*.py")
    )
    literal = set(re.findall(r'"((?:kube|container|node|machine|maestro)_[a-z0-9_]+)"', text))
    return literal | {f"{name}_total" for name in literal} | {*pods.FAMILIES, *pods.COUNTERS}


def series() -> Iterator[str]:
    """Two namespaces with a pod each on one node, four hours, a sample a minute."""
    times = range(int(NOW.timestamp()) - 4 * 3600, int(NOW.timestamp()) + 1, 60)
    flat: dict[str, dict[str, float]] = {}

    def add(name: str, labels: str, value: float) -> None:
        flat.setdefault(name, {})[labels] = value

    for name, rate in RATES.items():
        add(f"maestro:{name}_hourly_rate:usd", "", rate)
    add("kube_node_status_allocatable", 'node="n1",resource="cpu"', 8)
    add("kube_node_status_allocatable", 'node="n1",resource="memory"', 32 * 2**30)
    add("DCGM_FI_DEV_GPU_UTIL", 'gpu="0"', 40)
    for space in ("ml", "web"):
        own, service = f'namespace="{space}",pod="{space}-a"', f'namespace="{space}",deployment="{space}"'
        for name, value in RECORDED.items():
            add(f"maestro:{name}", f'namespace="{space}"', value)
        add("maestro:hourly_spend:usd", service, 0.15)
        add("maestro:hourly_budget:usd", service, 0.38)
        for resource, value in (("cpu", 2.0), ("memory", 4.0 * 2**30)):
            labels = f'{own},container="app",resource="{resource}"'
            add("kube_pod_container_resource_requests", labels, value)
        add("kube_pod_status_phase", f'{own},phase="Running"', 1)
        add("container_memory_working_set_bytes", f'{own},container="app"', 2**30)
    for name, samples in flat.items():
        yield f"# TYPE {name} gauge"
        for labels, value in samples.items():
            yield from (f"{name}{{{labels}}} {value} {at}" for at in times)
    for name, tail, rate in (
        ("container_cpu_usage_seconds", 'pod="{0}-a",container="app"', 0.5),
        ("maestro_inference_requests", 'deployment="{0}",code="200"', 20.0),
    ):
        yield f"# TYPE {name} counter"
        for space in ("ml", "web"):
            labels = f'namespace="{space}",{tail.format(space)}'
            yield from (f"{name}_total{{{labels}}} {rate * (at - times[0])} {at}" for at in times)
    yield "# EOF"


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    text = "\n".join(series()) + "\n"
    with recorded_prometheus(tmp_path_factory.mktemp("grafana"), text) as found:
        yield found


def answer(url: str, expression: str) -> list[float]:
    done = httpx.get(
        f"{url}/api/v1/query", params={"query": expression, "time": NOW.timestamp()}, trust_env=False
    )
    assert done.status_code == 200, done.text
    return [float(one["value"][1]) for one in done.json()["data"]["result"]]


def test_every_query_is_promql() -> None:
    program = find_promtool()
    assert program is not None, "promtool is missing; it comes with prometheus"
    texts = [text for _, text in QUERIES]
    assert [said for said in parse_with(program, texts) if said] == []
    assert any(parse_with(program, [*texts, "sum(raet(x[5m]))"]))


def test_every_metric_is_exported_or_recorded_or_said_not_to_be() -> None:
    known = exported()
    recorded = {
        rule["record"]
        for group in parse_yaml(RULES, "cost.yaml").data["groups"]
        for rule in group["rules"]
        if "record" in rule
    }
    for panel in PANELS:
        for target in panel["targets"]:
            names = set(NAME.findall(target["expr"]))
            assert names, panel["title"]
            for name in names - known - recorded:
                assert f"`{name}` is not exported by the embedded platform" in panel["description"], name
    asked = {
        name
        for variable in BOARD["templating"]["list"]
        if variable["type"] == "query"
        for name in NAME.findall(variable["query"]["query"])
    }
    assert asked <= recorded
    assert "kube_pod_status_phase" in known
    assert "kube_persistentvolume_info" not in known


@pytest.mark.parametrize(
    ("title", "expression"), QUERIES, ids=[f"{n}-{t}" for n, (t, _) in enumerate(QUERIES)]
)
def test_every_query_finds_something(url: str, title: str, expression: str) -> None:
    values = answer(url, expression)
    assert values, title
    assert all(value == value and value > 0 for value in values)


@pytest.mark.parametrize(
    ("title", "values"),
    [
        ("An hour", [1.0]),
        ("A month at the rate of the last day", [730.0]),
        ("Spent of the month's budget", [2 / 3, 2 / 3]),
        ("Containers that ask for most processors they do not use, a month", [1.5 * 0.03 * 730] * 2),
        ("A million predictions", [0.15 / (20 * 3600) * 1e6] * 2),
    ],
)
def test_figures_are_what_panels_say(url: str, title: str, values: list[float]) -> None:
    found = answer(url, next(text for named, text in QUERIES if named == title))
    assert found == pytest.approx(values, rel=0.02)


def test_a_namespace_alone_is_counted_alone(url: str) -> None:
    expression = next(target["expr"] for target in PANELS[0]["targets"])
    assert answer(url, expression.replace("$namespace", "ml")) == [0.5]


def test_its_shape_is_one_that_grafana_reads() -> None:
    ids = [panel["id"] for panel in BOARD["panels"]]
    assert len(set(ids)) == len(ids)
    assert len({panel["title"] for panel in PANELS}) == len(PANELS)
    assert BOARD["schemaVersion"] >= 36  # Grafana 9, the first with a data source as an object everywhere
    assert re.fullmatch(r"[A-Za-z0-9_-]{1,40}", BOARD["uid"])
    assert "id" not in BOARD  # a number of one Grafana
    variables = {one["name"] for one in BOARD["templating"]["list"]}
    assert set(re.findall(r"\$\{?([a-z]+)\b", json.dumps(BOARD))) <= variables
    taken: set[tuple[int, int]] = set()
    for panel in BOARD["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, panel["title"]
        taken |= cells
    for panel in PANELS:
        assert panel["description"]
        assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
        assert len({target["refId"] for target in panel["targets"]}) == len(panel["targets"])
        assert {"defaults", "overrides"} == set(panel["fieldConfig"])
        assert all(target["datasource"] == panel["datasource"] for target in panel["targets"])
