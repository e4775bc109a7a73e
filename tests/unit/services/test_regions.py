"""A context's regions: what it has to name, where callers come in, and who may send them elsewhere."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import msgspec
import pytest

from maestro_cli.changes.pipeline import ChangePipeline
from maestro_cli.changes.policy_file import load_policy
from maestro_cli.changes.projection import ChangesProjection
from maestro_cli.chaos.regions.sentinels import Sentinel
from maestro_cli.config.experiments import ExperimentRules, Failover
from maestro_cli.core.clock import SystemClock
from maestro_cli.core.errors import ExitCode, NotFound
from maestro_cli.core.facts.cluster import AccessAnswer
from maestro_cli.core.refs import ObjectRef
from maestro_cli.journal.store import Journal
from maestro_cli.services.regions import ContextEntrances, ContextRegions, listening_url
from tests.unit.changes.bench import POLICY, TickingClock
from tests.unit.changes.fake_cluster import FakeCluster as FakeCases
from tests.unit.changes.fake_entrances import ENTRANCE, FakeEntrances
from tests.unit.changes.some_world import SomeWorld

FAILOVER = Failover("west", "ml/entrance", "https://models.example/ready", "ml/sentinels")


class FakeCluster:
    """A FAKE that keeps config maps, and lets nobody do what it is told."""

    def __init__(self, forbidden: tuple[str, ...] = ()) -> None:
        self.entrances, self.forbidden = FakeEntrances(), forbidden
        self.maps: dict[str, dict[str, str]] = {}

    def identity(self) -> str:
        return "ada@west"

    def access(self, verb: str, resource: str, **more: Any) -> AccessAnswer:
        return AccessAnswer(verb not in self.forbidden, verb, resource, "no such role")

    def merge_object(self, path: str, patch: dict[str, Any]) -> None:
        if path not in self.maps:
            raise NotFound(f"{path} is not there")
        self.maps[path] = dict(patch["data"])

    def create_object(self, path: str, body: dict[str, Any]) -> None:
        self.maps[f"{path}/{body['metadata']['name']}"] = dict(body["data"])

    def get_config_map(self, namespace: str, name: str) -> Any:
        path = f"/api/v1/namespaces/{namespace}/configmaps/{name}"
        if path not in self.maps:
            raise NotFound(f"{path} is not there")
        return SimpleNamespace(data=self.maps[path])


def context(
    name: str, failover: Failover | None = None, forbidden: tuple[str, ...] = (), *,
    read_only: bool = False, protected: bool = False,
) -> Any:  # fmt: skip
    """A FAKE of the services of one context."""
    made = SimpleNamespace(
        context_name=name,
        context=SimpleNamespace(experiments=ExperimentRules(failover=failover)),
        policy=SimpleNamespace(read_only=read_only, protected=protected, rules=None),
        actor="ada",
        cluster=FakeCluster(forbidden),
    )
    made.others = {}
    made.in_context = lambda other: made.others[other]
    made.settings = SimpleNamespace(context=lambda other: made.others[other])
    return made


def east_of(west: Any, *, protected: bool = False) -> Any:
    made = context("east", FAILOVER, protected=protected)
    made.others = {"west": west}
    made.entrances = ContextEntrances(cast(Any, made))
    return made


def test_the_entrance_is_in_the_region_that_takes_over_unless_another_is_named() -> None:
    west, edge = context("west"), context("edge")
    assert east_of(west).entrances.get("ml", "entrance") is west.cluster.entrances.now
    east = context("east", Failover("west", "ml/entrance", "http://x", "ml/s", at="edge"))
    east.others = {"west": west, "edge": edge}
    assert ContextEntrances(east).get("ml", "entrance") is edge.cluster.entrances.now
    alone = context("west")
    assert ContextEntrances(alone).get("ml", "entrance") is alone.cluster.entrances.now


@pytest.mark.parametrize(
    ("west", "code"),
    [
        (context("west", read_only=True), ExitCode.POLICY_REFUSED),
        (context("west", protected=True), ExitCode.POLICY_REFUSED),
        (context("west", forbidden=("patch",)), ExitCode.REFUSED),
    ],
)
def test_what_the_context_at_the_entrance_forbids_is_forbidden(west: Any, code: ExitCode) -> None:
    reasons = east_of(west).entrances.forbids(ENTRANCE)
    assert [one.exit_code for one in reasons] == [code]
    assert "west" in reasons[0].what


RULES = """schema: maestro.policy/1
rules: [{name: nobody, kinds: [switch-region], who: [eve]}]
freezes: [{name: always, cron: "* * * * *", duration: 1h, but: []}]
"""


def judged(west: Any, policy: Path) -> Any:
    policy.write_text(RULES)
    west.policy.rules = load_policy(policy)
    pipeline = ChangePipeline(
        Journal(policy.parent / "journal.db", projections=[ChangesProjection()], clock=TickingClock()),
        SomeWorld(FakeCases(), doors=FakeEntrances()), policy=POLICY, clock=TickingClock(), actor="ada",
    )  # fmt: skip
    plan = pipeline.plan("switch-region", ENTRANCE, {"to": "west"})
    pipeline.journal.close()
    return east_of(west).entrances.judged(plan, "ada", plan.created_at)


def test_rules_and_freezes_of_the_context_at_the_entrance_refuse_it_and_are_named(tmp_path: Path) -> None:
    found = judged(context("west"), tmp_path / "west.yaml")
    assert [(one.rule, one.refuses) for one in found] == [("nobody", True), ("always", True)]
    assert "ada@west is not among eve" in found[0].why
    for one in found:
        assert "west.yaml:" in one.reason.why
        assert "of context west" in one.reason.why
        assert one.reason.exit_code is ExitCode.POLICY_REFUSED


def test_where_callers_come_in_by_the_own_context_its_rules_are_asked_once(tmp_path: Path) -> None:
    alone = context("west")
    policy = tmp_path / "west.yaml"
    judged(alone, policy)
    assert ContextEntrances(alone).judged(cast(Any, None), "ada", SystemClock().now()) == ()


def test_a_protected_context_may_go_on_in_another_one() -> None:
    assert east_of(context("west", protected=True), protected=True).entrances.forbids(ENTRANCE) == []


def test_a_context_has_to_name_the_region_that_takes_over_and_that_has_to_be_there() -> None:
    with pytest.raises(NotFound, match="names no other region") as told:
        ContextRegions(context("east"))
    assert "contexts.east.experiments.failover" in told.value.fix
    east = context("east", FAILOVER)
    east.settings = SimpleNamespace(context=lambda other: (_ for _ in ()).throw(NotFound(f"no {other}")))
    with pytest.raises(NotFound, match="no west"):
        ContextRegions(east)


def test_a_region_is_asked_by_the_name_of_its_context() -> None:
    west = context("west")
    regions = ContextRegions(east_of(west))
    assert (regions.own, regions.other, regions.entrance) == ("east", "west", ENTRANCE)
    assert regions.entrance == ObjectRef("Service", "ml", "entrance")
    with pytest.raises(NotFound, match="knows no region 'north'"):
        regions.ails("north")


def test_sentinels_are_written_here_and_looked_for_there() -> None:
    west = context("west")
    east = east_of(west)
    regions = ContextRegions(east)
    now = SystemClock().now()
    assert regions.newest_sentinel() is None
    for number in (1, 2):
        regions.write_sentinel(Sentinel("exp-1", number, now))
    assert regions.newest_sentinel() is None  # nothing replicates
    west.cluster.maps = east.cluster.maps
    found = regions.newest_sentinel()
    assert found is not None
    assert (found.run, found.number) == ("exp-1", 2)


def test_a_failover_counts_for_the_service_that_the_context_names_else_for_that_of_the_entrance() -> None:
    west = context("west")
    assert ContextRegions(east_of(west)).service == ""
    west.cluster.entrances.now = replace(west.cluster.entrances.now, serves="recommender")
    assert ContextRegions(east_of(west)).service == "recommender"
    east = east_of(west)
    east.context.experiments = ExperimentRules(failover=msgspec.structs.replace(FAILOVER, service="fraud"))
    assert ContextRegions(east).service == "fraud"


def test_an_address_of_the_embedded_platform_is_asked_where_it_listens() -> None:
    assert listening_url("http://10.244.0.1:8080/ready?x=1") == "http://127.0.0.1:8080/ready?x=1"
    assert listening_url("https://192.0.2.1/ready") == "https://192.0.2.1/ready"
