"""Prometheus rules from objectives. Invariant: every alert carries its workload and its objective."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from maestro_cli.core.quantities import prometheus_duration
from maestro_cli.slo.objectives import Objective
from maestro_cli.slo.windows import BurnWindow, Profile

ALERT_NAME = "ErrorBudgetBurn"


def record_name(span_seconds: float) -> str:
    return f"slo:error_ratio:rate{prometheus_duration(span_seconds)}"


def rule_file(objectives: Sequence[Objective], profile: Profile) -> dict[str, Any]:
    """The document of a Prometheus rule file: error ratios recorded, burn alerts on them. What no metric
    tells has no rules.

    For any objective with target t and factor f: alert when long and short ratio exceed f·(1−t).
    """
    interval = prometheus_duration(profile.interval_seconds)
    return {
        "groups": [
            {
                "name": f"slo-{objective.name}",
                "interval": interval,
                "rules": [
                    *(_record(objective, span) for span in profile.spans_seconds),
                    *(_alert(objective, window) for window in profile.windows),
                ],
            }
            for objective in objectives
            if objective.is_of_metrics
        ]
    }


def _record(objective: Objective, span_seconds: float) -> dict[str, Any]:
    return {
        "record": record_name(span_seconds),
        "expr": objective.error_ratio(prometheus_duration(span_seconds)),
        "labels": {"objective": objective.name, "service": objective.service},
    }


def _alert(objective: Objective, window: BurnWindow) -> dict[str, Any]:
    own = f'{{objective="{objective.name}"}}'
    limit = f"{window.factor:.12g} * {objective.budget:.12g}"
    long, short = record_name(window.long_seconds), record_name(window.short_seconds)
    spans = f"{prometheus_duration(window.long_seconds)} and {prometheus_duration(window.short_seconds)}"
    title = _literal(objective.title)
    annotations = {
        "summary": f"{title} spends its error budget over {window.factor:g} times too fast",
        "description": f"{objective.echo}; measured over {spans}: {{{{ $value | humanizePercentage }}}} bad",
    }
    if objective.runbook:
        annotations["runbook_url"] = _literal(objective.runbook)
    return {
        "alert": ALERT_NAME,
        "expr": f"{long}{own} > {limit} and {short}{own} > {limit}",
        **({"for": prometheus_duration(window.hold_seconds)} if window.hold_seconds else {}),
        "labels": {
            **{name: _literal(value) for name, value in objective.labels.items()},
            "severity": window.severity,
            "service": _literal(objective.service),
            "objective": objective.name,
            "burn_window": prometheus_duration(window.long_seconds),
        },
        "annotations": annotations,
    }


def _literal(text: str) -> str:
    """Text that Prometheus, which reads labels and annotations as templates, shows as it is."""
    return text.replace("{{", '{{ "{{" }}')
