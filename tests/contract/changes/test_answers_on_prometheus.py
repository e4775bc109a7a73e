"""What a rollback counts of its answers, on a real Prometheus."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from maestro_cli.changes.canary.decision import decide
from maestro_cli.changes.canary.examination import traffic_of
from maestro_cli.changes.canary.model import Rules, Surroundings, Verb
from maestro_cli.changes.candidates.answers import Answers, read_answers
from maestro_cli.changes.candidates.details import read_details
from maestro_cli.changes.candidates.measuring import read_tracks
from maestro_cli.config.settings import Endpoint
from maestro_cli.core.facts.cluster import Revision, Workload
from maestro_cli.core.refs import WorkloadRef
from maestro_cli.slo.files.reading import read_objectives
from maestro_cli.slo.objectives import Objective
from maestro_cli.sources.prometheus import Prometheus
from tests.contract.recorded_prometheus import recorded_prometheus
from tests.unit.changes.fake_cluster import FakeCluster, template
from tests.unit.changes.some_world import SomeWorld

pytestmark = pytest.mark.contract
REF = WorkloadRef("Deployment", "ml", "fraud")
OBJECTIVES = Path(__file__).resolve().parents[3] / "deploy" / "objectives"


@dataclass(frozen=True)
class Pods:
    """The pod of a revision, from so many seconds ago until so many, with this share of bad answers."""

    revision: int
    begin: int
    end: int
    bad: float
    digest: str
    deployment: str = "fraud"


NOW = (Pods(1, 7000, 3000, 0.0, "a" * 64), Pods(2, 3000, 900, 0.4, "b" * 64), Pods(3, 900, 0, 0.3, "c" * 64),
       Pods(3, 3000, 0, 0.01, "d" * 64, "stable"))  # fmt: skip


def openmetrics(now: int) -> str:
    """Ten requests a second as the model server counts them, a sample every 15 s."""
    counters = ["# TYPE maestro_inference_requests counter"]
    buckets = ["# TYPE maestro_inference_duration_seconds histogram"]
    infos = ["# TYPE maestro_model_info gauge"]
    for pods in NOW:
        pod = f'deployment="{pods.deployment}",pod="{pods.deployment}-{pods.revision}-x"'
        place = f'namespace="ml",{pod},model="fraud",version="1"'
        instants = range(now - pods.begin, now - pods.end + 1, 15)
        for code, share in (("200", 1 - pods.bad), ("500", pods.bad)):
            counters += [
                f'maestro_inference_requests_total{{{place},code="{code}"}}'
                f" {10 * share * (at - now + 7000):g} {at}"
                for at in instants
            ]
        for le, share in (("0.1", 0.5), ("0.2", 1.0), ("+Inf", 1.0)):
            buckets += [
                f'maestro_inference_duration_seconds_bucket{{{place},le="{le}"}}'
                f" {10 * share * (at - now + 7000):g} {at}"
                for at in instants
            ]
        buckets += [
            f"maestro_inference_duration_seconds_count{{{place}}} {10 * (at - now + 7000):g} {at}"
            for at in instants
        ]
        infos += [f'maestro_model_info{{{place},digest="sha256:{pods.digest}"}} 1 {at}' for at in instants]
    return "\n".join([*counters, *buckets, *infos, "# EOF", ""])


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SomeWorld]:
    objectives: dict[str, Objective] = {one.name: one for one in read_objectives(OBJECTIVES)}
    with recorded_prometheus(tmp_path_factory.mktemp("prometheus"), openmetrics(int(time.time()))) as url:
        prometheus = Prometheus(Endpoint(url), timeout_seconds=30)
        yield SomeWorld(FakeCluster(), prometheus, objectives)
        prometheus.close()


def revision(number: int) -> Revision:
    made = datetime.now(UTC) - timedelta(hours=2)
    return Revision(number, f"fraud-{number}", made, 0, 0, (), "", {"number": number})


def answers(world: SomeWorld, goal: int) -> Answers:
    revisions = [revision(number) for number in (1, 2, 3)]
    planned = datetime.now(UTC) - timedelta(minutes=20)
    return read_answers(world, REF, revisions, revisions[goal - 1], planned)


def test_answers_are_counted_by_revision_and_digest(world: SomeWorld) -> None:
    found = answers(world, 3)
    assert (found.why_not, found.others, found.untold) == ("", 0.0, 0.0)
    assert found.own == pytest.approx(10 * found.seconds, rel=0.5)
    assert found.before == pytest.approx(3000, rel=0.1)
    assert found.models == (f"fraud=1@{'c' * 12}",)
    assert found.replaced == ()
    (burning,) = found.burning
    assert burning.startswith("fraud-availability burns 300 times its budget")


def test_answers_of_another_revision_are_told_apart(world: SomeWorld) -> None:
    found = answers(world, 1)
    assert (found.own, found.models) == (0.0, ())
    assert found.others > 100


def test_the_record_of_each_revision_is_read(world: SomeWorld) -> None:
    revisions = [revision(number) for number in (1, 2, 3)]
    workload = Workload(
        REF, "uid", "1", 1, 1, 3, 1, 1, 1, 1, 1, False, "", datetime.now(UTC), template={"number": 3}
    )
    now = datetime.now(UTC)
    tracks = read_tracks(world, workload, revisions, now)
    details = read_details(world, workload, revisions, tracks, now)
    assert tracks.why == ""
    ratios = {name: track.kept[0].ratio for name, track in tracks.by_name.items()}
    assert ratios == {
        "fraud-1": pytest.approx(0.0),
        "fraud-2": pytest.approx(0.4, abs=0.01),
        "fraud-3": pytest.approx(0.3, abs=0.01),
    }
    assert tracks.by_name["fraud-1"].live_seconds == pytest.approx(4000, abs=330)  # five minutes of lookback
    assert details.p95_seconds["fraud-1"] == pytest.approx(0.19, abs=0.005)
    assert details.models["fraud-2"] == (f"fraud=1@{'b' * 12}",)


def test_two_deployments_are_counted_by_the_pods_of_what_each_runs_now(world: SomeWorld) -> None:
    """The earlier revisions of the canary answered in the namespace too, and nobody counts them."""
    cluster = FakeCluster()
    for version in (1, 2, 3):
        cluster.ship(template(version))
    now = datetime.now(UTC)
    traffic = traffic_of(SomeWorld(cluster, world.prometheus), REF, "", "stable")
    mine, usual = traffic.tallies(("fraud", "stable"), Rules(), now - timedelta(seconds=800), now)
    assert mine.requests == pytest.approx(8000, rel=0.2)
    assert usual.requests == pytest.approx(8000, rel=0.2)
    assert (mine.errors or 0) / (mine.requests or 1) == pytest.approx(0.3, abs=0.01)
    assert (usual.errors or 0) / (usual.requests or 1) == pytest.approx(0.01, abs=0.001)
    assert traffic.rate(now)[0] == pytest.approx(20, rel=0.1)
    assert decide(mine, usual, Rules(), Surroundings()).verb is Verb.ABORT
