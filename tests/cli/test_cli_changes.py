"""The commands that change one workload, node or pod, as people and scripts call them, on recordings."""

from __future__ import annotations

import copy
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from maestro_cli.changes.kinds import KINDS
from maestro_cli.config.locations import config_dir, state_dir
from tests.cli.api import AT, EVIL, Answers, api_server, listing, node, pod, refusal, workload
from tests.cli.program import Result, check_golden, maestro

PLACE = "/apis/apps/v1/namespaces/ml/deployments/fraud"
REVIEW = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
NODES = "/api/v1/nodes"
AUTOSCALERS = "/apis/autoscaling/v2/namespaces/ml/horizontalpodautoscalers"
DOCUMENT = Path(__file__).parents[2] / "deploy/serving/overlays/shadow/routing.yaml"
COMMANDS = {
    "rollback": ["rollback", "deploy/fraud"],
    "restart": ["restart", "deploy/fraud"],
    "scale": ["scale", "deploy/fraud", "--replicas", "0"],
    "pause": ["rollout", "pause", "deploy/fraud"],
    "resume": ["rollout", "resume", "deploy/fraud"],
    "set-image": ["set", "image", "deploy/fraud", "server=registry.example:5000/server:2"],
    "set-env": ["set", "env", "deploy/fraud", "LOG_LEVEL=debug", "DB_PASSWORD=hunter2-hunter2", "CACHE-"],
    "set-resources": ["set", "resources", "deploy/fraud", "server/requests.cpu=250m", "limits.memory=1Gi"],
    "cordon": ["node", "cordon", "node-a"],
    "uncordon": ["node", "uncordon", "node-a"],
    "delete-pod": ["pod", "delete", "fraud-5c9-a"],
    "drain": ["node", "drain", "node-a"],
    "set-config": ["set", "config", "settings", "LEVEL=debug", "--rollout"],
    "scale-hpa": ["set", "hpa", "fraud", "--min", "2", "--max", "6"],
    "silence": ["silence", "add", "alertname=Slow", "namespace=ml", "--for", "2h", "--comment", "known"],
    "unsilence": ["silence", "expire", "5c6c1c5e-4d70-4f4e-9d2c-3a1a1c0b7e11"],
}
ROUTING = "{schema: maestro.routing/1, routes: {fraud: {to: {model: fraud, version: 1}}}}"
ROUTED = ["deploy/fraud", "--model", "fraud"]
COMMANDS |= {
    "set-traffic": ["traffic", "set", *ROUTED, "--version", "2", "--share", "10%"],
    "promote": ["model", "promote", *ROUTED, "--version", "2"],
    "shadow-start": ["shadow", "start", *ROUTED, "--version", "2"],
    "shadow-stop": ["shadow", "stop", *ROUTED],
    "set-routing": ["traffic", "apply", "configmap/fraud-routing", "--file", str(DOCUMENT)],
    "freeze": ["freeze", "configmap/fraud-routing"],
    "unfreeze": ["unfreeze", "deploy/fraud"],
    "load-model": ["model", "load", *ROUTED, "--version", "3"],
    "unload-model": ["model", "unload", *ROUTED, "--version", "2"],
    "clear-cache": ["model", "clear-cache", "deploy/fraud"],
}
COMMANDS["set-weight"] = ["traffic", "weigh", "deploy/fraud", "--beside", "stable", "--share", "50%"]
CALLED = ("load-model", "unload-model", "clear-cache")
# servers cannot rehearse what is done to their memory, nor Alertmanager what is done to its silences
UNREHEARSED = (*CALLED, "silence", "unsilence")
ROUTING_KINDS = (*list(COMMANDS)[list(COMMANDS).index("set-traffic") :],)
CALLING_KINDS = ("load-model", "unload-model", "clear-cache")
ROUTES = {"schema": "maestro.routing/1", "routes": {"fraud": {"to": {"model": "fraud", "version": 1}}}}
CONFIG = "/api/v1/namespaces/ml/configmaps/settings"
SETTINGS = {"metadata": {"name": "settings", "namespace": "ml", "uid": "uid-c", "resourceVersion": "7"},
            "data": {"LEVEL": "info"}}  # fmt: skip
HPA = {"metadata": {"name": "fraud", "namespace": "ml", "uid": "uid-h", "resourceVersion": "8"},
       "spec": {"scaleTargetRef": {"kind": "Deployment", "name": "fraud"}, "minReplicas": 1,
                "maxReplicas": 4}}  # fmt: skip
