"""`maestro cost rightsize` as a person runs it, on a recorded cluster of a real Prometheus."""

from __future__ import annotations

import csv
import io
import json
import math
import re
import shlex
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from maestro_cli.changes.projection import ChangesProjection
from maestro_cli.changes.records import plan_to_data
from maestro_cli.config.settings import Endpoint
from maestro_cli.core.refs import WorkloadRef
from maestro_cli.journal.store import Journal
from maestro_cli.sources.prometheus_raw import RawPrometheus
from tests.cli.program import Result, maestro
from tests.unit.changes.bench import Bench, TickingClock
from tests.unit.changes.fake_cluster import REF, FakeCluster, template

pytestmark = pytest.mark.contract

THEN = "2026-03-16T12:00:20Z"
PRICES = """\
currency: USD
CPU: 0.04
RAM: 0.005
GPU: 0.95
nodes:
  - {type: m5.2xlarge, hourly: 0.40}
"""
OBJECTIVES = """\
version: prometheus/v1
service: cramped
labels: {namespace: shop}
slos:
  - name: nobody-measures-it
    objective: 99.9
    sli:
      events:
        error_query: sum(rate(no_such_errors_total[{{.window}}]))
        total_query: sum(rate(no_such_requests_total[{{.window}}]))
"""
Run = Callable[..., Result]


@pytest.fixture
def run(cluster_url: str, tmp_path: Path) -> Run:
    (tmp_path / "prices.yaml").write_text(PRICES)
    settings = tmp_path / "config" / "maestro" / "config.yaml"
    settings.parent.mkdir(parents=True)
    entry = {"prometheus": {"url": cluster_url}, "costs": {"prices": str(tmp_path / "prices.yaml")}}
    settings.write_text(yaml.safe_dump({"contexts": {"recorded": entry}, "current_context": "recorded"}))
    env = {f"XDG_{name.upper()}_HOME": str(tmp_path / name) for name in ("config", "state", "cache")}

    def command(*arguments: str) -> Result:
        return maestro("cost", "rightsize", "--until", THEN, *arguments, env=env, cwd=tmp_path)

    return command


def told(result: Result) -> dict:  # type: ignore[type-arg]
    assert result.code == 0, result.err
    return json.loads(result.out)  # type: ignore[no-any-return]


def write_undone_change(folder: Path, change: str = "chg-killed") -> None:
    """Into the journal of the context: `wide` was killed for its memory by a change an hour before."""
    clock = TickingClock()
    clock.today = datetime(2026, 3, 16, 11, tzinfo=UTC)
    path = folder / "state" / "maestro" / "journal" / "recorded.sqlite"
    assert not path.exists(), "a report makes no journal"
    path.parent.mkdir(parents=True)
    journal = Journal(path, projections=[ChangesProjection()], clock=clock)
    cluster = FakeCluster()
    cluster.ship(template(1), "release 1")
    made = (
        Bench(journal, cluster, clock).pipeline().plan("set-resources", REF, {"resources": ["limits.cpu=1"]})
    )
    target = replace(made.target, ref=WorkloadRef("Deployment", "shop", "wide"))
    plan = plan_to_data(replace(made, id=change, target=target))
    planned = {"plan": plan, "key": None, "cause": "", "dry_run": False, "undo_of": None}
    for kind, data in (
        ("planned", planned),
        ("applied", {"evidence": "", "generation": 2}),
        ("verify_failed", {"why": "after 1.1s: shop/pod/wide-1 was killed for its memory", "undo": True}),
    ):
        journal.append(f"change.{kind}", f"change/{change}", "ada", data)
    journal.close()


def test_a_kill_that_only_a_change_saw_refuses_cuts_and_is_in_the_table(run: Run, tmp_path: Path) -> None:
    only = ("-n", "shop", "--workload", "deploy/wide")
    assert steps(told(run(*only, "-o", "json")))["wide"] == ("cut", "cut")
    write_undone_change(tmp_path)
    assert steps(told(run(*only, "-o", "json")))["wide"] == ("refused", "refused")
    assert "it was killed for its memory by change chg-killed" in run(*only, "-o", "md").out


def test_a_journal_that_cannot_be_read_is_told_and_forbids_cuts(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "state" / "maestro" / "journal" / "recorded.sqlite"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"no journal" * 500)
    found = told(run("-n", "shop", "--workload", "deploy/wide", "-o", "json"))
    assert found["notes"][0].startswith("whether a change had one killed for its memory is not known: ")
    assert steps(found)["wide"] == ("refused", "refused"), "what is not known forbids a cut"


