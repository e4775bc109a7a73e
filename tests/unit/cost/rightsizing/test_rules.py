"""What the three rules say of the same usage."""

from __future__ import annotations

import math

import numpy as np
import pytest

from maestro_cli.cost.rightsizing.krr_rule import KrrSeries, Scaled, krr_proposal, one_job
from maestro_cli.cost.rightsizing.model import MIB, OutOfMemory, Size, Usage
from maestro_cli.cost.rightsizing.own_rule import own_proposal
from maestro_cli.cost.rightsizing.vpa_rule import confidence_days, vpa_proposal
from tests.unit.cost.rightsizing.usages import DAY, STEP, usage

NOW = Size(cpu_request=2.0, memory_request=1e9, memory_limit=1e9)
NOT_SCALED = Scaled()


def test_a_serving_container_gets_its_95th_percentile_and_a_margin() -> None:
    values = np.linspace(0.1, 0.3, 4032)
    found = own_proposal(usage(values.tolist()), NOW, is_batch=False).cpu
    assert found.request == math.ceil(float(np.percentile(values, 95)) * 1.15 * 1000) / 1000
    assert found.limit is None


def test_one_busy_minute_in_fifty_counts_for_what_is_over_the_burst() -> None:
    values = [0.1] * 98 + [1.0] * 2
    assert own_proposal(usage(values), NOW, is_batch=False).cpu.request == pytest.approx(0.92)


def test_a_batch_container_may_wait() -> None:
    values = list(np.linspace(0.0, 1.0, 4032))
    found = own_proposal(usage(values), NOW, is_batch=True).cpu
    assert found.request == pytest.approx(0.66)
    assert found.limit == pytest.approx(0.96)


def test_a_float_that_means_115_millicores_is_not_116() -> None:
    assert own_proposal(usage(0.1), NOW, is_batch=False).cpu.request == 0.115


def test_an_idle_container_keeps_the_least() -> None:
    assert own_proposal(usage(0.0001), NOW, is_batch=False).cpu.request == 0.010


def test_memory_is_its_largest_working_set_and_a_margin_and_ends_there() -> None:
    found = own_proposal(usage(peaks=[1e8, 100 * MIB, 5e7]), NOW, is_batch=False).memory
    assert found.request == found.limit == 115 * MIB


def test_a_kill_for_memory_asks_for_more_than_it_had() -> None:
    killed = OutOfMemory(at=0.0, limit=200 * MIB)
    found = own_proposal(usage(peaks=[150 * MIB], killed=killed), Size(), is_batch=False).memory
    assert found.request == 300 * MIB
    killed = OutOfMemory(at=0.0, limit=2000 * MIB)
    found = own_proposal(usage(peaks=[150 * MIB], killed=killed), Size(), is_batch=False).memory
    assert found.request == 2400 * MIB


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (usage(days=6.5), "less than 7 days"),
        (usage(days=0.25), "fewer than 100"),
        (usage(days=0), "no sample"),
        (usage(week_seen=0.8), "80% of the hours of a week"),
    ],
)
def test_thin_history_gives_no_figure_and_says_why(given: Usage, why: str) -> None:
    found = own_proposal(given, NOW, is_batch=False).cpu
    assert found.request is None
    assert found.why.startswith("insufficient: ")
    assert why in found.why


def test_seven_days_and_every_hour_of_a_week_are_enough() -> None:
    assert own_proposal(usage(days=7, week_seen=0.9), NOW, is_batch=False).cpu.request is not None


def test_memory_that_nobody_sampled_is_insufficient_and_not_small() -> None:
    found = own_proposal(usage(peaks=[]), NOW, is_batch=False).memory
    assert (found.request, found.why) == (None, "insufficient: there is no sample of its memory")


