"""`maestro rollout status` and `watch`: a tree, a line a change, and an exit code that means something."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from tests.cli.api import Answers, api_server, listing, pod, workload
from tests.cli.program import check_golden, maestro

PLACE = "/apis/apps/v1/namespaces/ml/deployments/fraud"
OWNER = {"kind": "Deployment", "name": "fraud", "uid": "uid-fraud", "controller": True}


def answers(*, crashes: bool = False, **status: int) -> Answers:
    """Revision 4 of three replicas; `crashes`: one of them."""
    counts = {"replicas": 3, "updatedReplicas": 3, "readyReplicas": 3, "availableReplicas": 3, **status}
    now = workload("fraud", 3, **counts)
    newest = copy.deepcopy(now)
    newest["metadata"] |= {"name": "fraud-5c9", "ownerReferences": [OWNER]}
    pods = [pod("fraud-5c9-a"), pod("fraud-5c9-b")]
    if crashes:
        waiting = {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off \x1b[31m10s"}}
        pods[1]["status"]["containerStatuses"][0] |= {"state": waiting, "ready": False}
        pods[1]["status"]["conditions"] = [{"type": "Ready", "status": "False"}]
    return {
        PLACE: now,
        "/apis/apps/v1/namespaces/ml/replicasets": listing(newest),
        "/api/v1/namespaces/ml/pods": listing(*pods),
    }


ROLLING: dict[str, Any] = {"updatedReplicas": 1, "readyReplicas": 2, "availableReplicas": 2}


@pytest.mark.parametrize("form", ["table", "json"])
def test_a_stalled_rollout_is_shown_and_ends_10(form: str) -> None:
    with api_server(answers(crashes=True, **ROLLING)):
        result = maestro("rollout", "status", "ml/deploy/fraud", "-o", form)
    assert (result.code, result.err) == (10, "")
    check_golden(f"rollout-status.{form}", result.out)


def test_a_complete_rollout_ends_0() -> None:
    with api_server(answers()):
        result = maestro("rollout", "status", "fraud", "-n", "ml", "-o", "jsonpath={.stage}")
        watched = maestro("rollout", "watch", "ml/deploy/fraud")
    assert (result.code, result.out) == (0, "complete\n")
    assert (watched.code, watched.err) == (0, "")
    assert watched.out == "ml/deploy/fraud  complete: 3 of 3 updated, 3 available, 3 in all\n"


def test_one_that_is_under_way_ends_10_when_looked_at_and_124_when_watched() -> None:
    with api_server(answers(**ROLLING)):
        looked = maestro("rollout", "status", "ml/deploy/fraud")
        result = maestro("rollout", "watch", "ml/deploy/fraud", "--timeout", "1ms", "-o", "json")
    assert looked.code == 10
    assert result.code == 124
    (line,) = result.out.splitlines()
    assert json.loads(line)["stage"] == "rolling out"
    what, why = result.err.splitlines()[:2]
    assert what.endswith("ml/deploy/fraud was not settled within 0.0s")
    assert "1 of 3 updated, 2 available" in why


def test_a_crash_loop_ends_the_watch_with_10_unless_it_is_to_be_complete() -> None:
    with api_server(answers(crashes=True, **ROLLING)):
        result = maestro("rollout", "watch", "ml/deploy/fraud")
        patient = maestro("rollout", "watch", "ml/deploy/fraud", "--until", "complete", "--timeout", "1ms")
    assert (result.code, result.err) == (10, "")
    assert "stalled" in result.out
    assert "fraud-5c9-b CrashLoopBackOff" in result.out
    assert patient.code == 124


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["status", "ml/deploy/none"], 6, "not found"),
        (["watch", "ml/deploy/none"], 6, "not found"),
        (["watch", "ml/deploy/fraud", "--until", "complet"], 2, "--until settled|complete"),
        (["watch", "ml/deploy/fraud", "--timeout", "soon"], 2, "--timeout"),
        (["watch", "ml/deploy/fraud", "-o", "csv"], 2, "no csv form"),
        (["status", "ml/node/fraud"], 2, "is not a kind of workload"),
    ],
)
def test_what_cannot_be_followed_has_its_code(words: list[str], code: int, told: str) -> None:
    found: dict[str, Any] = dict(answers())
    with api_server(found):
        result = maestro("rollout", *words)
    assert (result.code, result.out) == (code, "")
    assert told in result.err
