"""What was collected, written down as evidence.

Invariant: every collector that was asked leaves evidence, the failed ones with their error; what was never
asked is said too. Facts hold the figures that summaries round.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from maestro_cli.core.quantities import counted
from maestro_cli.incidents.model import Signal
from maestro_cli.incidents.triage.around_evidence import AroundEvidence
from maestro_cli.incidents.triage.change_evidence import ChangeEvidence
from maestro_cli.incidents.triage.cluster_evidence import ClusterEvidence
from maestro_cli.incidents.triage.measure import Readings, Telemetry
from maestro_cli.incidents.triage.memory import memory_evidence
from maestro_cli.incidents.triage.metric_evidence import MetricEvidence
from maestro_cli.incidents.triage.model import Evidence
from maestro_cli.incidents.triage.page import Outcome
from maestro_cli.incidents.triage.past_incidents import past_evidence
from maestro_cli.incidents.triage.saturation import saturation_evidence


class Writer(ChangeEvidence, ClusterEvidence, MetricEvidence, AroundEvidence):
    """Writes the evidence of one investigation."""

    def write(
        self,
        signals: Sequence[Signal],
        first: Mapping[str, Outcome],
        second: Mapping[str, Outcome],
        logs: Mapping[str, Outcome],
        readings: Readings | None,
        telemetry: Telemetry | None,
    ) -> tuple[Evidence, ...]:
        """All evidence, in the order a person reads it."""
        metrics = (
            self._no_metrics()
            if telemetry is None
            else [
                self._series(first["series"], readings),
                self._split(second["split"], telemetry),
                self._latency(second, telemetry),
                *self._quality(second, telemetry),
                self._load(readings),
                saturation_evidence(
                    self._case, second["saturation"], telemetry.saturation_queries, self._now
                ),
                memory_evidence(self._case, second["memory"], telemetry, self._now),
                self._budget(second["split"], second["objective"], telemetry),
            ]
        )
        return (
            self._alerts(signals),
            self._changes(first),
            self._rollouts(first, second),
            self._config(first, second),
            self._pods(first, second),
            self._nodes(first),
            self._events(first),
            self._logs(logs, first),
            *metrics,
            self._around(second),
            self._made("traces", "Slow traces", "", "none", "no trace source", {}),
            past_evidence(first.get("past"), self._now),
        )

    def _alerts(self, signals: Sequence[Signal]) -> Evidence:
        firing = [signal for signal in signals if signal.firing and not signal.is_report]
        facts = {
            "signals": [
                {
                    "name": signal.name,
                    "firing": signal.firing,
                    "starts_at": signal.starts_at,
                    "labels": dict(signal.labels),
                    "summary": signal.annotations.get("summary", ""),
                    "flaps": signal.flaps,
                }
                for signal in signals[:50]
            ]
        }
        names = sorted({signal.name for signal in firing})
        verb = "fires" if len(firing) == 1 else "fire"
        summary = f"{len(firing)} of {counted(len(signals), 'signal')} {verb}: {', '.join(names[:5])}"
        return self._made("alerts", "Alerts", "signals of the incident", "journal", summary, facts)
