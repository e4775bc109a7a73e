"""A rollback holds when its revision answers, and answers well; what cannot be counted holds nothing up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pytest

from maestro_cli.changes.candidates.answers import Answers, weigh
from maestro_cli.changes.history import get_change
from maestro_cli.changes.model import State
from maestro_cli.changes.pipeline import ChangePipeline
from maestro_cli.changes.policy import UndoPolicy
from maestro_cli.core.cancellation import Cancellation
from maestro_cli.core.errors import ActionFailed, Interrupted, RolledBack
from maestro_cli.core.facts.metrics import Instant, Sample, Series
from maestro_cli.core.progress import Quiet
from tests.unit.changes.bench import POLICY, YES, Bench
from tests.unit.changes.fake_cluster import LONG_AGO, REF, template
from tests.unit.changes.fake_metrics import BAD, OBJECTIVES, TOTAL
from tests.unit.changes.some_world import SomeWorld


@pytest.mark.parametrize(
    ("answers", "holds", "says"),
    [
        (Answers(why_not="no prometheus"), True, "answers were not counted: no prometheus"),
        (Answers(5.0), True, "there are no requests to count"),
        (Answers(5.0, before=9.0), True, "there are no requests to count"),
        (Answers(5.0, before=10.0), False, "no answer was counted yet, and there were requests before"),
        (Answers(5.0, own=90.0, others=10.0), False, "10 of 100 answers in 5.0s are of other revisions"),
        (Answers(5.0, own=90.0, models=("fraud=1@ab",)), True, "all of revision 3 (fraud=1@ab)"),
        (Answers(5.0, untold=90.0), True, "90 answers in 5.0s, which tell no revision"),
        (Answers(5.0, own=90.0, replaced=("fraud=1",)), False, "fraud=1 has another digest than when"),
        (Answers(5.0, own=90.0, burning=("x burns",)), False, "x burns"),
        (Answers(5.0, untold=90.0, burning=("x burns",)), False, "x burns"),
    ],
)
def test_what_was_counted_is_weighed(answers: Answers, holds: bool, says: str) -> None:
    weighed = weigh(answers, 3)
    assert weighed.holds is holds
    assert says in weighed.text


@dataclass
class Now:
    """A FAKE Prometheus at one instant: answers by ReplicaSet, and how many of them bad."""

    answers: Mapping[str, float]
    bad: float = 0.0
    digests: Mapping[str, str] = field(default_factory=dict)  # "now" and "then"

    def query(self, promql: str, *, at: datetime | None = None) -> Instant:
        return Instant(promql, at or LONG_AGO, tuple(self._samples(promql)))

    def query_range(
        self, promql: str, start: datetime, end: datetime, step_seconds: float
    ) -> Sequence[Series]:
        return ()

    def _samples(self, promql: str) -> list[Sample]:
        if "count_over_time" in promql:
            return [_sample(300.0)]
        if "maestro_model_info" in promql:
            when = "now" if "increase" in promql else "then"
            labels = {"model": "fraud", "version": "1", "digest": self.digests.get(when, "")}
            return [_sample(1.0, replica_set="fraud-1", **labels)] if when in self.digests else []
        if "label_replace" in promql:
            return [_sample(value, replica_set=name) for name, value in self.answers.items()]
        assert TOTAL in promql or BAD in promql
        return [_sample(self.bad if BAD in promql else sum(self.answers.values()))]


def _sample(value: float, **labels: str) -> Sample:
    return Sample(labels, value, LONG_AGO)


def pipeline(bench: Bench, now: Now, ask: Any = None, **policy: Any) -> ChangePipeline:
    world = SomeWorld(bench.cluster, now, OBJECTIVES)
    rules = bench.pipeline(**policy).policy if policy else POLICY
    return ChangePipeline(bench.journal, world, policy=rules, clock=bench.clock, actor="ada", ask=ask)


def test_the_answers_are_the_evidence(bench: Bench) -> None:
    now = Now({"fraud-1": 200.0}, digests={"now": "sha256:" + "a" * 64, "then": "sha256:" + "a" * 64})
    changes = pipeline(bench, now)
    change = changes.execute(changes.plan("rollback", REF), YES)
    assert change.state is State.VERIFIED
    assert change.evidence.endswith("200 answers in 5.0s, all of revision 1 (fraud=1@aaaaaaaaaaaa)")


@pytest.mark.parametrize(
    ("now", "why"),
    [
        (Now({"fraud-1": 100.0, "fraud-2": 9.0}), "9 of 109 answers in 5.0s are of other revisions"),
        (Now({"fraud-1": 100.0}, bad=30.0), "fraud-availability burns 30 times its budget: 30 of 100 bad"),
        (
            Now({"fraud-1": 9.0}, digests={"now": "sha256:b", "then": "sha256:a"}),
            "fraud=1 has another digest",
        ),
    ],
)
def test_a_rollback_in_effect_that_helped_nobody_is_left_as_it_is(bench: Bench, now: Now, why: str) -> None:
    """To take it back would bring the release again that was given up."""
    changes = pipeline(bench, now)
    plan = changes.plan("rollback", REF)
    with pytest.raises(ActionFailed) as raised:
        changes.execute(plan, YES)
    assert why in raised.value.why
    assert f"maestro change undo {plan.id}" in raised.value.fix
    assert get_change(bench.journal, plan.id).state is State.FAILED
    assert bench.cluster.get_workload(REF).template == template(1)


def test_a_goal_that_does_not_come_up_is_taken_back_and_the_undo_asks_no_metrics(bench: Bench) -> None:
    bench.cluster.set(broken=["fraud=1"])
    changes = pipeline(bench, Now({"fraud-2": 100.0}, bad=50.0))
    with pytest.raises(RolledBack):
        changes.execute(changes.plan("rollback", REF), YES)
    assert bench.cluster.get_workload(REF).template == template(2)


BURNING = Now({"fraud-1": 100.0}, bad=30.0)


def test_always_means_always(bench: Bench) -> None:
    changes = pipeline(bench, BURNING, undo=UndoPolicy.ALWAYS)
    with pytest.raises(RolledBack):
        changes.execute(changes.plan("rollback", REF), YES)


@pytest.mark.parametrize(
    ("answer", "ends"), [(True, RolledBack), (False, ActionFailed), (None, ActionFailed)]
)
def test_where_policy_asks_a_person_says_and_nobody_is_no(
    bench: Bench, answer: bool | None, ends: type[Exception]
) -> None:
    asked: list[str] = []

    def ask(question: str) -> bool:
        asked.append(question)
        return bool(answer)

    changes = pipeline(bench, BURNING, None if answer is None else ask, undo=UndoPolicy.ASK)
    with pytest.raises(ends):
        changes.execute(changes.plan("rollback", REF), YES)
    assert len(asked) == (0 if answer is None else 1)
    assert all("burns 30 times its budget" in question for question in asked)


@dataclass
class Impatient(Quiet):
    """Ends it at the first look."""

    cancellation: Cancellation

    def update(self, text: str) -> None:
        self.cancellation.cancel(terminated=True)


@pytest.mark.parametrize(("agrees", "ends"), [(True, RolledBack), (False, ActionFailed)])
def test_who_goes_on_with_a_change_may_say_yes_to_its_undo_where_nobody_is_asked(
    bench: Bench, agrees: bool, ends: type[Exception]
) -> None:
    changes = pipeline(bench, BURNING, undo=UndoPolicy.ASK)
    plan = changes.plan("rollback", REF)
    with pytest.raises(Interrupted):
        changes.execute(plan, YES, progress=Impatient(stop := Cancellation()), cancellation=stop)
    with pytest.raises(ends):
        changes.recover(plan.id, agrees=agrees)


def test_bad_answers_too_few_to_page_for_hold_nothing_up(bench: Bench) -> None:
    changes = pipeline(bench, Now({"fraud-1": 20.0}, bad=9.0))
    assert changes.execute(changes.plan("rollback", REF), YES).state is State.VERIFIED
