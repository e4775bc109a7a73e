"""The series of one cluster among several in one Prometheus.

Invariant: every selector of a query about costs is written here, so that none takes in what another cluster
asked for or used (tests/architecture/test_cost_queries.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from maestro_cli.core.promql import promql_name, promql_selector

_ANY: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class ClusterSeries:
    """By the labels `match` that each of them has; without any, all series are of the one cluster."""

    match: Mapping[str, str] = field(default_factory=dict)

    def of(self, metric: str, equal: Mapping[str, str] = _ANY, *, extra: str = "") -> str:
        """A selector as `promql_selector` writes it; what is `equal` takes no label of `match` away."""
        matchers = ",".join(one for one in (self.matchers, extra) if one)
        if not equal and not matchers:
            return promql_name(metric)
        return promql_selector(metric, equal, extra=matchers)

    @property
    def matchers(self) -> str:
        """`cluster="prod-eu"`; raises ValueError for what is not a label name."""
        return promql_selector("x", self.match).removeprefix("x{").removesuffix("}")


ANY_CLUSTER = ClusterSeries()
