"""What a kube step waits for, and that it is never met by what is not there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from maestro_cli.core.errors import ExitCode, MaestroError, NotFound, Unreachable
from tests.unit.runbooks.bench import Bench

FRONT = "---\nmaestro: runbook/v1\nparams: {NAME: {default: fraud}}\n---\n"
GONE = NotFound("no such object")


def fence(marks: str, body: str) -> str:
    return f"{FRONT}```kube {{{marks}}}\n{body}\n```\n\n"


def deployment(generation: int = 2, **status: Any) -> dict[str, Any]:
    return {"metadata": {"generation": generation}, "spec": {"replicas": 2}, "status": status}


READY = {"observedGeneration": 2, "updatedReplicas": 2, "replicas": 2, "availableReplicas": 2}


@pytest.mark.parametrize(
    ("condition", "found", "reason"),
    [
        ("rolled-out", deployment(**READY), ""),
        ("rolled-out", deployment(3, **READY), "has not seen"),
        ("rolled-out", deployment(**{**READY, "updatedReplicas": 1}), "1 of 2 replicas are of the newest"),
        ("rolled-out", deployment(**{**READY, "replicas": 3}), "1 replicas too many"),
        ("rolled-out", deployment(**{**READY, "availableReplicas": 1}), "1 of 2 replicas are available"),
        ("rolled-out", GONE, "does not exist"),
        ("absent", GONE, ""),
        ("absent", deployment(), "is there"),
        ("Available", deployment(conditions=[{"type": "Available", "status": "True"}]), ""),
        ("Available", deployment(conditions=[{"type": "Available", "status": "Unknown"}]), "is Unknown"),
        ("Available", deployment(conditions=[]), "says nothing"),
        ("Available", {}, "says nothing"),
        ("Stuck=False", deployment(conditions=[{"type": "Stuck", "status": "False"}]), ""),
        (
            "Stuck=False",
            deployment(conditions=[{"type": "Stuck", "status": "True", "reason": "X"}]),
            "True (X)",
        ),
    ],
)
def test_a_condition_holds_or_the_run_says_what_is_missing(
    bench: Bench, condition: str, found: Mapping[str, Any] | MaestroError, reason: str
) -> None:
    bench.systems.objects = [found]
    body = f"target: deploy/$NAME\nnamespace: ml\ncondition: {condition}"
    result = bench.run(fence("id=a", body))
    assert bench.systems.paths == ["/apis/apps/v1/namespaces/ml/deployments/fraud"]
    assert result.exit_code is (ExitCode.CONDITION_NOT_MET if reason else ExitCode.OK), result.reason
    assert reason in result.reason


def test_a_condition_is_waited_for(bench: Bench) -> None:
    bench.systems.objects = [
        GONE,
        Unreachable("nobody"),
        deployment(observedGeneration=1),
        deployment(**READY),
    ]
    text = fence("id=a within=60s", "target: ml/deploy/fraud\ncondition: rolled-out")
    result = bench.run(text)
    assert result.ok, result.reason
    assert len(bench.systems.paths) == 4


@pytest.mark.parametrize(
    ("marks", "field", "reason"),
    [
        ("expect='>= 2'", "status.replicas", ""),
        ("expect='>= 3'", "status.replicas", "status.replicas is 2, expected >= 3"),
        ("expect='>= 0'", "status.missing", "there is no status.missing"),
        ("expect='>= 0'", "status.phase", "status.phase is Running, expected >= 0"),
        ("expect='>= 0'", "status.on", "status.on is true, expected >= 0"),
        ("match='Run|Running'", "status.phase", ""),
        ("match=Run", "status.phase", "does not match Run"),
        ("match=b", "status.list[1]", ""),
        ("match=c", "status.list[2]", "there is no status.list[2]"),
        ("match=x", "status.phase.more", "there is no"),
    ],
)
def test_a_field_is_as_expected_or_not(bench: Bench, marks: str, field: str, reason: str) -> None:
    bench.systems.objects = [deployment(replicas=2, phase="Running", list=["a", "b"], on=True)]
    result = bench.run(fence(f"id=a {marks}", f"target: node/a\nfield: {field}"))
    assert bench.systems.paths == ["/api/v1/nodes/a"]
    assert result.ok is not bool(reason)
    assert reason in result.reason


def test_a_field_is_kept_for_later_steps(bench: Bench) -> None:
    bench.systems.objects = [deployment(phase="Running $(touch pwned)")]
    text = fence("id=a capture=PHASE", "target: ml/pod/a\nfield: status.phase")
    assert bench.run(text + '```sh {id=b}\nprintf %s "$PHASE" > got\n```\n').ok
    assert (bench.folder / "got").read_text() == "Running $(touch pwned)"
    assert not (bench.folder / "pwned").exists()


@pytest.mark.parametrize("value", ["../secrets/x", "a/b", "", "..", "A", "a?watch=1"])
def test_a_value_names_one_object_or_nothing_is_read(bench: Bench, value: str) -> None:
    front = FRONT.replace("{default: fraud}", "{default: x, pattern: '(?s).*'}")
    book = bench.write(front + "```kube {id=a}\ntarget: ml/pod/$NAME\ncondition: Ready\n```\n")
    assert not bench.runner().start(book, {"NAME": value}).ok
    assert bench.systems.paths == []


@pytest.mark.parametrize(
    "target", ["server", "server/serving", "ml/helm/fraud", "ml/job/x", "fraud", "ml/cm"]
)
def test_what_is_not_read_from_the_cluster_is_refused(bench: Bench, target: str) -> None:
    result = bench.run(fence("id=a", f"target: {target}\ncondition: Ready"))
    assert result.exit_code is ExitCode.ACTION_FAILED
    assert bench.systems.paths == []
