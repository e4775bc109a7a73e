"""An incident is run by hand while the cluster, Prometheus, Alertmanager and the model server are silent."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from maestro_cli.config.locations import config_dir, state_dir
from tests.cli.incident_scene import Scene
from tests.cli.program import Result, maestro
from tests.unit.incidents.world import SetClock

# Port 1 of this machine: nobody listens there.
CONFIG = """current_context: prod
contexts:
  prod:
    namespace: ml
    cluster: {kubeconfig: KUBECONFIG}
    prometheus: {url: "http://127.0.0.1:1"}
    alertmanager: {url: "http://127.0.0.1:1"}
    serving: {url: "http://127.0.0.1:1"}
"""
KUBECONFIG = """apiVersion: v1
kind: Config
current-context: c
contexts: [{name: c, context: {cluster: c, user: u}}]
clusters: [{name: c, cluster: {server: "https://127.0.0.1:1"}}]
users: [{name: u, user: {token: x}}]
"""


@pytest.fixture
def dead() -> Path:
    """The journal of a context whose every endpoint is silent, with an incident triaged a day ago."""
    kubeconfig = config_dir() / "kubeconfig"
    kubeconfig.parent.mkdir(parents=True)
    kubeconfig.write_text(KUBECONFIG, encoding="utf-8")
    text = CONFIG.replace("KUBECONFIG", str(kubeconfig))
    (config_dir() / "config.yaml").write_text(text, encoding="utf-8")
    file = state_dir() / "journal" / "prod.sqlite"
    file.parent.mkdir(parents=True)
    Scene(file, SetClock(datetime.now(UTC) - timedelta(days=1))).journal.close()
    return file


def done(*words: str) -> Result:
    """A command that has to succeed, in less than the minute that it is given."""
    result = maestro("incident", *words)
    assert result.code == 0, (words, result.err)
    return result


def test_from_the_report_to_the_close_nothing_else_has_to_answer(dead: Path) -> None:
    done("open", "checkout is slow", "--severity", "sev3", "-w", "deploy/shop", "--text", "since noon")
    done("ack", "latest")
    done("assign", "latest", "--to", "bo")
    done("severity", "latest", "sev2", "--reason", "more users")
    done("note", "latest", "the cluster does not answer either")
    done("triage", "latest")
    done("mitigate", "latest", "rolled back from the console of the cloud")
    done("resolve", "latest", "--force", "--reason", "users say it is well")
    page = Path(done("postmortem", "latest").out.strip())
    assert "checkout is slow" in page.read_text(encoding="utf-8")
    done("postmortem", "latest", "--publish", "--force", "--reason", "filled in on paper")
    done("close", "latest", "--reason", "done")
    body = json.loads(done("show", "latest", "-o", "json").out)
    assert (body["incident"]["state"], body["incident"]["owner"]) == ("closed", "bo")
    silent = {item["source"] for item in body["evidence"] if not item["ok"]}
    assert {"cluster", "prometheus"} <= silent
    assert all(item["age_seconds"] >= 0 for item in body["evidence"])


def test_what_was_found_before_is_shown_with_its_age_and_as_stale(dead: Path) -> None:
    shown = done("show", "1").out
    evidence = shown.partition("EVIDENCE\n")[2]
    assert "12% of answers fail" in evidence
    assert evidence.count(" ago, stale") == 2
    assert ", STALE" in shown.partition("SUSPECTS, AS OF ")[2].splitlines()[0]
    assert "firing; stale: nobody watches, recorded " in shown


def test_what_needs_a_backend_says_which_one_is_silent_and_does_nothing(dead: Path) -> None:
    refused = maestro("incident", "silence", "1", "--for", "1h", "--yes")
    assert (refused.code, refused.out) == (4, "")
    assert "Alertmanager at http://127.0.0.1:1 does not answer" in refused.err
    assert maestro("incident", "silence", "1").out == ""
    assert maestro("incident", "gate", "--require-watch", "-n", "shop").code == 15
