"""Who answers after a rollback, and whether its users are well again.

Invariant: only what is scraped now is counted, so that the pods that ended do not speak for those that came.
What cannot be counted holds nothing up, and is said.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from maestro_cli.changes.candidates.details import MODEL_INFO, short_digest
from maestro_cli.changes.candidates.judging import ENOUGH_BAD
from maestro_cli.changes.candidates.measuring import (
    by_replica_set,
    counting_objectives,
    revision_named,
    why_uncounted,
)
from maestro_cli.changes.ports import MetricsPort, World
from maestro_cli.core.errors import MaestroError
from maestro_cli.core.facts.cluster import Revision
from maestro_cli.core.promql import promql_selector
from maestro_cli.core.quantities import format_duration, prometheus_duration
from maestro_cli.core.refs import WorkloadRef
from maestro_cli.core.untrusted import Untrusted
from maestro_cli.slo.objectives import Counters, Objective

PAGING_BURN = 14.4  # of the short window of the alert that pages
_SHORTEST_SECONDS = 5.0
_BEFORE_SECONDS = 300.0  # requests in this time before the change tell that some are to be expected
_MODELS_SECONDS = 86400.0
_REQUESTS = "maestro_inference_requests_total"
Models = Mapping[str, str]  # `name=version` to digest


@dataclass(frozen=True, slots=True)
class Answers:
    """What was counted in the last `seconds`: by the goal's pods, by others, and by pods nobody can tell.

    `before`: requests in the five minutes before the change. `models`: what the goal's answers came from;
    `replaced`: those of them that had another digest while the goal was live before. `burning`: objectives
    that still burn as fast as a page asks for, with their figures.
    """

    seconds: float = 0.0
    own: float = 0.0
    others: float = 0.0
    untold: float = 0.0
    before: float = 0.0
    models: tuple[str, ...] = ()
    replaced: tuple[str, ...] = ()
    burning: tuple[str, ...] = ()
    why_not: str = ""


@dataclass(frozen=True, slots=True)
class Weighed:
    holds: bool
    text: str


def weigh(answers: Answers, revision: int) -> Weighed:
    """Whether the answers are those of the revision, and good enough."""
    if answers.why_not:
        return Weighed(True, f"answers were not counted: {answers.why_not}")
    told, span = answers.own + answers.others, format_duration(answers.seconds)
    if told + answers.untold < 1:
        if answers.before >= ENOUGH_BAD:
            return Weighed(False, "no answer was counted yet, and there were requests before")
        return Weighed(True, "there are no requests to count")
    if answers.others >= 1:
        return Weighed(False, f"{answers.others:.0f} of {told:.0f} answers in {span} are of other revisions")
    if told < 1 and answers.before >= ENOUGH_BAD and not answers.untold:
        return Weighed(False, f"no answer of revision {revision} was counted yet")
    if answers.replaced:
        names = ", ".join(answers.replaced)
        return Weighed(False, f"{names} has another digest than when revision {revision} was live before")
    if answers.burning:
        return Weighed(False, "; ".join(answers.burning))
    models = f" ({', '.join(answers.models)})" if answers.models else ""
    if answers.own < 1:
        return Weighed(True, f"{answers.untold:.0f} answers in {span}, which tell no revision")
    return Weighed(True, f"{answers.own:.0f} answers in {span}, all of revision {revision}{models}")


def read_answers(
    world: World, ref: WorkloadRef, revisions: Sequence[Revision], goal: Revision, planned_at: datetime
) -> Answers:
    """Count what is answered now; what goes wrong with the metrics is said and never raised."""
    try:
        objectives = counting_objectives(world, ref)
        if not objectives:
            return Answers(why_not=why_uncounted(world, ref))
        return _Count(world.metrics, ref, revisions, goal).answers(objectives, planned_at)
    except MaestroError as error:
        return Answers(why_not=error.what)


class _Count:
    def __init__(
        self, metrics: MetricsPort, ref: WorkloadRef, revisions: Sequence[Revision], goal: Revision
    ) -> None:
        self._metrics = metrics
        self._ref = ref
        self._name_of = revision_named(revisions)
        self._goal = goal

    def answers(self, objectives: Sequence[tuple[Objective, Counters]], planned_at: datetime) -> Answers:
        total = objectives[0][1].total
        scrapes = self._one(f"max(count_over_time({total}[5m]))")
        if not scrapes:
            return Answers(why_not="nothing was scraped in the last five minutes")
        seconds = float(max(math.ceil(4 * 300.0 / scrapes), _SHORTEST_SECONDS))
        own, others, untold = self._split(_live(total, seconds))
        before = f"sum(increase({total}[{prometheus_duration(_BEFORE_SECONDS)}]))"
        now, once = self._answering(seconds), self._loaded(planned_at)
        return Answers(
            seconds=seconds,
            own=own,
            others=others,
            untold=untold,
            before=self._one(before, planned_at) or 0.0,
            models=tuple(Untrusted(f"{name}@{digest}") for name, digest in sorted(now.items())),
            replaced=tuple(Untrusted(name) for name in sorted(now) if once.get(name, now[name]) != now[name]),
            burning=_burning(self._metrics, objectives, seconds),
        )

    def _split(self, expression: str) -> tuple[float, float, float]:
        own = others = untold = 0.0
        for sample in self._metrics.query(by_replica_set(expression)).samples:
            name, value = self._name_of(sample.labels), sample.value
            if not math.isfinite(value):
                continue
            if name == self._goal.name:
                own += value
            elif name:
                others += value
            else:
                untold += value
        return own, others, untold

    def _answering(self, seconds: float) -> Models:
        """The models that the goal's answers came from; none where the metrics tell no digest."""
        here = {"namespace": self._ref.namespace}
        labels = "namespace, pod, model, version"
        info = f"max by ({labels}, digest) ({promql_selector(MODEL_INFO, here)})"
        counted = f"increase({promql_selector(_REQUESTS, here)}[{prometheus_duration(seconds)}])"
        joined = f"({counted} > 0) * on ({labels}) group_left (digest) {info}"
        return self._models(joined, None)

    def _loaded(self, at: datetime) -> Models:
        """The models that the goal's pods had loaded in the day before."""
        info = promql_selector(MODEL_INFO, {"namespace": self._ref.namespace})
        return self._models(f"last_over_time({info}[{prometheus_duration(_MODELS_SECONDS)}])", at)

    def _models(self, expression: str, at: datetime | None) -> Models:
        try:
            query = by_replica_set(expression, "model", "version", "digest")
            samples = self._metrics.query(query, at=at).samples
        except MaestroError:
            return {}
        own = [one.labels for one in samples if self._name_of(one.labels) == self._goal.name]
        return {
            f"{labels.get('model', '')}={labels.get('version', '')}": short_digest(labels.get("digest", ""))
            for labels in own
        }

    def _one(self, promql: str, at: datetime | None = None) -> float | None:
        return _one(self._metrics, promql, at)


