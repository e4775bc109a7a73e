"""Silences: an end, a reach, one for one change, and what they hide."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from maestro_cli.changes.kinds import KINDS
from maestro_cli.changes.kinds.kind import Holds, Sent
from maestro_cli.changes.model import State
from maestro_cli.core.clock import from_rfc3339
from maestro_cli.core.errors import GateNotMet, NotFound, PolicyRefused, UsageError
from maestro_cli.core.refs import silence_ref
from tests.unit.changes.bench import YES, Bench
from tests.unit.changes.fake_alertmanager import FOREVER, SILENCE, silence

TWO_HOURS = {"duration": "2h", "comment": "known"}
KIND = KINDS["silence"]


def shown(bench: Bench, kind: str, **parameters: Any) -> list[tuple[str, str | None, str | None]]:
    plan = bench.pipeline().plan(kind, SILENCE, parameters)
    return [(line.path, line.before, line.after) for line in plan.diff.lines[1:]]


def test_a_plan_lists_the_alerts_that_fire_and_would_be_hidden(bench: Bench) -> None:
    elsewhere = {"alertname": "HighErrorRate", "namespace": "shop"}
    bench.cluster.set(firing=[elsewhere, {**elsewhere, "namespace": "ml", "pod": "p"}])
    assert shown(bench, "silence", **TWO_HOURS) == [
        ("HighErrorRate{namespace=ml,pod=p}", "notifies", "silenced")
    ]
    assert bench.pipeline().plan("silence", SILENCE, TWO_HOURS).blast.alerts_hidden == 1
    bench.cluster.set(silences=[silence(0)])
    assert shown(bench, "unsilence") == [("HighErrorRate{namespace=ml,pod=p}", "silenced", "notifies")]


def test_a_long_list_of_alerts_is_cut_and_says_so(bench: Bench) -> None:
    firing = [{"alertname": "HighErrorRate", "namespace": "ml", "pod": f"p-{n:03}"} for n in range(60)]
    bench.cluster.set(firing=firing)
    lines = shown(bench, "silence", **TWO_HOURS)
    assert (len(lines), lines[-1][0]) == (51, "10 alerts more")


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"duration": "32d"},
        {"duration": "soon"},
        {"duration": "1h", "until": "2026-03-02T00:00:00Z"},
        {"duration": "1h", "comment": "x" * 1001},
    ],
)
def test_a_silence_has_an_end_and_a_short_comment(bench: Bench, parameters: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        bench.pipeline().plan("silence", SILENCE, parameters)


def test_what_would_be_over_already_is_not_made(bench: Bench) -> None:
    with pytest.raises(GateNotMet, match="over already"):
        bench.pipeline().plan("silence", SILENCE, {"until": "2026-02-01T00:00:00Z"})


@pytest.mark.parametrize("matchers", ["alertname=~.+", "alertname!=Slow", 'pod=""', "a=~.*,b!~x", ""])
def test_a_silence_of_everything_is_refused_by_policy(bench: Bench, matchers: str) -> None:
    plan = bench.pipeline().plan("silence", silence_ref(matchers), TWO_HOURS)
    with pytest.raises(PolicyRefused, match="would hide every alert"):
        bench.pipeline().execute(plan, YES)
    assert bench.cluster.marks == []


def test_the_silence_says_who_and_why_and_ends_as_planned(bench: Bench) -> None:
    plan = bench.pipeline().plan("silence", SILENCE, TWO_HOURS)
    assert bench.pipeline().execute(plan, YES).state is State.VERIFIED
    (made,) = bench.world.alertmanager.silences()
    assert (made.created_by, made.comment) == ("ada", f"known [maestro {plan.id}]")
    assert made.ends_at - plan.created_at == timedelta(hours=2)


def test_a_mark_copied_from_another_silence_is_not_taken_for_its_own(bench: Bench) -> None:
    """Else it would not be found again after a crash, and be made twice."""
    copied = {"duration": "2h", "comment": "known [maestro chg-other]"}
    plan = bench.pipeline().plan("silence", SILENCE, copied)
    assert bench.pipeline().execute(plan, YES).state is State.VERIFIED
    assert KIND.probe(bench.world, plan).sent is Sent.APPLIED
    (made,) = bench.world.alertmanager.silences()
    assert made.comment == f"known [maestro {plan.id}]"


def test_what_arrives_a_second_time_is_ended(bench: Bench) -> None:
    """Both carry the mark of one change: the first stays."""
    plan = bench.pipeline().plan("silence", SILENCE, TWO_HOURS)
    bench.cluster.set(silences=[silence(0, plan.id), silence(1, plan.id)])
    assert list(KIND.pending(bench.world, plan)) == ["sil-1"]
    KIND.take(bench.world, plan, SILENCE, "sil-1")
    assert [one.is_over for one in bench.world.alertmanager.silences()] == [False, True]
    assert KIND.pending(bench.world, plan) == {}


def test_of_several_silences_one_is_named(bench: Bench) -> None:
    bench.cluster.set(silences=[silence(0), silence(1)])
    pipeline = bench.pipeline()
    with pytest.raises(UsageError, match="several silences have these matchers: sil-0, sil-1"):
        pipeline.plan("unsilence", SILENCE)
    with pytest.raises(NotFound, match="'sil-9' is none of"):
        pipeline.plan("unsilence", SILENCE, {"id": "sil-9"})
    pipeline.execute(pipeline.plan("unsilence", SILENCE, {"id": "sil-1"}), YES)
    assert bench.cluster.marks == ["expired sil-1"]


def test_an_expired_silence_is_put_back_until_the_same_end(bench: Bench) -> None:
    bench.cluster.set(silences=[silence(0)])
    pipeline = bench.pipeline()
    plan = pipeline.plan("unsilence", SILENCE)
    pipeline.execute(plan, YES)
    undo = pipeline.plan_undo(plan.id)
    assert pipeline.execute(undo, YES).state is State.VERIFIED
    made = bench.world.alertmanager.silences()[-1]
    assert (made.ends_at, made.comment) == (from_rfc3339(FOREVER), f"theirs [maestro {undo.id}]")


def test_what_somebody_ends_while_it_is_verified_is_not_made_again(bench: Bench) -> None:
    plan = bench.pipeline().plan("silence", SILENCE, TWO_HOURS)
    bench.cluster.set(silences=[silence(0, plan.id, "expired")])
    assert KIND.probe(bench.world, plan).sent is Sent.APPLIED
    assert KIND.observe(bench.world, plan, left="").holds is Holds.SUPERSEDED