ALERT = {"labels": {"alertname": "Slow", "namespace": "ml", "pod": EVIL}, "startsAt": AT, "fingerprint": "f",
         "annotations": {}, "status": {"silencedBy": []}}  # fmt: skip
SERVICE = {"metadata": {"name": "fraud", "namespace": "ml"}, "spec": {"selector": {"app": "fraud"}}}
OWNER = {"kind": "Deployment", "name": "fraud", "uid": "uid-fraud", "controller": True}


def deployment(**spec: Any) -> dict[str, Any]:
    made = workload("fraud", 3, replicas=3, updatedReplicas=3, readyReplicas=3, availableReplicas=3)
    made["metadata"]["resourceVersion"] = "42"
    made["spec"] |= spec
    source = [{"configMapRef": {"name": "settings"}}]
    made["spec"]["template"]["spec"]["containers"][0]["envFrom"] = source
    return made


def routed(kind: str, now: dict[str, Any]) -> Answers:
    """A replica with two versions of fraud that follows a ConfigMap."""
    shadow = ", shadow: {model: fraud, version: 2}" if kind == "shadow-stop" else ""
    text = ROUTING.replace("version: 1}}", f"version: 1}}{shadow}}}")
    text = text.replace("}}}}", "}}}, frozen: true}") if kind == "unfreeze" else text
    meta = {"name": "fraud-routing", "namespace": "ml", "uid": "uid-routing", "resourceVersion": "42"}
    config = {"metadata": meta, "data": {"routing.yaml": text}}
    volumes = [{"name": "routing", "configMap": {"name": "fraud-routing"}}]
    one = copy.deepcopy(now)
    one["spec"]["template"]["spec"]["volumes"] = volumes
    one["spec"]["template"]["metadata"] = {"labels": {"app": "fraud"}}
    one["status"]["readyReplicas"] = 1
    preview = {"requests": 1000, "moved": 98, "moves": [
        {"name": "fraud", "from": "fraud@1", "to": "fraud@2", "requests": 98},
        {"name": "fraud", "from": "fraud@1", "to": "fraud@1", "requests": 902},
    ]}  # fmt: skip
    models = [{"name": "fraud", "version": version, "state": "READY"} for version in (1, 2)]
    place = "/api/v1/namespaces/ml/configmaps/fraud-routing"
    return {
        PLACE: one,
        "/apis/apps/v1/namespaces/ml/deployments/stable": {
            **one,
            "metadata": {**one["metadata"], "name": "stable"},
        },
        "/apis/apps/v1/namespaces/ml/deployments": listing(one),
        place: config,
        f"PATCH {place}": config,
        "/v2/routing": {"digest": "sha256:1", "change": "", "document": ROUTES},
        "POST /v2/routing/preview": {"digest": "sha256:1", "preview": preview},
        "/v2/replica": {
            "replica": "a1b2",
            "pod": "uid-fraud-5c9-a",
            "routing": "sha256:1",
            "models": models,
            "cache": {},
        },
    }


def answers(kind: str = "", **spec: Any) -> Answers:
    """Revision 4 runs; revision 3 served another model. Made for that kind of change."""
    one = node("node-a", "zone-a", unschedulable=kind == "uncordon")
    one["metadata"]["resourceVersion"] = "42"
    now = deployment(**spec)
    earlier = copy.deepcopy(now)
    earlier["metadata"] |= {"name": "fraud-3", "ownerReferences": [OWNER],
                            "annotations": {"deployment.kubernetes.io/revision": "3"}}  # fmt: skip
    earlier["spec"]["template"]["spec"]["containers"][0]["args"] = ["--serve", "fraud=1"]
    earlier["status"] = {"replicas": 0}
    return {
        PLACE: now,
        f"PATCH {PLACE}": now,
        f"POST {REVIEW}": {"status": {"allowed": True}},
        "/apis/apps/v1/namespaces/ml/replicasets": listing(earlier),
        "/api/v1/namespaces/ml/pods": listing(*([pod("fraud-5c9-a")] if kind == "delete-pod" else [])),
        "/api/v1/namespaces/ml/services": listing(SERVICE),
        "/api/v1/namespaces/ml/pods/fraud-5c9-a": pod("fraud-5c9-a"),
        "POST /api/v1/namespaces/ml/pods/fraud-5c9-a/eviction": {"kind": "Status", "status": "Success"},
        "/api/v1/pods": listing(pod("fraud-5c9-a"), pod("churn-77-c")),
        "/apis/policy/v1/poddisruptionbudgets": listing(),
        "/api/v1/nodes": listing(one, node("node-b", "zone-b"), node("node-c", "zone-b")),
        f"{NODES}/node-a": one,
        f"PATCH {NODES}/node-a": one,
        "/apis/policy/v1/namespaces/ml/poddisruptionbudgets": listing(),
        "/apis/apps/v1/namespaces/ml/deployments": listing(now),
        "/apis/discovery.k8s.io/v1/namespaces/ml/endpointslices": listing(),
        "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices": listing(),
        CONFIG: SETTINGS,
        f"PATCH {CONFIG}": SETTINGS,
        f"{AUTOSCALERS}/fraud": HPA,
        f"PATCH {AUTOSCALERS}/fraud": HPA,
        "/api/v2/alerts": [_alert(kind == "unsilence")],
        "/api/v2/silences": [_silence()] if kind == "unsilence" else [],
        **(routed(kind, now) if kind in ROUTING_KINDS else {}),
        **(_called() if kind in CALLING_KINDS else {}),
    }


