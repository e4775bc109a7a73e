"""What is asked of Prometheus and how labels are read, without one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from maestro_cli.core.errors import NoData, UsageError
from maestro_cli.cost.metering import labels
from maestro_cli.cost.metering.bins import Chunk, chunks, elapsed, hours_until
from maestro_cli.cost.metering.identities import Identities
from maestro_cli.cost.metering.labels import LabelNames
from maestro_cli.cost.metering.measure import meter
from maestro_cli.cost.metering.model import GIB, HOUR, Hours
from maestro_cli.cost.metering.queries import MeterQueries
from maestro_cli.cost.metering.readings import Meter
from maestro_cli.cost.prices.model import Capacity, Resource
from maestro_cli.slo.ports import RawSeries, TooMuch

START = datetime(2026, 3, 2, tzinfo=UTC)
UID = {"namespace": "ml", "pod": "p", "uid": "u"}


class Fake:
    """One pod that asks for 2 cores in every hour; no more than `most` hours at once."""

    def __init__(self, most: int = 1000, kept: float | None = None) -> None:
        self.asked: list[tuple[str, datetime, datetime]] = []
        self._most, self._kept = most, kept

    def steps(self, promql: str, start: datetime, end: datetime, step_seconds: float) -> Iterable[RawSeries]:
        self.asked.append((promql, start, end))
        count = round((end - start).total_seconds() / step_seconds)
        if count > self._most:
            raise TooMuch("query processing would load too many samples into memory")
        times = [start.timestamp() + (one + 1) * step_seconds for one in range(count)]
        if "kube_pod_status_phase" in promql:
            return [RawSeries(dict(UID), times, [60.0] * count)]
        if "resource_requests" in promql:
            told = {**UID, "container": "c", "node": "a", "resource": "cpu"}
            return [RawSeries(told, times, [2.0] * count)]
        return []

    def series(self, selector: str, start: datetime, end: datetime) -> Sequence[Mapping[str, str]]:
        return ()

    def retention_seconds(self) -> float | None:
        return self._kept


def test_what_is_too_much_at_once_is_asked_for_in_halves() -> None:
    source = Fake(most=3)
    end = START + 10 * HOUR
    found = meter(source, Meter("lab"), hours_until(end, 10), end)
    assert found.requested[Resource.CPU].tolist() == [[2.0] * 10]
    requests = [(start, end) for promql, start, end in source.asked if "resource_requests" in promql]
    assert min(end - start for start, end in requests) >= HOUR


def test_an_hour_that_is_too_much_is_no_data() -> None:
    end = START + 2 * HOUR
    with pytest.raises(NoData) as raised:
        meter(Fake(most=0), Meter("lab"), hours_until(end, 2), end)
    assert "costs.match" in raised.value.fix


def test_a_window_longer_than_what_is_kept_is_said() -> None:
    end = START + 48 * HOUR
    found = meter(Fake(kept=86_400.0), Meter("lab"), hours_until(end, 48), end)
    assert found.notes[0] == "Prometheus keeps 1d00h: the window begins before that"
    assert found.coverage.tolist() == [0.0] * 48  # nobody told of a node


def test_the_hours_of_a_window_are_full_ones_and_end_with_the_one_of_now() -> None:
    assert hours_until(START, 2) == Hours(START - 2 * HOUR, 2)
    assert hours_until(START + timedelta(minutes=1), 2) == Hours(START - HOUR, 2)


@pytest.mark.parametrize("count", [0, -1, 100_000])
def test_a_window_of_no_or_too_many_hours_is_refused(count: int) -> None:
    with pytest.raises(UsageError):
        hours_until(START, count)


def test_every_hour_is_asked_once_and_the_future_never() -> None:
    now = START + timedelta(hours=5, minutes=10, seconds=59)
    parts = list(chunks(Hours(START, 8), now, 2))
    assert [(one.first, one.count, one.bin_seconds) for one in parts] == [
        (0, 2, 3600),
        (2, 2, 3600),
        (4, 1, 3600),
        (5, 1, 600),
    ]
    assert max(one.end for one in parts) <= now
    assert elapsed(Hours(START, 8), now) == pytest.approx([1, 1, 1, 1, 1, 1 / 6, 0, 0])


def test_halves_have_the_same_hours() -> None:
    whole = Chunk(START, 4, 5)
    halves = whole.halves()
    assert halves is not None
    assert [(one.first, one.count) for one in halves] == [(4, 2), (6, 3)]
    assert (halves[0].start, halves[0].end, halves[1].end) == (START, halves[1].start, whole.end)
    assert Chunk(START, 4, 1).halves() is None


def test_a_label_of_a_cluster_is_a_literal_in_every_query() -> None:
    evil = '"} or vector(1) #'
    queries = MeterQueries(3600, {"cluster": evil})
    names = [name for name, kind in vars(MeterQueries).items() if isinstance(kind, property)]
    assert len(names) == 13
    for name in names:
        assert '"\\"} or vector(1) #"' in getattr(queries, name)


@pytest.mark.parametrize(
    ("told", "capacity"),
    [
        ({"karpenter_sh_capacity_type": "spot"}, Capacity.SPOT),
        ({"eks_amazonaws_com_capacity_type": "SPOT"}, Capacity.SPOT),
        ({"cloud_google_com_gke_spot": "true"}, Capacity.SPOT),
        ({"kubernetes_azure_com_scalesetpriority": "spot"}, Capacity.SPOT),
        ({"karpenter_sh_capacity_type": "on-demand"}, Capacity.ON_DEMAND),
        ({}, Capacity.ON_DEMAND),
    ],
)
def test_labels_say_how_a_node_was_bought(told: Mapping[str, str], capacity: Capacity) -> None:
    assert labels.capacity(told) is capacity


def owned(kind: str, name: str, *families: Mapping[str, str]) -> tuple[str, str]:
    identities = Identities()
    info = {"__name__": "kube_pod_info", **UID, "created_by_kind": kind, "created_by_name": name}
    identities.take([info, *families])
    found = identities.container(("ml", "p", "u"), "c", "a", LabelNames())
    return found.workload_kind, found.workload


def test_a_workload_is_the_topmost_owner() -> None:
    cron = {"__name__": "kube_job_owner", "namespace": "ml", "job_name": "train-1"}
    assert owned("Job", "train-1", {**cron, "owner_kind": "CronJob", "owner_name": "train"}) == (
        "CronJob",
        "train",
    )
    assert owned("Job", "train-1", {**cron, "owner_kind": "<none>", "owner_name": "<none>"}) == (
        "Job",
        "train-1",
    )
    alone = {"__name__": "kube_replicaset_owner", "namespace": "ml", "replicaset": "web-6d4cf56db6"}
    assert owned("ReplicaSet", "web-6d4cf56db6") == ("Deployment", "web")
    told = {**alone, "owner_kind": "<none>", "owner_name": "<none>"}
    assert owned("ReplicaSet", "web-6d4cf56db6", told) == ("ReplicaSet", "web-6d4cf56db6")
    assert owned("<none>", "<none>") == ("", "")
    assert owned("StatefulSet", "db") == ("StatefulSet", "db")


def test_a_volume_that_was_released_is_of_the_namespace_that_had_it() -> None:
    identities = Identities()
    had = {"__name__": "kube_persistentvolume_claim_ref", "claim_namespace": "ml", "name": "data"}
    claim = {
        "__name__": "kube_persistentvolumeclaim_info",
        "namespace": "ml",
        "persistentvolumeclaim": "data",
    }
    identities.take([{**had, "persistentvolume": name} for name in ("pv-a", "pv-b")])
    identities.take([{**claim, "volumename": "pv-a"}])
    held, released = identities.volume("pv-a"), identities.volume("pv-b")
    assert (held.namespace, held.claim) == ("ml", "data")
    assert (released.namespace, released.claim) == ("ml", "")


def test_an_hour_with_use_and_without_who_ran_is_not_covered() -> None:
    found = meter(Fake(), Meter("lab"), hours_until(START, 1), START)
    assert np.isnan(found.used[Resource.CPU]).all()
    assert found.coverage.tolist() == [0.0]


def told_running(watched: Mapping[str, float], pods: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    """Hours that each pod ran in one hour, from looks that exporters had of anything and of each pod."""
    end = START + HOUR
    times = [end.timestamp()]

    class Told(Fake):
        def steps(
            self, promql: str, start: datetime, end: datetime, step_seconds: float
        ) -> Iterable[RawSeries]:
            if "kube_pod_status_phase" in promql:
                return [
                    RawSeries({"namespace": "ml", "pod": pod, "uid": pod, "instance": by}, times, [looks])
                    for pod, told in pods.items()
                    for by, looks in told.items()
                ]
            if "resource_requests" in promql:
                names = {"namespace": "ml", "container": "c", "resource": "cpu"}
                return [RawSeries({**names, "pod": pod, "uid": pod}, times, [1.0]) for pod in pods]
            if "group by (instance)" in promql:
                return [RawSeries({"instance": by} if by else {}, times, [n]) for by, n in watched.items()]
            return []

    found = meter(Told(), Meter("lab"), hours_until(end, 1), end)
    hours = found.requested[Resource.CPU][:, 0].tolist()
    return dict(zip([one.pod for one in found.containers], hours, strict=True))


def test_two_exporters_that_tell_all_pods_tell_each_once() -> None:
    assert told_running({"": 60, "x": 60, "y": 60}, {"a": {"x": 60, "y": 60}}) == {"a": 1.0}


def test_one_exporter_after_another_tells_a_pod_in_two_parts() -> None:
    assert told_running({"": 60, "x": 24, "y": 36}, {"a": {"x": 24, "y": 36}}) == {"a": 1.0}


def test_of_exporters_that_share_the_pods_each_tells_its_own_whole() -> None:
    pods = {"a": {"x": 60.0}, "b": {"y": 30.0}, "c": {"z": 60.0}}
    assert told_running({"": 60, "x": 60, "y": 60}, pods) == {"a": 1.0, "b": 0.5, "c": 1.0}


def test_a_pod_that_got_its_node_within_the_hour_asks_once() -> None:
    class Placed(Fake):
        def steps(
            self, promql: str, start: datetime, end: datetime, step_seconds: float
        ) -> Iterable[RawSeries]:
            for one in super().steps(promql, start, end, step_seconds):
                yield one
                if "resource_requests" in promql:
                    labels = {name: value for name, value in one.labels.items() if name != "node"}
                    yield RawSeries(labels, one.times, one.values)

    found = meter(Placed(), Meter("lab"), hours_until(START + HOUR, 1), START + HOUR)
    assert found.requested[Resource.CPU].tolist() == [[2.0]]


@pytest.mark.parametrize(
    ("told", "cores"),
    [
        (({"job": "a", "node": "n1"}, {"job": "b"}), 1.0),
        (({"job": "a", "node": "n1"}, {"job": "b", "node": "10.0.0.1"}), 1.0),
        (({"job": "a", "node": "n1"}, {"job": "a", "node": "n2"}), 2.0),  # a set's pod that moved
    ],
)
def test_what_two_jobs_tell_of_a_pod_is_told_once(told: tuple[dict[str, str], ...], cores: float) -> None:
    class Measured(Fake):
        def steps(
            self, promql: str, start: datetime, end: datetime, step_seconds: float
        ) -> Iterable[RawSeries]:
            yield from super().steps(promql, start, end, step_seconds)
            if "cpu_usage" in promql or "working_set" in promql:
                amount = 3600.0 if "cpu_usage" in promql else float(GIB)
                for one in told:
                    labels = {"namespace": "ml", "pod": "p", "container": "c", **one}
                    yield RawSeries(labels, [end.timestamp()], [amount])

    found = meter(Measured(), Meter("lab"), hours_until(START + HOUR, 1), START + HOUR)
    assert found.used[Resource.CPU].tolist() == [[cores]]
    assert found.used[Resource.MEMORY].tolist() == [[1.0]]


class Clusters(Fake):
    """Its nodes are told by label sets; `clash` is one that is there several times."""

    def __init__(self, *told: dict[str, str], clash: str = "") -> None:
        super().__init__()
        self._told, self._clash = told, clash

    def steps(self, promql: str, start: datetime, end: datetime, step_seconds: float) -> Iterable[RawSeries]:
        if promql.startswith("count by (node)"):
            return [RawSeries({"node": self._clash}, [end.timestamp()], [2.0])] if self._clash else []
        return super().steps(promql, start, end, step_seconds)

    def series(self, selector: str, start: datetime, end: datetime) -> Sequence[Mapping[str, str]]:
        return [{"__name__": "kube_node_info", **one} for one in self._told]


TWO = ({"node": "a", "cluster": "eu"}, {"node": "a", "cluster": "us\x1b"})


def test_nodes_of_one_name_in_two_clusters_are_refused_and_not_told_as_one() -> None:
    with pytest.raises(UsageError, match="nodes of one name in them: a") as found:
        meter(Clusters(*TWO, clash="a"), Meter("lab"), hours_until(START + HOUR, 1), START + HOUR)
    assert found.value.fix == "costs: {match: {cluster: eu}} in the context"
    assert "\x1b" not in str(found.value.why)


def test_a_cluster_that_only_some_series_name_is_the_one_to_be_matched() -> None:
    with pytest.raises(UsageError) as found:
        meter(
            Clusters(TWO[0], {"node": "a"}, clash="a"),
            Meter("lab"),
            hours_until(START + HOUR, 1),
            START + HOUR,
        )
    assert found.value.fix == "costs: {match: {cluster: eu}} in the context"
    assert found.value.why == "cluster is eu, and some series have none"


def test_two_clusters_whose_nodes_have_names_of_their_own_are_told_to_be_two() -> None:
    end = START + HOUR
    found = meter(Clusters(*TWO), Meter("lab"), hours_until(end, 1), end)
    assert any("several clusters as one (cluster eu, us" in note for note in found.notes)
    alone = meter(Clusters(TWO[0]), Meter("lab"), hours_until(end, 1), end)
    assert not any("clusters" in note for note in alone.notes)


def test_an_hour_that_nobody_looked_at_yet_is_none_of_a_window() -> None:
    assert hours_until(START + timedelta(seconds=59), 2) == Hours(START - 2 * HOUR, 2)
