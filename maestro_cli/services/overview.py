"""The first look at a context: incidents, workloads, alerts, burn, and who watches.

Invariant: every backend is asked at once and may fail alone; what it would have said is then missing,
and said to be.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from maestro_cli.core.daemon_pool import DaemonPool
from maestro_cli.core.errors import MaestroError
from maestro_cli.incidents.intake.anomalies.projection import current_anomalies
from maestro_cli.incidents.intake.blindness import API_SOURCE, read_sight
from maestro_cli.incidents.model import OPEN_STATES
from maestro_cli.incidents.overview import Burn, Overview
from maestro_cli.incidents.unanswered import alerts_of_concern
from maestro_cli.services.intake import AlertSource, alert_source, further_sources
from maestro_cli.slo.burn import burn_rate, judge_objective
from maestro_cli.slo.burning import ratio_query
from maestro_cli.slo.objectives import Objective

if TYPE_CHECKING:
    from maestro_cli.core.facts.alerts import Alert
    from maestro_cli.incidents.intake.correlation import IntakePolicy
    from maestro_cli.services.root import Services

T = TypeVar("T")
SPAN = "1m"


def look(services: Services) -> Overview:
    """Ask everything; raises only for a journal or settings that cannot be read."""
    context = services.context
    failures: list[tuple[str, str]] = []
    policy = services.incident_rules.bindings.book.policy
    with DaemonPool(3, "look") as pool:
        workloads = pool.submit(lambda: services.cluster.list_readable_workloads(context.namespace))
        source = alert_source(services)
        alerts = pool.submit(lambda: _firing(source, policy))
        burns = pool.submit(lambda: _burns(services) if context.prometheus else ())
        incidents = services.desk.list(states=OPEN_STATES)
        name = source.name if source is not None else API_SOURCE
        sight = read_sight(services.journal, source=name, others=further_sources(services))
        return Overview(
            context=services.context_name,
            namespace=context.namespace,
            incidents=incidents,
            people=services.standings(incidents),
            tasks=services.tasks("all", ended=False),
            workloads=_result("cluster", workloads.result, failures),
            alerts=_result("alertmanager" if source is None else source.backend, alerts.result, failures),
            burns=_result("prometheus", burns.result, failures),
            sight=sight,
            failures=tuple(failures),
            anomalies=current_anomalies(services.journal),
        )


def _result(name: str, get: Callable[[], tuple[T, ...]], failures: list[tuple[str, str]]) -> tuple[T, ...]:
    try:
        return get()
    except MaestroError as error:
        failures.append((name, f"{error.what}: {error.why}" if error.why else error.what))
        return ()


def _firing(source: AlertSource | None, policy: IntakePolicy) -> tuple[Alert, ...]:
    """What fires, and what Alertmanager holds silenced; a Prometheus tells of pending alerts too."""
    if source is None:
        return ()
    return alerts_of_concern([one for one in source.alerts.alerts() if one.firing], policy)


def _burns(services: Services) -> tuple[Burn, ...]:
    return tuple(
        _burn(services, objective) for objective in services.objectives.values() if objective.is_watched
    )


def _burn(services: Services, objective: Objective) -> Burn:
    value = services.prometheus.query(ratio_query(objective, SPAN)).only
    ratio = None if value is None or math.isnan(value) else value
    return Burn(objective, judge_objective(ratio, objective), burn_rate(ratio, objective))
