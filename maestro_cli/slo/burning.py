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
from maestro_cli.slo.objectives import Counters, Objective, Queries
from maestro_cli.slo.telling import telling_of
from maestro_cli.slo.windows import PROFILES, BurnWindow, Profile, spans_of

SPAN = "maestro_span"  # the label that tells the ranges of one answer apart
_TOLD = "told"  # in place of a range: no answer may count none
_REMEMBERED = "1d"  # how long a counter that went is known to have been there, where one number is asked for


@dataclass(frozen=True, slots=True)
class Burning:
    """`rates` are burn rates by range in seconds; `left` is the share of the budget that is left.

    `why` is why it is not known, and empty when it is; without traffic there is no rate, and that is known.
    `window_seconds` is how long the window is that `left` is of, where it is not that of the objective;
    `left_age_seconds` is how old `left` is, where it is too old to be told without that; `left_at_most`
    is what is left whatever was not seen, None where all was.
    """

    objective: Objective
    rates: Mapping[float, float | None]
    left: float | None
    profile: Profile = PROFILES["production"]
    why: str = ""
    window_seconds: float | None = None
    left_age_seconds: float | None = None
    left_at_most: float | None = None

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
    telling = telling_of(objective.indicator)
    told = telling.condition(telling.seen(_REMEMBERED))
    return f"max({objective.error_ratio(span, grouping='', told=told)})"


def burn_query(objective: Objective, profile: Profile = PROFILES["production"]) -> str:
    """One query for `ratio_query` over every range of the profile; each answer has its range in SPAN.

    Where something has to be there for no answer to count none, one more answer says that it was.
    """
    telling = telling_of(objective.indicator)
    spans = [prometheus_duration(seconds) for seconds in spans_for(objective, profile)]
    asked = {
        span: f"max({objective.error_ratio(span, grouping='', told=telling.condition(''))})" for span in spans
    }
    if telling.may_be_none and telling.now:
        asked[_TOLD] = telling.seen(spans[-1])
    return " or ".join(
        f'label_replace({query}, "{SPAN}", {promql_string(name)}, "", "")' for name, query in asked.items()
    )


def unanswered(
    samples: Iterable[Sample],
    objective: Objective,
    profile: Profile = PROFILES["production"],
    *,
    is_told: bool = False,
) -> str:
    """Why `burn_query` did not tell every range; empty when it did. NaN is an answer: no traffic.

    `is_told`: it is known, by measuring, that what is counted would have been counted.
    """
    answered = {sample.labels.get(SPAN, ""): sample.value for sample in samples}
    found = answered if is_told else _told(answered, objective)
    if len(found) < len(answered):
        return "no counter of what it counts is there: that is not known to be none"
    missing = [
        span for one in spans_for(objective, profile) if (span := prometheus_duration(one)) not in found
    ]
    return f"Prometheus has no data of the last {', '.join(missing)}" if missing else ""


def read_rates(
    samples: Iterable[Sample],
    objective: Objective,
    profile: Profile = PROFILES["production"],
    *,
    is_told: bool = False,
) -> dict[float, float | None]:
    """The burn rate of every range that `burn_query` asked for; None where there is no number.

    `is_told`: as for `unanswered`; else the answer has to say it.
    """
    answered = {sample.labels.get(SPAN, ""): sample.value for sample in samples}
    found = answered if is_told else _told(answered, objective)
    ratios = {seconds: found.get(prometheus_duration(seconds)) for seconds in spans_for(objective, profile)}
    return {
        seconds: None if ratio is None or not math.isfinite(ratio) else burn_rate(ratio, objective)
        for seconds, ratio in ratios.items()
    }


def _told(answered: Mapping[str, float], objective: Objective) -> Mapping[str, float]:
    """Without the ratios that rest on what gave no answer, unless the answer says that it may count none."""
    telling, kind = telling_of(objective.indicator), objective.indicator
    if not telling.may_be_none or not telling.now or _TOLD in answered:
        return answered
    none = 0.0 if not isinstance(kind, Counters | Queries) or kind.good is None else 1.0
    return {span: ratio for span, ratio in answered.items() if ratio != none}
