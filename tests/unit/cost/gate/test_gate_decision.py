"""What a change costs a month, and whether it keeps its limits; what is unknown is never a pass."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest

from maestro_cli.core.errors import ExitCode
from maestro_cli.core.refs import ref_of
from maestro_cli.core.verdict import Verdict
from maestro_cli.cost.gate.deciding import decide, exit_code_of, verdict_of
from maestro_cli.cost.gate.model import Asked, Claim, Limits, Manifests, Scale
from maestro_cli.cost.gate.pricing import compare, monthly
from maestro_cli.cost.prices.model import (
    ALWAYS,
    HOURS_OF_A_MONTH,
    Capacity,
    PriceVersion,
    StorageClass,
    UnitRates,
)

PRICES = PriceVersion(
    since=ALWAYS,
    on_demand=UnitRates(cpu=0.03, memory=0.004, gpu=1.0),
    spot=UnitRates(cpu=0.01, memory=0.001),
    gpus={"A100": 3.0},
    storage=(StorageClass("fast", 0.0001),),
    load_balancer_hourly=0.025,
)
FRAUD, PRICING = ref_of("Deployment", "ml", "fraud"), ref_of("Deployment", "ml", "pricing")
ONE = Asked(cpu=1.0, memory_gib=2.0)
ONE_MONTHLY = HOURS_OF_A_MONTH * (0.03 + 0.008)
BARE = replace(ONE, cpu=0.0, unknown=("container app has no cpu request",))


def side(**asked: Asked) -> Manifests:
    return Manifests({ref_of("Deployment", "ml", name): one for name, one in asked.items()})


def judged(
    old: Manifests, new: Manifests, limits: Limits, scale: Scale = Scale.MOST
) -> tuple[Verdict | None, ExitCode]:
    comparison = compare(old, new, PRICES)
    found = decide(comparison, limits, scale, "USD")
    return verdict_of(comparison, found), exit_code_of(comparison, found)


def test_a_month_is_requests_times_rates_times_replicas() -> None:
    found = monthly(replace(ONE, least=2, most=8, gpus=1.0), PRICES)
    assert found.least == pytest.approx(2 * (ONE_MONTHLY + HOURS_OF_A_MONTH))
    assert found.most == pytest.approx(4 * found.least)
    assert monthly(replace(ONE, gpus=1.0, gpu="a100"), PRICES).most == pytest.approx(
        ONE_MONTHLY + 3 * HOURS_OF_A_MONTH
    )
    assert monthly(replace(ONE, capacity=Capacity.SPOT), PRICES).most == pytest.approx(
        HOURS_OF_A_MONTH * 0.012
    )
    assert monthly(replace(ONE, hours=30), PRICES).most == pytest.approx(30 * 0.038)


def test_a_limit_that_is_missed_by_a_hair_is_told_with_the_hair() -> None:
    grown = compare(side(), side(fraud=replace(ONE, cpu=(10.0027 / HOURS_OF_A_MONTH - 0.008) / 0.03)), PRICES)
    reasons = [
        one.judgement.reason
        for one in decide(grown, Limits(10.0, None, 10.0), Scale.MOST, "USD")
        if one.judgement.verdict is Verdict.FAIL
    ]
    assert reasons == [
        "+USD 10.003 a month, USD 10.000 allowed",
        "USD 10.003 a month, USD 10.000 allowed",
    ]


def test_claims_of_replicas_grow_with_them_and_own_ones_do_not() -> None:
    claim = Claim("fast", 100.0)
    found = monthly(Asked(least=1, most=3, claims=(claim,), own_claims=(claim,), balancers=1), PRICES)
    assert found.least == pytest.approx(HOURS_OF_A_MONTH * (0.01 + 0.01 + 0.025))
    assert found.most == pytest.approx(HOURS_OF_A_MONTH * (0.03 + 0.01 + 0.025))


@pytest.mark.parametrize(
    ("asked", "unknown"),
    [
        (replace(ONE, capacity=Capacity.SPOT, gpus=1.0), "no spot price for gpu"),
        (Asked(claims=(Claim("slow", 5.0),)), "no price for storage of class slow"),
        (Asked(claims=(Claim("", None),)), "a volume claim says no size"),
    ],
)
def test_what_has_no_price_is_unknown(asked: Asked, unknown: str) -> None:
    assert monthly(asked, PRICES).unknown == (unknown,)
    assert monthly(ONE, PriceVersion(since=ALWAYS)).unknown == (
        "no on-demand price for cpu",
        "no on-demand price for memory",
    )


def test_an_increase_is_what_both_sides_differ_by_and_a_deletion_is_a_decrease() -> None:
    comparison = compare(side(fraud=ONE, pricing=ONE), side(fraud=replace(ONE, least=2, most=2)), PRICES)
    assert comparison.increase(Scale.MOST) == pytest.approx(0.0)
    assert [str(one.ref) for one in comparison.different] == [str(FRAUD), str(PRICING)]
    assert comparison.increase(Scale.MOST) == pytest.approx(
        comparison.after(Scale.MOST) - comparison.before(Scale.MOST)
    )


def test_the_limits_are_exact() -> None:
    two = side(fraud=replace(ONE, least=2, most=2))
    bound = ONE_MONTHLY
    assert judged(side(fraud=ONE), two, Limits(increase=bound + 0.01)) == (Verdict.PASS, ExitCode.OK)
    assert judged(side(fraud=ONE), two, Limits(increase=bound - 0.01)) == (
        Verdict.FAIL,
        ExitCode.GATE_NOT_MET,
    )
    assert judged(side(fraud=ONE), two, Limits(increase_share=1.01))[0] is Verdict.PASS
    assert judged(side(fraud=ONE), two, Limits(increase_share=0.99))[0] is Verdict.FAIL
    assert judged(side(fraud=ONE), two, Limits(total=2 * bound + 0.01)) == (Verdict.PASS, ExitCode.OK)
    assert judged(side(fraud=ONE), two, Limits(total=2 * bound - 0.01)) == (
        Verdict.FAIL,
        ExitCode.CONDITION_NOT_MET,
    )


def test_autoscaling_is_judged_at_the_end_that_is_asked_for() -> None:
    ranged = side(fraud=replace(ONE, least=1, most=9))
    limits = Limits(increase=10.0)
    assert judged(side(fraud=ONE), ranged, limits, Scale.MOST)[0] is Verdict.FAIL
    assert judged(side(fraud=ONE), ranged, limits, Scale.LEAST)[0] is Verdict.PASS


def test_a_new_workload_without_requests_is_not_free() -> None:
    change = side(fraud=ONE), side(fraud=ONE, pricing=BARE)
    assert judged(*change, Limits(increase=1000.0)) == (Verdict.INDETERMINATE, ExitCode.NO_DATA)
    assert judged(*change, Limits()) == (Verdict.INDETERMINATE, ExitCode.NO_DATA)
    assert judged(*change, Limits(increase=1.0))[0] is Verdict.FAIL  # its memory alone is more


def test_what_is_unknown_on_both_sides_and_stays_changes_nothing() -> None:
    change = side(fraud=ONE, pricing=BARE), side(fraud=replace(ONE, most=1, cpu=0.5), pricing=BARE)
    assert judged(*change, Limits(increase=0.0)) == (Verdict.PASS, ExitCode.OK)
    assert judged(*change, Limits(total=1000.0)) == (Verdict.INDETERMINATE, ExitCode.NO_DATA)


def test_what_was_unknown_before_decides_nothing_whichever_way_it_seems_to_go() -> None:
    change = side(fraud=BARE), side(fraud=replace(ONE, cpu=64.0))
    assert judged(*change, Limits(increase=1.0)) == (Verdict.INDETERMINATE, ExitCode.NO_DATA)
    assert judged(*change, Limits(increase_share=0.1)) == (Verdict.INDETERMINATE, ExitCode.NO_DATA)


def test_a_share_of_nothing_decides_nothing() -> None:
    assert judged(side(), side(fraud=ONE), Limits(increase_share=0.1))[0] is Verdict.INDETERMINATE


def test_no_unknown_ever_turns_into_a_pass() -> None:
    limits = (Limits(increase=1e9), Limits(total=1e9), Limits(increase=1e9, total=1e9), Limits())
    for limit, scale, old in product(limits, Scale, (side(), side(fraud=ONE), side(fraud=BARE, pricing=ONE))):
        new = side(fraud=replace(BARE, most=5), pricing=ONE)
        assert judged(old, new, limit, scale) == (Verdict.INDETERMINATE, ExitCode.NO_DATA)


@pytest.mark.parametrize("what", ["how many hours it runs at other times"])
def test_a_job_at_other_times_costs_what_nobody_knows_unless_it_is_taken_for_nothing(what: str) -> None:
    daily, often = (side(fraud=replace(ONE, hours=30.0, runs=one)) for one in ("0 3 * * *", "* * * * *"))
    assert compare(daily, often, PRICES).changed[0].unknown == (what,)
    assert judged(daily, often, Limits(increase=1.0)) == (Verdict.INDETERMINATE, ExitCode.NO_DATA)
    assert compare(daily, often, PRICES, frozenset({"Deployment"})).is_known
    assert compare(daily, daily, PRICES).is_known


def test_a_gpu_that_has_no_price_of_its_kind_is_told_where_kinds_have_their_own() -> None:
    for kind, told in (
        ("H100", "H100 has no price of its own: that of the list is taken"),
        ("", "no kind of GPU is insisted on: that of the list is taken"),
    ):
        new = side(fraud=replace(ONE, gpus=1.0, gpu=kind))
        assert compare(side(), new, PRICES).notes == (f"{FRAUD}: {told}",)
        assert compare(side(), new, replace(PRICES, gpus={})).notes == ()
    assert compare(side(), side(fraud=replace(ONE, gpus=1.0, gpu="A100")), PRICES).notes == ()


def test_coverage_is_the_share_of_objects_that_are_known() -> None:
    assert compare(side(fraud=ONE), side(fraud=ONE, pricing=BARE), PRICES).coverage == 0.5
    assert compare(side(), side(), PRICES).coverage == 1.0
