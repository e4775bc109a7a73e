"""Batch work goes to spot machines only where all is known and an hour of it costs less there."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from maestro_cli.cost.prices.model import ALWAYS, Capacity, NodePrice, PriceVersion, UnitRates
from maestro_cli.cost.spot.batch import Batch, read_batches
from maestro_cli.cost.spot.rooms import Room, rooms_of
from maestro_cli.cost.spot.saving import MOST_OFF, Answer, Offer, offers_of, weigh

NOW = datetime(2026, 11, 1, tzinfo=UTC)
LISTED = PriceVersion(ALWAYS, on_demand=UnitRates(0.04, 0.005, 1.0), spot=UnitRates(0.008, 0.001, 0.2))
PRICED = replace(
    LISTED,
    nodes=(
        NodePrice("m6i.large", 0.10),
        NodePrice("m6i.large", 0.04, Capacity.SPOT, interruptions_per_hour=0.05),
        NodePrice("c6i.large", 0.10),
        NodePrice("c6i.large", 0.03, Capacity.SPOT, interruptions_per_hour=2.0),
        NodePrice("only-spot", 0.01, Capacity.SPOT, interruptions_per_hour=0.01),
    ),
)
NIGHTLY = Batch(
    "CronJob", "ml", "retrain", cpu=4.0, memory_gib=16.0, run_hours=2.0, runs=3, schedule="0 2 * * *",
    checkpoint_every_hours=1.0, checkpoint_hours=2 / 60, restart_hours=5 / 60,
)  # fmt: skip


def job(**spec: Any) -> dict[str, Any]:
    resources = {"requests": {"cpu": "2", "memory": "4Gi"}}
    pod = {"containers": [{"name": "main", "resources": resources}], **spec.pop("pod", {})}
    return {
        "metadata": {"namespace": "ml", "name": "train", **spec.pop("metadata", {})},
        "spec": {"template": {"spec": pod}, **spec},
        "status": {"startTime": "2026-10-01T00:00:00Z", "completionTime": "2026-10-01T03:00:00Z"},
    }


def read(**spec: Any) -> Batch:
    (batch,) = read_batches([job(**spec)], [])
    return batch


def test_the_kind_of_machine_is_the_one_where_an_hour_of_work_costs_least_not_the_cheapest() -> None:
    found = weigh(NIGHTLY, PRICED, offers_of(PRICED, ""), NOW)
    assert found.answer is Answer.SPOT
    assert found.offer is not None
    assert (found.offer.instance_type, found.offer.interruptions_per_hour) == ("m6i.large", 0.05)
    assert found.on_demand == pytest.approx(4 * 0.04 + 16 * 0.005)
    assert found.overhead == pytest.approx(0.0642, abs=0.001)
    assert found.share == pytest.approx(1 - 0.4 * 1.0642, abs=0.001)
    assert found.monthly == pytest.approx((found.on_demand or 0) * (found.share or 0) * 30 * 2)


def test_what_a_savings_plan_takes_off_may_turn_the_answer() -> None:
    assert weigh(NIGHTLY, PRICED, offers_of(PRICED, ""), NOW, plan_off=0.6).answer is Answer.ON_DEMAND


def test_long_work_without_checkpoints_stays_where_it_is_not_interrupted() -> None:
    long = replace(NIGHTLY, run_hours=60.0, checkpoint_every_hours=None)
    found = weigh(long, PRICED, offers_of(PRICED, ""), NOW)
    assert found.answer is Answer.ON_DEMAND
    assert any("without checkpoints" in why for why in found.why)


def test_list_prices_are_never_believed_to_take_more_off_than_the_most() -> None:
    (offer,) = offers_of(LISTED, "", 0.05)
    assert offer == Offer("", 1 - MOST_OFF, 0.05, assumed=True, rates=LISTED.spot)
    assert any("assumed" in why for why in weigh(NIGHTLY, LISTED, (offer,), NOW).why)


@pytest.mark.parametrize(
    ("batch", "version", "word"),
    [
        (replace(NIGHTLY, cpu=None), PRICED, "no requests"),
        (replace(NIGHTLY, run_hours=None), PRICED, "no run of it has ended"),
        (NIGHTLY, None, "no on-demand price"),
        (replace(NIGHTLY, gpu=1.0), replace(PRICED, on_demand=UnitRates(0.04, 0.005)), "no on-demand price"),
        (NIGHTLY, replace(LISTED, spot=None), "no spot price"),
        (NIGHTLY, LISTED, "taken away is not known"),
    ],
)
def test_without_one_of_its_inputs_there_is_no_figure(
    batch: Batch, version: PriceVersion | None, word: str
) -> None:
    offers = () if version is None else offers_of(version, "")
    found = weigh(batch, version, offers, NOW)
    assert found.answer is Answer.UNKNOWN
    assert (found.spot, found.on_demand, found.share, found.monthly) == (None, None, None, None)
    assert any(word in why for why in found.why)


@pytest.mark.parametrize(
    ("spec", "word"),
    [
        ({"metadata": {"annotations": {"karpenter.sh/do-not-disrupt": "true"}}}, "do-not-disrupt"),
        ({"backoffLimit": 0}, "backoffLimit"),
        ({"pod": {"volumes": [{"name": "data", "hostPath": {"path": "/data"}}]}}, "one machine"),
        ({"pod": {"terminationGracePeriodSeconds": 600}}, "10m00s"),
    ],
)
def test_what_keeps_work_from_spot_is_said_before_any_price(spec: dict[str, Any], word: str) -> None:
    found = weigh(read(**spec), None, (), NOW)
    assert found.answer is Answer.CANNOT
    assert any(word in why for why in found.why)


def test_a_job_that_passes_over_disruptions_may_have_no_retries() -> None:
    rules = [{"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget"}]}]
    assert not read(backoffLimit=0, podFailurePolicy={"rules": rules}).hindrances


def test_runs_of_a_cron_job_are_those_of_its_jobs_and_no_job_of_another() -> None:
    cron = {
        "metadata": {"namespace": "ml", "name": "retrain"},
        "spec": {"schedule": "0 2 * * *", "jobTemplate": {"spec": job()["spec"]}},
    }
    owned = job(metadata={"name": "retrain-1", "ownerReferences": [{"kind": "CronJob", "name": "retrain"}]})
    elsewhere = {**owned, "metadata": {**owned["metadata"], "namespace": "other"}}
    batches = read_batches([owned, elsewhere, job()], [cron])
    assert [(one.kind, one.name, one.runs) for one in batches] == [
        ("CronJob", "retrain", 1),
        ("Job", "train", 1),
    ]


@pytest.mark.parametrize(
    "thing",
    [
        {},
        {"metadata": None, "spec": [], "status": "x"},
        {
            "metadata": {"annotations": [1]},
            "spec": {"template": {"spec": {"containers": "x", "volumes": [7]}}},
        },
        job(pod={"containers": [{"resources": {"requests": {"cpu": {}, "memory": "lots"}}}]}),
        job(podFailurePolicy={"rules": [1, {"onPodConditions": [None]}]}, backoffLimit=0),
        job(metadata={"annotations": {"maestro.dev/checkpoint-every": "\x1b[31mnow"}}),
        {"metadata": {}, "spec": {}, "status": {"startTime": "then", "completionTime": 5}},
    ],
)
def test_an_object_of_any_shape_is_read_or_has_nothing(thing: dict[str, Any]) -> None:
    (batch,) = read_batches([thing], [])
    found = weigh(batch, PRICED, offers_of(PRICED, ""), NOW)
    assert "\x1b" not in "".join(found.why + batch.unread)


def test_a_run_that_ends_before_its_first_checkpoint_makes_none() -> None:
    """Three seconds of work were charged a checkpoint of thirty."""
    short = replace(NIGHTLY, run_hours=3 / 3600, checkpoint_every_hours=1 / 6, checkpoint_hours=30 / 3600)
    offers = offers_of(PRICED, "")
    found, without = (
        weigh(one, PRICED, offers, NOW) for one in (short, replace(short, checkpoint_every_hours=None))
    )
    assert found.answer is Answer.SPOT
    assert (found.spot, found.overhead) == (without.spot, without.overhead)
    charged = weigh(replace(short, run_hours=1 / 3), PRICED, offers, NOW)
    assert charged.overhead is not None
    assert charged.overhead > 0.04  # half a minute in ten and a half


@pytest.mark.parametrize(
    ("key", "says"),
    [
        ("checkpoint-every", "-10m"),
        ("checkpoint-every", "0"),
        ("checkpoint-every", "often"),
        ("checkpoint-every", ""),
        ("checkpoint-takes", "-1s"),
        ("restart-takes", "nan"),
    ],
)
def test_an_annotation_that_is_no_duration_leaves_the_answer_open(key: str, says: str) -> None:
    batch = read(metadata={"annotations": {f"maestro.dev/{key}": says}})
    found = weigh(batch, PRICED, offers_of(PRICED, ""), NOW)
    assert (found.answer, found.spot) == (Answer.UNKNOWN, None)
    assert found.why == (f"maestro.dev/{key} says {says or 'nothing'}, which is no duration such as 10m",)


def test_a_checkpoint_may_take_no_time() -> None:
    batch = read(metadata={"annotations": {"maestro.dev/checkpoint-takes": "0s"}})
    assert (batch.checkpoint_hours, batch.unread) == (0.0, ())


def test_a_container_without_a_gpu_beside_one_with_eight_leaves_eight() -> None:
    asking = {"requests": {"cpu": "1", "memory": "1Gi", "nvidia.com/gpu": "8"}}
    pod = {"containers": [{"resources": asking}, {"resources": {"requests": {"cpu": "1", "memory": "1Gi"}}}]}
    assert read(pod=pod).gpu == 8.0


def test_work_with_gpus_is_weighed_by_their_price_and_goes_to_no_machine_without_them() -> None:
    trains = replace(NIGHTLY, gpu=8.0)
    dear = replace(LISTED, spot=UnitRates(0.008, 0.001, 0.95))
    found = weigh(trains, dear, offers_of(dear, "", 0.05), NOW)
    assert found.share is not None
    assert found.share < 0.1, "GPUs are five percent cheaper, and nearly all of it is GPUs"
    assert weigh(trains, PRICED, offers_of(PRICED, ""), NOW).answer is Answer.UNKNOWN


def test_work_goes_only_to_a_kind_of_machine_that_holds_a_pod_of_it() -> None:
    """Four cores and 16 GiB: no m6i.large has them, which would cost least."""
    small, large = Room(1.9, 7.0), Room(1.9, 30.0)
    offers = offers_of(PRICED, "", rooms={"m6i.large": (small,)})
    found = weigh(NIGHTLY, PRICED, offers, NOW)
    assert found.offer is not None
    assert found.offer.instance_type == "c6i.large"
    assert "whether a c6i.large holds it is not known: no such node is there" in found.why
    neither = offers_of(PRICED, "", rooms={"m6i.large": (small,), "c6i.large": (large,)})
    assert weigh(NIGHTLY, PRICED, neither, NOW).why == (
        "no kind of spot machine in the prices holds what it asks for",
    )
    known = weigh(NIGHTLY, PRICED, offers_of(PRICED, "", rooms={"m6i.large": (small, Room(8.0, 32.0))}), NOW)
    assert not known.why


def test_a_machine_has_what_a_node_of_its_kind_tells() -> None:
    label = {"node.kubernetes.io/instance-type": "p3"}

    def node(**allocatable: Any) -> dict[str, Any]:
        return {"metadata": {"labels": label}, "status": {"allocatable": allocatable}}

    gpu = {"nvidia.com/gpu": "4", "cpu": "31500m", "memory": "240Gi"}
    found = rooms_of([node(cpu="2", memory="4Gi"), node(**gpu), node(cpu="many"), {"metadata": {}}, {}])
    assert found["p3"] == (Room(31.5, 240.0, 4.0), Room(2.0, 4.0), Room(0.0, 0.0))
    without = {"nvidia.com/gpu": "0", "cpu": "31510m", "memory": "240Gi"}
    rooms = rooms_of([node(**without), node(**gpu)])["p3"]
    trains = replace(NIGHTLY, gpu=4.0)
    assert any(room.holds(trains) for room in rooms), "one whose plugin is down does not speak for the others"


def test_gpus_of_any_maker_and_sidecars_that_stay_are_asked_for() -> None:
    def container(name: str, restart: str = "", **more: str) -> dict[str, Any]:
        asked = {"cpu": "1", "memory": "1Gi", **more}
        return {
            "name": name,
            "resources": {"requests": asked},
            **({"restartPolicy": restart} if restart else {}),
        }

    pod = {
        "initContainers": [container("fetch"), container("proxy", "Always")],
        "containers": [container("train", **{"amd.com/gpu": "2"})],
    }
    found = read(pod=pod)
    assert (found.cpu, found.memory_gib, found.gpu, found.device) == (2.0, 2.0, 2.0, "")


def test_what_asks_for_a_device_without_a_price_has_no_answer() -> None:
    asked = {"cpu": "1", "memory": "1Gi", "google.com/tpu": "8"}
    found = read(pod={"containers": [{"name": "main", "resources": {"requests": asked}}]})
    weighed = weigh(replace(found, run_hours=1.0), PRICED, offers_of(PRICED, ""), NOW)
    assert weighed.answer is Answer.UNKNOWN
    assert weighed.why == ("no price of google.com/tpu, which it asks for",)
