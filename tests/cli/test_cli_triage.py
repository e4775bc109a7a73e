"""Triage in contexts that lack what it would ask: what is missing is evidence, and no error."""

from __future__ import annotations

import json
import socket

import pytest

from maestro_cli.config.locations import config_dir
from tests.cli.program import maestro

NO_CLUSTER = "this context has no cluster"
NO_PROMETHEUS = "this context has no Prometheus"
# A file that is not there, and a variable that is not set.
UNUSABLE = """
    cluster: {kubeconfig: /nowhere/kubeconfig}
    prometheus: {url: "http://127.0.0.1:1", token: "env:NO_SUCH_TOKEN"}
"""

KUBECONFIG = """apiVersion: v1
kind: Config
current-context: a
contexts: [{name: a, context: {cluster: a, user: a}}]
clusters: [{name: a, cluster: {server: "URL"}}]
users: [{name: a, user: {token: t}}]
"""


@pytest.mark.parametrize(
    ("context", "cluster", "prometheus"),
    [
        ("{}", NO_CLUSTER, NO_PROMETHEUS),
        (
            UNUSABLE,
            "/nowhere/kubeconfig",
            "NO_SUCH_TOKEN",
        ),
    ],
    ids=["nothing-but-a-name", "nothing-that-can-be-used"],
)
def test_a_context_without_backends_is_triaged_from_its_journal(
    context: str, cluster: str, prometheus: str
) -> None:
    config_dir().mkdir(parents=True)
    text = f"current_context: bare\ncontexts:\n  bare: {context}\n"
    (config_dir() / "config.yaml").write_text(text, encoding="utf-8")
    opened = maestro("incident", "open", "checkout is slow", "--severity", "sev3", "-w", "ml/deploy/shop")
    assert opened.code == 0, opened.err
    triaged = maestro("incident", "triage", "1")
    assert triaged.code == 0, triaged.err
    assert "no culprit found" in triaged.out
    suspects = json.loads(maestro("incident", "suspects", "1", "-o", "json").out)
    assert (suspects["suspects"], suspects["conclusion"]) == ([], "no culprit found")
    evidence = json.loads(maestro("incident", "evidence", "1", "-o", "json").out)["items"]
    by_kind = {item["kind"]: item for item in evidence}
    for kind in ("rollouts", "config", "pods", "nodes", "events", "logs"):
        assert not by_kind[kind]["ok"]
        assert cluster in by_kind[kind]["error"]
    for kind in ("errors", "split", "latency", "load", "saturation", "memory", "budget", "around"):
        assert not by_kind[kind]["ok"]
    assert prometheus in by_kind["errors"]["error"]
    assert all(by_kind[kind]["ok"] for kind in ("alerts", "changes", "past"))


def test_a_response_without_backends_triages_before_it_says_what_it_cannot_do() -> None:
    config_dir().mkdir(parents=True)
    text = "current_context: bare\ncontexts:\n  bare: {}\n"
    (config_dir() / "config.yaml").write_text(text, encoding="utf-8")
    maestro("incident", "open", "checkout is slow", "--severity", "sev3", "-w", "ml/deploy/shop")
    responded = maestro("incident", "respond", "1")
    assert (responded.code, responded.out) == (6, "")
    assert "no playbook binds a firing signal of incident #1" in responded.err
    suspects = json.loads(maestro("incident", "suspects", "1", "-o", "json").out)
    assert suspects["conclusion"] == "no culprit found"


def test_backends_that_take_a_call_and_never_answer_hold_up_neither_the_answer_nor_the_end() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:  # the kernel takes calls, and nobody reads them
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        cluster = config_dir() / "kubeconfig"
        config_dir().mkdir(parents=True)
        cluster.write_text(KUBECONFIG.replace("URL", url), encoding="utf-8")
        endpoints = f'cluster: {{kubeconfig: {cluster}}}, prometheus: {{url: "{url}"}}'
        text = f"current_context: mute\ncontexts:\n  mute: {{{endpoints}}}\n"
        (config_dir() / "config.yaml").write_text(text, encoding="utf-8")
        assert maestro("incident", "open", "slow", "-w", "ml/deploy/shop").code == 0
        triaged = maestro("incident", "triage", "1", "--timeout", "1s")
        assert triaged.code == 0, triaged.err
        evidence = json.loads(maestro("incident", "evidence", "1", "-o", "json").out)["items"]
    errors = {item["kind"]: item["error"] for item in evidence}
    late = "no answer within the 1 s that triage may take"
    assert errors["errors"] == errors["nodes"] == errors["events"] == late


@pytest.mark.parametrize("text", ["0s", "-1s", "soon"])
def test_a_time_that_triage_cannot_take_is_refused(text: str) -> None:
    result = maestro("incident", "triage", "1", "--timeout", text)
    assert result.code == 2
    assert "--timeout" in result.err
