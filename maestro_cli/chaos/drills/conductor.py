"""Runs a drill from a healthy baseline to its score.

Invariant: what must be undone is in the journal before the defect is shipped, and is undone however
the drill ends; but what the cluster refused was not shipped, and what is there then is left alone. The
truth is written only with the score.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from maestro_cli.chaos.drills.model import (
    DETECT_BUDGET_SECONDS,
    Baseline,
    Outcome,
    Scenario,
    Scorecard,
)
from maestro_cli.chaos.drills.ports import Cluster, Metrics, Responder, Stage
from maestro_cli.chaos.drills.release import bad_template, serves_the_same
from maestro_cli.chaos.drills.scorecard import score
from maestro_cli.core.cancellation import Cancellation
from maestro_cli.core.canonical import plain
from maestro_cli.core.clock import Clock, from_rfc3339, seconds_between
from maestro_cli.core.errors import (
    GateNotMet,
    Interrupted,
    MaestroError,
    NoData,
    NotFound,
    Refused,
    TimedOut,
    UndoFailed,
    Unreachable,
)
from maestro_cli.core.facts.cluster import Workload
from maestro_cli.core.ids import new_id
from maestro_cli.core.progress import Progress
from maestro_cli.core.quantities import prometheus_duration
from maestro_cli.core.refs import WorkloadRef
from maestro_cli.journal.model import Event
from maestro_cli.journal.store import Journal
from maestro_cli.slo.objectives import Objective

BASELINE_TIMEOUT_SECONDS = 120.0
BASELINE_HEALTHY_SECONDS = 5.0
POLL_SECONDS = 0.5
LOOKBACK_SECONDS = 3600.0
ECHO_SECONDS = 120.0  # an alert over the longest window of the drill profile outlives its cause by a minute


@dataclass(frozen=True, slots=True)
class Ensemble:
    """Everyone a drill works with once its platform is up."""

    journal: Journal
    cluster: Cluster
    metrics: Metrics
    responder: Responder


def unfinished(journal: Journal) -> tuple[Event, ...]:
    """The intents of drills whose defect may still be there: running ones, and ones that were killed."""
    events = journal.events(subject="drill/", kinds=("drill.intended", "drill.undone"))
    done = {event.subject for event in events if event.kind == "drill.undone"}
    return tuple(event for event in events if event.kind == "drill.intended" and event.subject not in done)


def is_drilling(journal: Journal, now: datetime) -> bool:
    """Whether what fires now may come from a drill: one runs, or its defect was undone a moment ago."""
    if unfinished(journal):
        return True
    undone = journal.events(subject="drill/", kinds=("drill.undone",))
    return bool(undone) and seconds_between(from_rfc3339(undone[-1].time), now) < ECHO_SECONDS


class _Refused(Exception):
    """The cluster refused the defect: nothing was shipped. `error` says why."""

    def __init__(self, error: MaestroError) -> None:
        self.error = error


class Conductor:
    """Plays scenarios on a stage; `gather` builds the ensemble after the stage is up."""

    def __init__(
        self,
        stage: Stage,
        gather: Callable[[], Ensemble],
        objectives: Mapping[str, Objective],
        *,
        clock: Clock,
        actor: str,
    ) -> None:
        self._stage = stage
        self._gather = gather
        self._objectives = objectives
        self._clock = clock
        self._actor = actor

    def run(
        self, scenario: Scenario, *, keep: bool, progress: Progress, cancellation: Cancellation
    ) -> Scorecard:
        """Start what is not up, play, score; the platform goes down unless kept or up before.

        Raises what the parts raise; whatever happens, the defect is undone and nothing is left behind.
        """
        started = self._clock.monotonic()
        was_up = self._stage.is_up()
        platform_seconds: float | None = None
        play: _Play | None = None
        try:
            if not was_up:
                self._stage.up(progress, cancellation)
                platform_seconds = self._clock.monotonic() - started
            play = _Play(self._gather(), scenario, self._objectives[scenario.objective], self._clock)
            return play.run(
                self._actor, progress, cancellation, started=started, platform_seconds=platform_seconds
            )
        finally:
            try:
                if not was_up and not keep:
                    self._stage.down(progress)
            finally:
                if play is not None:  # last: what fires until the platform is down opens none after this
                    play.dismiss()


class _Play:
    """One performance of one scenario."""

    def __init__(self, ensemble: Ensemble, scenario: Scenario, objective: Objective, clock: Clock) -> None:
        self._journal = ensemble.journal
        self._cluster = ensemble.cluster
        self._metrics = ensemble.metrics
        self._responder = ensemble.responder
        self._scenario = scenario
        self._objective = objective
        self._clock = clock

    def run(
        self,
        actor: str,
        progress: Progress,
        cancellation: Cancellation,
        *,
        started: float,
        platform_seconds: float | None,
    ) -> Scorecard:
        drill = new_id("drl", self._clock.now())
        subject = f"drill/{drill}"
        self._restore_leftovers(actor)
        self._require_no_incident()
        baseline = self._await_baseline(progress, cancellation)
        workload, template = self._prepare(baseline)
        intent = {
            "scenario": self._scenario.name,
            "target": str(self._scenario.target),
            "undo": {"template": plain(baseline.template), "revision": baseline.revision},
        }
        self._journal.append("drill.intended", subject, actor, intent)
        progress.phase("release", f"someone ships a new revision of {self._scenario.target}")
        try:
            injected_at = self._clock.now()
            shipped = self._ship(workload, template, baseline.revision)
            outcome, failure = self._respond(injected_at, progress, cancellation)
        except _Refused as refused:  # what is there now is somebody else's
            self._journal.append("drill.undone", subject, actor, {"by": "nobody: nothing was shipped"})
            raise refused.error from refused
        except BaseException:
            self._undo(subject, actor, baseline.template)
            raise
        is_restored = self._undo(subject, actor, baseline.template)
        window = LOOKBACK_SECONDS + seconds_between(baseline.at, self._clock.now())
        card = score(
            drill=drill,
            scenario=self._scenario,
            injected_at=injected_at,
            bad_revision=shipped.revision,
            baseline=baseline,
            outcome=outcome,
            requests=self._counter(self._objective.total, window),
            errors=self._errors(window),
            finished_at=self._clock.now(),
            objective=self._objective,
            wall_seconds=self._clock.monotonic() - started,
            platform_seconds=platform_seconds,
            is_restored=is_restored,
            failure=failure,
        )
        self._journal.append(
            "drill.scored", subject, actor, {"incident": outcome.incident, "scorecard": plain(card)}
        )
        if outcome.resolved_at is not None:
            self._responder.close(outcome.incident, "the drill is over")
        return card

    def dismiss(self) -> None:
        """Dismiss what the drill left open, because it failed or was stopped."""
        self._responder.dismiss_drills(self._scenario.target, "the drill is over")

    def _respond(
        self, injected_at: datetime, progress: Progress, cancellation: Cancellation
    ) -> tuple[Outcome, str]:
        """What the responders came to, and why they got no further; only an interrupt ends the drill."""
        progress.phase("detect", "waiting for an alert to become an incident")
        incident = ""
        try:
            incident = self._responder.await_incident(
                self._scenario.target,
                since=injected_at,
                timeout_seconds=DETECT_BUDGET_SECONDS,
                cancellation=cancellation,
            )
            self._responder.respond(incident, progress=progress, cancellation=cancellation)
        except Interrupted:
            raise
        except MaestroError as error:
            progress.note(f"{error.what}: {error.why}" if error.why else error.what)
            return (self._responder.outcome(incident) if incident else Outcome()), error.what
        return self._responder.outcome(incident), ""

    # The baseline

    def _await_baseline(self, progress: Progress, cancellation: Cancellation) -> Baseline:
        """Wait until the service answers, all replicas run, nothing fires, for a few seconds on end."""
        progress.phase("baseline", "waiting for a healthy baseline")
        deadline = self._clock.monotonic() + BASELINE_TIMEOUT_SECONDS
        healthy_since: float | None = None
        why = ""
        while self._clock.monotonic() < deadline:
            why = self._why_unhealthy()
            now = self._clock.monotonic()
            healthy_since = None if why else (healthy_since if healthy_since is not None else now)
            if healthy_since is not None and now - healthy_since >= BASELINE_HEALTHY_SECONDS:
                return self._take_baseline()
            progress.update(why or f"healthy for {now - (healthy_since or now):.0f} s")
            cancellation.pause(POLL_SECONDS)
        raise TimedOut(
            f"no healthy baseline within {BASELINE_TIMEOUT_SECONDS:.0f} s",
            why=why,
            fix="maestro local status, maestro status",
        )

    def _why_unhealthy(self) -> str:
        """Empty when the drill may begin."""
        target = self._scenario.target
        workload = self._cluster.get_workload(target)
        if not workload.is_rolled_out or workload.replicas_ready < workload.replicas_wanted:
            return f"{workload.replicas_ready} of {workload.replicas_wanted} replicas of {target} are ready"
        rate = self._value(f"sum(rate({self._objective.total}[5s]))")
        if rate is None or rate <= 0:
            return "no requests are answered yet"
        ratio = self._value(f"max({self._objective.error_ratio('5s')})")
        if ratio is None or ratio > self._objective.budget:
            return f"the error ratio is {'not known' if ratio is None else format(ratio, '.2%')}"
        firing = self._responder.firing(target)
        return f"still firing: {', '.join(firing)}" if firing else ""

    def _take_baseline(self) -> Baseline:
        workload = self._cluster.get_workload(self._scenario.target)
        requests = self._counter(self._objective.total, LOOKBACK_SECONDS)
        errors = self._errors(LOOKBACK_SECONDS)
        if requests is None or errors is None:
            raise NoData("the request counters vanished", fix="maestro local status")
        return Baseline(self._clock.now(), workload.revision, workload.template, requests, errors)

    # Measuring

    def _value(self, promql: str) -> float | None:
        value = self._metrics.query(promql).only
        return None if value is None or math.isnan(value) else value

    def _counter(self, selector: str, seconds: float) -> float | None:
        """A counter's total over every series of that long, also of pods that are gone.

        Baseline and score look back to the same instant, so both count the same pods.
        """
        return self._value(f"sum(max_over_time({selector}[{prometheus_duration(seconds)}]))")

    def _errors(self, seconds: float) -> float | None:
        if self._objective.bad is None:
            total = self._counter(self._objective.total, seconds)
            good = self._counter(self._objective.good or "", seconds)
            return None if total is None or good is None else total - good
        window = prometheus_duration(seconds)
        return self._value(f"sum(max_over_time({self._objective.bad}[{window}])) or vector(0)")

    # Breaking and mending

    def _prepare(self, baseline: Baseline) -> tuple[Workload, Mapping[str, Any]]:
        """The workload as it was for the baseline, and the template with the defect."""
        workload = self._cluster.get_workload(self._scenario.target)
        if not serves_the_same(workload.template, baseline.template):
            raise GateNotMet("the workload changed while the baseline was taken", fix="run the drill again")
        return workload, bad_template(workload.template, self._scenario.arguments)

    def _ship(self, workload: Workload, template: Mapping[str, Any], revision: int) -> Workload:
        """Ship the defect; returns the workload once its controller has numbered the new revision.

        Raises _Refused when the cluster said no; after any other error the defect may be there.
        """
        try:
            shipped = self._cluster.replace_template(
                workload.ref,
                uid=workload.uid,
                resource_version=workload.resource_version,
                template=template,
                annotations={"kubernetes.io/change-cause": self._scenario.change_cause},
            )
        except (GateNotMet, Refused, NotFound) as error:
            raise _Refused(error) from error
        deadline = self._clock.monotonic() + 15.0
        while shipped.observed_generation < shipped.generation or shipped.revision <= revision:
            if self._clock.monotonic() > deadline:
                raise TimedOut("the cluster did not take up the new revision", fix="maestro local status")
            self._clock.sleep(0.1)
            shipped = self._cluster.get_workload(workload.ref)
        return shipped

    def _undo(self, subject: str, actor: str, template: Mapping[str, Any]) -> bool:
        """Put the baseline template back if it is not there; True when the responders had done so."""
        if self._put_back(self._scenario.target, template):
            self._journal.append("drill.undone", subject, actor, {"by": "the drill"})
            return False
        self._journal.append("drill.undone", subject, actor, {"by": "the responders"})
        return True

    def _put_back(self, ref: WorkloadRef, template: Mapping[str, Any]) -> bool:
        last: MaestroError | None = None
        for _ in range(5):
            try:
                workload = self._cluster.get_workload(ref)
                if serves_the_same(workload.template, template):
                    return False
                self._cluster.replace_template(
                    ref,
                    uid=workload.uid,
                    resource_version=workload.resource_version,
                    template=template,
                    annotations={"kubernetes.io/change-cause": "drill over: back to the baseline"},
                )
                return True
            except (GateNotMet, Unreachable) as error:  # it moved under us, or did not answer: look again
                last = error
                self._clock.sleep(0.2)
        raise UndoFailed(
            f"the defect is still on {ref}",
            why=str(last),
            fix=f"kubectl rollout undo, or maestro rollback {ref}",
        )

    def _restore_leftovers(self, actor: str) -> None:
        """Undo what an earlier drill that was killed left on this workload."""
        for event in unfinished(self._journal):
            if event.data["target"] == str(self._scenario.target):
                self._put_back(self._scenario.target, event.data["undo"]["template"])
                self._journal.append("drill.undone", event.subject, actor, {"by": "the next drill"})
        self._responder.dismiss_drills(self._scenario.target, "left open by a drill that was killed")

    def _require_no_incident(self) -> None:
        """A drill on top of a real incident would hide it."""
        found = self._responder.open_incidents(self._scenario.target)
        if found:
            raise GateNotMet(
                f"{', '.join(found)} is open on {self._scenario.target}",
                why="a drill on top of an incident would hide it",
                fix="maestro --context local incident list, then resolve it",
            )
