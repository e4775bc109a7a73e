"""Evidence from the metrics: errors, splits, latency, answers, load and budget.

Invariant: facts hold the figures that summaries round.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from maestro_cli.core.clock import to_rfc3339
from maestro_cli.incidents.triage.facts import DIMENSIONS, Tally, tally_by
from maestro_cli.incidents.triage.measure import Asked, Readings, Telemetry
from maestro_cli.incidents.triage.model import Evidence
from maestro_cli.incidents.triage.page import Outcome, Page
from maestro_cli.incidents.triage.quality import quality_evidence
from maestro_cli.incidents.triage.saturation import TITLE as SATURATION

_SPLIT = "Errors by model version, revision, pod, node, zone and segment"
_LATENCY = "95th percentile by model version, revision, pod and node"
_TITLES = {
    "errors": "Error ratio",
    "split": _SPLIT,
    "latency": _LATENCY,
    "load": "Load",
    "saturation": SATURATION,
    "memory": "Memory",
    "budget": "Error budget",
}


class MetricEvidence(Page):
    """What the metrics told."""

    def _no_metrics(self) -> list[Evidence]:
        """That nobody was asked; of right answers nothing, as where nobody judges answers."""
        why = self._unasked.metrics
        return [self._nothing(kind, title, "prometheus", why) for kind, title in _TITLES.items()]

    def _series(self, outcome: Outcome, readings: Readings | None) -> Evidence:
        if readings is None:
            return self._nothing("errors", "Error ratio", "prometheus", outcome.error)
        onset = self._case.onset
        values = [value for at, value in readings.errors if at >= onset.at and value == value]
        peak = max(values, default=None)
        facts = {
            "onset": onset.at,
            "basis": onset.basis,
            "peak": peak,
            "last": values[-1] if values else None,
            "points": len(readings.errors),
            "step_seconds": readings.step_seconds,
            "series": [[at, value] for at, value in _thinned(readings.errors, 60)],
        }
        if not readings.errors:
            summary = "no request was counted"
        elif onset.basis == "alert":
            summary = "neither errors nor latency show a beginning; the alert's start is taken"
        else:
            worst = f", worst {100 * peak:.1f} % errors" if peak is not None else ""
            summary = f"{onset.basis} left their baseline at {to_rfc3339(onset.at)}{worst}"
        query = readings.queries["errors"]
        return self._made("errors", "Error ratio", query, "prometheus", summary, facts, outcome.seconds)

    @staticmethod
    def _asked(queries: Asked) -> str:
        return "\n".join(f"{query} at {to_rfc3339(at)}" for query, at in queries)

    def _split(self, outcome: Outcome, telemetry: Telemetry) -> Evidence:
        title = _SPLIT
        query = self._asked(telemetry.split_queries(self._start, self._case.onset, self._now))
        if outcome.error:
            return self._nothing("split", title, "prometheus", outcome.error, query)
        facts: dict[str, Any] = {}
        for dimension in DIMENSIONS:
            tallies = tally_by(self._case.split, dimension)
            facts[dimension] = {name: _tally(item) for name, item in sorted(tallies.items())}
        parts = [
            f"{dimension} {name} {100 * item.ratio_since:.1f} %"
            for dimension in ("version", "revision")
            for name, item in sorted(tally_by(self._case.split, dimension).items())
            if item.ratio_since is not None
        ]
        summary = f"errors since the onset: {', '.join(parts)}" if parts else "no request was counted"
        return self._made("split", title, query, "prometheus", summary, facts, outcome.seconds)

    def _latency(self, second: Mapping[str, Outcome], telemetry: Telemetry) -> Evidence:
        title = _LATENCY
        query = "\n".join(
            self._asked(telemetry.latency_queries(dimension, self._start, self._case.onset, self._now))
            for dimension in sorted(telemetry.family.dimensions)
        )
        asked = {name: item for name, item in second.items() if name.startswith("latency ")}
        errors = [item.error for item in asked.values() if item.error]
        if not asked or len(errors) == len(asked):
            missing = errors[0] if errors else "the metrics have no dimension to split by"
            return self._nothing("latency", title, "prometheus", missing, query)
        facts = {item.dimension: {"before": item.before, "since": item.since} for item in self._case.latency}
        parts = [
            f"{item.dimension} {name} {1000 * seconds:.0f} ms"
            for item in self._case.latency
            if item.dimension in ("version", "revision")
            for name, seconds in sorted(item.since.items())
        ]
        summary = f"p95 since the onset: {', '.join(parts)}" if parts else "no latency was measured"
        seconds_spent = max(item.seconds for item in asked.values())
        return self._made("latency", title, query, "prometheus", summary, facts, seconds_spent)

    def _quality(self, second: Mapping[str, Outcome], telemetry: Telemetry) -> tuple[Evidence, ...]:
        """Nothing where nobody judges answers."""
        outcome = second["quality"]
        if not outcome.error and not self._case.judged:
            return ()
        query = self._asked(telemetry.judged_queries(self._start, self._case.onset, self._now))
        if outcome.error:
            title = "Right answers by model version"
            return (self._nothing("quality", title, "prometheus", outcome.error, query),)
        return (quality_evidence(self._case, query, self._now, outcome.seconds),)

    def _load(self, readings: Readings | None) -> Evidence:
        if readings is None:
            return self._nothing("load", "Load", "prometheus", "the request rate could not be read")
        factor = self._case.load_factor
        summary = (
            "no usual rate to compare with"
            if factor is None
            else f"requests came at {factor:.1f} times the usual rate since the onset"
        )
        facts = {"factor": factor}
        return self._made("load", "Load", readings.queries["requests"], "prometheus", summary, facts)

    def _budget(self, outcome: Outcome, own: Outcome, telemetry: Telemetry) -> Evidence:
        if outcome.error:
            return self._nothing("budget", "Error budget", "prometheus", outcome.error)
        every = sum((row.tally for row in self._case.split), Tally())
        seconds = max((self._now - self._case.onset.at).total_seconds(), 0.0)
        facts: dict[str, Any] = {
            "requests": every.requests_since if self._case.split else None,
            "errors": every.errors_since if self._case.split else None,
            "error_ratio": every.ratio_since,
            "seconds": seconds,
            **telemetry.budget(every.ratio_since, own.value, seconds),
        }
        if every.ratio_since is None:
            summary = "no request was counted, so nothing is known of the budget"
        elif facts["burn"] is None:
            summary = f"{100 * every.ratio_since:.2f} % errors since the onset; {facts['why_unknown']}"
        else:
            spent = 100 * facts["budget_spent"]
            rate = f"burns at {facts['burn']:.1f} times the allowed rate"
            summary = f"{rate}, {spent:.2f} % of the budget of {facts['objective']} so far"
        query = self._asked(telemetry.split_queries(self._start, self._case.onset, self._now)[-1:])
        return self._made("budget", "Error budget", query, "prometheus", summary, facts)


def _tally(tally: Tally) -> dict[str, float | None]:
    return {
        "requests_before": round(tally.requests_before, 1),
        "errors_before": round(tally.errors_before, 1),
        "requests_since": round(tally.requests_since, 1),
        "errors_since": round(tally.errors_since, 1),
        "error_ratio_since": tally.ratio_since,
    }


def _thinned(points: Sequence[tuple[datetime, float]], most: int) -> list[tuple[datetime, float]]:
    return list(points[:: max(-(-len(points) // most), 1)])
