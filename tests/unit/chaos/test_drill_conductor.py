"""However a drill ends, what it broke is put back, and the journal says what was meant and what was done.

The stage, cluster, metrics and responders are in-memory fakes; the journal is the real one. The same
conductor on the real platform is in tests/e2e.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from maestro_cli.chaos.drills.conductor import Conductor, Ensemble, is_drilling, unfinished
from maestro_cli.chaos.drills.model import Outcome, Scorecard
from maestro_cli.chaos.drills.scenarios import find_scenario
from maestro_cli.core.cancellation import Cancellation
from maestro_cli.core.errors import (
    ActionFailed,
    GateNotMet,
    Interrupted,
    MaestroError,
    NotFound,
    Refused,
    StalePlan,
    TimedOut,
    UndoFailed,
    Unreachable,
)
from maestro_cli.core.facts.cluster import Workload
from maestro_cli.core.facts.metrics import Instant, Sample
from maestro_cli.core.progress import Progress, Quiet
from maestro_cli.core.refs import WorkloadRef
from maestro_cli.journal.store import Journal
from maestro_cli.slo.objectives import Objective

SCENARIO = find_scenario("bad-release")
OBJECTIVE = Objective("fraud-availability", "t", "fraud", 0.999, 2592000.0, "requests", "errors", None, {})
WELL = {"spec": {"containers": [{"name": "server", "args": ["--serve", "fraud=1"]}]}}


class FakeClock:
    """A fake: time passes only when somebody waits."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds


class FakeCancellation(Cancellation):
    """A fake whose waits take the fake clock's time."""

    def __init__(self, clock: FakeClock) -> None:
        super().__init__()
        self.clock = clock

    def wait(self, seconds: float) -> bool:
        self.clock.sleep(seconds)
        return self.is_set


@dataclass
class FakeStage:
    up_already: bool = False
    calls: list[str] = field(default_factory=list)
    fails: MaestroError | None = None

    def is_up(self) -> bool:
        return self.up_already

    def up(self, progress: Progress, cancellation: Cancellation) -> None:
        self.calls.append("up")
        if self.fails:
            raise self.fails

    def down(self, progress: Progress) -> None:
        self.calls.append("down")


class FakeCluster:
    """A fake API server of one Deployment, with optimistic concurrency."""

    def __init__(self) -> None:
        self.template: Mapping[str, Any] = copy.deepcopy(WELL)
        self.revision = 1
        self.version = 1
        self.ready = 3
        self.numbers_revisions = True
        self.before_replace: Callable[[], None] | None = None
        self.failures: list[MaestroError] = []
        self.replaced = 0

    def get_workload(self, ref: WorkloadRef) -> Workload:
        return self._workload(ref)

    def _workload(self, ref: WorkloadRef) -> Workload:
        return Workload(
            ref=ref, uid="u1", resource_version=str(self.version), generation=self.version,
            observed_generation=self.version, revision=self.revision, replicas_wanted=3, replicas=3,
            replicas_updated=3, replicas_ready=self.ready, replicas_available=3, paused=False,
            selector="app=fraud", created_at=datetime(2026, 1, 1, tzinfo=UTC), template=self.template,
        )  # fmt: skip

    def replace_template(
        self,
        ref: WorkloadRef,
        *,
        uid: str,
        resource_version: str,
        template: Mapping[str, Any],
        annotations: Mapping[str, str | None],
        dry_run: bool = False,
    ) -> Workload:
        if self.failures:
            raise self.failures.pop(0)
        if self.before_replace is not None:
            hook, self.before_replace = self.before_replace, None
            hook()
        if resource_version != str(self.version) or uid != "u1":
            raise StalePlan("the workload moved")
        self.replaced += 1
        self.template = template
        self.version += 1
        self.revision += self.numbers_revisions
        return self._workload(ref)

    @property
    def is_well(self) -> bool:
        return bool(self.template["spec"] == WELL["spec"])


