"""By what a canary is judged when nothing is said: the objective of what answers."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from maestro_cli.changes.canary.model import Rules
from maestro_cli.core.errors import UsageError
from maestro_cli.core.refs import ObjectRef, WorkloadRef, serving_ref
from maestro_cli.services.canarying import rules_of
from maestro_cli.slo.objectives import Counters, Objective
from tests.unit.changes.bench import Bench
from tests.unit.changes.fake_cluster import REF
from tests.unit.changes.fake_configs import CONFIG
from tests.unit.changes.fake_metrics import objective

USUAL = Rules().target
STRICT = replace(objective(0.995), name="strict")
OF_ANOTHER = replace(objective(0.9999), name="other", labels={"namespace": "ml", "deployment": "other"})
OF_LATENCY = replace(objective(0.9999), name="latency", indicator=Counters("all_total", good="fast_total"))
NEXT = WorkloadRef("Deployment", "ml", "next")


def target(
    bench: Bench, ref: ObjectRef, beside: str, *objectives: Objective, given: float | None = None
) -> float:
    services: Any = SimpleNamespace(objectives={one.name: one for one in objectives}, cluster=bench.cluster)
    words: dict[str, Any] = {"worse": 3.0, "slow": "200ms", "deadline": "1h", "margin": 0.95, "right": ""}
    return rules_of(services, ref, beside, objective=given, judged="", max_price=None, **words).target


def test_it_is_that_of_the_context_for_what_answers(bench: Bench) -> None:
    assert target(bench, CONFIG, "", objective(0.99), STRICT) == 0.995
    assert target(bench, NEXT, REF.name, objective(0.99), STRICT) == 0.995


def test_others_and_those_on_latency_do_not_count(bench: Bench) -> None:
    assert target(bench, CONFIG, "", objective(0.99), OF_ANOTHER, OF_LATENCY) == 0.99
    assert target(bench, CONFIG, "", OF_ANOTHER, OF_LATENCY) == USUAL
    assert target(bench, serving_ref(), "", STRICT) == USUAL
    assert target(bench, CONFIG, "") == USUAL


def test_what_is_given_holds_and_has_to_make_sense(bench: Bench) -> None:
    assert target(bench, CONFIG, "", STRICT, given=99.0) == 0.99
    for wrong in (0.0, 100.0, -1.0, float("nan")):
        with pytest.raises(UsageError, match="makes no sense for --objective"):
            target(bench, CONFIG, "", given=wrong)
