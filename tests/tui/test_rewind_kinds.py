"""Whatever is recorded is made as it is made of a real backend, with untrusted text in it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from maestro_cli.core.facts.inspection import ObjectText
from maestro_cli.core.facts.metrics import Sample
from maestro_cli.core.refs import parse_object_ref, parse_workload_ref
from maestro_cli.core.untrusted import Untrusted
from maestro_cli.services.served_models import _QUERIES, served
from maestro_cli.services.service_health import ServiceHealth
from maestro_cli.slo.burning import Burning
from maestro_cli.slo.objectives import Counters, Objective
from maestro_cli.sources.kube.inventory import node_line, pod_line
from maestro_cli.sources.kube.objects import Deployment, NodeObject, PodObject
from maestro_cli.sources.kube.workload_lines import deployment_line
from maestro_cli.tui.rewind.film import Film
from maestro_cli.tui.screens.table import every_feed
from maestro_cli.tui.store.model import Fact
from tests.tui.cases import NOW
from tests.tui.facts import description, revisions
from tests.tui.facts_of_incidents import OVERVIEW, STORY

META = {
    "name": "fraud", "namespace": "ml", "uid": "u", "creationTimestamp": "2026-01-01T00:00:00Z",
    "labels": {"app": "fraud", "topology.kubernetes.io/zone": "a", "node-role.kubernetes.io/worker": ""},
}  # fmt: skip
POD = {
    "metadata": META,
    "spec": {"nodeName": "n", "containers": [{"name": "main", "image": "i:1", "args": ["--serve", "f=2"]}]},
    "status": {"phase": "Running", "message": "m"},
}  # fmt: skip
NODE = {
    "metadata": META,
    "spec": {"taints": [{"key": "gpu", "effect": "NoSchedule"}]},
    "status": {"addresses": [{"type": "InternalIP", "address": "10.0.0.1"}]},
}
DEPLOYMENT = {
    "metadata": META,
    "spec": {"template": {"spec": {"containers": [{"name": "main", "image": "i:1"}]}}},
}
OBJECTIVE = Objective(
    "answers", "t", "fraud", 0.99, 2592000.0, Counters("all_total", "bad_total"), {"a": "b"}
)
BURNING = Burning(OBJECTIVE, {300.0: None, 3600.0: 1.5}, 0.5)


def read(document: Any, kind: Any) -> Any:
    return msgspec.json.decode(msgspec.json.encode(document), type=kind)


def a_version() -> Any:
    of = {"namespace": "ml", "deployment": "fraud", "model": "f", "version": "2", "digest": "ab"}
    return served({name: (Sample(of, 1.0, NOW),) for name in _QUERIES})[0]


MAKERS: dict[str, Callable[[], Any]] = {
    "pods": lambda: pod_line(read(POD, PodObject), lambda node: "zone-a"),
    "nodes": lambda: node_line(read(NODE, NodeObject)),
    "workloads": lambda: deployment_line(read(DEPLOYMENT, Deployment)),
    "models": a_version,
    "burning": lambda: BURNING,
    "yaml": lambda: ObjectText(parse_object_ref("ml/pod/fraud-1"), Untrusted("kind: Pod\n"), ("data.key",)),
    "status": lambda: OVERVIEW,
    "incident": lambda: STORY,
    "incident-revisions": lambda: revisions()[0],
    "description": lambda: replace(description(), ref=parse_object_ref("ml/deploy/fraud")),
    "services": lambda: ServiceHealth(
        "fraud", parse_workload_ref("ml/deploy/fraud"), ((NOW, None), (NOW, 1.0)), (), (), (BURNING,)
    ),
}


@pytest.mark.parametrize(
    "feed", [one for one in every_feed().values() if one.item is not None], ids=lambda feed: feed.id
)
def test_what_is_recorded_of_a_real_backend_comes_back_whole(feed: Any, tmp_path: Path) -> None:
    film, fact = Film(tmp_path / "prod.sqlite"), Fact((MAKERS[feed.id](),), NOW)
    film.record(NOW, [(feed.of("prod"), fact)])
    found = film.at(NOW, {feed.id: feed.item()})
    film.close()
    assert found.keys() == {feed.of("prod")}
    (kept,) = found[feed.of("prod")].data
    assert (kept if feed.revive is None else feed.revive(kept)) == fact.data[0]