def read_burning(
    world: World, ref: WorkloadRef, seconds: float, services: Collection[str] = ()
) -> tuple[str, ...] | None:
    """What burns as fast as a page asks for, over so many seconds; None where no objective counts events.

    Raises what the metrics raise.
    """
    objectives = counting_objectives(world, ref, services)
    return _burning(world.metrics, objectives, seconds) if objectives else None


def _burning(
    metrics: MetricsPort, objectives: Sequence[tuple[Objective, Counters]], seconds: float
) -> tuple[str, ...]:
    return tuple(filter(None, (_burns(metrics, one, counters, seconds) for one, counters in objectives)))


def _burns(metrics: MetricsPort, objective: Objective, counters: Counters, seconds: float) -> str:
    counted = counters.bad or counters.good
    total = _one(metrics, f"sum({_live(counters.total, seconds)})")
    if not total or not counted:
        return ""
    part = _one(metrics, f"sum({_live(counted, seconds)})") or 0.0
    bad = part if counters.bad is not None else max(0.0, total - part)
    burn = bad / total / objective.budget
    if burn < PAGING_BURN or bad < ENOUGH_BAD:
        return ""
    span = format_duration(seconds)
    return f"{objective.name} burns {burn:.0f} times its budget: {bad:.0f} of {total:.0f} bad in {span}"


def _live(selector: str, seconds: float) -> str:
    """The increase of the series that are still scraped; those of pods that ended are not."""
    return f"(increase({selector}[{prometheus_duration(seconds)}]) and {selector})"


def _one(metrics: MetricsPort, promql: str, at: datetime | None = None) -> float | None:
    value = metrics.query(promql, at=at).only
    return value if value is not None and math.isfinite(value) else None
