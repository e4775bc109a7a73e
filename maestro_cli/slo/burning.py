"""How an objective stands now: burn over every window of the alert rules, and what is left of its budget.

Invariant: what was not measured is None, and makes the state `no data`, never `ok`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from maestro_cli.core.facts.metrics import Sample
from maestro_cli.core.promql import promql_string
from maestro_cli.core.quantities import prometheus_duration
from maestro_cli.slo.burn import BurnState, budget_gone_in_seconds, burn_rate, burn_state
from maestro_cli.slo.objectives import Objective
from maestro_cli.slo.windows import PROFILES, BurnWindow, Profile, spans_of

SPAN = "maestro_span"  # the label that tells the ranges of one answer apart


@dataclass(frozen=True, slots=True)
class Burning:
    """`rates` are burn rates by range in seconds; `left` is the share of the budget that is left.

    `why` is why it is not known, and empty when it is; without traffic there is no rate, and that is known.
    `window_seconds` is how long the window is that `left` is of, where it is not that of the objective;
    `left_age_seconds` is how old `left` is, where it is too old to be told without that.
    """

    objective: Objective
    rates: Mapping[float, float | None]
    left: float | None
    profile: Profile = PROFILES["production"]
    why: str = ""
    window_seconds: float | None = None
    left_age_seconds: float | None = None

    @property
    def windows(self) -> tuple[BurnWindow, ...]:
        """Those that its alerts have: by the period of the objective."""
        return self.profile.windows_for(self.objective.window_seconds)

    @property
    def state(self) -> BurnState:
        return burn_state(self.rates, self.windows)

    @property
    def now(self) -> float | None:
        """The burn rate over the shortest range."""
        return self.rates.get(min(self.rates, default=0.0))

    @property
    def gone_in_seconds(self) -> float | None:
        """When the budget is gone if it goes on as over the first long window of the profile."""
        burn = self.rates.get(self.windows[0].long_seconds)
        return budget_gone_in_seconds(self.left, burn, self.window_seconds or self.objective.window_seconds)


def spans_for(objective: Objective, profile: Profile = PROFILES["production"]) -> tuple[float, ...]:
    """The ranges that its burn is measured over, in seconds, the shortest first."""
    return spans_of(profile.windows_for(objective.window_seconds))


def ratio_query(objective: Objective, span: str) -> str:
    """PromQL for the share of bad events over a range such as `5m`, in one number whoever reads it.

    As alerts and verdicts are, it is of all workloads of the objective together, weighted by their events; of
    shares that a query tells of several, the largest. Raises ValueError for what no metric tells.
    """
    return f"max({objective.error_ratio(span, grouping='')})"


def burn_query(objective: Objective, profile: Profile = PROFILES["production"]) -> str:
    """One query for `ratio_query` over every range of the profile; each answer has its range in SPAN."""
    return " or ".join(
        f'label_replace({ratio_query(objective, prometheus_duration(seconds))}, "{SPAN}", '
        f'{promql_string(prometheus_duration(seconds))}, "", "")'
        for seconds in spans_for(objective, profile)
    )


def unanswered(
    samples: Iterable[Sample], objective: Objective, profile: Profile = PROFILES["production"]
) -> str:
    """Why `burn_query` did not tell every range; empty when it did. NaN is an answer: no traffic."""
    found = {sample.labels.get(SPAN, "") for sample in samples}
    missing = [
        span for one in spans_for(objective, profile) if (span := prometheus_duration(one)) not in found
    ]
    return f"Prometheus has no data of the last {', '.join(missing)}" if missing else ""


def read_rates(
    samples: Iterable[Sample], objective: Objective, profile: Profile = PROFILES["production"]
) -> dict[float, float | None]:
    """The burn rate of every range that `burn_query` asked for; None where there is no number."""
    found = {sample.labels.get(SPAN, ""): sample.value for sample in samples}
    ratios = {seconds: found.get(prometheus_duration(seconds)) for seconds in spans_for(objective, profile)}
    return {
        seconds: None if ratio is None or not math.isfinite(ratio) else burn_rate(ratio, objective)
        for seconds, ratio in ratios.items()
    }