def test_krr_takes_the_busiest_pod_and_the_largest_peak() -> None:
    series = KrrSeries(
        cpu={"a": 0.1201, "b": 0.05},
        cpu_points={"a": 60, "b": 40},
        memory={"a": 100 * MIB, "b": 200 * MIB},
        memory_points={"a": 60, "b": 40},
    )
    found = krr_proposal(series, NOT_SCALED)
    assert (found.cpu.request, found.cpu.limit) == (0.121, None)
    assert found.memory.request == found.memory.limit == 230 * MIB


def test_krr_rounds_the_noise_of_floats_up_and_keeps_its_least_amounts() -> None:
    series = KrrSeries({"a": 0.115 + 1e-17}, {"a": 100}, {"a": MIB}, {"a": 100})
    assert krr_proposal(series, NOT_SCALED).cpu.request == math.ceil((0.115 + 1e-17) * 1000) / 1000
    assert krr_proposal(series, NOT_SCALED).memory.request == 100 * MIB
    assert krr_proposal(KrrSeries({"a": 0.0}, {"a": 100}), NOT_SCALED).cpu.request == 0.01


def test_krr_says_nothing_of_few_points_and_of_what_is_scaled() -> None:
    few = KrrSeries({"a": 1.0}, {"a": 99}, {"a": 1.0}, {"a": 99})
    assert krr_proposal(few, NOT_SCALED).cpu.why == "Not enough data"
    many = KrrSeries({"a": 1.0}, {"a": 100}, {"a": 1e9}, {"a": 100})
    assert krr_proposal(many, Scaled(cpu=True)).cpu.why == "HPA detected"
    assert krr_proposal(many, Scaled(cpu=True)).memory.request is not None
    assert krr_proposal(KrrSeries(), NOT_SCALED).memory.why == "No data"


def test_krr_with_kills_for_memory_takes_the_limit_and_a_quarter() -> None:
    series = KrrSeries(memory={"a": 100 * MIB}, memory_points={"a": 100}, oom={"a": 200 * MIB})
    assert krr_proposal(series, NOT_SCALED).memory.request == 250 * MIB


def test_of_two_jobs_the_kubelets_counts_then_the_first() -> None:
    assert one_job({"cadvisor": 1.0, "kubelet": 2.0}) == 2.0
    assert one_job({"z": 1.0, "a": 2.0}) == 2.0


def test_vpa_has_its_margin_over_the_end_of_a_bucket() -> None:
    found = vpa_proposal(usage(0.2), NOW, containers=1).cpu
    # the bucket of 0.2 is [0.1954, 0.2153): floor(0.01 · (1.05^n − 1) / 0.05), 215 and a margin of 32
    starts = [0.01 * (1.05**n - 1) / 0.05 for n in range(30)]
    end = math.floor(min(start for start in starts if start > 0.2) * 1000)
    assert found.request == (end + math.floor(end * 0.15)) / 1000
    assert found.lowest is not None
    assert found.highest is not None
    assert found.lowest < found.request < found.highest


def test_vpa_forgets_an_old_peak_and_keeps_least_amounts_of_a_pod() -> None:
    found = vpa_proposal(usage(0.001, peaks=[4e9] + [1e8] * 13), NOW, containers=2)
    assert found.cpu.request == 0.012
    assert found.memory.request is not None
    assert found.memory.request < 2e8


def test_vpas_confidence_is_in_days_of_a_sample_a_minute() -> None:
    times = np.arange(2 * DAY / STEP) * STEP
    assert confidence_days(times) == pytest.approx(2.0, abs=0.01)
    assert confidence_days(times[:1]) == 0.0


def test_vpa_takes_a_kill_for_memory_as_what_would_have_been_needed() -> None:
    killed = OutOfMemory(at=usage().peak_times[-1] + DAY)
    calm = vpa_proposal(usage(), Size(memory_request=4e8), containers=1).memory
    after = vpa_proposal(usage(killed=killed), Size(memory_request=4e8), containers=1).memory
    assert calm.request is not None
    assert after.request is not None
    assert after.request > 1.15 * (4e8 + 100 * MIB) > calm.request