def test_what_was_measured_last_is_kept_for_completion(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "cache" / "maestro" / "rightsizing" / "recorded.json"

    def kept() -> list[str]:
        return [name for name, _ in json.loads(file.read_text())]

    measured = [item["name"] for item in told(run("-n", "shop", "-o", "json"))["items"]]
    assert [name.rpartition("/")[2] for name in kept()] == measured
    assert json.loads(file.read_text())[0][1] == "2026-03-16T12:00:20.000000Z"
    assert file.stat().st_mode & 0o777 == 0o600
    told(run("-n", "shop", "--workload", "deploy/wide", "-o", "json"))
    assert kept()[0] == "shop/deploy/wide"
    assert len(kept()) == len(measured), "one that was named takes no other away"


def test_a_report_is_the_same_where_its_names_cannot_be_kept(run: Run, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("no folder")
    assert told(run("-n", "shop", "-o", "json"))["items"]


def steps(document: dict) -> dict[str, tuple[str, str]]:  # type: ignore[type-arg]
    return {
        item["name"]: (item["containers"][0]["cpu"]["decision"], item["containers"][0]["memory"]["decision"])
        for item in document["items"]
    }


def test_each_workload_is_told_what_becomes_of_it(run: Run) -> None:
    document = told(run("-A", "-o", "json"))
    assert steps(document) == {
        "gone": ("insufficient", "insufficient"),
        "half": ("raise", "cut"),
        "silent": ("raise", "refused"),
        "untold": ("raise", "refused"),
        "infer": ("cut", "cut"),
        "nightly": ("cut", "cut"),
        "cramped": ("refused", "cut"),
        "exact": ("refused", "cut"),
        "killed": ("refused", "refused"),
        "scaled": ("cut", "cut"),
        "wide": ("cut", "cut"),
        "young": ("insufficient", "insufficient"),
    }
    assert document["schema"] == "maestro.dev/rightsizing/v1"


def test_what_it_saves_is_drawn_below_the_table_and_on_a_page(run: Run) -> None:
    result = run("-A", "--plain")
    told_last = result.out.split("WHAT IT SAVES A MONTH, USD")[1].split("REFUSED")[0].strip().splitlines()
    assert told_last[0].startswith("shop/deploy/wide ")
    claimable, beyond, realisable = (float(line.split()[-1].replace(",", "")) for line in told_last[-3:])
    assert claimable + beyond == pytest.approx(realisable, abs=0.02)
    page = run("-A", "-o", "html")
    assert page.code == 0
    assert page.out.count("<svg ") == 1
    assert "<h1" in page.out


def test_a_refusal_has_its_reason_and_the_query_that_tells_it_again(run: Run) -> None:
    (item,) = told(run("--workload", "shop/deploy/cramped", "-o", "json"))["items"]
    (reason,) = item["containers"][0]["cpu"]["reasons"]
    assert reason["code"] == "throttled"
    (fact,) = reason["facts"]
    assert fact["value"] == pytest.approx(0.1, rel=0.02)
    assert "container_cpu_cfs_throttled_periods_total" in fact["query"]


def test_every_figure_is_told_again_by_its_query(run: Run, cluster_url: str) -> None:
    """All queries that are shown, asked as they are shown at the end of the window."""
    document = told(run("-A", "-o", "json"))
    facts = list(facts_in(document))
    kinds = {re.sub(r"[0-9.]+", "N", fact["what"]) for fact in facts}
    assert len(kinds) >= 8, kinds
    prometheus = RawPrometheus(Endpoint(cluster_url))
    for fact in facts:
        answer = prometheus.query(fact["query"], at=datetime.fromisoformat(document["window"]["end"])).only
        if fact["value"] is None:
            assert answer is None, fact
        else:
            assert answer == pytest.approx(fact["value"], rel=1e-9), fact
    prometheus.close()


def facts_in(document: Any) -> Iterator[dict[str, Any]]:
    if isinstance(document, list):
        for one in document:
            yield from facts_in(one)
    elif isinstance(document, dict):
        if document.keys() == {"what", "query", "value"}:
            yield document
        for one in document.values():
            yield from facts_in(one)


def test_three_rules_stand_beside_each_other(run: Run) -> None:
    (item,) = told(run("--workload", "shop/deploy/wide", "-o", "json"))["items"]
    rules = item["containers"][0]["rules"]
    assert rules["maestro"]["cpu"]["request"] == pytest.approx(0.35, abs=0.02)
    assert rules["krr"]["cpu"]["request"] == pytest.approx(0.32, abs=0.03)
    assert rules["vpa"]["cpu"]["lowest"] < rules["vpa"]["cpu"]["request"] < rules["vpa"]["cpu"]["highest"]


def test_claimed_and_realised_savings_are_apart(run: Run) -> None:
    saving = told(run("-A", "-o", "json"))["saving"]
    assert saving["claimable_per_month"] > 0
    realised = saving["realisable"]
    assert (realised["nodes"], realised["nodes_that_go"], realised["nodes_that_could_go_now"]) == (
        3,
        ["n3"],
        [],
    )
    assert realised["per_month"] == pytest.approx(0.4 * 730)
    assert realised["share"] == pytest.approx(1 / 3)


def test_an_idle_gpu_is_suggested_and_an_autoscalers_target_goes_along(run: Run) -> None:
    items = {item["name"]: item for item in told(run("-A", "-o", "json"))["items"]}
    assert [one["code"] for one in items["infer"]["suggestions"]] == ["gpu-idle"]
    assert items["scaled"]["autoscaler"] == {"name": "scaled", "cpu_target": 60.0, "next_cpu_target": 89}


def test_an_error_budget_that_is_not_known_forbids_every_cut(run: Run, tmp_path: Path) -> None:
    (tmp_path / "objectives.yaml").write_text(OBJECTIVES)
    settings = tmp_path / "config" / "maestro" / "config.yaml"
    document = yaml.safe_load(settings.read_text())
    document["contexts"]["recorded"]["objectives"] = [str(tmp_path / "objectives.yaml")]
    settings.write_text(yaml.safe_dump(document))
    (item,) = told(run("--workload", "shop/deploy/cramped", "-o", "json"))["items"]
    assert item["containers"][0]["memory"]["decision"] == "refused"
    assert [one["code"] for one in item["containers"][0]["memory"]["reasons"]] == ["budget-unknown"]


def test_the_table_has_the_savings_apart_and_every_refusal(run: Run) -> None:
    result = run("-A")
    assert result.code == 0, result.err
    assert "realisable  USD 292.00 a month: 1 of 3 nodes go away, 33.3% of what nodes cost" in result.out
    assert "shop/deploy/cramped: it was throttled in 10.0% of its periods, more than 5%" in result.out
    assert "2 → 1 (later 354m)" in result.out


def test_csv_has_a_line_a_container(run: Run) -> None:
    rows = list(csv.DictReader(io.StringIO(run("-A", "-o", "csv").out)))
    assert len(rows) == 12
    (wide,) = [row for row in rows if row["workload"] == "shop/deploy/wide"]
    assert wide["cpu step"] == wide["memory step"] == "cut"
    assert (float(wide["cpu cores"]), float(wide["next cpu cores"])) == (2.0, 1.0)
    assert float(wide["next memory bytes"]) == 2.0**30
    words = {"workload", "container", "cpu step", "memory step", "why"}
    for row in rows:
        for title, cell in row.items():
            assert title in words or not cell or math.isfinite(float(cell)), (title, cell)
    told = json.loads(run("-A", "-o", "json").out)
    claims = {f"shop/deploy/{one['name']}": one["claimable_per_month"] for one in told["items"]}
    assert float(wide["USD a month of the workload"]) == claims["shop/deploy/wide"]


def test_a_page_is_written_beside(run: Run, tmp_path: Path) -> None:
    assert run("-A", "--to", str(tmp_path / "page.html")).code == 0
    page = (tmp_path / "page.html").read_text()
    assert page.startswith("<!DOCTYPE html>")
    assert "shop/deploy/wide" in page


def test_changes_are_told_as_commands_of_kubectl(run: Run) -> None:
    lines = run("-n", "shop", "--format", "kubectl").out.splitlines()
    (wide,) = [shlex.split(line) for line in lines if "patch deployment wide" in line]
    patch = json.loads(wide[-1])
    (container,) = patch["spec"]["template"]["spec"]["containers"]
    assert container["resources"]["requests"] == {"cpu": "1", "memory": "1Gi"}
    assert "# set the CPU target of the autoscaler scaled to 89 % with it, from 60 %" in lines
    assert not any("young" in line for line in lines)


@pytest.mark.parametrize(("word", "kind"), [("kustomize", "Deployment"), ("vpa", "VerticalPodAutoscaler")])
def test_changes_are_told_as_objects(run: Run, word: str, kind: str) -> None:
    documents = list(yaml.safe_load_all(run("-n", "shop", "--format", word).out))
    (wide,) = [one for one in documents if one["metadata"]["name"] == "wide"]
    assert wide["kind"] == kind


def test_the_same_report_comes_again_byte_by_byte(run: Run) -> None:
    assert run("-A", "-o", "json").out == run("-A", "-o", "json").out


def test_thin_history_alone_is_no_data(run: Run) -> None:
    result = run("--workload", "shop/deploy/young", "-o", "json")
    assert result.code == 15
    assert json.loads(result.out)["notes"][-1].startswith("where all is young, less history")
    patches = run("--workload", "shop/deploy/young", "--format", "kubectl")
    assert (patches.code, patches.out) == (15, "# nothing may be set next: 2 insufficient\n")
    trusted = told(run("--workload", "shop/deploy/young", "--least-history", "2d", "-o", "json"))
    assert steps(trusted) == {"young": ("cut", "cut")}
    assert "is taken for enough" in trusted["notes"][0]


@pytest.mark.parametrize(
    ("arguments", "code", "why"),
    [
        (["-A", "-n", "shop"], 2, "one namespace and all of them"),
        (["-A", "--window", "2m"], 2, "is not one of 5m to 35d"),
        (["-A", "--least-history", "20d"], 2, "cannot be in a window"),
        (["-A", "--format", "helm"], 2, "is no format of changes"),
        (["--workload", "shop/deploy/nobody"], 6, "no pod of shop/deploy/nobody was seen"),
        (["-n", "nowhere"], 15, "no pod was seen in the namespace nowhere"),
    ],
)
def test_what_cannot_be_asked_is_said(run: Run, arguments: list[str], code: int, why: str) -> None:
    result = run(*arguments)
    assert result.code == code
    assert why in result.error_lines[0]
