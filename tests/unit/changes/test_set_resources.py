"""Set resources: what it writes, what it refuses, and when it holds."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest

from maestro_cli.changes.kinds.kind import Holds
from maestro_cli.changes.kinds.set_resources import LARGE_CUT, OPEN_INCIDENT, WATCH_SECONDS, judge_watch
from maestro_cli.changes.model import Plan
from maestro_cli.changes.pipeline import ChangePipeline
from maestro_cli.changes.served import OpenIncident
from maestro_cli.core.errors import GateNotMet, NotFound, Unreachable, UsageError
from maestro_cli.core.facts.cluster import Container, Pod, ServiceEndpoint
from maestro_cli.core.facts.metrics import Instant, Sample, Series
from maestro_cli.slo.objectives import Counters, Objective
from tests.unit.changes.bench import POLICY, YES, Bench
from tests.unit.changes.fake_cluster import REF, template
from tests.unit.changes.fake_metrics import BAD, OBJECTIVES, TOTAL
from tests.unit.changes.some_world import SomeWorld

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@dataclass
class Measured:
    """A FAKE Prometheus: its time, and of how many requests how many were bad."""

    now: datetime | None = NOW
    bad: float = 0.0
    down: bool = False

    def query(self, promql: str, *, at: datetime | None = None) -> Instant:
        if self.down:
            raise Unreachable("Prometheus does not answer")
        if promql == "time()":
            value = None if self.now is None else self.now.timestamp()
        else:
            assert TOTAL in promql or BAD in promql
            value = self.bad if BAD in promql else 1000.0
        return Instant(promql, NOW, () if value is None else (Sample({}, value, NOW),))

    def query_range(
        self, promql: str, start: datetime, end: datetime, step_seconds: float
    ) -> Sequence[Series]:
        return ()


def plan(bench: Bench, *words: str, **parameters: object) -> Plan:
    return bench.pipeline().plan("set-resources", REF, {"resources": list(words), **parameters})


def pod(ready_for: float = 120.0, **of: object) -> Pod:
    container = replace(Container("server", "x", True, 0, "running"), **of)  # type: ignore[arg-type]
    since = NOW - timedelta(seconds=ready_for)
    return Pod("ml", "fraud-1", "u", "Running", True, "n", "", since, False, "fraud-1", {}, (container,),
               ready_since=since)  # fmt: skip


def test_only_what_is_named_changes(bench: Bench) -> None:
    made = plan(bench, "requests.cpu=500m", "server/limits.memory=256Mi")
    (container,) = made.payload["template"]["spec"]["containers"]
    assert container["resources"] == {"requests": {"cpu": "500m"}, "limits": {"memory": "256Mi"}}
    assert made.parameters == {
        "resources": ["server/requests.cpu=500m", "server/limits.memory=256Mi"],
        "watch_seconds": WATCH_SECONDS,
    }


@pytest.mark.parametrize(
    ("words", "what"),
    [
        ([], "needs an amount"),
        (["cpu=1"], "sets no resource"),
        (["requests.gpu=1"], "sets no resource"),
        (["requests.cpu=lots"], "requests.cpu=lots"),
        (["requests.cpu=0"], "leaves nothing"),
        (["requests.cpu=-1"], "leaves nothing"),
        (["requests.cpu=1", "server/requests.cpu=2"], "is given twice"),
        (["requests.cpu=2", "limits.cpu=1"], "would ask for more cpu than its limit"),
    ],
)
def test_what_is_no_amount_is_refused(bench: Bench, words: list[str], what: str) -> None:
    with pytest.raises(UsageError, match=what.replace(".", r"\.")):
        plan(bench, *words)


def test_a_container_that_is_not_there_is_not_found(bench: Bench) -> None:
    with pytest.raises(NotFound):
        plan(bench, "srver/requests.cpu=1")


@pytest.mark.parametrize(
    ("measured", "pods", "holds", "says"),
    [
        (Measured(), [pod()], Holds.YES, "for 2m00s; no objective of it burns"),
        (Measured(), [pod(), pod(20.0)], Holds.NOT_YET, "it is watched for 40s more"),
        (Measured(bad=500.0), [pod()], Holds.NOT_YET, "burns"),
        (Measured(down=True), [pod()], Holds.NOT_YET, "how it does is not known"),
        (Measured(now=None), [pod()], Holds.NOT_YET, "since when is not known"),
        (Measured(), [], Holds.NOT_YET, "since when is not known"),
    ],
)
def test_it_holds_once_it_went_well_for_a_while(
    bench: Bench, measured: Measured, pods: list[Pod], holds: Holds, says: str
) -> None:
    made = plan(bench, "requests.cpu=500m")
    seen = judge_watch(SomeWorld(bench.cluster, measured, OBJECTIVES), made, pods, "rolled out")
    assert seen.holds is holds
    assert says in seen.text


def test_without_an_objective_it_says_so_and_without_metrics_too(bench: Bench) -> None:
    made = plan(bench, "requests.cpu=500m")
    seen = judge_watch(SomeWorld(bench.cluster, Measured()), made, [pod()], "rolled out")
    assert (seen.holds, "has no objective for" in seen.text) == (Holds.YES, True)
    seen = judge_watch(SomeWorld(bench.cluster), made, [pod()], "rolled out")
    assert (seen.holds, "nothing tells how it does" in seen.text) == (Holds.YES, True)


def sized(bench: Bench, **resources: dict[str, str]) -> None:
    made = copy.deepcopy(template(1))
    made["spec"]["containers"][0]["resources"] = resources
    bench.cluster.ship(made)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("requests.cpu=999m",), "server/requests.cpu from 2 to 999m"),
        (("limits.memory=500Mi", "requests.memory=400Mi"), "server/limits.memory from 1Gi to 500Mi"),
        (("requests.cpu-",), "server/requests.cpu from 2 to nothing"),
        (("requests.cpu=1",), ""),
        (("limits.memory-",), ""),
        (("limits.cpu=2",), ""),
        (("requests.cpu=3",), ""),
    ],
)
def test_more_than_a_half_less_at_once_is_accepted_by_name(
    bench: Bench, words: tuple[str, ...], told: str
) -> None:
    sized(bench, requests={"cpu": "2", "memory": "512Mi"}, limits={"memory": "1Gi"})
    made = plan(bench, *words)
    assert [risk.code for risk in made.risks] == ([LARGE_CUT] if told else [])
    if told:
        assert told in made.risks[0].why
        with pytest.raises(GateNotMet, match="would lose more than half"):
            bench.pipeline().execute(made, YES)


@pytest.mark.parametrize(
    ("incident", "asks"),
    [
        (OpenIncident("incident #1", "ml", "ml/deploy/fraud", "sev4"), True),
        (OpenIncident("incident #1", "ml", "ml/deploy/other", "sev2"), True),
        (OpenIncident("incident #1", "", "", "sev1"), True),
        (OpenIncident("incident #1", "ml", "", "sev3"), False),
        (OpenIncident("incident #1", "shop", "shop/deploy/cart", "sev1"), False),
    ],
)
def test_a_cut_while_an_incident_is_open_is_accepted_by_name_and_a_raise_is_not(
    bench: Bench, incident: OpenIncident, asks: bool
) -> None:
    sized(bench, requests={"cpu": "2"})
    world = SomeWorld(bench.cluster, incidents=[incident])
    pipeline = ChangePipeline(bench.journal, world, policy=POLICY, clock=bench.clock, actor="ada")
    made = pipeline.plan("set-resources", REF, {"resources": ["requests.cpu=1500m"]})
    assert [risk.code for risk in made.risks] == ([OPEN_INCIDENT] if asks else [])
    if asks:
        with pytest.raises(GateNotMet, match=f"would be cut while incident #1 .{incident.severity}. is open"):
            pipeline.execute(made, YES)
        assert bench.cluster.marks == []
    assert pipeline.plan("set-resources", REF, {"resources": ["requests.cpu=3"]}).risks == ()


class OfService(Measured):
    def query(self, promql: str, *, at: datetime | None = None) -> Instant:
        if promql == "time()":
            return super().query(promql, at=at)
        return Instant(promql, NOW, (Sample({}, self.bad if "code" in promql else 1000.0, NOW),))


def test_an_objective_of_its_service_is_watched_too(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """The pods are behind the Service front; the workload is called fraud."""
    counters = Counters('asked_total{job="front"}', 'asked_total{job="front",code="500"}')
    objectives = {"a": Objective("a", "", "front", 0.99, 2592000.0, counters, {"namespace": "ml"})}
    made = plan(bench, "requests.cpu=500m")
    world = SomeWorld(bench.cluster, OfService(bad=500.0), objectives)
    assert judge_watch(world, made, [pod()], "rolled out").holds is Holds.YES
    behind = [ServiceEndpoint("front", "fraud-1", True)]
    monkeypatch.setattr(bench.cluster, "list_endpoints", lambda _: behind)
    seen = judge_watch(world, made, [pod()], "rolled out")
    assert (seen.holds, "a burns" in seen.text) == (Holds.NOT_YET, True)
