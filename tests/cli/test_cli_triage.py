"""Triage in contexts that lack what it would ask: what is missing is evidence, and no error."""

from __future__ import annotations

import json

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
