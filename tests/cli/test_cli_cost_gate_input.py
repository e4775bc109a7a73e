"""What `maestro cost gate` is given: pipes, charts, hostile files, a cluster that is down."""

from __future__ import annotations

import json
import os
from pathlib import Path
from threading import Thread

import pytest

from maestro_cli.config.locations import config_dir
from tests.cli.program import Result, maestro

PRICES = "currency: EUR\nCPU: 0.03\nRAM: 0.004\nGPU: 1.0\n"
DEPLOYMENT = (
    "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: %s, namespace: ml}\n"
    "spec: {replicas: 1, template: {spec: {containers:"
    " [{name: a, resources: {requests: {cpu: %s, memory: 1Gi}}}]}}}\n"
)
A_CORE = 730 * (0.03 + 0.004)
KUBECONFIG = """apiVersion: v1
kind: Config
current-context: c
contexts: [{name: c, context: {cluster: c, user: u}}]
clusters: [{name: c, cluster: {server: "https://127.0.0.1:1"}}]
users: [{name: u, user: {token: x}}]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "prices.yaml").write_text(PRICES)
    (tmp_path / "none.yaml").write_text("# nothing\n")
    (tmp_path / "one.yaml").write_text(DEPLOYMENT % ("one", 1))
    return tmp_path


def gate(folder: Path, *words: str, stdin: str = "") -> Result:
    return maestro("cost", "gate", *words, "--prices", "prices.yaml", cwd=folder, stdin=stdin)


def test_directives_of_what_is_piped_are_not_cut(folder: Path) -> None:
    directive = "%YAML 1.1\n---\n"
    text = f"{directive}{DEPLOYMENT % ('a', 1)}...\n# the next\n{directive}{DEPLOYMENT % ('b', 1)}"
    told = json.loads(gate(folder, "--diff", "none.yaml", "-", "-o", "json", stdin=text).out)
    assert told["increase"]["max"] == pytest.approx(2 * A_CORE)
    wrong = gate(folder, "--diff", "none.yaml", "-", stdin=text.replace("cpu: 1", "cpu: one"))
    assert wrong.code == 3
    assert "(standard input):6: spec.template.spec.containers[0].resources.requests.cpu" in wrong.err


def test_what_a_shell_pipes_as_a_file_is_read(folder: Path) -> None:
    """`--diff <(helm template NAME CHART --version 1) <(helm template …)`"""
    os.mkfifo(folder / "pipe")
    writer = Thread(target=lambda: (folder / "pipe").write_text(DEPLOYMENT % ("one", 3)))
    writer.start()
    told = json.loads(gate(folder, "--diff", "one.yaml", "pipe", "-o", "json").out)
    writer.join()
    assert told["increase"]["max"] == pytest.approx(2 * 730 * 0.03)


def test_a_file_may_be_as_large_as_what_is_piped(folder: Path) -> None:
    comment = "# " + "x" * 600_000 + "\n"
    (folder / "chart.yaml").write_text(comment.join(f"---\n{DEPLOYMENT % (name, 1)}" for name in "abc"))
    told = json.loads(gate(folder, "--diff", "none.yaml", "chart.yaml", "-o", "json").out)
    assert told["increase"]["max"] == pytest.approx(3 * A_CORE)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: &a [x]\nb: *a\n", "wrong.yaml:1: anchors and aliases are not allowed"),
        ("a: " + "[" * 5000 + "]" * 5000, "wrong.yaml:1: is"),
        (DEPLOYMENT % ("a", "1e300"), "requests.cpu: is too large a quantity"),
        (
            (DEPLOYMENT % ("a", 1)).replace("replicas: 1", "replicas: 9999999999"),
            "wrong.yaml:4: spec.replicas: is no number of replicas",
        ),
        ("WARNING: a chart\n---\nkind: X\n", "wrong.yaml:1: is no manifest"),
    ],
    ids=["bomb", "deep", "endless", "replicas", "warning"],
)
def test_a_hostile_file_is_refused_with_its_line(folder: Path, text: str, said: str) -> None:
    (folder / "wrong.yaml").write_text(text)
    found = gate(folder, "--diff", "none.yaml", "wrong.yaml", "--max-increase", "1")
    assert (found.code, found.out) == (3, "")
    assert said in found.err


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--diff", "-", "-"), 2, "what is piped in can be one of them alone"),
        (("--diff", "one.yaml", "-"), 6, "there is no manifest in (standard input)"),
        (("--diff", "one.yaml", "one.yaml", "--max-increase", "1_000"), 2, "'1_000' is no increase"),
        (("--diff", "one.yaml", "one.yaml", "--max-increase", "-5%"), 2, "'-5%' is no increase"),
        (("--diff", "one.yaml", "one.yaml", "--max-increase", "nan"), 2, "'nan' is no increase"),
    ],
)
def test_what_cannot_be_meant_is_refused(folder: Path, words: tuple[str, ...], code: int, said: str) -> None:
    found = gate(folder, *words)
    assert (found.code, said in found.err) == (code, True)


@pytest.mark.parametrize(("limit", "code"), [("100%", 0), ("99.9 %", 11), ("24.9", 0), ("24", 11), ("0", 11)])
def test_an_increase_is_an_amount_or_a_share(folder: Path, limit: str, code: int) -> None:
    (folder / "two.yaml").write_text((DEPLOYMENT % ("one", 1)).replace("replicas: 1", "replicas: 2"))
    assert gate(folder, "--diff", "one.yaml", "two.yaml", "--max-increase", limit).code == code


def test_a_folder_above_a_kustomization_says_which_one_to_give(folder: Path) -> None:
    (folder / "deploy" / "base").mkdir(parents=True)
    file = folder / "deploy" / "base" / "kustomization.yaml"
    file.write_text("apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n")
    found = gate(folder, "--diff", "none.yaml", "deploy")
    assert found.code == 3
    assert "deploy/base/kustomization.yaml:1: metadata.name: has no name" in found.err
    assert "give the folder that it builds" in found.err


@pytest.mark.parametrize(
    ("kind", "is_told"), [("Cluster.cluster.x-k8s.io", True), ("A`$(id)", False)], ids=["plain", "hostile"]
)
def test_what_to_say_of_an_unknown_kind_can_be_copied(folder: Path, kind: str, is_told: bool) -> None:
    name, _, group = kind.partition(".")
    text = json.dumps({"apiVersion": f"{group or 'x.y'}/v1", "kind": name, "metadata": {"name": "a"}})
    (folder / "new.yaml").write_text(text)
    found = gate(folder, "--diff", "none.yaml", "new.yaml")
    assert found.code == 15
    assert (f"--ignore-unknown {kind}" in found.out) is is_told
    assert ("--ignore-unknown" in found.out) is is_told


def test_a_cluster_that_is_down_is_not_known_and_named_in_what_the_pipeline_gets(folder: Path) -> None:
    config_dir().mkdir(parents=True)
    (config_dir() / "kubeconfig").write_text(KUBECONFIG)
    cluster = f"cluster: {{kubeconfig: {config_dir() / 'kubeconfig'}}}"
    (config_dir() / "config.yaml").write_text(f"current_context: prod\ncontexts: {{prod: {{{cluster}}}}}\n")
    found = gate(folder, "one.yaml", "--max-increase", "1000", "--budget", "1000", "--out", "out")
    which = "what runs now: Kubernetes at https://127.0.0.1:1 does not answer"
    assert (found.code, found.out.count("INDETERMINATE")) == (15, 3)
    assert which in " ".join(found.out.split())
    assert which in (folder / "out" / "summary.md").read_text()
    assert gate(folder, "one.yaml").code == 15


def test_what_is_deleted_is_a_change_too(folder: Path) -> None:
    gone = gate(folder, "--diff", "one.yaml", "/dev/null", "--max-increase", "0", "-o", "json")
    told = json.loads(gone.out)
    assert (gone.code, told["verdict"], told["items"][0]["after"]) == (0, "PASS", None)
    assert told["increase"]["max"] == pytest.approx(-A_CORE)
    new = json.loads(gate(folder, "--diff", "/dev/null", "one.yaml", "-o", "json").out)
    assert new["increase"]["max"] == pytest.approx(A_CORE)


@pytest.mark.parametrize(
    "sides", [("none.yaml", "empty"), ("one.yaml", "empty"), ("one.yaml", "none.yaml"), ("one.yaml", "-")]
)
def test_what_is_empty_by_mistake_is_no_deletion(folder: Path, sides: tuple[str, str]) -> None:
    """Nothing on both sides, a folder or file without manifests, and a program that printed nothing."""
    (folder / "empty").mkdir()
    refused = gate(folder, "--diff", *sides)
    assert (refused.code, refused.out) == (6, "")
    assert "there is no manifest in" in refused.err
    assert "or /dev/null where the change deletes all" in refused.err
