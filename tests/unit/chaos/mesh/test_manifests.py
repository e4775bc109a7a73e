"""A manifest of Chaos Mesh is taken when it is right, bounded and ends by itself, and refused at its line."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
import yaml

from maestro_cli.chaos.mesh.manifest import RULES, lint_manifests, mesh_documents, read_manifest
from maestro_cli.core.errors import InvalidFile
from maestro_cli.runbooks.lint import Finding

SHIPPED = sorted((Path(__file__).parents[4] / "deploy" / "chaos").glob("*.yaml"))
KINDS_SHIPPED = {
    "PodChaos", "NetworkChaos", "StressChaos", "IOChaos", "DNSChaos", "HTTPChaos", "TimeChaos", "Schedule",
    "Workflow",
}  # fmt: skip
FIVE = ("network-latency", "pod-failure", "resource-exhaustion", "dependency-failure", "region-failover")

LATENCY = """\
apiVersion: chaos-mesh.org/v1alpha1
kind: NetworkChaos
metadata: {name: slow, namespace: ml}
spec:
  action: delay
  mode: one
  selector:
    labelSelectors: {app: fraud}
  delay: {latency: 100ms}
  duration: 60s
"""


@pytest.fixture
def lint(tmp_path: Path) -> Callable[[str], list[Finding]]:
    def run(text: str) -> list[Finding]:
        path = tmp_path / "chaos.yaml"
        path.write_text(text, encoding="utf-8")
        return list(lint_manifests(mesh_documents(path) or ()))

    return run


Lint = Callable[[str], list[Finding]]


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_what_is_shipped_is_right(path: Path) -> None:
    documents = mesh_documents(path)
    assert documents is not None
    assert list(lint_manifests(documents)) == []
    manifest = read_manifest(path)
    assert manifest.name == path.stem
    assert path.read_text().startswith("# ")  # what it does, for people


def test_the_five_kinds_and_all_kinds_of_resources_are_shipped() -> None:
    assert {read_manifest(path).kind for path in SHIPPED} == KINDS_SHIPPED
    assert set(FIVE) <= {path.stem for path in SHIPPED}


def test_the_docs_name_every_experiment_and_every_manifest() -> None:
    root = Path(__file__).parents[4]
    text = (root / "docs" / "chaos-mesh.md").read_text(encoding="utf-8")
    chapter = text.partition("`deploy/chaos/` has manifests")[2].partition("\n## ")[0]
    told = set(re.findall(r"[a-z]+(?:-[a-z]+)+", chapter))
    assert {path.stem for path in (*SHIPPED, *(root / "playbooks" / "chaos").glob("*.yaml"))} <= told


def test_a_right_manifest_has_no_finding(lint: Lint) -> None:
    assert lint(LATENCY) == []


WRONG: Iterable[tuple[str, str, str, int, str]] = [
    # what is replaced, by what, the rule, the line, a part of what is said
    ("  delay: {latency: 100ms}", "  delay: {latencey: 100ms}", "mesh-invalid", 9, "did you mean 'latency'?"),
    ("  delay: {latency: 100ms}", "  delay: {latency: 1h30m}", "mesh-invalid", 9, "one number and its unit"),
    ("  delay: {latency: 100ms}", "  delay: 100ms", "mesh-invalid", 9, "is to be keys with values"),
    ("  delay: {latency: 100ms}\n", "", "mesh-rejected", 4, "does nothing without delay"),
    ("action: delay", "action: dealy", "mesh-invalid", 5, "did you mean 'delay'?"),
    ("  action: delay\n", "", "mesh-invalid", 4, "needs action"),
    ("mode: one", "mode: some", "mesh-invalid", 6, "'some' is none of one, all"),
    ("mode: one", "mode: all", "mesh-unbounded", 6, "named one by one"),
    ("mode: one", "mode: fixed", "mesh-rejected", 4, "needs a number of pods"),
    ("mode: one", "mode: fixed\n  value: 2", "mesh-invalid", 7, 'write "2"'),
    ("mode: one", 'mode: fixed-percent\n  value: "100"', "mesh-unbounded", 7, "means all of them"),
    ("mode: one", 'mode: fixed-percent\n  value: "101"', "mesh-rejected", 7, "from 1 to 100"),
    ("  duration: 60s\n", "", "mesh-unbounded", 4, "until somebody deletes it"),
    ("duration: 60s", "duration: 1d", "mesh-invalid", 10, "no duration"),
    ("duration: 60s", "duration: 0s", "mesh-unbounded", 10, "no time at all"),
    ("duration: 60s", "duration: 60", "mesh-invalid", 10, 'write "60"'),
    ("labelSelectors: {app: fraud}", "namespaces: [ml]", "mesh-unbounded", 7, "every pod of its namespaces"),
    ("labelSelectors: {app: fraud}", "pods: {ml: []}", "mesh-unbounded", 7, "matches every pod"),
    ("labelSelectors: {app: fraud}", "labels: {app: fraud}", "mesh-invalid", 8, "there is no key 'labels'"),
    ("duration: 60s", "duration: 60s\n  direction: both", "mesh-rejected", 11, "needs a target"),
    ("duration: 60s", "duration: 60s\n  remoteCluster: eu", "mesh-unbounded", 11, "another cluster"),
    ("kind: NetworkChaos", "kind: NetworkChoas", "mesh-invalid", 2, "did you mean 'NetworkChaos'?"),
    ("/v1alpha1", "/v1", "mesh-invalid", 1, "is not chaos-mesh.org/v1alpha1"),
    (", namespace: ml", "", "mesh-invalid", 3, "namespace"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "rule", "line", "said"), WRONG)
def test_a_wrong_manifest_is_refused_at_its_line(
    lint: Lint, old: str, new: str, rule: str, line: int, said: str
) -> None:
    assert old in LATENCY
    found = lint(LATENCY.replace(old, new))
    assert any(said in one.text and one.rule == rule and one.line == line for one in found), found
    assert {one.rule for one in found} <= set(RULES)


def test_a_file_with_something_wrong_is_no_manifest_to_create(tmp_path: Path) -> None:
    path = tmp_path / "chaos.yaml"
    path.write_text(LATENCY.replace("  duration: 60s\n", ""), encoding="utf-8")
    with pytest.raises(InvalidFile, match=r"chaos\.yaml:4: spec: without duration") as raised:
        read_manifest(path)
    assert raised.value.fix == "duration: 60s"


def test_a_file_of_several_kinds_of_things_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "chaos.yaml"
    path.write_text(LATENCY + "---\napiVersion: v1\nkind: Pod\n", encoding="utf-8")
    with pytest.raises(InvalidFile, match="no resource of Chaos Mesh"):
        mesh_documents(path)
    path.write_text("title: an experiment\n", encoding="utf-8")
    assert mesh_documents(path) is None


def test_one_shot_faults_have_no_duration_and_modes_may_be_all_in_one_place(lint: Lint) -> None:
    kill = {"action": "pod-kill", "mode": "all", "selector": {"pods": {"ml": ["fraud-1"]}}}
    assert lint(manifest("PodChaos", kill)) == []
    zone = {"labelSelectors": {"app": "fraud"}, "nodeSelectors": {"topology.kubernetes.io/zone": "a"}}
    assert lint(manifest("PodChaos", {**kill, "selector": zone})) == []
    linux = {"labelSelectors": {"app": "fraud"}, "nodeSelectors": {"kubernetes.io/os": "linux"}}
    assert [one.rule for one in lint(manifest("PodChaos", {**kill, "selector": linux}))] == ["mesh-unbounded"]


KILL: dict[str, Any] = {"action": "pod-kill", "mode": "one", "selector": {"labelSelectors": {"app": "fraud"}}}
LOSS: dict[str, Any] = {
    "action": "loss", "loss": {"loss": "10"}, "mode": "one", "selector": {"labelSelectors": {"app": "fraud"}},
}  # fmt: skip


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({}, ""),
        ({"schedule": "61 * * * *"}, "schedule"),
        ({"schedule": "@every 5m"}, ""),
        ({"schedule": "30 0 10 * * 2"}, ""),
        ({"podChaos": None}, "podChaos"),
        ({"type": "PodChoas"}, "did you mean 'PodChaos'?"),
        ({"type": "JVMChaos", "jvmChaos": {"anything": 1}}, "whom a JVMChaos meets"),
        ({"type": "NetworkChaos", "networkChaos": LOSS}, "until somebody deletes it"),
        ({"type": "NetworkChaos", "networkChaos": {**LOSS, "duration": "5s"}}, ""),
        ({"podChaos": {**KILL, "mode": "all"}}, "named one by one"),
        ({"startingDeadlineSeconds": 0}, "from 1"),
    ],
)
def test_what_a_schedule_holds_is_held_to_the_same(lint: Lint, change: dict[str, Any], said: str) -> None:
    found = lint(
        manifest("Schedule", {"schedule": "0 10 * * 2", "type": "PodChaos", "podChaos": KILL, **change})
    )
    assert bool(found) == bool(said), found
    assert any(said in one.text for one in found) or not said, found


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda templates: None, ""),
        (lambda templates: templates[1].pop("deadline"), "without deadline it lasts"),
        (lambda templates: templates[1]["networkChaos"].update(duration="5s"), "by its template's deadline"),
        (lambda templates: templates[1]["networkChaos"].update(mode="all"), "named one by one"),
        (lambda templates: templates[0].update(children=["los"]), "did you mean 'loss'?"),
        (lambda templates: templates[2].pop("deadline"), "needs an end"),
        (lambda templates: templates[1].update(name="rest"), "two templates 'rest'"),
        (lambda templates: templates[0].update(templateType="Series"), "did you mean 'Serial'?"),
        (lambda templates: templates[2].update(templateType="Task"), "container of its own"),
        (lambda templates: templates[0].update(name="start"), "no such template"),
        (lambda templates: templates[1].update(dedline="5s"), "did you mean 'deadline'?"),
    ],
)
def test_what_a_workflow_holds_is_held_to_the_same(
    lint: Lint, change: Callable[[list[dict[str, Any]]], object], said: str
) -> None:
    templates: list[dict[str, Any]] = copy.deepcopy(
        [
            {"name": "entry", "templateType": "Serial", "children": ["loss", "rest"]},
            {"name": "loss", "templateType": "NetworkChaos", "deadline": "30s", "networkChaos": LOSS},
            {"name": "rest", "templateType": "Suspend", "deadline": "30s"},
        ]
    )
    change(templates)
    found = lint(manifest("Workflow", {"entry": "entry", "templates": templates}))
    assert bool(found) == bool(said), found
    assert any(said in one.text for one in found) or not said, found


def manifest(kind: str, spec: dict[str, Any]) -> str:
    document = {
        "apiVersion": "chaos-mesh.org/v1alpha1",
        "kind": kind,
        "metadata": {"name": "x", "namespace": "ml"},
        "spec": spec,
    }
    text: str = yaml.dump(copy.deepcopy(document), Dumper=Plain)
    return text


class Plain(yaml.SafeDumper):
    """Writes no aliases, which the strict reader refuses."""

    def ignore_aliases(self, data: Any) -> bool:
        return True
