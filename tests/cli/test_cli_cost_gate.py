"""`maestro cost gate` as a pipeline calls it: folders, a kustomization, a cluster; its files and codes."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.api import api_server, listing, node
from tests.cli.program import Result, check_golden, maestro
from tests.unit.chaos.ci.test_variables import read_github

AMOUNTS = ("before", "after", "increase")
FORMATS = ("table", "wide", "json", "yaml", "csv", "md", "jsonpath={.increase.max}")
EVIL = "x`| <img src=x> \u202e@team\x1b[31m"
PRICES = """currency: EUR
CPU: 0.03
RAM: 0.004
GPU: 1.0
spotCPU: 0.012
spotRAM: 0.002
storage_classes:
  - {name: fast, per_gib_month: 0.1}
"""


def deployment(
    name: str, replicas: int, requests: str = "{cpu: 500m, memory: 1Gi}", container: str = "app"
) -> str:
    return f"""apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}, namespace: ml}}
spec:
  replicas: {replicas}
  template:
    spec:
      containers:
        - {{name: {json.dumps(container)}, image: x, resources: {{requests: {requests}}}}}
"""


SCALER = """apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: fraud, namespace: ml}
spec: {scaleTargetRef: {kind: Deployment, name: fraud}, minReplicas: 2, maxReplicas: 8}
"""


@pytest.fixture
def sides(tmp_path: Path) -> Path:
    """A folder with prices, `base` and `head`: an autoscaler, one that goes, one without requests."""
    for side, texts in (
        ("base", [deployment("fraud", 3), deployment("old", 1)]),
        (
            "head",
            [deployment("fraud", 3, "{cpu: 1, memory: 1Gi}"), SCALER, deployment("bare", 2, "{}", EVIL)],
        ),
    ):
        (tmp_path / side).mkdir()
        (tmp_path / side / "all.yaml").write_text("---\n".join(texts), encoding="utf-8")
    (tmp_path / "prices.yaml").write_text(PRICES, encoding="utf-8")
    return tmp_path


def gate(folder: Path, *arguments: str, stdin: str = "", **env: str) -> Result:
    given = ("--prices", "prices.yaml", *arguments)
    return maestro("cost", "gate", *given, cwd=folder, env=env, stdin=stdin)


@pytest.mark.parametrize("form", FORMATS)
def test_a_change_is_the_same_in_every_format(sides: Path, form: str) -> None:
    found = gate(sides, "--diff", "base", "head", "--max-increase", "500", "-o", form)
    assert (found.code, found.err) == (15, "")
    assert "\x1b" not in found.out
    assert "\u202e" not in found.out
    check_golden(f"cost-gate.{form.partition('=')[0]}", found.out)


def test_amounts_in_csv_are_numbers_and_which_are_lower_bounds_is_said_beside_them(tmp_path: Path) -> None:
    """Known before and not after, known after and not before, on neither side, and on both."""
    sides = {
        "base": [deployment("a", 1), deployment("b", 1, "{}"), deployment("c", 1, "{}"), deployment("d", 1)],
        "head": [deployment("a", 2, "{cpu: 1}"), deployment("b", 2), deployment("c", 2, "{cpu: 1}")],
    }
    for side, texts in sides.items():
        (tmp_path / side).mkdir()
        (tmp_path / side / "all.yaml").write_text("---\n".join(texts), encoding="utf-8")
    (tmp_path / "prices.yaml").write_text(PRICES, encoding="utf-8")
    found = gate(tmp_path, "--diff", "base", "head", "-o", "csv")
    assert found.code == 15, found.err
    rows = {row["object"][-1]: row for row in csv.DictReader(io.StringIO(found.out))}
    told = {
        name: (*(row[column] and float(row[column]) for column in AMOUNTS), row["lower bounds"])
        for name, row in rows.items()
    }
    one, cpu = (0.5 * 0.03 + 0.004) * 730, 0.03 * 730
    assert told == {
        "a": (pytest.approx(one), pytest.approx(2 * cpu), pytest.approx(2 * cpu - one), "after; increase"),
        "b": (0.0, pytest.approx(2 * one), "", "before"),
        "c": (0.0, pytest.approx(2 * cpu), "", "before; after"),
        "d": (pytest.approx(one), "", pytest.approx(-one), ""),
    }


def test_the_comment_is_one_that_no_manifest_can_break_out_of(sides: Path) -> None:
    found = gate(sides, "--diff", "base", "head", "--max-increase", "50", "--out", "out")
    assert found.code == 11
    text = (sides / "out" / "summary.md").read_text(encoding="utf-8")
    check_golden("cost-gate-comment.md", text)
    for line in text.splitlines():
        if "<img" in line:
            assert all("<img" not in outside for outside in line.split("``")[::2])
    assert json.loads((sides / "out" / "gate.json").read_text())["schema"] == "maestro.dev/cost-gate/v1"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--diff", "base", "base"], 0),
        (["--diff", "base", "base", "--max-increase", "0"], 0),
        (["--diff", "base", "head"], 15),
        (["--diff", "base", "head", "--fail-on", "10,11"], 0),
        (["--diff", "base", "head", "--max-increase", "50"], 11),
        (["--diff", "base", "head", "--max-increase", "50", "--at", "min"], 15),
        (["--diff", "base", "head", "--max-increase", "10%"], 11),
        (["--diff", "base", "head", "--budget", "20"], 10),
        (["--diff", "base", "head", "--budget", "20", "--max-increase", "50"], 11),
        (["--diff", "head", "base", "--max-increase", "0"], 15),
        (["--diff", "base", "base", "--budget", "20"], 10),
        (["--diff", "base", "base", "--budget", "200"], 0),
    ],
)
def test_the_exit_code_is_the_verdict(sides: Path, arguments: list[str], code: int) -> None:
    assert gate(sides, *arguments).code == code


@pytest.mark.parametrize(
    ("arguments", "code", "what"),
    [
        ([], 2, "no manifest is given"),
        (["head", "--diff", "base", "head"], 2, "manifests and --diff exclude each other"),
        (["--diff", "base", "nowhere"], 6, "there is no nowhere"),
        (["--diff", "empty", "empty"], 6, "there is no manifest in empty"),
        (["--diff", "base", "head", "--max-increase", "lots"], 2, "'lots' is no increase"),
        (["--diff", "base", "head", "--max-increase", "-1"], 2, "'-1' is no increase"),
        (["--diff", "base", "head", "--max-increase", "nan"], 2, "'nan' is no increase"),
        (["--diff", "base", "head", "--budget", "0"], 2, "a budget of 0 a month is none"),
        (["--diff", "base", "head", "--at", "mean"], 2, "'mean' is no end of what autoscaling permits"),
        (["--diff", "base", "head", "--nodes", "-1"], 2, "-1 nodes are none"),
        (["--diff", "base", "head", "--job-hours", "nan"], 2, "nan hours a month are none"),
        (["--diff", "base", "head", "--ignore-unknown", "*"], 2, "'*' is no kind and no resource"),
        (["--diff", "base", "head", "--ci", "jenkins"], 2, "'jenkins' is no host of pipelines"),
        (["--diff", "base", "head", "--fail-on", "1"], 2, "no verdict of a gate ends with '1'"),
        (["--diff", "base", "wrong.yaml"], 3, "wrong.yaml:6: spec.replicas: is no number of replicas"),
    ],
)
def test_what_cannot_be_judged_is_refused(sides: Path, arguments: list[str], code: int, what: str) -> None:
    (sides / "empty").mkdir()
    wrong = deployment("fraud", 3).replace("replicas: 3", "replicas: three")
    (sides / "wrong.yaml").write_text(f"# one line more\n{wrong}", encoding="utf-8")
    found = gate(sides, *arguments)
    assert (found.code, found.err.splitlines()[0]) == (code, f"maestro: error: {what}")


def test_without_prices_nothing_is_judged(sides: Path) -> None:
    assert maestro("cost", "gate", "--diff", "base", "head", cwd=sides).code in (6, 15)


def test_what_is_piped_in_is_judged(sides: Path) -> None:
    text = deployment("fraud", 5)
    found = maestro(
        "cost", "gate", "--prices", "prices.yaml", "--diff", "base", "-", "-o", "json", cwd=sides, stdin=text
    )
    assert json.loads(found.out)["items"][0]["object"] == "ml/deploy/fraud"
    assert json.loads(found.out)["new"] == "-"


def test_what_a_chart_prints_may_be_longer_than_a_file_and_a_chart_is_none(sides: Path) -> None:
    filler = f"kind: ConfigMap\napiVersion: v1\nmetadata: {{name: NAME}}\ndata: {{a: {'x' * 400_000}}}\n"
    parts = [filler.replace("NAME", f"c{number}") for number in range(4)]
    text = "---\n".join(["# Source: a\n", *parts, deployment("fraud", 5), "\n", deployment("late", -1)])
    found = gate(sides, "--diff", "base", "-", stdin=text.replace("replicas: -1", "replicas: 1"))
    assert found.code == 0
    refused = gate(sides, "--diff", "base", "-", stdin=text)
    line = text[: text.index("replicas: -1")].count("\n") + 1
    told = f"maestro: error: (standard input):{line}: spec.replicas: is no number of replicas"
    assert refused.err.splitlines()[0] == told
    (sides / "chart").mkdir()
    (sides / "chart" / "Chart.yaml").write_text("name: fraud\n", encoding="utf-8")
    chart = gate(sides, "--diff", "base", "chart")
    assert (chart.code, chart.error_lines[0]) == (
        2, "chart is a chart of Helm"
    )  # fmt: skip
    assert "helm template NAME chart | maestro cost gate -" in chart.err


def test_a_comment_is_never_longer_than_a_host_takes(sides: Path) -> None:
    many = [deployment(f"{'n' * 300}{n}", 2, "{}", "c" * 60 + "`" * 3) for n in range(400)]
    (sides / "many.yaml").write_text("---\n".join(many), encoding="utf-8")
    assert gate(sides, "--diff", "base", "many.yaml", "--out", "out").code == 15
    assert len((sides / "out" / "summary.md").read_text(encoding="utf-8")) < 65_536


def test_a_kustomization_is_judged_as_it_would_be_applied(sides: Path) -> None:
    overlay = sides / "overlay"
    overlay.mkdir()
    (overlay / "all.yaml").write_text(deployment("fraud", 3), encoding="utf-8")
    (overlay / "kustomization.yaml").write_text(
        "resources: [all.yaml]\nreplicas: [{name: fraud, count: 9}]\nnameSuffix: -eu\n", encoding="utf-8"
    )
    found = json.loads(gate(sides, "--diff", "overlay/all.yaml", "overlay", "-o", "json").out)
    assert {one["object"]: one["increase"]["max"] > 0 for one in found["items"]} == {
        "ml/deploy/fraud-eu": True, "ml/deploy/fraud": False,
    }  # fmt: skip
    (overlay / "kustomization.yaml").write_text("resources: [nowhere.yaml]\n", encoding="utf-8")
    refused = gate(sides, "--diff", "base", "overlay")
    assert (refused.code, refused.error_lines[0]) == (3, "overlay: cannot be built as a kustomization")


def live(name: str, replicas: int) -> dict[str, Any]:
    requests = {"cpu": "500m", "memory": "1Gi"}
    template = {"spec": {"containers": [{"name": "app", "resources": {"requests": requests}}]}}
    return {
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name, "namespace": "ml"},
        "spec": {"replicas": replicas, "template": template},
    }  # fmt: skip


def test_without_a_base_the_cluster_is_what_there_is_now(sides: Path) -> None:
    scaler = {
        "metadata": {"name": "by-hand", "namespace": "ml"},
        "spec": {
            "scaleTargetRef": {"kind": "Deployment", "name": "kept"},
            "minReplicas": 1,
            "maxReplicas": 4,
        },
    }
    answers = {
        "/apis/apps/v1/namespaces/ml/deployments/fraud": live("fraud", 2),
        "/apis/apps/v1/namespaces/ml/deployments/kept": live("kept", 2),
        "/apis/autoscaling/v2/namespaces/ml/horizontalpodautoscalers": listing(scaler),
        "/api/v1/nodes": listing(node("a", "z"), node("b", "z")),
    }
    new = [deployment("fraud", 3), deployment("kept", 1), deployment("new", 1)]
    (sides / "new.yaml").write_text("---\n".join(new), encoding="utf-8")
    with api_server(answers):
        found = json.loads(gate(sides, "new.yaml", "-o", "json").out)
    month = 730 * (0.5 * 0.03 + 0.004)
    assert found["old"] == "the cluster of prod"
    assert {one["object"]: one["increase"]["max"] for one in found["items"]} == {
        "ml/deploy/fraud": pytest.approx(month), "ml/deploy/new": pytest.approx(month),
    }  # fmt: skip
    assert found["unchanged"] == 1  # its autoscaler is of the cluster, and goes on
    assert found["assumed"]["nodes"] == 2


def test_replicas_that_no_manifest_says_are_those_of_the_cluster(sides: Path) -> None:
    """Applying such a manifest leaves them: a dearer pod is dearer as often as it runs."""
    answers = {
        "/apis/apps/v1/namespaces/ml/deployments/fraud": live("fraud", 10),
        "/apis/autoscaling/v2/namespaces/ml/horizontalpodautoscalers": listing(),
        "/api/v1/nodes": listing(node("a", "z")),
    }
    text = deployment("fraud", 1, "{cpu: 4, memory: 1Gi}").replace("  replicas: 1\n", "")
    (sides / "new.yaml").write_text(text, encoding="utf-8")
    with api_server(answers):
        found = json.loads(gate(sides, "new.yaml", "-o", "json").out)
    assert found["increase"]["max"] == pytest.approx(10 * 3.5 * 0.03 * 730)
    (sides / "old.yaml").write_text(deployment("fraud", 10), encoding="utf-8")
    found = json.loads(gate(sides, "--diff", "old.yaml", "new.yaml", "-o", "json").out)
    assert found["increase"]["max"] == pytest.approx(10 * 3.5 * 0.03 * 730)
    assert found["increase"]["min"] < 0  # one that is applied anew has 1


@pytest.mark.parametrize("is_listed", [False, True])
def test_an_autoscaler_of_the_cluster_stays_unless_the_files_name_that_very_one(
    sides: Path, is_listed: bool
) -> None:
    def scaler(namespace: str, most: int) -> dict[str, Any]:
        target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
        return {
            "apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler",
            "metadata": {"name": "web", "namespace": namespace},
            "spec": {"scaleTargetRef": target, "minReplicas": 2, "maxReplicas": most},
        }  # fmt: skip

    def web(namespace: str) -> dict[str, Any]:
        body = live("web", 2)
        return {**body, "metadata": {"name": "web", "namespace": namespace}}

    answers: dict[str, Any] = {"/api/v1/nodes": listing(node("a", "z"))}
    for namespace in "ab":
        answers[f"/apis/apps/v1/namespaces/{namespace}/deployments/web"] = web(namespace)
        path = f"/apis/autoscaling/v2/namespaces/{namespace}/horizontalpodautoscalers"
        answers[path] = listing(scaler(namespace, 10))
    objects = [web("a"), scaler("a", 10), web("b"), *([scaler("b", 10)] if is_listed else [])]
    listed = {"apiVersion": "v1", "kind": "List", "items": objects}
    (sides / "new.json").write_text(json.dumps(listed), encoding="utf-8")
    with api_server(answers):
        found = json.loads(gate(sides, "new.json", "--max-increase", "0", "-o", "json").out)
        (sides / "new.json").write_text(json.dumps(scaler("b", 30)), encoding="utf-8")
        raised = json.loads(gate(sides, "new.json", "-o", "json").out)
    assert (found["items"], found["verdict"], found["unchanged"]) == ([], "PASS", 2)
    (item,) = raised["items"]
    assert (item["object"], item["unknown"]) == ("b/deploy/web", [])  # its target is that of the cluster
    assert item["increase"]["max"] == pytest.approx(20 * 730 * (0.5 * 0.03 + 0.004))


def test_what_an_operator_starts_is_no_pass_unless_somebody_says_that_it_is_nothing(sides: Path) -> None:
    text = (
        "apiVersion: monitoring.coreos.com/v1\nkind: Prometheus\nmetadata: {name: k8s}\nspec: {replicas: 9}\n"
    )
    (sides / "base" / "operated.yaml").write_text(text.replace("9", "1"), encoding="utf-8")
    (sides / "new").mkdir()
    for one in (sides / "base").iterdir():
        (sides / "new" / one.name).write_text(one.read_text(encoding="utf-8"), encoding="utf-8")
    limits = "--diff", "base", "new", "--max-increase", "100", "--out", "out"
    assert gate(sides, *limits).code == 0
    (sides / "new" / "operated.yaml").write_text(text, encoding="utf-8")
    told = gate(sides, *limits)
    assert told.code == 15
    way_on = "if it is known to cost nothing: --ignore-unknown Prometheus.monitoring.coreos.com"
    assert way_on in " ".join(told.out.split())
    assert way_on in (sides / "out" / "summary.md").read_text(encoding="utf-8")
    assert gate(sides, *limits, "--ignore-unknown", "Gadget").code == 15
    assert gate(sides, *limits, "--ignore-unknown", "Gadget,Prometheus").code == 0
    comment = (sides / "out" / "summary.md").read_text(encoding="utf-8")
    assert "taken for nothing, as asked: what a Prometheus.monitoring.coreos.com starts" in comment


def test_a_pipeline_on_github_is_told(sides: Path) -> None:
    env = {
        "GITHUB_ACTIONS": "true", "GITHUB_OUTPUT": str(sides / "output"), "GITHUB_SHA": "abc123",
        "GITHUB_STEP_SUMMARY": str(sides / "summary"),
    }  # fmt: skip
    gate(sides, "--diff", "base", "head", "--max-increase", "50", "--out", "out", **env)
    told = read_github((sides / "output").read_text(encoding="utf-8"))
    assert (told["verdict"], told["code"], told["unknown"], told["currency"]) == ("FAIL", "11", "1", "EUR")
    assert told["summary_path"] == "out/summary.md"
    summary = (sides / "summary").read_text(encoding="utf-8")
    assert summary == (sides / "out" / "summary.md").read_text(encoding="utf-8")
    assert "commit `abc123`" in summary


def test_groups_of_pods_whose_number_is_left_out_may_be_as_many_as_before(sides: Path) -> None:
    """Three groups of four pods; the change says no number, and each pod asks for eight times as much."""
    for side, replicas, cores in (("before", "replicas: 3, ", 1), ("after", "", 8)):
        pod = (
            f"{{containers: [{{name: c, image: x, resources: {{requests: {{cpu: {cores}, memory: 1Gi}}}}}}]}}"
        )
        template = f"{{size: 4, workerTemplate: {{spec: {pod}}}}}"
        (sides / side).mkdir()
        (sides / side / "a.yaml").write_text(
            "apiVersion: leaderworkerset.x-k8s.io/v1\nkind: LeaderWorkerSet\n"
            "metadata: {name: a, namespace: ml}\n"
            f"spec: {{{replicas}leaderWorkerTemplate: {template}}}\n"
        )
    told = json.loads(gate(sides, "--diff", "before", "after", "--max-increase", "100", "-o", "json").out)
    memory, core = 0.004 * 730, 0.03 * 730
    assert told["increase"]["max"] == pytest.approx(12 * (8 * core + memory) - 12 * (core + memory), rel=0.01)
