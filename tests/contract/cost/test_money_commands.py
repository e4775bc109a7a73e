"""`maestro cost budget`, `forecast` and `what-if` over a real Prometheus that recorded three weeks."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from maestro_cli.config.locations import config_dir
from maestro_cli.cost.metering.model import GIB
from tests.cli.program import Result, maestro
from tests.contract.cost.recorded_cluster import DAY, Recording, constant
from tests.contract.recorded_prometheus import recorded_prometheus

START = datetime(2026, 2, 23, tzinfo=UTC)  # a Monday
END = datetime(2026, 3, 16, 12, tzinfo=UTC)
STEP, OFFSET = 300, 30  # seconds: a sample is seen at the five minutes after it, and no more
UNTIL = ("--until", f"{END:%Y-%m-%dT%H:%M:%SZ}")
WHOLE = int((END - START).total_seconds())
GAP = (int(8.5 * DAY), int(9.5 * DAY))  # from the third of March at noon: nobody was scraped
DEAR = (16 * DAY, 17 * DAY)  # the eleventh of March: a node more, and who needed it
NODE = 0.40
PRICES = """
currency: EUR
CPU: 0.03
RAM: 0.004
nodes:
  - {type: m5, hourly: 0.40, region: eu-1}
  - {type: m5, hourly: 0.10, region: eu-1, capacity: spot}
  - {type: n6, hourly: 0.30, region: eu-1}
"""
BUDGETS = """
maestro: budgets/v1
budgets:
  all: {amount: 700}
  tight: {amount: 250}
  ml: {amount: 400, scope: {namespace: ml}}
  nobody: {amount: 5, scope: {namespace: elsewhere}}
