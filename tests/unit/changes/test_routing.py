"""Changes of who answers: what a document becomes, and when a change of it is refused, stale or put back."""

from __future__ import annotations

import json
from typing import Any

import pytest

from maestro_cli.changes.kinds import KINDS
from maestro_cli.changes.model import State
from maestro_cli.changes.pipeline import ChangePipeline
from maestro_cli.changes.routing_document import (
    Standing,
    named_versions,
    read_document,
    standing,
    with_share,
    with_version,
    write_document,
)
from maestro_cli.core.errors import ActionFailed, GateNotMet, NotFound, RolledBack, StalePlan, UsageError
from maestro_cli.core.refs import ObjectRef, serving_ref
from tests.unit.changes.bench import POLICY, YES, Bench
from tests.unit.changes.fake_cluster import REF
from tests.unit.changes.fake_configs import CONFIG, ROUTING
from tests.unit.changes.fake_servers import FakeServers
from tests.unit.changes.some_world import SomeWorld

DOCUMENT = read_document(ROUTING, "here")
SECOND = {"model": "fraud", "version": 2}
NO_ROUTES = "schema: maestro.routing/1\nroutes: {}\n"


def shared(share: float, document: Any = DOCUMENT, version: int = 2) -> Any:
    now = standing(document, "fraud")
    return with_share(document, "fraud", now, version, share, "")


def test_a_canary_gets_its_share_and_the_stable_version_the_rest() -> None:
    tenth = shared(0.1)
    assert standing(tenth, "fraud") == Standing(1, 2, 0.1)
    assert named_versions(tenth) == {("fraud", 1), ("fraud", 2)}
    assert read_document(ROUTING, "here") == DOCUMENT
    assert read_document(write_document(tenth), "again") == tenth


def test_a_canary_that_grows_keeps_its_salt_and_another_version_is_dealt_anew() -> None:
    def salt(document: Any) -> str:
        return str(document["routes"]["fraud"]["to"]["split"]["salt"])

    tenth = shared(0.1)
    assert salt(shared(0.3, tenth)) == salt(tenth)
    assert salt(shared(0.1, tenth, version=3)) != salt(tenth)


def test_a_share_of_nothing_ends_the_canary() -> None:
    assert shared(0, shared(0.1)) == DOCUMENT


@pytest.mark.parametrize("share", [1, 1.5, -0.1, float("nan")])
def test_what_is_no_share_for_a_canary_is_refused(share: float) -> None:
    with pytest.raises(UsageError, match="no share"):
        shared(share)


def test_a_route_that_is_something_else_is_left_alone() -> None:
    switch = {"default": {"model": "fraud", "version": 1}, "cases": [{"when": "x > 1", "to": SECOND}]}
    document = {**DOCUMENT, "routes": {"fraud": {"to": {"switch": switch}}}}
    with pytest.raises(GateNotMet, match="neither one version nor a split"):
        standing(document, "fraud")
    assert standing(with_version(document, "fraud", 2), "fraud") == Standing(2)


def test_what_no_route_says_has_to_be_said() -> None:
    empty = {"schema": "maestro.routing/1", "routes": {}}
    with pytest.raises(UsageError, match="which version"):
        with_share(empty, "fraud", standing(empty, "fraud"), 2, 0.1, "")


def test_a_shadow_and_other_routes_stay_as_they_are() -> None:
    shadowed = {**DOCUMENT["routes"]["fraud"], "shadow": {"model": "fraud", "version": 3}}
    document = {**DOCUMENT, "routes": {"fraud": shadowed, "other": {"to": {"model": "other"}}}}
    after = shared(0.1, document)
    assert after["routes"]["fraud"]["shadow"] == {"model": "fraud", "version": 3}
    assert after["routes"]["other"] == {"to": {"model": "other"}}


def test_while_frozen_nothing_grows_or_is_promoted_but_a_canary_may_shrink(bench: Bench) -> None:
    pipeline = bench.pipeline()
    pipeline.execute(pipeline.plan("set-traffic", CONFIG, {**SECOND, "share": 0.2}), YES)
    pipeline.execute(pipeline.plan("freeze", CONFIG), YES)
    for kind, asked in (("set-traffic", {**SECOND, "share": 0.3}), ("promote", SECOND)):
        with pytest.raises(GateNotMet, match="is frozen") as raised:
            pipeline.execute(pipeline.plan(kind, CONFIG, asked), YES)
        assert raised.value.exit_code == 11
    with pytest.raises(GateNotMet, match="is frozen"):
        pipeline.execute(pipeline.plan("set-routing", CONFIG, {"text": ROUTING}), YES)
    shrunk = pipeline.execute(pipeline.plan("set-traffic", CONFIG, {**SECOND, "share": 0}), YES)
    assert shrunk.state is State.VERIFIED
    document = read_document(bench.cluster.get_config_map("ml", "fraud-routing").data["routing.yaml"], "now")
    assert (document["frozen"], standing(document, "fraud")) == (True, Standing(1))