def _called() -> Answers:
    """The pod in which the replica says it runs, and that it is one of fraud."""
    meta = {"name": "fraud-5c9", "namespace": "ml", "uid": "uid-5c9", "creationTimestamp": AT,
            "ownerReferences": [OWNER]}  # fmt: skip
    return {
        "/apis/apps/v1/namespaces/ml/replicasets": listing({**deployment(), "metadata": meta}),
        "/api/v1/namespaces/ml/pods": listing(pod("fraud-5c9-a")),
    }


def _alert(silenced: bool) -> dict[str, Any]:
    return {**ALERT, "status": {"silencedBy": [_silence()["id"]] if silenced else []}}


def _silence() -> dict[str, Any]:
    matchers = [{"name": "namespace", "value": "ml", "isRegex": False, "isEqual": True},
                {"name": "alertname", "value": "Slow", "isRegex": False, "isEqual": True}]  # fmt: skip
    return {"id": "5c6c1c5e-4d70-4f4e-9d2c-3a1a1c0b7e11", "status": {"state": "active"}, "matchers": matchers,
            "startsAt": AT, "endsAt": AT, "createdBy": "grace", "comment": EVIL}  # fmt: skip


@pytest.fixture
def api() -> Iterator[list[str]]:
    with api_server(answers()) as asked:
        yield asked


def writes(asked: list[str]) -> list[str]:
    sent = [path for path in asked if path.startswith(("PATCH", "DELETE")) or "/eviction" in path]
    return [path for path in sent if "dryRun" not in path]


def settled(result: Result) -> str:
    """The output without what differs from one run to the next."""
    text = re.sub(r"chg-[0-9a-z]+", "chg-1", result.out)
    text = re.sub(r"20\d\d-\d\d-\d\dT[0-9:.]+Z", "2026-01-01T00:00:00.000000Z", text)
    return re.sub(r"\b[0-9a-f]{64}\b|\b[0-9a-f]{16}\b", "d1ge57", text)


def test_every_kind_has_its_command() -> None:
    """That of Helm releases needs another program (tests/cli/test_cli_helm.py), that of regions two of them
    (tests/contract/changes/test_switch_region_on_a_cluster.py)."""
    elsewhere = ("helm-rollback", "switch-region")
    assert list(COMMANDS) == [kind for kind in KINDS if kind not in elsewhere]


@pytest.mark.parametrize("kind", COMMANDS)
def test_a_dry_run_shows_the_plan_and_writes_nothing(kind: str) -> None:
    with api_server(answers(kind, paused=kind == "resume")) as asked:
        result = maestro(*COMMANDS[kind], "--dry-run")
    assert (result.code, result.err) == (0, "")
    assert writes(asked) == []
    if kind not in UNREHEARSED:
        assert any("dryRun=All" in path for path in asked)
    check_golden(f"change-{kind}.table", settled(result))


