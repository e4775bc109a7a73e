"""STATUS, READY and RESTARTS as kubectl prints them, what counts as danger, and hostile pods."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from maestro_cli.core.facts.inventory import HEALTH, PodLine
from maestro_cli.core.untrusted import Untrusted
from maestro_cli.sources.kube.inventory import pod_line
from maestro_cli.sources.kube.objects import PodObject

from .pod_shapes import AT, KILLED, KILLED_LATER, READY, SHAPES, Shape, running, status, waiting


def line_of(pod: dict[str, Any]) -> PodLine:
    decoded = msgspec.json.decode(msgspec.json.encode(pod), type=PodObject)
    return pod_line(decoded, lambda node: {"node-a": "zone-a"}[node])


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
def test_a_pod_is_told_as_kubectl_tells_it(shape: Shape) -> None:
    line = line_of(shape.pod())
    assert (f"{line.containers_ready}/{line.containers_total}", line.status, line.restarts) == (
        shape.ready,
        shape.status,
        shape.restarts,
    )


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
def test_danger_is_a_word(shape: Shape) -> None:
    assert line_of(shape.pod()).health == shape.health
    assert shape.health in HEALTH


def shaped(**more: Any) -> PodLine:
    return line_of(Shape("p", "", "", **more).pod())


def test_the_newest_end_tells_when_it_restarted_and_how_it_ended() -> None:
    line = shaped(
        containers=("main", "other"),
        statuses=(running(restarts=1, **KILLED_LATER), running("other", restarts=1, **KILLED)),
    )
    assert line.restarted_at == datetime(2026, 1, 1, 1, tzinfo=UTC)
    assert line.last_exit == "Error (1)"


def test_a_container_that_never_restarted_has_no_last_exit() -> None:
    line = shaped(statuses=(running(**KILLED),))
    assert (line.restarts, line.restarted_at, line.last_exit) == (0, None, "")


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"statuses": (waiting("ImagePullBackOff", message="no such image"),)}, "no such image"),
        ({"reason": "Evicted", "message": "low on memory"}, "low on memory"),
        ({"conditions": ({"type": "PodScheduled", "status": "False", "message": "0/3 nodes"},)}, "0/3 nodes"),
        ({"conditions": ({"type": "Ready", "status": "False", "message": "unready"},)}, "unready"),
        ({"conditions": (READY,)}, ""),
    ],
)
def test_the_message_says_why_it_is_not_well(more: dict[str, Any], message: str) -> None:
    assert shaped(**more).message == message


def test_a_pod_without_a_status_is_told_too() -> None:
    bare: dict[str, Any] = {"metadata": {"name": "p"}}
    for pod in (bare, {**bare, "spec": {}, "status": {}}):
        line = line_of(pod)
        assert (line.status, line.health, line.containers_total, line.zone) == ("Unknown", "bad", 0, "")


def test_nulls_are_as_good_as_nothing() -> None:
    pod = {
        "metadata": {"name": "p", "labels": None, "ownerReferences": None, "creationTimestamp": None},
        "spec": {"nodeName": None, "containers": None, "initContainers": None},
        "status": {"phase": "Running", "podIP": None, "conditions": None, "containerStatuses": None,
                   "initContainerStatuses": None, "reason": None, "message": None},
    }  # fmt: skip
    line = line_of(pod)
    assert (line.status, line.health, line.created_at) == ("Running", "warn", None)
    assert (line.ip, line.node, line.owner, line.message, line.containers) == ("", "", "", "", ())


def test_text_from_the_cluster_is_untrusted() -> None:
    evil = "\x1b[31m\u202eevil"
    line = shaped(
        statuses=(waiting(evil, message=evil, restarts=1, lastState={"terminated": {"reason": evil}}),)
    )
    for text in (line.status, line.message, line.last_exit, line.zone, *(c.image for c in line.containers)):
        assert isinstance(text, Untrusted)
    assert line.status == evil


def test_statuses_of_containers_that_are_not_in_the_spec_do_not_hide_the_others() -> None:
    line = shaped(statuses=(running(), *(status(f"ghost-{n}", restarts=1) for n in range(3))))
    assert (line.containers_ready, line.containers_total, line.restarts) == (1, 1, 3)
    assert [container.name for container in line.containers] == ["main"]


def test_a_zone_is_the_pods_own_before_its_nodes() -> None:
    pod = Shape("p", "", "").pod()
    assert line_of(pod).zone == "zone-a"
    pod["metadata"]["labels"] = {"topology.kubernetes.io/zone": "zone-b"}
    assert line_of(pod).zone == "zone-b"


def test_served_models_are_read_from_the_arguments() -> None:
    pod = Shape("p", "", "").pod()
    words = ["--serve", "fraud=2", "--port", "1", "--serve", "churn=1", "--serve"]
    pod["spec"]["containers"][0]["args"] = words
    assert line_of(pod).models == ("fraud=2", "churn=1")


def test_the_owner_is_the_controller() -> None:
    pod = Shape("p", "", "").pod()
    owners = [{"kind": "Job", "name": "x"}, {"kind": "ReplicaSet", "name": "fraud-1", "controller": True}]
    pod["metadata"]["ownerReferences"] = owners
    assert line_of(pod).owner == "ReplicaSet/fraud-1"
    assert line_of(pod).created_at == datetime.fromisoformat(AT)