def test_without_a_replica_there_is_nothing_to_change(bench: Bench) -> None:
    bench.cluster.set(ready=0)
    with pytest.raises(ActionFailed) as raised:
        bench.pipeline().plan("load-model", REF, SECOND)
    assert raised.value.exit_code == 12
    bench.cluster.set(replicas=0)
    with pytest.raises(ActionFailed) as raised:
        bench.pipeline().plan("promote", CONFIG, SECOND)
    assert raised.value.exit_code == 12


class Recovering:
    """Every replica gets ready once the change is applied."""

    def __init__(self, bench: Bench, *, ever: bool = True) -> None:
        self._bench = bench
        self._ever = ever

    def phase(self, name: str, text: str) -> None:
        if name == "verify" and self._ever:
            self._bench.cluster.set(ready=None)

    def update(self, text: str) -> None: ...

    def note(self, text: str) -> None: ...


def test_a_routing_that_keeps_every_replica_from_being_ready_can_be_changed(bench: Bench) -> None:
    """After a restart none had the canary's version; the way out was refused for want of a ready one."""
    pipeline = bench.pipeline()
    pipeline.execute(pipeline.plan("set-traffic", CONFIG, {**SECOND, "share": 0.1}), YES)
    bench.cluster.set(ready=0)
    plan = pipeline.plan("set-traffic", CONFIG, {**SECOND, "share": 0})
    assert plan.notes == ("no replica is ready, so what it would have done to requests is not known",)
    change = pipeline.execute(plan, YES, progress=Recovering(bench))
    assert (change.state, change.evidence) == (State.VERIFIED, "3 of 3 replicas answer by it")


def test_where_nobody_gets_ready_the_rescue_is_not_put_back(bench: Bench) -> None:
    pipeline = bench.pipeline()
    pipeline.execute(pipeline.plan("set-traffic", CONFIG, {**SECOND, "share": 0.1}), YES)
    bench.cluster.set(ready=0)
    with pytest.raises(ActionFailed, match="did not hold") as raised:
        pipeline.execute(
            pipeline.plan("promote", CONFIG, {**SECOND, "version": 1}),
            YES,
            progress=Recovering(bench, ever=False),
        )
    assert "0 of 3 replicas ready" in raised.value.why
    text = bench.cluster.get_config_map("ml", "fraud-routing").data["routing.yaml"]
    assert standing(read_document(text, "now"), "fraud") == Standing(1)


def test_while_nobody_is_ready_nothing_new_is_named(bench: Bench) -> None:
    bench.cluster.set(ready=0)
    with pytest.raises(GateNotMet, match="whether fraud@2 is there: no replica is ready"):
        bench.pipeline().execute(bench.pipeline().plan("promote", CONFIG, SECOND), YES)
    assert bench.cluster.marks == []


def test_a_version_that_a_replica_does_not_have_is_not_routed_to(bench: Bench) -> None:
    with bench.cluster.state() as state:
        state["servers"]["models"]["replica-1"].pop("fraud@2")
    with pytest.raises(GateNotMet, match="fraud@2 is missing on 1 of 3 replicas") as raised:
        bench.pipeline().execute(bench.pipeline().plan("promote", CONFIG, SECOND), YES)
    assert "maestro model load" in raised.value.fix
    assert bench.cluster.marks == []


def test_a_replica_that_does_not_follow_has_the_routing_put_back(bench: Bench) -> None:
    """Half of the users would be served by one document and half by another."""
    pipeline = bench.pipeline()
    plan = pipeline.plan("promote", CONFIG, SECOND)

    class Stuck:
        seen = 0

        def phase(self, name: str, text: str) -> None:
            self.seen += name == "verify"
            with bench.cluster.state() as state:
                state["servers"]["stuck"] = ["replica-2"] if self.seen == 1 else []

        def update(self, text: str) -> None: ...

        def note(self, text: str) -> None: ...

    with pytest.raises(RolledBack, match="3 of 3 replicas answer by the routing"):
        pipeline.execute(plan, YES, progress=Stuck())
    assert bench.cluster.get_config_map("ml", "fraud-routing").data["routing.yaml"] == ROUTING


def test_servers_that_follow_another_document_are_not_taken_for_these(bench: Bench) -> None:
    class Elsewhere(FakeServers):
        def routing(self) -> Any:
            return FakeServers(bench.cluster, alone=True).routing()

    pipeline = ChangePipeline(
        bench.journal, SomeWorld(bench.cluster, servers=Elsewhere(bench.cluster)),
        policy=POLICY, clock=bench.clock, actor="ada",
    )  # fmt: skip
    with bench.cluster.state() as state:
        state["servers"]["routing"] = [json.dumps({**DOCUMENT, "frozen": True}), ""]
    with pytest.raises(GateNotMet, match="do not answer by ml/configmap/fraud-routing"):
        pipeline.execute(pipeline.plan("promote", CONFIG, SECOND), YES)


