"""Probes that experiments name: `{type: python, module: maestro_cli.chaos.probes, func: value, …}`.

Invariant: what cannot be measured is raised, and never a number.
"""

from __future__ import annotations

from typing import Any

from maestro_cli.chaos.line import ask


def value(query: str) -> Any:
    """The one value of a PromQL query in the context's Prometheus."""
    return ask("value", query=query)


def ready_pods(workload: str) -> Any:
    """How many pods of a workload (`ml/deploy/fraud`) are ready."""
    return ask("ready_pods", workload=workload)


def served() -> Any:
    """1 when who comes in by the entrance of the regions is served, 0 when not."""
    return ask("served")
