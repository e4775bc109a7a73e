"""What the records of an objective are called, and by which labels they are told apart.

Invariant: text of an objective becomes one PromQL literal or a label's value, never part of a query.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from maestro_cli.core.promql import promql_string
from maestro_cli.core.quantities import prometheus_duration
from maestro_cli.slo.objectives import Objective

SLOTH_WINDOW = "sloth_window"
_UNITS = (("y", 31_536_000, True), ("w", 604_800, True), ("d", 86_400, False), ("h", 3600, False),
          ("m", 60, False), ("s", 1, False))  # fmt: skip


@dataclass(frozen=True, slots=True)
class Names:
    """One way to name records; `window_label` tells the lengths of windows apart, where there is one."""

    word: str
    ratio: str
    window_label: str = ""

    def record(self, span_seconds: float) -> str:
        return self.ratio + self.span(span_seconds)

    def span(self, seconds: float) -> str:
        """How long, as it is written in names: 90 minutes are `90m`, with Sloth `1h30m`."""
        return _in_units(seconds) if self.window_label else prometheus_duration(seconds)

    def identity(self, objective: Objective) -> dict[str, str]:
        """The labels that no other objective has."""
        if self.word == "maestro":
            return {"objective": objective.name}
        start = f"{objective.service}-"
        name = objective.name.removeprefix(start)
        return {"sloth_id": start + name, "sloth_service": objective.service, "sloth_slo": name}

    def labels(self, objective: Objective) -> dict[str, str]:
        """The labels of every record: those of the objective, and whose it is."""
        service = {"service": objective.service} if self.word == "maestro" else {}
        return {**objective.labels, **service, **self.identity(objective)}

    def spanning(self, span_seconds: float) -> dict[str, str]:
        """The label of a record over that long; none where the name alone says it."""
        return {self.window_label: self.span(span_seconds)} if self.window_label else {}

    def selector(self, record: str, objective: Objective) -> str:
        """`record{objective="answers"}`"""
        return f"{record}{{{_matchers(self.identity(objective))}}}"

    def ratio_of(self, objective: Objective, span_seconds: float) -> str:
        """The recorded share of bad events over that long."""
        return self.selector(self.record(span_seconds), objective)


def _in_units(seconds: float) -> str:
    """As Prometheus itself writes a duration: years and weeks alone and whole, else unit by unit."""
    left, found = round(seconds), ""
    for unit, size, is_alone in _UNITS:
        if left and (not is_alone or (not found and left % size == 0)):
            count, left = divmod(left, size)
            found += f"{count}{unit}" if count else ""
    return found


def _matchers(labels: Mapping[str, str]) -> str:
    return ",".join(f"{name}={promql_string(value)}" for name, value in sorted(labels.items()))


MAESTRO = Names("maestro", "slo:error_ratio:rate")
SLOTH = Names("sloth", "slo:sli_error:ratio_rate", SLOTH_WINDOW)
NAMES: Mapping[str, Names] = {names.word: names for names in (MAESTRO, SLOTH)}
