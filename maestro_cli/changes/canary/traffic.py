"""What a canary and the stable one did, as the servers count it (docs/serving.md) and Prometheus keeps it.

They are the arms: two versions of a model, told by the label `version`; or two Deployments, told by the pods
of the revision that each runs now.

Invariant: an arm that Prometheus says nothing of is None, never 0. What a series had counted before
Prometheus first saw it counts too: else the first errors of a canary would be missing, and they are few.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from maestro_cli.changes.canary.model import Rules, Tally
from maestro_cli.changes.candidates.measuring import by_replica_set, revision_named
from maestro_cli.changes.ports import ClusterPort, MetricsPort
from maestro_cli.core.facts.cluster import Revision
from maestro_cli.core.promql import promql_selector
from maestro_cli.core.quantities import prometheus_duration
from maestro_cli.core.refs import ObjectRef, WorkloadRef

REQUESTS = "maestro_inference_requests_total"
DURATIONS = "maestro_inference_duration_seconds"
LATELY_SECONDS = 300.0
_USUAL_SECONDS = 600.0
_BAD = 'code=~"5.."'
Counts = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Arms:
    """How series are added up for each arm, and which arm a sum is of; "" is none."""

    added_up: Callable[[str], str]
    arm_of: Callable[[Mapping[str, str]], str]


VERSIONS = Arms(
    lambda expression: f"sum by (version) ({expression})",
    lambda labels: str(labels.get("version", "")) or "unknown",
)


def deployments(cluster: ClusterPort, refs: Sequence[WorkloadRef]) -> Arms:
    """Arms that are Deployments, by name: the pods of the revision that each runs now."""
    running: list[Revision] = []
    arms: dict[str, str] = {}
    for ref in refs:
        newest = max(cluster.list_revisions(ref), key=lambda one: one.number, default=None)
        if newest is not None:
            running.append(newest)
            arms[newest.name] = ref.name
    name_of = revision_named(running)
    return Arms(by_replica_set, lambda labels: arms.get(name_of(labels), ""))


class Traffic:
    """Counts by arm, where the target is: of one model, or of all that both Deployments serve ("")."""

    def __init__(self, metrics: MetricsPort, ref: ObjectRef, model: str, arms: Arms = VERSIONS) -> None:
        self._metrics = metrics
        self._of = {
            **({"model": model} if model else {}),
            **({"namespace": ref.namespace} if ref.namespace else {}),
        }
        self._arms = arms

    def tallies(self, arms: Sequence[str], rules: Rules, since: datetime, now: datetime) -> tuple[Tally, ...]:
        """One for each arm, since then."""
        seconds = max(1.0, (now - since).total_seconds())
        lately = min(LATELY_SECONDS, seconds)
        requests = self._count(REQUESTS, seconds, now)
        errors = self._count(REQUESTS, seconds, now, _BAD)
        measured = self._count(f"{DURATIONS}_count", seconds, now)
        fast = self._count(f"{DURATIONS}_bucket", seconds, now, _bucket(rules.slow_seconds))
        spent = self._count(f"{DURATIONS}_sum", seconds, now)
        of_late, bad_late = self._count(REQUESTS, lately, now), self._count(REQUESTS, lately, now, _BAD)
        right = self._given(rules.right, seconds, now)
        judged = self._given(rules.judged, seconds, now)

        def tally(arm: str) -> Tally:
            timed, in_time = measured.get(arm), fast.get(arm)
            known = arm in requests
            return Tally(
                requests=requests.get(arm),
                errors=min(errors.get(arm, 0.0), requests[arm]) if known else None,
                slow=None if timed is None or in_time is None else max(0.0, timed - in_time),
                measured=timed,
                seconds=spent.get(arm),
                requests_lately=of_late.get(arm),
                bad_lately=bad_late.get(arm, 0.0) if arm in of_late else None,
                right=right.get(arm),
                judged=judged.get(arm),
            )

        return tuple(map(tally, arms))

    def rate(self, now: datetime) -> tuple[float | None, float | None]:
        """Requests a second of all arms now, and the share of those of the last ten minutes that failed.

        None where nothing is known. The shortest window that has two measurements, since a longer one that
        begins before the servers did would make traffic look thin.
        """
        selector = promql_selector(REQUESTS, self._of)
        rates = (sum(self._sums(f"rate({selector}[{back}])", now).values()) for back in ("30s", "2m", "10m"))
        rate = next((one for one in rates if one > 0), None)
        requests = sum(self._count(REQUESTS, _USUAL_SECONDS, now).values())
        if rate is None or not requests:
            return None, None
        return rate, sum(self._count(REQUESTS, _USUAL_SECONDS, now, _BAD).values()) / requests

    def _count(self, metric: str, seconds: float, now: datetime, extra: str = "") -> Counts:
        return self._ask(promql_selector(metric, self._of, extra=extra), seconds, now)

    def _given(self, selector: str, seconds: float, now: datetime) -> Counts:
        return self._ask(selector, seconds, now) if selector else {}

    def _ask(self, selector: str, seconds: float, now: datetime) -> Counts:
        """What counters of a selector grew by, by arm; those born meanwhile from 0."""
        back = prometheus_duration(seconds)
        grown = f"(increase({selector}[{back}]) and {selector} offset {back})"
        born = f"({selector} unless {selector} offset {back})"
        return self._sums(f"{grown} or {born}", now)

    def _sums(self, expression: str, now: datetime) -> Counts:
        found: dict[str, float] = {}
        for one in self._metrics.query(self._arms.added_up(expression), at=now).samples:
            arm = self._arms.arm_of(one.labels)
            if arm and math.isfinite(one.value):
                found[arm] = found.get(arm, 0.0) + one.value
        return found


def _bucket(seconds: float) -> str:
    """The bucket of that bound, however it is written: `10` or `10.0`."""
    written = dict.fromkeys((f"{seconds:g}", repr(float(seconds))))
    return f'le=~"{"|".join(text.replace(".", "[.]") for text in written)}"'
