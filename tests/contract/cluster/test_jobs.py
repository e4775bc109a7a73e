"""Jobs: completions, failures, deadlines, suspension, through stock kubectl."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.cluster.behaviours import behaviour
from tests.contract.cluster.kubectl import Kubectl
from tests.contract.cluster.objects import conditions, container
from tests.contract.cluster.running import until

pytestmark = pytest.mark.contract
SLEEP = "import time;time.sleep(600)"


def job(name: str, script: str, *, restart: str = "Never", **spec: Any) -> dict[str, Any]:
    pod_spec = {"containers": [container(script)], "restartPolicy": restart}
    template = {"spec": pod_spec | {"terminationGracePeriodSeconds": 1}}
    made: dict[str, Any] = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name}}
    return made | {"spec": {"template": template, **spec}}


def pods(kubectl: Kubectl, name: str) -> list[dict[str, Any]]:
    return kubectl.items("pods", "-l", f"batch.kubernetes.io/job-name={name}")


@behaviour("jobs", "kubectl creates waits and reads the log")
def test_kubectl_creates_waits_and_reads_the_log(kubectl: Kubectl) -> None:
    kubectl("create", "job", "once", "--image=python:3", "--", "python", "-c", "print('forty-two')")
    kubectl("wait", "--for=condition=complete", "job/once", "--timeout=90s")
    assert kubectl("logs", "job/once").strip() == "forty-two"
    found = kubectl.get("job", "once")
    assert found["status"]["succeeded"] == 1
    assert "active" not in found["status"]
    assert conditions(found)["Complete"] == ("True", "CompletionsReached")
    assert found["status"]["completionTime"]
    head, row = kubectl("get", "job", "once", "-o", "wide").splitlines()
    wide = ["NAME", "STATUS", "COMPLETIONS", "DURATION", "AGE", "CONTAINERS", "IMAGES", "SELECTOR"]
    assert head.split() == wide
    assert row.split()[:3] == ["once", "Complete", "1/1"]
    assert "1 Succeeded" in kubectl("describe", "job", "once")
    assert kubectl.hear("Completed") == "Job completed"
    assert [one["status"]["phase"] for one in pods(kubectl, "once")] == ["Succeeded"]


@behaviour("jobs", "never more at once than parallelism and no more than completions")
def test_never_more_at_once_than_parallelism_and_no_more_than_completions(kubectl: Kubectl) -> None:
    kubectl.apply(job("many", "print('done')", completions=5, parallelism=2))
    most = 0

    def complete() -> bool:
        nonlocal most
        found = kubectl.get("job", "many")
        most = max(most, found["status"].get("active", 0))
        return "Complete" in conditions(found)

    until(complete, "five completions", 60)
    assert most <= 2
    assert kubectl.get("job", "many")["status"]["succeeded"] == 5
    assert len(pods(kubectl, "many")) == 5


@behaviour("jobs", "a job that fails once too often has failed")
def test_a_job_that_fails_once_too_often_has_failed(kubectl: Kubectl) -> None:
    kubectl.apply(job("bad", "raise SystemExit(3)", backoffLimit=0))
    kubectl("wait", "--for=condition=failed", "job/bad", "--timeout=90s")
    found = kubectl.get("job", "bad")
    assert conditions(found)["Failed"] == ("True", "BackoffLimitExceeded")
    assert (found["status"]["failed"], found["status"].get("succeeded", 0)) == (1, 0)
    assert len(pods(kubectl, "bad")) == 1
    assert kubectl("get", "job", "bad", "--no-headers").split()[1] == "Failed"
    assert kubectl.hear("BackoffLimitExceeded") == "Job has reached the specified backoff limit"


@behaviour("jobs", "a failed pod is made again after a pause")
def test_a_failed_pod_is_made_again_after_a_pause(kubectl: Kubectl) -> None:
    kubectl.apply(job("again", "raise SystemExit(1)", backoffLimit=1))
    kubectl("wait", "--for=condition=failed", "job/again", "--timeout=90s", seconds=120)
    assert kubectl.get("job", "again")["status"]["failed"] == 2
    made = sorted(one["metadata"]["creationTimestamp"] for one in pods(kubectl, "again"))
    assert len(made) == 2
    assert made[0] < made[1], "the second comes after the first has failed"


@behaviour("jobs", "restarts in place count against the limit")
def test_restarts_in_place_count_against_the_limit(kubectl: Kubectl) -> None:
    kubectl.apply(job("inplace", "raise SystemExit(1)", restart="OnFailure", backoffLimit=1))
    kubectl("wait", "--for=condition=failed", "job/inplace", "--timeout=90s", seconds=120)
    assert conditions(kubectl.get("job", "inplace"))["Failed"][1] == "BackoffLimitExceeded"
    until(lambda: not [one for one in pods(kubectl, "inplace") if _active(one)], "its pod to go")


def _active(pod: dict[str, Any]) -> bool:
    return pod["status"].get("phase") not in ("Succeeded", "Failed")


@behaviour("jobs", "a deadline ends it")
def test_a_deadline_ends_it(kubectl: Kubectl) -> None:
    kubectl.apply(job("late", SLEEP, activeDeadlineSeconds=2))
    kubectl("wait", "--for=condition=failed", "job/late", "--timeout=90s", seconds=120)
    assert conditions(kubectl.get("job", "late"))["Failed"] == ("True", "DeadlineExceeded")
    until(lambda: not [one for one in pods(kubectl, "late") if _active(one)], "its pod to go")


@behaviour("jobs", "suspend takes the pods and resume brings them")
def test_suspend_takes_the_pods_and_resume_brings_them(kubectl: Kubectl) -> None:
    kubectl.apply(job("still", SLEEP, suspend=True))
    until(lambda: "Suspended" in conditions(kubectl.get("job", "still")), "the condition Suspended")
    assert pods(kubectl, "still") == []
    assert "startTime" not in kubectl.get("job", "still")["status"]
    assert kubectl("get", "job", "still", "--no-headers").split()[1] == "Suspended"
    kubectl("patch", "job/still", "-p", '{"spec":{"suspend":false}}')
    until(lambda: kubectl.get("job", "still")["status"].get("ready"), "its pod to be ready")
    assert conditions(kubectl.get("job", "still"))["Suspended"] == ("False", "JobResumed")
    kubectl("patch", "job/still", "-p", '{"spec":{"suspend":true}}')
    until(lambda: not pods(kubectl, "still"), "its pods to go")
    found = kubectl.get("job", "still")
    assert conditions(found)["Suspended"] == ("True", "JobSuspended")
    assert found["status"].get("failed", 0) == 0, "pods that a suspension took have not failed"


@behaviour("jobs", "a deleted pod is counted once and replaced")
def test_a_deleted_pod_is_counted_once_and_replaced(kubectl: Kubectl) -> None:
    kubectl.apply(job("lost", SLEEP, backoffLimit=3))
    first = until(lambda: [one for one in pods(kubectl, "lost") if one["status"].get("startTime")], "a pod")
    kubectl("delete", "pod", first[0]["metadata"]["name"], "--grace-period=1")
    until(lambda: kubectl.get("job", "lost")["status"].get("failed") == 1, "the loss to be counted")

    def replaced() -> bool:
        return {one["metadata"]["name"] for one in pods(kubectl, "lost")} != {first[0]["metadata"]["name"]}

    until(replaced, "another pod")
    assert kubectl.get("job", "lost")["status"]["failed"] == 1


@behaviour("jobs", "deleting a job at work ends its pods")
def test_deleting_a_job_at_work_ends_its_pods(kubectl: Kubectl) -> None:
    kubectl.apply(job("busy", SLEEP, parallelism=2, completions=2))
    until(lambda: kubectl.get("job", "busy")["status"].get("ready") == 2, "two pods at work", 30)
    kubectl("delete", "job", "busy")
    until(lambda: not pods(kubectl, "busy"), "its pods to go", 30)


@behaviour("jobs", "deleting a job takes its pods finished ones too")
def test_deleting_a_job_takes_its_pods_finished_ones_too(kubectl: Kubectl) -> None:
    kubectl.apply(job("gone", "pass"))
    kubectl("wait", "--for=condition=complete", "job/gone", "--timeout=90s")
    assert len(pods(kubectl, "gone")) == 1
    kubectl("delete", "job", "gone")
    until(lambda: not pods(kubectl, "gone"), "its pod to be collected")


@pytest.mark.parametrize(
    ("spec", "told"),
    [
        ({"parallelism": -1}, "spec.parallelism: Invalid value: -1: must be greater than or equal to 0"),
        ({"backoffLimit": -1}, "spec.backoffLimit"),
        ({"completions": -2}, "spec.completions"),
    ],
)
@behaviour("jobs", "what no job may be")
def test_what_no_job_may_be(kubectl: Kubectl, spec: dict[str, Any], told: str) -> None:
    given = job("x", "pass", **spec)
    assert told in kubectl.refused(given)


@behaviour("jobs", "its template is fixed and never restarts always")
def test_its_template_is_fixed_and_never_restarts_always(kubectl: Kubectl) -> None:
    told = kubectl.refused(job("x", "pass", restart="Always"))
    assert 'spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"' in told
    kubectl.apply(job("fixed", SLEEP))
    told = kubectl("set", "image", "job/fixed", "c=other:1", fails=True)
    assert "field is immutable" in told