@pytest.mark.parametrize("kind", COMMANDS)
def test_a_dry_run_that_the_gate_refuses_ends_as_the_change(kind: str) -> None:
    """A script that asks whether it would go is not told yes; the plan is on stdout all the same."""
    with api_server(answers(kind, paused=kind == "resume")) as asked:
        dry = maestro("--read-only", *COMMANDS[kind], "--dry-run", "-o", "json")
        real = maestro("--read-only", *COMMANDS[kind], "--yes")
    assert (dry.code, dry.err.splitlines()[-3:]) == (20, real.err.splitlines()[-3:])
    assert (real.code, real.out, writes(asked)) == (20, "", [])
    gate = json.loads(dry.out)["gate"]
    assert (gate["outcome"], gate["reasons"][0]["code"], gate["reasons"][0]["exit_code"]) == (
        "refused", "read-only", 20,
    )  # fmt: skip
    assert gate["reasons"][0]["fix"] in dry.err


@pytest.mark.parametrize(
    ("words", "code", "what"),
    [
        ([], 0, ""),  # nobody agreed, and no context was typed: a dry run is asked before that
        (["--confirm-context", "prod"], 0, ""),
        (["--confirm-context", "staging"], 11, "context prod is protected\n  why: another name was typed"),
    ],
)
def test_a_dry_run_says_what_would_be_if_somebody_agreed(words: list[str], code: int, what: str) -> None:
    with api_server(answers()):
        file = config_dir() / "config.yaml"
        text = file.read_text(encoding="utf-8")
        file.write_text(text.replace("{cluster:", "{protected: true, cluster:"), encoding="utf-8")
        result = maestro(*COMMANDS["scale"], "--dry-run", *words)
    assert (result.code, bool(result.out)) == (code, True)
    assert what in result.err


def test_a_dry_run_of_what_needs_a_second_person_ends_17_and_names_nobody_to_approve() -> None:
    """No change waits after it: an id to approve would be of nothing."""
    with api_server(answers()):
        file = config_dir() / "config.yaml"
        text = file.read_text(encoding="utf-8")
        file.write_text(text.replace("{cluster:", "{protected: true, cluster:"), encoding="utf-8")
        result = maestro(*COMMANDS["restart"], "--dry-run")
        waiting = json.loads(maestro("approve", "list", "-o", "json").out)
    assert (result.code, waiting["items"]) == (17, [])
    what, why, fix = result.err.splitlines()
    assert (what, why) == (
        "maestro: error: a second person has to approve this change",
        "  why: context prod is protected, and this cannot be undone",
    )
    assert fix == "  fix: without --dry-run it waits, until somebody else approves it: maestro approve list"
    assert "chg-" not in result.out + result.err


@pytest.mark.parametrize("kind", ["restart", "scale", "set-env", "cordon"])
def test_the_plan_as_json(kind: str) -> None:
    with api_server(answers()):
        result = maestro(*COMMANDS[kind], "--dry-run", "-o", "json")
    assert (result.code, json.loads(result.out)["schema"]) == (0, "maestro.dev/change-plan/v1")
    check_golden(f"change-{kind}.json", settled(result))


@pytest.mark.parametrize(
    ("before", "after", "code", "what"),
    [
        ([], [], 11, "nobody agreed to this change"),
        (["--read-only"], ["--yes"], 20, "context prod is read-only"),
        (
            [],
            ["--yes", "-n", "elsewhere"],
            6,
            "/apis/apps/v1/namespaces/elsewhere/deployments/fraud not found",
        ),
    ],
)
def test_what_is_refused_has_its_code_and_writes_nothing(
    api: list[str], before: list[str], after: list[str], code: int, what: str
) -> None:
    result = maestro(*before, *COMMANDS["set-image"], *after)
    assert (result.code, result.out) == (code, "")
    assert f"maestro: error: {what}\n" in result.err
    assert writes(api) == []


def test_a_missing_permission_is_named() -> None:
    with api_server({**answers(), f"POST {REVIEW}": {"status": {"allowed": False}}}) as asked:
        result = maestro(*COMMANDS["restart"], "--yes")
    assert (result.code, result.out) == (5, "")
    assert "you may not get deployments.apps in namespace ml" in result.err
    assert writes(asked) == []


def test_a_missing_permission_of_a_node_has_no_namespace() -> None:
    with api_server({**answers(), f"POST {REVIEW}": {"status": {"allowed": False}}}) as asked:
        result = maestro(*COMMANDS["cordon"], "--yes")
    assert (result.code, result.out) == (5, "")
    assert "error: you may not get nodes\n" in result.err
    assert writes(asked) == []


