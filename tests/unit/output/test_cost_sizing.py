"""One workload's sizes in full: amounts that nobody sets are told in the units of those that are."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from maestro_cli.cost.rightsizing.advice import Advice, Decision
from maestro_cli.cost.rightsizing.evidence import Looked
from maestro_cli.cost.rightsizing.facts import Facts
from maestro_cli.cost.rightsizing.history import Measured
from maestro_cli.cost.rightsizing.krr_rule import KrrSeries
from maestro_cli.cost.rightsizing.model import MIB, Amount, ContainerId, Size, WorkloadId
from maestro_cli.cost.rightsizing.report import Rightsizing
from maestro_cli.cost.rightsizing.sizing import advise
from maestro_cli.output.renderers.cost_rightsize import container_columns, rightsizing_view
from maestro_cli.output.renderers.cost_sizing import sizing_view
from maestro_cli.output.views import Listing
from tests.unit.cost.rightsizing.usages import DAY, usage

NOW = datetime(2026, 3, 16, tzinfo=UTC)
API = WorkloadId("shop", "Deployment", "api")
MAIN = ContainerId(API, "main")


def test_memory_of_the_vertical_pod_autoscaler_is_in_mebibytes_as_in_the_list() -> None:
    facts = Facts({MAIN: Size(2.0, None, 2048 * MIB)}, {API: 1}, endings=frozenset({MAIN}))
    advice = advise(API, [Measured(MAIN, usage(), KrrSeries(), 1.0, 1.0)], facts, (), Looked(14 * DAY))
    (one,) = advice.containers
    one = replace(one, vpa=replace(one.vpa, memory=Amount(380258472.0)))
    advice = replace(advice, containers=(one,))
    view = sizing_view(Rightsizing("test", NOW, NOW, 7 * DAY, (advice,)))
    (steps,) = (block for block in view.blocks if isinstance(block, Listing))
    (told,) = (column for column in steps.columns if column.title == "vpa")
    (listed,) = (column for column in container_columns({}, "") if column.title == "vpa memory")
    memory = next(row for row in steps.items if row.resource == "memory")
    assert told.cell(memory) == listed.cell((advice, one)) == "363Mi"


def test_a_limit_that_changes_with_its_request_is_told_beside_it() -> None:
    facts = Facts({MAIN: Size(2.0, 4.0, 2048 * MIB, 4096 * MIB)}, {API: 1}, endings=frozenset({MAIN}))
    (one,) = advise(
        API, [Measured(MAIN, usage(), KrrSeries(), 1.0, 1.0)], facts, (), Looked(14 * DAY)
    ).containers
    one = replace(
        one,
        now=Size(2.0, 4.0, 2048 * MIB, 4096 * MIB),
        next=Size(1.0, 4.0, 1024 * MIB, 2048 * MIB),
        memory=replace(one.memory, decision=Decision.CUT, now=2048 * MIB, next=1024 * MIB, goal=1024 * MIB),
    )
    advice = Advice(API, 1, (one,))
    cells = {column.title: column.cell((advice, one)) for column in container_columns({}, "")}
    assert cells["memory"] == "2Gi → 1Gi, limit 4Gi → 2Gi"
    assert "limit" not in str(cells["cpu"])
    listing = rightsizing_view(Rightsizing("test", NOW, NOW, 7 * DAY, (advice,))).rows
    assert listing is not None
    figures = {column.title: column.cell((advice, one)) for column in listing.columns}
    assert (figures["memory limit bytes"], figures["next memory limit bytes"]) == (4096 * MIB, 2048 * MIB)
    assert (figures["cpu limit cores"], figures["next cpu limit cores"]) == (4.0, 4.0)