def test_a_server_that_is_alone_is_routed_by_its_own_api_and_taken_back(bench: Bench) -> None:
    servers = FakeServers(bench.cluster, alone=True)
    world = SomeWorld(bench.cluster, servers=servers)
    pipeline = ChangePipeline(bench.journal, world, policy=POLICY, clock=bench.clock, actor="ada")
    plan = pipeline.plan("set-traffic", serving_ref(), {**SECOND, "share": 0.1})
    stale = pipeline.plan("promote", serving_ref(), SECOND)
    assert pipeline.execute(plan, YES).state is State.VERIFIED
    assert (bench.cluster.marks, servers.routing().change) == ([plan.id], plan.id)
    with pytest.raises(StalePlan):
        pipeline.execute(stale, YES)
    assert pipeline.execute(pipeline.plan_undo(plan.id), YES).state is State.VERIFIED
    assert json.loads(servers.routing().document) == DOCUMENT


def test_several_replicas_are_not_one_server(bench: Bench) -> None:
    for kind in ("promote", "load-model"):
        with pytest.raises(GateNotMet, match="several replicas"):
            bench.pipeline().plan(kind, serving_ref(), {"model": "fraud", "version": 3})


def test_a_version_that_would_answer_by_being_loaded_is_pinned_out_first(bench: Bench) -> None:
    with bench.cluster.state() as state:
        state["configs"]["ml/fraud-routing"]["data"]["routing.yaml"] = (
            "schema: maestro.routing/1\nroutes: {}\n"
        )
    plan = bench.pipeline().plan("load-model", REF, {"model": "fraud", "version": 3})
    with pytest.raises(GateNotMet, match="would answer every request") as raised:
        bench.pipeline().execute(plan, YES)
    assert "promote ml/deploy/fraud --model fraud --version 2" in raised.value.fix


def test_a_version_that_would_take_over_one_replica_is_pinned_out_first(bench: Bench) -> None:
    with bench.cluster.state() as state:
        state["configs"]["ml/fraud-routing"]["data"]["routing.yaml"] = (
            "schema: maestro.routing/1\nroutes: {}\n"
        )
        for name, models in state["servers"]["models"].items():
            models["fraud@4" if name != "replica-1" else "fraud@2"] = "READY"
    plan = bench.pipeline().plan("load-model", REF, {"model": "fraud", "version": 3})
    assert [reason.code for reason in plan.objections] == ["takes-over"]


def test_what_the_routing_names_and_the_last_version_are_not_unloaded(bench: Bench) -> None:
    plan = bench.pipeline().plan("unload-model", REF, {"model": "fraud", "version": 1})
    assert [reason.code for reason in plan.objections] == ["routed-to"]
    with bench.cluster.state() as state:
        state["configs"]["ml/fraud-routing"]["data"]["routing.yaml"] = (
            "schema: maestro.routing/1\nroutes: {}\n"
        )
        for models in state["servers"]["models"].values():
            models.pop("fraud@1")
    plan = bench.pipeline().plan("unload-model", REF, SECOND)
    assert [reason.code for reason in plan.objections] == ["last-version"]


def test_the_last_version_of_one_replica_is_not_unloaded_though_others_have_more(bench: Bench) -> None:
    with bench.cluster.state() as state:
        state["configs"]["ml/fraud-routing"]["data"]["routing.yaml"] = (
            "schema: maestro.routing/1\nroutes: {}\n"
        )
        state["servers"]["models"]["replica-1"] = {"fraud@2": "READY"}
    plan = bench.pipeline().plan("unload-model", REF, SECOND)
    assert [reason.code for reason in plan.objections] == ["last-version"]


def test_an_undo_unloads_only_where_it_was_loaded(bench: Bench) -> None:
    with bench.cluster.state() as state:
        state["servers"]["models"]["replica-0"]["fraud@3"] = "READY"
    pipeline = bench.pipeline()
    plan = pipeline.plan("load-model", REF, {"model": "fraud", "version": 3})
    assert [line.path for line in plan.diff.lines] == ["replica replica-1", "replica replica-2"]
    pipeline.execute(plan, YES)
    pipeline.execute(pipeline.plan_undo(plan.id), YES)
    with bench.cluster.state() as state:
        having = {
            name for name, models in state["servers"]["models"].items() if models.get("fraud@3") == "READY"
        }
    assert having == {"replica-0"}


def test_a_config_map_without_a_routing_document_is_told(bench: Bench) -> None:
    with bench.cluster.state() as state:
        state["configs"]["ml/other"] = {"uid": "x", "rv": 1, "data": {"a": "b"}, "annotations": {}}
    with pytest.raises(UsageError, match="holds no routing document"):
        bench.pipeline().plan("promote", ObjectRef("ConfigMap", "ml", "other"), SECOND)
    with pytest.raises(NotFound):
        bench.pipeline().plan("promote", ObjectRef("ConfigMap", "ml", "none"), SECOND)


def test_every_kind_of_routing_says_what_it_would_have_done(bench: Bench) -> None:
    plan = bench.pipeline().plan("promote", CONFIG, SECOND)
    assert [(line.path, line.after) for line in plan.diff.lines][-1] == (
        "preview fraud", "fraud@2: 100 of the last 1000 requests of one replica",
    )  # fmt: skip
    assert KINDS["promote"].needs(plan)