"""


def spans(begin: int, end: int) -> Iterator[tuple[int, int]]:
    """What of a time was scraped."""
    for first, last in ((begin, min(end, GAP[0])), (max(begin, GAP[1]), end)):
        if first < last:
            yield first, last


def series(
    to: Recording, metric: str, labels: dict[str, str], values: Callable[[float], float], begin: int, end: int
) -> None:
    scraped = {**labels, "instance": "kubelet" if metric.startswith("container_") else "ksm"}
    for first, last in spans(begin, end):
        to.add(metric, scraped, values, begin=first, end=last, step=STEP, offset=OFFSET)


def steady(to: Recording, metric: str, labels: dict[str, str], value: float, begin: int, end: int) -> None:
    series(to, metric, labels, partial(constant, value), begin, end)


def growing(to: Recording, metric: str, labels: dict[str, str], rate: float, begin: int, end: int) -> None:
    """A counter that grows by so much a second."""
    series(to, metric, labels, lambda at: rate * at, begin, end)


def record_node(to: Recording, name: str, begin: int, end: int) -> None:
    told = {
        "label_node_kubernetes_io_instance_type": "m5",
        "label_topology_kubernetes_io_region": "eu-1",
    }
    steady(to, "kube_node_info", {"node": name}, 1, begin, end)
    steady(to, "kube_node_labels", {"node": name, **told}, 1, begin, end)
    for resource, value in (("cpu", 8.0), ("memory", 32 * GIB)):
        steady(to, "kube_node_status_capacity", {"node": name, "resource": resource}, value, begin, end)


def record_pod(to: Recording, pod: str, node: str, cores: float, begin: int = 0, end: int = WHOLE) -> None:
    """`ml/fraud-1` is of the Deployment `ml/fraud`."""
    namespace, name = pod.split("/")
    one = {"namespace": namespace, "pod": name, "uid": name}
    owned = {"created_by_kind": "ReplicaSet", "created_by_name": f"{name[:-2]}-6d4cf56db6", "node": node}
    steady(to, "kube_pod_info", {**one, **owned}, 1, begin, end)
    steady(to, "kube_pod_status_phase", {**one, "phase": "Running"}, 1, begin, end)
    for resource, value in (("cpu", cores), ("memory", cores * 4 * GIB)):
        asked = {**one, "container": "main", "node": node, "resource": resource}
        steady(to, "kube_pod_container_resource_requests", asked, value, begin, end)
    used = {"namespace": namespace, "pod": name, "container": "main", "id": f"/{name}"}
    growing(to, "container_cpu_usage_seconds_total", used, cores / 2, begin, end)
    steady(to, "container_memory_working_set_bytes", used, cores * GIB, begin, end)


def recorded() -> str:
    to = Recording(start=int(START.timestamp()))
    record_node(to, "a", 0, WHOLE)
    record_node(to, "b", 0, WHOLE)
    record_node(to, "c", *DEAR)
    record_pod(to, "ml/fraud-1", "a", 2.0)
    record_pod(to, "ml/fraud-2", "b", 2.0)
    record_pod(to, "web/front-1", "a", 4.0)
    record_pod(to, "ml/batch-1", "c", 8.0, *DEAR)
    for namespace, name in (("ml", "fraud"), ("ml", "batch"), ("web", "front")):
        replica_set = {"namespace": namespace, "replicaset": f"{name}-6d4cf56db6"}
        owner = {"owner_kind": "Deployment", "owner_name": name}
        steady(to, "kube_replicaset_owner", {**replica_set, **owner}, 1, 0, WHOLE)
    for result, rate in (("hit", 2.0), ("miss", 8.0)):
        labels = {"namespace": "ml", "deployment": "fraud", "result": result}
        growing(to, "maestro_prediction_cache_lookups_total", labels, rate, 0, WHOLE)
    return to.text()


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("money")
    lookback = f"--query.lookback-delta={STEP - 1}s"
    with recorded_prometheus(folder, recorded(), lookback, block_hours=1024) as found:
        yield found


@pytest.fixture
def lab(url: str) -> None:
    """The context `lab`, with prices and budgets."""
    config_dir().mkdir(parents=True, exist_ok=True)
    (config_dir() / "prices.yaml").write_text(PRICES, encoding="utf-8")
    (config_dir() / "budgets.yaml").write_text(BUDGETS, encoding="utf-8")
    (config_dir() / "config.yaml").write_text(
        f'current_context: lab\ncontexts: {{lab: {{prometheus: {{url: "{url}"}}, '
        "costs: {prices: prices.yaml, budgets: [budgets.yaml]}}}",
        encoding="utf-8",
    )


def told(*arguments: str, code: int = 0) -> Any:
    found = cost(*arguments, "-o", "json")
    assert (found.code, found.err) == (code, "")
    return json.loads(found.out)


def cost(*arguments: str) -> Result:
    return maestro("cost", *arguments)


def budgets(*arguments: str, code: int) -> dict[str, Any]:
    return {one["budget"]: one for one in told("budget", "list", *arguments, code=code)["items"]}


# from the first of March until the sixteenth at noon, without the day in which nobody was scraped
HOURS = 15.5 * 24 - 24
SPENT = HOURS * 2 * NODE + 24 * NODE


@pytest.mark.usefixtures("lab")
def test_what_is_spent_of_a_budget_is_the_bill_of_the_hours_that_were_measured() -> None:
    items = budgets(*UNTIL, code=10)
    assert items["all"]["forecast"]["spent"] == pytest.approx(SPENT, rel=1e-6)
    assert items["all"]["coverage"] == pytest.approx(14.5 / 15.5, rel=1e-6)
    assert items["all"]["forecast"]["unmeasured_days"] == pytest.approx(1.0, rel=1e-6)
    assert {name: one["verdict"] for name, one in items.items()} == {
        "all": "PASS", "tight": "FAIL", "ml": "PASS", "nobody": "INDETERMINATE",
    }  # fmt: skip
    # of each node a quarter is asked for by `fraud`; `batch` had the whole of another for a day
    assert items["ml"]["forecast"]["spent"] == pytest.approx(HOURS * 0.5 * NODE + 24 * NODE, rel=1e-6)


@pytest.mark.usefixtures("lab")
def test_a_month_of_which_a_fifth_was_not_measured_is_not_within_its_budget() -> None:
    (one,) = (budgets("--until", "2026-03-06", code=15)[name] for name in ("all",))
    assert (one["verdict"], one["coverage"]) == ("INDETERMINATE", pytest.approx(0.8))
    assert budgets("--until", "2026-03-15T20:00:00Z", code=10)["tight"]["verdict"] == "FAIL"


@pytest.mark.usefixtures("lab")
def test_a_dear_day_is_told_with_who_was_new_and_nothing_of_the_gap_is_taken_for_cheap() -> None:
    """The Wednesday before it was measured for half the day: all of that would otherwise be more."""
    (item,) = told("budget", "show", "all", *UNTIL)["items"]
    (dear,) = item["anomalies"]
    assert (dear["day"], dear["reference"]) == ("2026-03-11", "2026-03-04")
    assert dear["excess"] == pytest.approx(24 * NODE, rel=1e-6)
    assert [(one["workload"], one["way"]) for one in dear["differences"]] == [("ml/deploy/batch", "new")]
    assert dear["explained"] == pytest.approx(1.0, rel=1e-6)


@pytest.mark.usefixtures("lab")
def test_a_forecast_holds_what_the_month_comes_to_if_it_goes_on_and_its_rows_add_up() -> None:
    found = told("forecast", *UNTIL)
    whole = found["total"]
    goes_on = 31 * 24 * 2 * NODE + 24 * NODE
    assert whole["low"] < goes_on < whole["high"]
    assert whole["total"] == pytest.approx(goes_on, rel=0.05)
    rows = found["items"]
    assert sum(row["spent"] for row in rows) == pytest.approx(whole["spent"], rel=1e-6)
    assert told("forecast", *UNTIL, "--where", "namespace=ml")["total"]["spent"] == pytest.approx(
        HOURS * 0.5 * NODE + 24 * NODE, rel=1e-6
    )


@pytest.mark.usefixtures("lab")
def test_without_a_whole_day_there_is_a_figure_of_what_is_spent_and_no_forecast() -> None:
    total = told("forecast", "--history", "0d", "--until", "2026-03-01T05:00:00Z", code=15)["total"]
    assert (total["spent"], total["total"]) == (pytest.approx(5 * 2 * NODE), None)


@pytest.mark.usefixtures("lab")
def test_a_record_gives_the_same_budgets_and_forecast_without_a_network(tmp_path: Path) -> None:
    record, hours = tmp_path / "month.tar.gz", int((END - START).total_seconds() // 3600)
    written = cost("allocate", "--window", f"{hours}h", *UNTIL, "--record", str(record))
    assert (written.code, written.err) == (0, "")
    lists = [("budget", "list", "--file", str(config_dir() / "budgets.yaml")), ("forecast",)]
    live = [told(*one, *UNTIL, "--history", "6d", code=10 if "list" in one else 0) for one in lists]
    (config_dir() / "config.yaml").write_text("contexts: {}\n", encoding="utf-8")  # nobody can be asked
    for one, before in zip(lists, live, strict=True):
        again = told(*one, "--from", str(record), code=10 if "list" in one else 0)
        assert again.pop("record")
        before.pop("record")
        assert again == before


@pytest.mark.usefixtures("lab")
def test_who_was_not_scraped_is_named() -> None:
    file = config_dir() / "config.yaml"
    text = file.read_text(encoding="utf-8")
    for scraped, lacks in (("ksm", "container_cpu_usage_seconds_total of cAdvisor"), ("x", "kube_node_info")):
        match = f"costs: {{match: {{instance: {scraped}}}, "
        file.write_text(text.replace("costs: {", match), encoding="utf-8")
        found = cost("show", "--window", "3h", *UNTIL)
        assert (found.code, found.out) == (15, "")
        assert f"Prometheus has no {lacks}" in found.error_lines[1]


@pytest.mark.usefixtures("lab")
def test_what_would_be_is_told_at_prices_of_the_region_by_what_caches_were_seen_to_answer() -> None:
    changes = ("--cache-hits", "ml/deploy/fraud=60%", "--spot", "all=100%")
    found = told("what-if", *UNTIL, *changes)
    month = 730 * 2 * NODE
    fraud, front = 730 * 0.5 * NODE, 730 * 0.5 * NODE
    assert found["now"] == pytest.approx(month, rel=1e-6)
    caches, spot = found["items"]
    assert caches["change"] == "cache hits of ml/deploy/fraud = 60% instead of 20%"
    assert caches["added"]["expected"] == pytest.approx(-fraud / 2, rel=1e-6)  # two replicas, then one
    assert spot["added"]["expected"] == pytest.approx(-0.75 * (fraud / 2 + front), rel=1e-6)
    assert found["then"]["high"] == pytest.approx(month, rel=1e-6)
    typed = told("what-if", *UNTIL, "--node-type", "m5=n6")
    assert typed["then"]["expected"] == pytest.approx(0.75 * month, rel=1e-6)


@pytest.mark.usefixtures("lab")
@pytest.mark.parametrize(
    ("change", "added"),
    [
        (("--cache-hits", "ml/deploy/fraud=0%"), 0.25 * NODE),  # two replicas, then three
        (("--replicas", "ml/deploy/fraud=0"), -0.5 * NODE),
        (("--replicas", "ml/deploy/fraud=2"), 0.0),
    ],
)
def test_replicas_follow_what_is_left_to_compute(change: tuple[str, str], added: float) -> None:
    (step,) = told("what-if", *UNTIL, *change)["items"]
    assert step["added"]["expected"] == pytest.approx(730 * added, rel=1e-6, abs=1e-6)


@pytest.mark.usefixtures("lab")
def test_a_workload_that_was_there_for_a_while_is_told_to_vary() -> None:
    until = ("--until", "2026-03-11T12:00:00Z")
    (step,) = told("what-if", "--window", "24h", *until, "--replicas", "ml/deploy/batch=1")["items"]
    assert "it had 0 to 1 in an hour: what scales it would set another number" in step["assumptions"][1]


@pytest.mark.usefixtures("lab")
@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("--node-type", "m5=zz"), "no on-demand price for nodes of type zz in eu-1"),
        (("--node-type", "zz=m5"), "no node of type zz was metered"),
        (("--cache-hits", "web/deploy/front=50%"), "web/deploy/front was not seen to look anything up"),
        (("--replicas", "ml/deploy/none=1"), "nothing was metered of ml/deploy/none"),
        (("--spot", "ml/deploy/batch=100%"), "nothing of ml/deploy/batch was metered on on-demand nodes"),
    ],
)
def test_what_was_not_seen_or_has_no_price_ends_with_no_data(change: tuple[str, str], says: str) -> None:
    found = cost("what-if", *UNTIL, *change)
    assert (found.code, found.out) == (15, "")
    assert says in found.err
