"""What each version of a model did, as the servers count it (docs/serving.md) and Prometheus keeps it.

Invariant: a version that Prometheus says nothing of is None, never 0. What a series had counted before
Prometheus first saw it counts too: else the first errors of a canary would be missing, and they are few.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime

from maestro_cli.changes.canary.model import Rules, Tally
from maestro_cli.changes.ports import MetricsPort
from maestro_cli.core.promql import promql_selector
from maestro_cli.core.quantities import prometheus_duration
from maestro_cli.core.refs import ObjectRef

REQUESTS = "maestro_inference_requests_total"
DURATIONS = "maestro_inference_duration_seconds"
LATELY_SECONDS = 300.0
_USUAL_SECONDS = 600.0
_BAD = 'code=~"5.."'
Counts = Mapping[str, float]


class Traffic:
    """Counts of one model, by version, where the target is."""

    def __init__(self, metrics: MetricsPort, ref: ObjectRef, model: str) -> None:
        self._metrics = metrics
        self._of = {"model": model, **({"namespace": ref.namespace} if ref.namespace else {})}

    def tallies(
        self, versions: tuple[int, ...], rules: Rules, since: datetime, now: datetime
    ) -> tuple[Tally, ...]:
        """One for each version, since then."""
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

        def tally(version: str) -> Tally:
            timed, in_time = measured.get(version), fast.get(version)
            known = version in requests
            return Tally(
                requests=requests.get(version),
                errors=min(errors.get(version, 0.0), requests[version]) if known else None,
                slow=None if timed is None or in_time is None else max(0.0, timed - in_time),
                measured=timed,
                seconds=spent.get(version),
                requests_lately=of_late.get(version),
                bad_lately=bad_late.get(version, 0.0) if version in of_late else None,
                right=right.get(version),
                judged=judged.get(version),
            )

        return tuple(tally(str(version)) for version in versions)

    def rate(self, now: datetime) -> tuple[float | None, float | None]:
        """Requests a second of the model now, and the share of those of the last ten minutes that failed.

        None where nothing is known. The shortest window that has two measurements, since a longer one that
        begins before the servers did would make traffic look thin.
        """
        selector = promql_selector(REQUESTS, self._of)
        rates = (
            sum(one.value for one in self._metrics.query(f"sum(rate({selector}[{back}]))", at=now).samples)
            for back in ("30s", "2m", "10m")
        )
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
        """What counters of a selector grew by, by version; those born meanwhile from 0."""
        back = prometheus_duration(seconds)
        grown = f"(increase({selector}[{back}]) and {selector} offset {back})"
        born = f"({selector} unless {selector} offset {back})"
        samples = self._metrics.query(f"sum by (version) ({grown} or {born})", at=now).samples
        return {str(one.labels.get("version", "")): one.value for one in samples if math.isfinite(one.value)}


def _bucket(seconds: float) -> str:
    """The bucket of that bound, however it is written: `10` or `10.0`."""
    written = dict.fromkeys((f"{seconds:g}", repr(float(seconds))))
    return f'le=~"{"|".join(text.replace(".", "[.]") for text in written)}"'
