"""A cut is made step by step, and refused with its reason where it may hurt."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

import pytest

from maestro_cli.cost.rightsizing.advice import Advice, Decision
from maestro_cli.cost.rightsizing.evidence import Looked
from maestro_cli.cost.rightsizing.facts import Autoscaler, Facts, Gpu, Throttling
from maestro_cli.cost.rightsizing.guards import BudgetLeft, Qos, qos_of
from maestro_cli.cost.rightsizing.history import Measured
from maestro_cli.cost.rightsizing.krr_rule import KrrSeries
from maestro_cli.cost.rightsizing.model import MIB, ContainerId, OutOfMemory, Seen, Size, Usage, WorkloadId
from maestro_cli.cost.rightsizing.sizing import advise
from tests.unit.cost.rightsizing.usages import DAY, usage

API = WorkloadId("shop", "Deployment", "api")
MAIN = ContainerId(API, "main")
SIDE = ContainerId(API, "side")
WIDE = Size(cpu_request=2.0, memory_request=2048 * MIB, memory_limit=4096 * MIB)
SPAN = Looked(14 * DAY)


def advice(
    size: Size = WIDE,
    used: Usage | None = None,
    facts: Facts | None = None,
    budgets: tuple[BudgetLeft, ...] = (),
    others: Mapping[ContainerId, Size] | None = None,
) -> Advice:
    known = facts or Facts()
    sizes = {MAIN: size, **(others or {})}
    told = replace(known, sizes=sizes, replicas=known.replicas or {API: 3}, endings=frozenset({MAIN}))
    measured = Measured(MAIN, used or usage(), KrrSeries(), 100.0, 100.0)
    return advise(API, [measured], told, budgets, SPAN)


def test_a_cut_halves_at_the_most_and_says_where_it_is_to_end() -> None:
    (one,) = advice().containers
    assert (one.cpu.decision, one.cpu.next, one.cpu.goal) == (Decision.CUT, 1.0, 0.23)
    assert one.cpu.reasons[0].code == "step"
    assert (one.next.memory_request, one.next.memory_limit) == (1024 * MIB, 2048 * MIB)


@pytest.mark.parametrize(
    ("limit", "next_"),
    [(8192, 4096), (None, None), (2048, 1024), (2049, 1025), (1500, 1024)],
)
def test_a_cut_takes_half_of_a_limit_at_the_most_and_makes_none(
    limit: float | None, next_: float | None
) -> None:
    (one,) = advice(replace(WIDE, memory_limit=None if limit is None else limit * MIB)).containers
    assert one.memory.decision is Decision.CUT
    assert one.next.memory_limit == (None if next_ is None else next_ * MIB)


def test_a_job_gets_no_cpu_limit_that_it_had_not_and_half_of_one_at_the_least() -> None:
    job = WorkloadId("shop", "Job", "etl")
    main = ContainerId(job, "main")

    def limit(size: Size, used: Usage | None = None) -> float | None:
        facts = Facts({main: size}, endings=frozenset({main}), throttling={main: Throttling(0.0, 100.0)})
        measured = Measured(main, used or usage(), KrrSeries(), 100.0, 100.0)
        (one,) = advise(job, [measured], facts, (), SPAN).containers
        assert one.cpu.changes
        return one.next.cpu_limit

    assert limit(Size(2.0, None, MIB)) is None
    assert limit(Size(2.0, 8.0, MIB)) == 4.0
    assert limit(Size(0.1, 0.1, MIB)) == 0.2
    assert limit(Size(0.1, 4.0, MIB)) == 4.0


def test_the_next_cut_ends_at_the_rule() -> None:
    (one,) = advice(Size(0.3, None, 256 * MIB, 256 * MIB)).containers
    assert (one.cpu.decision, one.cpu.next, one.cpu.reasons) == (Decision.CUT, 0.23, ())


def test_what_is_right_within_a_twentieth_stays() -> None:
    (one,) = advice(Size(0.24, None, 230 * MIB, 230 * MIB)).containers
    assert one.cpu.decision is one.memory.decision is Decision.KEEP
    assert one.next == one.now


def test_a_raise_is_made_at_once_and_takes_the_limit_with_it() -> None:
    (one,) = advice(Size(0.1, 0.15, 100 * MIB, 100 * MIB)).containers
    assert (one.cpu.decision, one.next.cpu_request, one.next.cpu_limit) == (Decision.RAISE, 0.23, 0.23)
    assert one.next.memory_request == one.next.memory_limit == 220 * MIB


def test_thin_history_says_so_and_changes_nothing() -> None:
    (one,) = advice(used=usage(days=3)).containers
    assert one.cpu.decision is one.memory.decision is Decision.INSUFFICIENT
    assert "less than 7 days" in one.cpu.reasons[0].text
    assert one.next == one.now


def test_no_cut_while_it_is_throttled_and_none_while_nobody_looked() -> None:
    limited = Size(2.0, 2.5, 2048 * MIB, 2048 * MIB)
    throttled = Facts(throttling={MAIN: Throttling(6.0, 100.0)})
    (one,) = advice(limited, facts=throttled).containers
    assert (one.cpu.decision, one.cpu.next) == (Decision.REFUSED, 2.0)
    assert one.cpu.reasons[0].code == "throttled"
    assert one.cpu.reasons[0].facts[0].value == 0.06
    assert one.memory.decision is Decision.CUT
    (one,) = advice(limited).containers
    assert one.cpu.reasons[0].code == "throttling-unknown"
    half_told = Facts(throttling={MAIN: Throttling(math.nan, 100.0)})
    (one,) = advice(limited, facts=half_told).containers
    assert one.cpu.reasons[0].code == "throttling-unknown"
    (one,) = advice(limited, facts=Facts(throttling={MAIN: Throttling(5.0, 100.0)})).containers
    assert one.cpu.decision is Decision.CUT


def test_no_cut_after_a_kill_for_memory() -> None:
    (one,) = advice(facts=Facts(kills={MAIN: OutOfMemory(0.0, 512 * MIB)})).containers
    assert one.cpu.decision is one.memory.decision is Decision.REFUSED
    assert [reason.code for reason in one.memory.reasons] == ["killed"]
    assert one.memory.goal == 615 * MIB


def test_a_short_window_is_told_in_its_own_units() -> None:
    facts = Facts({MAIN: WIDE}, {API: 3}, kills={MAIN: OutOfMemory(0.0)}, endings=frozenset({MAIN}))
    measured = Measured(MAIN, usage(), KrrSeries(), 100.0, 100.0)
    (one,) = advise(API, [measured], facts, (), Looked(600.0, 60.0)).containers
    assert one.cpu.reasons[0].text == "it was killed for its memory in the last 10m"


def test_no_cut_while_it_is_not_known_what_changes_saw_of_kills() -> None:
    facts = Facts({MAIN: WIDE}, {API: 3}, endings=frozenset({MAIN}), undone_untold=("no journal",))
    (one,) = advise(API, [Measured(MAIN, usage(), KrrSeries(), 100.0, 100.0)], facts, (), SPAN).containers
    assert one.cpu.decision is one.memory.decision is Decision.REFUSED
    assert [(reason.code, reason.text) for reason in one.memory.reasons] == [("killed-unknown", "no journal")]


def test_no_cut_while_nothing_tells_how_it_ended_but_a_raise() -> None:
    facts = Facts({MAIN: replace(WIDE, cpu_request=0.1)}, {API: 3})
    (one,) = advise(API, [Measured(MAIN, usage(), KrrSeries(), 100.0, 100.0)], facts, (), SPAN).containers
    assert one.cpu.decision is Decision.RAISE
    assert [reason.code for reason in one.memory.reasons] == ["killed-unknown"]
    assert one.memory.decision is Decision.REFUSED


def test_processor_time_and_memory_are_judged_by_what_was_measured_of_each() -> None:
    """A Deployment whose memory alone was measured for two weeks, or for some hours of them."""
    (one,) = advice(used=usage(memory_seen=Seen(13 * DAY, 0.07))).containers
    assert (one.cpu.decision, one.memory.decision) == (Decision.CUT, Decision.INSUFFICIENT)
    assert "7% of the hours of a week were measured of its memory" in one.memory.reasons[0].text
    (one,) = advice(used=replace(usage(), cpu_seen=Seen(DAY, 1.0))).containers
    assert (one.cpu.decision, one.memory.decision) == (Decision.INSUFFICIENT, Decision.CUT)


def test_a_kill_for_memory_raises_it_and_takes_no_limit_down() -> None:
    (one,) = advice(facts=Facts(kills={MAIN: OutOfMemory(0.0, 3072 * MIB)})).containers
    assert one.memory.decision is Decision.RAISE
    assert (one.next.memory_request, one.next.memory_limit) == (3687 * MIB, 4096 * MIB)
    (one,) = advice(Size(2.0, None, 100 * MIB, None)).containers
    assert (one.next.memory_request, one.next.memory_limit) == (220 * MIB, None)


@pytest.mark.parametrize(
    ("share", "code"),
    [(0.49, "budget"), (-2.0, "budget"), (None, "budget-unknown"), (math.nan, "budget-unknown"), (0.5, "")],
)
def test_no_cut_while_an_error_budget_is_short_or_not_known(share: float | None, code: str) -> None:
    found = advice(budgets=(BudgetLeft("api-availability", share, "no sample"),))
    (one,) = found.containers
    assert (one.cpu.decision is Decision.CUT) == (code == "")
    assert [reason.code for reason in found.refused] == ([code] if code else [])


def test_a_guaranteed_pod_keeps_its_class() -> None:
    exact = Size(2.0, 2.0, 2048 * MIB, 2048 * MIB)
    (one,) = advice(exact, facts=Facts(throttling={MAIN: Throttling(0.0, 100.0)})).containers
    assert one.cpu.decision is Decision.REFUSED
    assert one.cpu.reasons[0].text.endswith("would be Burstable, and is Guaranteed")
    assert one.memory.decision is Decision.CUT
    assert qos_of([one.next]) is Qos.GUARANTEED


def test_the_class_is_of_the_whole_pod() -> None:
    exact = Size(0.23, 0.23, 300 * MIB, 400 * MIB)
    (one,) = advice(exact, others={SIDE: Size(0.1, 0.1, MIB, MIB)}).containers
    assert one.memory.reasons[0].text.endswith("would be Guaranteed, and is Burstable")
    (one,) = advice(exact, others={SIDE: Size(0.1, None, MIB, MIB)}).containers
    assert one.memory.decision is Decision.CUT


@pytest.mark.parametrize(
    ("sizes", "qos"),
    [
        ([Size()], Qos.BEST_EFFORT),
        ([Size(), Size(0.1)], Qos.BURSTABLE),
        ([Size(0.1, 0.1, 1, 1)], Qos.GUARANTEED),
        ([Size(None, 0.1, None, 1)], Qos.GUARANTEED),
        ([Size(0.1, 0.1, 1, 2)], Qos.BURSTABLE),
        ([Size(0.1, 0.1, 1, 1), Size()], Qos.BURSTABLE),
    ],
)
def test_classes_are_kubernetes(sizes: list[Size], qos: Qos) -> None:
    assert qos_of(sizes) is qos


def test_an_autoscalers_target_goes_with_the_request() -> None:
    scaled = Facts(autoscalers={API: Autoscaler("api", cpu_target=40.0)})
    found = advice(facts=scaled)
    assert found.autoscaler is not None
    assert (found.autoscaler.now, found.autoscaler.next) == (40.0, 80)
    assert found.containers[0].krr.cpu.why == "No data"


def test_a_cut_ends_where_the_autoscalers_target_would_be_over_90() -> None:
    found = advice(facts=Facts(autoscalers={API: Autoscaler("api", cpu_target=60.0)}))
    assert found.containers[0].next.cpu_request == 1.334
    assert found.autoscaler is not None
    assert found.autoscaler.next == 89
    assert found.containers[0].cpu.reasons[0].code == "autoscaler"
    found = advice(facts=Facts(autoscalers={API: Autoscaler("api", cpu_target=88.0)}))
    assert found.containers[0].cpu.decision is Decision.REFUSED
    assert found.autoscaler is None


def test_memory_is_not_cut_under_an_autoscaler_that_looks_at_it() -> None:
    found = advice(facts=Facts(autoscalers={API: Autoscaler("api", memory_target=70.0)}))
    assert found.containers[0].memory.decision is Decision.REFUSED
    assert found.containers[0].next.memory_limit == WIDE.memory_limit
    assert found.containers[0].cpu.decision is Decision.CUT


def test_an_idle_gpu_is_a_suggestion_and_one_that_was_hardly_measured_is_none() -> None:
    idle, unseen = Gpu("GPU-1", "api-0", 0.1, 1.0), Gpu("GPU-2", "api-1", 0.1, 0.5)
    found = advice(facts=Facts(gpus={API: (idle, unseen)})).suggestions
    assert [one.code for one in found] == ["gpu-idle"]
    assert found[0].facts[0].value == 0.1


def test_replicas_that_do_nothing_are_a_suggestion() -> None:
    found = advice(used=usage(0.001)).suggestions
    assert [one.code for one in found] == ["replicas"]


def test_a_workload_of_which_nothing_runs_is_left_alone() -> None:
    measured = Measured(MAIN, usage(), KrrSeries(), 100.0, 100.0)
    (one,) = advise(API, [measured], Facts(), (), SPAN).containers
    assert one.cpu.reasons[0].text == "insufficient: nothing of it runs now"
    assert not one.changes


def test_less_than_a_week_is_enough_for_those_who_say_so() -> None:
    measured = Measured(MAIN, usage(days=1, week_seen=0.15), KrrSeries(), 100.0, 100.0)
    facts = Facts({MAIN: WIDE}, {API: 3}, endings=frozenset({MAIN}))
    (one,) = advise(API, [measured], facts, (), Looked(DAY, least_seconds=DAY / 2)).containers
    assert one.cpu.decision is Decision.CUT
