"""How much of the traffic a new version gets: the most that the error budget policy lets it have."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from maestro_cli.changes.left import Left
from maestro_cli.changes.model import State
from maestro_cli.changes.pipeline import ChangePipeline
from maestro_cli.changes.routing_document import growing_share, standing, with_share, with_version
from maestro_cli.core.errors import PolicyRefused
from maestro_cli.core.refs import ObjectRef
from maestro_cli.slo.objectives import Counters, Objective
from tests.unit.changes.bench import POLICY, YES, Bench
from tests.unit.changes.fake_cluster import REF
from tests.unit.changes.fake_configs import CONFIG
from tests.unit.changes.some_world import SomeWorld
from tests.unit.changes.test_routing import DOCUMENT, SECOND, shared
from tests.unit.changes.test_rules import written

OBJECTIVE = Objective("web", "web", "fraud", 0.99, 2_592_000, Counters("http_total", "http_bad"), {})
CAREFUL, NORMAL = Left(0.4), Left(0.9)


def pipeline(bench: Bench, tmp_path: Path, left: Left) -> ChangePipeline:
    """One whose policy goes by the standing of an objective, of whose budget that is left."""
    rules = written(tmp_path, "budgets: [{name: b, objective: web, by_standing: true}]")
    world = SomeWorld(bench.cluster, objectives={"web": OBJECTIVE}, left={"web": left})
    policy = replace(POLICY, rules=rules)
    return ChangePipeline(bench.journal, world, policy=policy, clock=bench.clock, actor="ada")


@pytest.mark.parametrize(
    ("kind", "ref", "asked"),
    [
        ("set-traffic", CONFIG, {**SECOND, "share": 0.2}),
        ("promote", CONFIG, SECOND),
        ("set-weight", REF, {"share": 0.6, "beside": "stable"}),
    ],
)
def test_a_larger_canary_is_refused_while_careful_and_not_while_normal(
    bench: Bench, tmp_path: Path, kind: str, ref: ObjectRef, asked: dict[str, Any]
) -> None:
    held = pipeline(bench, tmp_path, CAREFUL)
    with pytest.raises(PolicyRefused) as raised:
        held.execute(held.plan(kind, ref, asked), YES)
    assert raised.value.exit_code == 20
    assert "careful" in raised.value.why
    assert raised.value.fix.startswith("give it 0.1 at most")
    free = pipeline(bench, tmp_path, NORMAL)
    assert free.execute(free.plan(kind, ref, asked), YES).state is State.VERIFIED


def test_while_careful_a_small_canary_begins_shrinks_and_ends(bench: Bench, tmp_path: Path) -> None:
    held = pipeline(bench, tmp_path, CAREFUL)
    for share in (0.1, 0.05, 0):
        made = held.plan("set-traffic", CONFIG, {**SECOND, "share": share})
        assert held.execute(made, YES).state is State.VERIFIED


def test_while_careful_one_goes_back_from_what_was_promoted_before(bench: Bench, tmp_path: Path) -> None:
    free, held = pipeline(bench, tmp_path, NORMAL), pipeline(bench, tmp_path, CAREFUL)
    free.execute(free.plan("promote", CONFIG, SECOND), YES)
    back = held.plan("promote", CONFIG, {"model": "fraud", "version": 1})
    assert held.execute(back, YES).state is State.VERIFIED


def test_the_share_is_that_of_what_is_newer_and_gets_more() -> None:
    tenth, second = shared(0.1), with_version(DOCUMENT, "fraud", 2)
    assert growing_share(DOCUMENT, tenth) == pytest.approx(0.1)
    assert growing_share(tenth, shared(0.3, tenth)) == pytest.approx(0.3)
    assert growing_share(tenth, second) == 1.0
    assert growing_share(DOCUMENT, second) == 1.0
    for before, after in ((tenth, DOCUMENT), (shared(0.3), tenth), (second, DOCUMENT), (tenth, tenth)):
        assert growing_share(before, after) is None
    older = with_share(second, "fraud", standing(second, "fraud"), 1, 0.5, "")
    assert growing_share(second, older) is None


def test_a_route_that_nobody_can_read_is_no_small_canary() -> None:
    switch = {"default": {"model": "fraud", "version": 1}, "cases": [{"when": "x > 1", "to": SECOND}]}
    unread = {**DOCUMENT, "routes": {"fraud": {"to": {"switch": switch}}}}
    assert growing_share(DOCUMENT, unread) == 1.0
    assert growing_share(unread, unread) is None
    assert growing_share({**DOCUMENT, "routes": {}}, DOCUMENT) is None