class FakeMetrics:
    """A fake Prometheus that knows four queries."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self.rate: float | None = 50.0
        self.ratio: float | None = 0.0

    def query(self, promql: str, *, at: datetime | None = None) -> Instant:
        if promql.startswith("sum(rate("):
            value = self.rate
        elif promql.startswith("max("):
            value = self.ratio
        elif "errors" in promql:
            value = self.clock.seconds
        else:
            value = 1000 + 50 * self.clock.seconds
        now = self.clock.now()
        return Instant(promql, now, () if value is None else (Sample({}, value, now),))


class FakeResponder:
    """A fake on-call engineer, who rolls back unless told otherwise."""

    def __init__(self, cluster: FakeCluster, clock: FakeClock) -> None:
        self.cluster = cluster
        self.clock = clock
        self.alerts: tuple[str, ...] = ()
        self.incidents: tuple[str, ...] = ()
        self.fails: BaseException | None = None
        self.detects = True
        self.fixes = True
        self.dismissed: list[str] = []
        self.closed: list[str] = []
        self.found = Outcome()

    def firing(self, ref: WorkloadRef) -> tuple[str, ...]:
        return self.alerts

    def open_incidents(self, ref: WorkloadRef) -> tuple[str, ...]:
        return self.incidents

    def dismiss_drills(self, ref: WorkloadRef, reason: str) -> None:
        self.dismissed.append(reason)

    def await_incident(
        self, ref: WorkloadRef, *, since: datetime, timeout_seconds: float, cancellation: Cancellation
    ) -> str:
        if not self.detects:
            self.clock.sleep(timeout_seconds)
            raise TimedOut("no incident opened")
        self.clock.sleep(20)
        self.found = Outcome(incident="inc-1", detected_at=self.clock.now())
        return "inc-1"

    def respond(self, incident: str, *, progress: Progress, cancellation: Cancellation) -> None:
        if self.fails is not None:
            raise self.fails
        self.clock.sleep(10)
        now = self.clock.now()
        self.found = replace(
            self.found, triaged_at=now, suspect_kind="release", suspect_subject=str(SCENARIO.target),
            suspect_revision=self.cluster.revision,
        )  # fmt: skip
        if self.fixes:
            workload = self.cluster.get_workload(SCENARIO.target)
            self.cluster.replace_template(
                SCENARIO.target,
                uid="u1",
                resource_version=workload.resource_version,
                template=WELL,
                annotations={},
            )
            self.found = replace(
                self.found, fix_kind="rollback", fix_target=str(SCENARIO.target), fix_verified=True,
                mitigated_at=now, resolved_at=now, postmortem="pm.md",
            )  # fmt: skip

    def outcome(self, incident: str) -> Outcome:
        return self.found

    def close(self, incident: str, reason: str) -> None:
        self.closed.append(incident)


class Theatre:
    """Everything a drill needs, of which only the journal is real."""

    def __init__(self, path: Path) -> None:
        self.clock = FakeClock()
        self.stage = FakeStage()
        self.cluster = FakeCluster()
        self.metrics = FakeMetrics(self.clock)
        self.responder = FakeResponder(self.cluster, self.clock)
        self.journal = Journal(path, clock=self.clock)
        self.cancellation = FakeCancellation(self.clock)

    def run(self, *, keep: bool = False) -> Scorecard:
        conductor = Conductor(
            self.stage,
            lambda: Ensemble(self.journal, self.cluster, self.metrics, self.responder),
            {OBJECTIVE.name: OBJECTIVE},
            clock=self.clock,
            actor="tester",
        )
        return conductor.run(SCENARIO, keep=keep, progress=Quiet(), cancellation=self.cancellation)

    @property
    def kinds(self) -> list[str]:
        return [event.kind for event in self.journal.events()]


@pytest.fixture
def theatre(tmp_path: Path) -> Iterator[Theatre]:
    made = Theatre(tmp_path / "journal.sqlite")
    yield made
    made.journal.close()


def test_a_good_response_passes_and_everything_is_put_away(theatre: Theatre) -> None:
    card = theatre.run()
    assert card.passed, card.misses
    assert theatre.cluster.is_well
    assert theatre.stage.calls == ["up", "down"]
    assert theatre.kinds == ["drill.intended", "drill.undone", "drill.scored"]
    assert theatre.journal.events(kinds=("drill.undone",))[0].data == {"by": "the responders"}
    assert theatre.responder.closed == ["inc-1"]


def test_the_undo_is_in_the_journal_before_anything_is_broken(theatre: Theatre) -> None:
    seen: list[list[str]] = []
    theatre.cluster.before_replace = lambda: seen.append(theatre.kinds)
    theatre.run()
    assert seen == [["drill.intended"]]
    assert theatre.journal.events()[0].data["undo"]["template"] == WELL


def test_the_truth_is_not_in_the_journal_before_the_score(theatre: Theatre) -> None:
    theatre.run()
    intent = str(theatre.journal.events(kinds=("drill.intended",))[0].data)
    assert SCENARIO.true_cause not in intent.replace(SCENARIO.name, "")
    assert SCENARIO.right_fix not in intent


@pytest.mark.parametrize(("keep", "up_already"), [(True, False), (False, True), (True, True)])
def test_a_platform_that_was_up_or_is_kept_stays(theatre: Theatre, keep: bool, up_already: bool) -> None:
    theatre.stage.up_already = up_already
    card = theatre.run(keep=keep)
    assert "down" not in theatre.stage.calls
    assert (card.platform_seconds is None) is up_already


@pytest.mark.parametrize(
    "failure",
    [Interrupted(), KeyboardInterrupt(), ZeroDivisionError()],
    ids=lambda error: type(error).__name__,
)
def test_an_interrupted_drill_is_undone_and_put_away(theatre: Theatre, failure: BaseException) -> None:
    theatre.responder.fails = failure
    with pytest.raises(type(failure)):
        theatre.run()
    assert theatre.cluster.is_well
    assert theatre.stage.calls == ["up", "down"]
    assert theatre.kinds == ["drill.intended", "drill.undone"]
    assert theatre.responder.dismissed[-1] == "the drill is over"


def test_a_response_that_fails_is_scored_and_undone(theatre: Theatre) -> None:
    theatre.responder.fails = ActionFailed("the runbook broke")
    card = theatre.run()
    assert not card.passed
    assert "the response stopped: the runbook broke" in card.misses
    assert theatre.cluster.is_well
    assert theatre.journal.events(kinds=("drill.undone",))[0].data == {"by": "the drill"}


def test_a_response_that_fixes_nothing_fails_and_is_undone(theatre: Theatre) -> None:
    theatre.responder.fixes = False
    card = theatre.run()
    assert not card.fix_is_right
    assert theatre.cluster.is_well


def test_a_defect_that_nobody_notices_is_a_score_not_a_crash(theatre: Theatre) -> None:
    theatre.responder.detects = False
    card = theatre.run()
    assert "detected never happened" in card.misses
    assert theatre.cluster.is_well


def test_a_platform_that_does_not_start_is_taken_down(theatre: Theatre) -> None:
    theatre.stage.fails = TimedOut("not ready")
    with pytest.raises(TimedOut):
        theatre.run()
    assert theatre.stage.calls == ["up", "down"]
    assert theatre.kinds == []


@pytest.mark.parametrize(
    ("disturb", "why"),
    [
        (lambda t: setattr(t.cluster, "ready", 2), "2 of 3 replicas"),
        (lambda t: setattr(t.metrics, "rate", None), "no requests"),
        (lambda t: setattr(t.metrics, "rate", 0.0), "no requests"),
        (lambda t: setattr(t.metrics, "rate", float("nan")), "no requests"),
        (lambda t: setattr(t.metrics, "ratio", 0.01), "error ratio is 1.00%"),
        (lambda t: setattr(t.metrics, "ratio", None), "not known"),
        (lambda t: setattr(t.responder, "alerts", ("Burn",)), "still firing: Burn"),
    ],
)
def test_nothing_is_broken_without_a_healthy_baseline(
    theatre: Theatre, disturb: Callable[[Theatre], None], why: str
) -> None:
    disturb(theatre)
    with pytest.raises(TimedOut, match="baseline") as caught:
        theatre.run()
    assert why in caught.value.why
    assert theatre.cluster.replaced == 0
    assert theatre.kinds == []


def test_a_real_incident_is_never_drilled_over(theatre: Theatre) -> None:
    theatre.responder.incidents = ("inc-real",)
    with pytest.raises(GateNotMet, match="inc-real"):
        theatre.run()
    assert theatre.cluster.replaced == 0


def test_a_workload_that_moved_since_the_baseline_is_left_alone(theatre: Theatre) -> None:
    def deploy() -> None:
        theatre.cluster.template = {"spec": {"containers": [{"args": ["--serve", "fraud=7"]}]}}
        theatre.cluster.version += 1

    theatre.cluster.before_replace = deploy
    with pytest.raises(StalePlan):
        theatre.run()
    assert theatre.cluster.template["spec"]["containers"][0]["args"] == ["--serve", "fraud=7"]
    assert theatre.cluster.replaced == 0
    assert theatre.kinds == ["drill.intended", "drill.undone"]
    assert unfinished(theatre.journal) == ()


@pytest.mark.parametrize(
    "error", [Refused("403"), NotFound("it is gone"), GateNotMet("an admission rule says no")],
    ids=lambda error: type(error).__name__,
)  # fmt: skip
def test_what_the_cluster_refused_is_not_undone(theatre: Theatre, error: MaestroError) -> None:
    theatre.cluster.failures = [error]
    with pytest.raises(type(error), match=error.what):
        theatre.run()
    assert theatre.cluster.replaced == 0
    assert theatre.journal.events(kinds=("drill.undone",))[0].data == {"by": "nobody: nothing was shipped"}


def test_what_the_cluster_did_not_answer_is_undone(theatre: Theatre) -> None:
    """The call may have been done all the same."""

    def done_unanswered() -> None:
        theatre.cluster.template = {"spec": {"containers": [{"args": ["--serve", "fraud=2"]}]}}
        theatre.cluster.version += 1
        raise Unreachable("silent")

    theatre.cluster.before_replace = done_unanswered
    with pytest.raises(Unreachable):
        theatre.run()
    assert theatre.cluster.is_well
    assert theatre.journal.events(kinds=("drill.undone",))[0].data == {"by": "the drill"}


def test_one_that_lost_its_permission_after_it_shipped_is_undone(theatre: Theatre) -> None:
    read = theatre.cluster.get_workload
    theatre.cluster.numbers_revisions = False

    def refused(ref: WorkloadRef) -> Workload:
        if theatre.cluster.is_well:
            return read(ref)
        theatre.cluster.get_workload = read  # type: ignore[method-assign]
        raise Refused("403")

    theatre.cluster.before_replace = lambda: setattr(theatre.cluster, "get_workload", refused)
    with pytest.raises(Refused):
        theatre.run()
    assert theatre.cluster.is_well


def test_a_controller_that_sleeps_ends_the_drill_and_the_defect_is_undone(theatre: Theatre) -> None:
    theatre.cluster.numbers_revisions = False
    with pytest.raises(TimedOut, match="did not take up"):
        theatre.run()
    assert theatre.cluster.is_well


def test_an_undo_looks_again_when_the_cluster_moved_or_did_not_answer(theatre: Theatre) -> None:
    theatre.responder.fails = ActionFailed("x")

    def trouble() -> None:
        theatre.cluster.failures = [StalePlan("moved"), Unreachable("silent")]

    original = theatre.responder.respond

    def respond(incident: str, *, progress: Progress, cancellation: Cancellation) -> None:
        trouble()
        original(incident, progress=progress, cancellation=cancellation)

    theatre.responder.respond = respond  # type: ignore[method-assign]
    theatre.run()
    assert theatre.cluster.is_well


def test_an_undo_that_fails_says_what_is_left(theatre: Theatre) -> None:
    theatre.responder.fails = ActionFailed("x")
    original = theatre.responder.respond

    def respond(incident: str, *, progress: Progress, cancellation: Cancellation) -> None:
        theatre.cluster.failures = [Unreachable("silent") for _ in range(50)]
        original(incident, progress=progress, cancellation=cancellation)

    theatre.responder.respond = respond  # type: ignore[method-assign]
    with pytest.raises(UndoFailed, match="still on ml/deploy/fraud"):
        theatre.run()
    assert theatre.stage.calls == ["up", "down"]
    assert len(unfinished(theatre.journal)) == 1


def test_what_a_killed_drill_left_is_undone_by_the_next(theatre: Theatre) -> None:
    theatre.journal.append(
        "drill.intended",
        "drill/drl-killed",
        "tester",
        {"target": str(SCENARIO.target), "undo": {"template": WELL}},
    )
    theatre.cluster.template = {"spec": {"containers": [{"args": ["--serve", "fraud=2"]}]}}
    assert theatre.run().passed
    undone = theatre.journal.events(subject="drill/drl-killed", kinds=("drill.undone",))
    assert [event.data for event in undone] == [{"by": "the next drill"}]
    assert unfinished(theatre.journal) == ()


def test_another_workloads_leftover_is_not_touched(theatre: Theatre) -> None:
    other = {"target": "ml/deploy/other", "undo": {"template": {"spec": {}}}}
    theatre.journal.append("drill.intended", "drill/drl-other", "tester", other)
    theatre.run()
    assert [event.subject for event in unfinished(theatre.journal)] == ["drill/drl-other"]


def test_a_drill_is_known_while_it_runs_and_a_little_longer(theatre: Theatre) -> None:
    assert not is_drilling(theatre.journal, theatre.clock.now())
    theatre.run()
    assert is_drilling(theatre.journal, theatre.clock.now())
    theatre.clock.sleep(121)
    assert not is_drilling(theatre.journal, theatre.clock.now())
