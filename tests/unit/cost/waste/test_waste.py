"""Only what was measured all the time and used by nobody is waste."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from maestro_cli.core.facts.metrics import Instant, Sample
from maestro_cli.cost.cluster_series import ANY_CLUSTER
from maestro_cli.cost.metering.model import ContainerRef, Hours, Metered, VolumeRef
from maestro_cli.cost.prices.model import ALWAYS, HOURS_OF_A_MONTH, PriceVersion, Resource, StorageClass
from maestro_cli.cost.waste.machines import idle_machines
from maestro_cli.cost.waste.model import Kind, NotJudged, Waste
from maestro_cli.cost.waste.needs import Needs
from maestro_cli.cost.waste.report import WasteReport
from maestro_cli.cost.waste.served import STEPS, ServedQueries, dear_series, served_waste
from maestro_cli.cost.waste.volumes import unattached_volumes

NOW = datetime(2026, 11, 8, tzinfo=UTC)
START = datetime(2026, 11, 1, tzinfo=UTC)


def metered(
    cores: Mapping[tuple[str, str], float], hours: int = 48, volumes: tuple[VolumeRef, ...] = (), **more: Any
) -> Metered:
    """Containers of one core requested each, by (workload, pod), that use so many cores all the time."""
    refs = tuple(ContainerRef("ml", pod, "main", "node", "Deployment", name) for name, pod in cores)
    used = np.repeat(np.array(list(cores.values()), dtype=float)[:, None], hours, axis=1).reshape(-1, hours)
    return Metered(
        **{
            "cluster": "lab",
            "hours": Hours(START, hours),
            "containers": refs,
            "nodes": (),
            "volumes": volumes,
            "requested": {Resource.CPU: np.ones_like(used), Resource.MEMORY: np.ones_like(used)},
            "used": {Resource.CPU: used, Resource.MEMORY: np.full_like(used, 0.1)},
            "capacity": {},
            "present": np.ones((0, hours)),
            "volume_gib": np.full((len(volumes), hours), 10.0),
            "coverage": np.ones(hours),
            **more,
        }
    )


def replicas(name: str, count: int, each: float) -> dict[tuple[str, str], float]:
    return {(name, f"{name}-{number}"): each for number in range(count)}


def test_a_workload_that_hardly_computes_is_a_zombie_and_a_busy_one_is_not() -> None:
    (one,) = idle_machines(metered({**replicas("dead", 1, 0.004), **replicas("busy", 1, 0.5)}), {}, {})
    assert isinstance(one, Waste)
    assert (one.kind, one.name) == (Kind.ZOMBIE, "Deployment/dead")


def test_replicas_beyond_what_the_busiest_hour_needs_are_waste_in_their_share_of_the_cost() -> None:
    data = metered(replicas("web", 8, 0.2))
    data.used[Resource.CPU][:, 30] = 0.3  # the busiest hour: 2.4 cores
    (one,) = idle_machines(data, {"ml/deploy/web": 800.0}, {})
    assert isinstance(one, Waste)
    assert one.remedy == "maestro scale ml/deploy/web --replicas 4"
    assert one.monthly == pytest.approx(800.0 * 4 / 8)


def test_pods_of_a_rollout_in_the_last_hour_are_no_replicas() -> None:
    data = metered(replicas("web", 20, 0.8))
    for matrices in (data.requested, data.used):
        for amounts in matrices.values():
            amounts[10:, :-2] = math.nan  # ten more came in the last full hour, as the others went
    assert not list(idle_machines(data, {"ml/deploy/web": 800.0}, {}))


def test_replicas_that_their_memory_needs_are_not_waste() -> None:
    full = metered(replicas("web", 8, 0.2))
    full.used[Resource.MEMORY][:, 3] = 0.7
    assert not list(idle_machines(full, {}, {}))


def on_gpus(data: Metered, busy: float | None) -> Metered:
    """One GPU a container, so busy in every hour; None where no exporter tells."""
    gpus = np.ones_like(data.requested[Resource.CPU])
    used = {} if busy is None else {Resource.GPU: gpus * busy}
    return replace(data, requested={**data.requested, Resource.GPU: gpus}, used={**data.used, **used})


@pytest.mark.parametrize("cores", [0.2, 0.001])
def test_what_works_on_gpus_is_no_waste_however_little_its_processors_do(cores: float) -> None:
    data = metered(replicas("llm", 8, cores))
    assert not list(idle_machines(on_gpus(data, 0.98), {}, {}))
    (unknown,) = idle_machines(on_gpus(data, None), {}, {})
    assert isinstance(unknown, NotJudged)
    assert unknown.why == "1 workload with GPUs whose use was not measured: ml/deploy/llm"


def test_idle_gpus_are_waste_with_what_they_hold() -> None:
    (dead,) = idle_machines(on_gpus(metered(replicas("llm", 1, 0.001)), 0.002), {}, {})
    assert isinstance(dead, Waste)
    assert dead.kind is Kind.ZOMBIE
    assert dead.evidence.endswith("holds 1 GiB of memory and 1 GPUs, busy to 0.2% at most")
    (many,) = idle_machines(on_gpus(metered(replicas("llm", 8, 0.02)), 0.2), {}, {})
    assert isinstance(many, Waste)
    assert many.remedy == "maestro scale ml/deploy/llm --replicas 3"


def test_what_works_on_a_device_that_nobody_meters_is_not_judged() -> None:
    needs = {"ml/deploy/tpu": Needs(device="google.com/tpu")}
    (one,) = idle_machines(metered(replicas("tpu", 1, 0.001)), {}, needs)
    assert isinstance(one, NotJudged)
    assert "google.com/tpu" in one.why


def test_replicas_without_a_request_for_memory_are_not_judged_and_told() -> None:
    data = metered(replicas("web", 8, 0.2))
    data.requested[Resource.MEMORY][:] = math.nan
    (one,) = idle_machines(data, {}, {})
    assert isinstance(one, NotJudged)
    assert one.kind is Kind.OVER_REPLICATED


def test_a_busy_container_that_asks_for_nothing_beside_an_idle_one_that_does_is_not_passed_over() -> None:
    pods = {**replicas("app", 8, 3.5), **replicas("proxy", 8, 0.0005)}
    data = metered(pods)
    data.requested[Resource.CPU][:8] = data.requested[Resource.MEMORY][:8] = math.nan
    both = replace(
        data,
        containers=tuple(replace(one, workload="fraud", pod=one.pod[-1]) for one in data.containers),
    )
    (one,) = idle_machines(both, {"ml/deploy/fraud": 800.0}, {})
    assert isinstance(one, NotJudged)
    assert "without a CPU request" in one.why


def test_an_hour_that_only_began_counts_for_nothing() -> None:
    data = metered(replicas("dead", 1, 0.004), volumes=(MOUNTED, LOOSE))
    data.used[Resource.CPU][:, -1] = 0.9
    data.volume_gib[:, -1] = 0.8
    (one,) = idle_machines(data, {}, {})
    (loose,) = unattached_volumes(data, None)
    assert isinstance(one, Waste)
    assert isinstance(loose, Waste)
    assert loose.evidence.startswith("10 GiB")


def test_what_an_autoscaler_wants_at_the_least_is_not_waste() -> None:
    assert not list(idle_machines(metered(replicas("web", 8, 0.2)), {}, {"ml/deploy/web": Needs(7, "web")}))


def test_replicas_that_an_autoscaler_sets_are_not_to_be_scaled_by_hand() -> None:
    (one,) = idle_machines(metered(replicas("web", 8, 0.2)), {}, {"ml/deploy/web": Needs(2, "by-cpu")})
    assert isinstance(one, Waste)
    assert (one.remedy, "its autoscaler by-cpu sets them" in one.evidence) == ("", True)


def test_without_a_look_at_what_else_wants_replicas_no_command_is_given() -> None:
    (one,) = idle_machines(metered(replicas("web", 8, 0.2)), {}, None)
    assert isinstance(one, Waste)
    assert (one.remedy, one.evidence.endswith("was not looked at")) == ("", True)


@pytest.mark.parametrize("gap", ["used", "requested"])
def test_a_workload_that_was_not_measured_in_one_hour_is_not_judged(gap: str) -> None:
    data = metered(replicas("dead", 1, 0.0))
    getattr(data, gap)[Resource.CPU][0, 7] = math.nan
    (one,) = idle_machines(data, {}, {})
    assert isinstance(one, NotJudged)
    assert "1 workload" in one.why


@pytest.mark.parametrize("data", [metered({}, hours=5), metered({}, coverage=np.full(48, 0.5))])
def test_a_short_or_badly_measured_window_judges_nothing_and_says_so(data: Metered) -> None:
    found = list(idle_machines(data, {}, {}))
    assert [one.kind for one in found] == [Kind.ZOMBIE, Kind.OVER_REPLICATED]
    assert all(isinstance(one, NotJudged) for one in found)


def test_a_name_from_outside_is_quoted_in_the_command_that_ends_it() -> None:
    (one,) = idle_machines(metered(replicas("$(reboot)", 9, 0.02)), {}, {})
    assert isinstance(one, Waste)
    assert one.remedy == "maestro scale 'ml/deploy/$(reboot)' --replicas 2"


MOUNTED = VolumeRef("pv-a", "standard", "ml", "data", ("web-1",))
LOOSE = VolumeRef("pv-b", "standard", "ml", "old")


def test_a_volume_that_no_pod_mounted_in_any_hour_is_waste_at_the_price_of_its_class() -> None:
    version = PriceVersion(ALWAYS, storage=(StorageClass("standard", 0.04 / HOURS_OF_A_MONTH),))
    (one,) = unattached_volumes(metered({}, volumes=(MOUNTED, LOOSE)), version)
    assert isinstance(one, Waste)
    assert one.name == "pv-b"
    assert one.monthly == pytest.approx(0.4)
    (unpriced,) = unattached_volumes(metered({}, volumes=(MOUNTED, LOOSE)), None)
    assert isinstance(unpriced, Waste)
    assert unpriced.monthly is None


@pytest.mark.parametrize(
    "data",
    [
        metered({}, volumes=(LOOSE,)),  # no mount is told
        metered({}, volumes=(replace(LOOSE, claim=""), replace(LOOSE, name="pv-c", claim=""))),  # nor a claim
        metered({}),  # nor a volume
        metered({}, hours=5, volumes=(MOUNTED, LOOSE)),
        metered({}, volumes=(MOUNTED, LOOSE), coverage=np.full(48, 0.5)),
    ],
)
def test_where_too_little_is_told_no_volume_is_called_loose(data: Metered) -> None:
    (one,) = unattached_volumes(data, None)
    assert isinstance(one, NotJudged)


def test_a_volume_of_a_namespace_that_nobody_watches_is_not_called_loose() -> None:
    released = VolumeRef("pv-c", "standard", "ml")
    elsewhere = VolumeRef("pv-d", "standard", "payments")
    gone, unknown = unattached_volumes(metered({}, volumes=(MOUNTED, released, elsewhere)), None)
    assert isinstance(gone, Waste)
    assert "no claim holds it any more" in gone.evidence
    assert isinstance(unknown, NotJudged)
    assert unknown.why.startswith("1 volume of namespaces")


class Prometheus:
    """Answers by query."""

    def __init__(self, answers: Mapping[str, list[tuple[dict[str, str], float]]]) -> None:
        self._answers = answers

    def query(self, promql: str, *, at: datetime | None = None) -> Instant:
        found = self._answers.get(promql, [])
        return Instant(promql, NOW, tuple(Sample(labels, value, NOW) for labels, value in found))


Q = ServedQueries(7 * 86_400)
FRAUD = {"namespace": "ml", "deployment": "fraud"}
V1, V2 = {**FRAUD, "model": "fraud", "version": "1"}, {**FRAUD, "model": "fraud", "version": "2"}
Answers = dict[str, list[tuple[dict[str, str], float]]]
WATCHED: Answers = {Q.watched: [({}, float(STEPS))]}
CACHED: Answers = {Q.looked_up: [({**FRAUD, "result": "hit"}, 10.0)]}
LOADED: Answers = {Q.loaded: [(V1, float(STEPS)), (V2, float(STEPS))]}


def served(answers: Mapping[str, list[tuple[dict[str, str], float]]]) -> list[Waste | NotJudged]:
    return list(served_waste(Prometheus(answers), ANY_CLUSTER, NOW, 7 * 86_400))


def test_a_version_that_was_loaded_all_the_time_and_never_asked_is_idle() -> None:
    (one,) = served({**WATCHED, **LOADED, **CACHED, Q.asked: [(V2, 5000.0), (V1, 0.0)]})
    assert isinstance(one, Waste)
    assert one.name == "fraud: fraud@1"
    assert one.remedy == "maestro model unload ml/deploy/fraud --model fraud --version 1"


def test_a_version_of_which_no_requests_are_told_is_not_called_idle() -> None:
    (one,) = served({**WATCHED, **LOADED, **CACHED, Q.asked: [(V2, 5000.0)]})
    assert isinstance(one, NotJudged)
    assert one.why == "no requests are told of 1 loaded version"


@pytest.mark.parametrize("label", ["namespace", "deployment"])
def test_a_version_whose_deployment_is_not_told_gets_no_command(label: str) -> None:
    less = {name: value for name, value in V1.items() if name != label}
    (one,) = served({**WATCHED, **CACHED, Q.loaded: [(less, float(STEPS))], Q.asked: [(less, 0.0)]})
    assert isinstance(one, Waste)
    assert not one.remedy


@pytest.mark.parametrize(
    "answers",
    [
        {**WATCHED, Q.asked: [(V2, 1.0)], Q.loaded: [(V1, STEPS * 0.5)]},  # a rollout brought it on the way
        {**WATCHED, Q.asked: [(V1, math.nan)], Q.loaded: [(V1, float(STEPS))]},
        {**WATCHED, Q.asked: [(V2, 1.0)], Q.loaded: [(V1, float(STEPS))], Q.shadowed: [(FRAUD, 100.0)]},
    ],
)
def test_a_version_that_came_late_or_may_have_been_asked_is_not_called_idle(answers: Any) -> None:
    assert not served({**CACHED, **answers})


@pytest.mark.parametrize("watched", [{}, {Q.watched: [({}, STEPS * 0.5)]}, WATCHED])
def test_without_a_measured_window_no_model_is_called_idle(watched: Any) -> None:
    found = served({**watched, **LOADED})
    assert [one.kind for one in found if isinstance(one, NotJudged)] == [Kind.IDLE_MODEL, Kind.COLD_CACHE]
    assert not [one for one in found if isinstance(one, Waste)]


def test_a_cache_whose_lookups_hardly_ever_hit_is_cold() -> None:
    busy = {**FRAUD, "deployment": "busy"}
    looked_up = [({**FRAUD, "result": "hit"}, 3.0), ({**FRAUD, "result": "miss"}, 9000.0),
                 ({**busy, "result": "hit"}, 5000.0), ({**busy, "result": "miss"}, 4000.0),
                 ({**FRAUD, "deployment": "rare", "result": "miss"}, 10.0)]  # fmt: skip
    (one,) = served({**WATCHED, **LOADED, Q.asked: [(V1, 1.0), (V2, 1.0)], Q.looked_up: looked_up})
    assert isinstance(one, Waste)
    assert (one.kind, one.name) == (Kind.COLD_CACHE, "fraud")


def test_metrics_with_a_good_part_of_all_series_are_told_with_what_they_cost() -> None:
    found = list(dear_series({"small": 10, "big": 600, "bigger": 390}, 1000, 0.005))
    assert [one.name for one in found] == ["big", "bigger"]
    assert [one.monthly for one in found] == pytest.approx([3.0, 1.95])
    assert not list(dear_series({"big": 600}, 0, 0.005))


def test_none_found_is_known_once_one_kind_could_be_judged() -> None:
    looked_for = (Kind.ZOMBIE, Kind.UNATTACHED)
    blind = tuple(NotJudged(kind, "too short") for kind in looked_for)
    hours = Hours(datetime(2026, 11, 2, tzinfo=UTC), 24)

    def report(*found: Waste, not_judged: tuple[NotJudged, ...]) -> WasteReport:
        return WasteReport("prod", "USD", hours, found, not_judged, looked_for)

    assert report(not_judged=blind).is_unknown
    assert not report(not_judged=blind[:1]).is_unknown
    assert not report(Waste(Kind.ZOMBIE, "ml", "a", "idle", "", 1.0, ""), not_judged=blind).is_unknown