def test_what_an_autoscaler_owns_is_not_scaled() -> None:
    spec = {"scaleTargetRef": {"kind": "Deployment", "name": "fraud"}, "maxReplicas": 4}
    owner = {"metadata": {"name": "h", "namespace": "ml"}, "spec": spec}
    with api_server({**answers(), AUTOSCALERS: listing(owner)}) as asked:
        result = maestro("scale", "deploy/fraud", "--replicas", "6", "--yes")
    assert (result.code, result.out) == (11, "")
    what, why, fix = result.err.splitlines()[-3:]
    assert what.endswith("error: the autoscaler h sets the replicas of ml/deploy/fraud")
    assert "between 1 and 4" in why
    assert "maestro set hpa h -n ml --min 6 --max 6" in fix
    assert writes(asked) == []


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (["set", "env", "deploy/fraud", "DB_PASSWORD"], "sets nothing and removes nothing"),
        (["set", "env", "deploy/fraud", "1A=x"], "is not the name of a variable"),
        (["set", "image", "deploy/fraud", "server=A B"], "is not an image"),
        (["scale", "ds/fraud", "--replicas", "2"], "scale is not for a DaemonSet, and ml/ds/fraud is one"),
        (["rollout", "pause", "sts/fraud"], "pause is not for a StatefulSet, and ml/sts/fraud is one"),
        (["rollout", "resume", "ds/fraud"], "resume is not for a DaemonSet, and ml/ds/fraud is one"),
        (["scale", "deploy/fraud", "--replicas", "999999999"], "is no such number"),
        (["set", "config", "settings", "LEVEL"], "needs a value for LEVEL"),
        (["set", "config", "settings", "a b=x"], "is not a key of a config map"),
        (["set", "config", "settings", "a=postgres://u:hunter2@db/x"], "looks like a secret"),
        (["set", "hpa", "fraud", "--min", "5"], "min 5 is above max 4"),
        (["silence", "add", "Slow", "--for", "1h"], "is not a label matcher"),
        (["silence", "add", "a=b", "--for", "forever"], "the end of the silence"),
        (["node", "cordon", "NODE_A"], "is not a Kubernetes name"),
        (["node", "cordon", "node-a/.."], "is not a kind of workload"),
    ],
)
def test_what_makes_no_sense_ends_2(api: list[str], words: list[str], what: str) -> None:
    result = maestro(*words, "--yes")
    assert (result.code, result.out) == (2, "")
    assert what in result.err.splitlines()[0]
    assert writes(api) == []


def test_a_document_is_read_from_a_file_alone(api: list[str]) -> None:
    """A device gives as much as anybody takes; this one gives nothing."""
    result = maestro("traffic", "apply", "configmap/fraud-routing", "--file", os.devnull, "--yes")
    assert (result.code, result.out) == (3, "")
    assert "error: /dev/null: cannot be read\n" in result.err
    assert writes(api) == []


def test_silences_are_listed_by_their_end() -> None:
    with api_server(answers("unsilence")):
        for form in ("table", "wide", "json"):
            result = maestro("silence", "list", "-o", form)
            assert (result.code, result.err) == (0, "")
            check_golden(f"silence-list.{form}", result.out)


def test_a_change_that_was_not_made_ends_6_when_it_is_to_be_undone(api: list[str]) -> None:
    result = maestro("change", "undo", "chg-0", "--yes")
    assert (result.code, result.out) == (6, "")
    assert "there is no change 'chg-0'" in result.err


@pytest.mark.parametrize("form", ["table", "json"])
def test_a_secret_is_in_no_output_and_no_file(form: str) -> None:
    refused = refusal(422, "Invalid", "spec: Invalid value: hunter2-hunter2")
    with api_server({**answers(), f"PATCH {PLACE}": refused}):
        for end in (["--dry-run"], ["--yes"], ["--yes", "--read-only"]):
            result = maestro(*COMMANDS["set-env"], *end, "-o", form, env={"MAESTRO_DEBUG": "1"})
            assert "hunter2" not in result.out + result.err
            assert result.code in (2, 12, 20)
    assert "hunter2" not in (state_dir() / "journal" / "prod.sqlite").read_bytes().decode("latin-1")


def test_a_drain_is_waited_for_as_long_as_it_is_told() -> None:
    with api_server(answers("drain")) as asked:
        result = maestro("node", "drain", "node-a", "--timeout", "90m", "--dry-run", "-o", "json")
        wrong = maestro("node", "drain", "node-a", "--timeout", "0s", "--yes")
    assert json.loads(result.out)["plan"]["verify"]["timeout_seconds"] == 5400
    assert (wrong.code, wrong.out) == (2, "")
    assert "--timeout must be longer than nothing" in wrong.err
    assert writes(asked) == []
