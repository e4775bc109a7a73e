"""Unit tests of rules, for `promtool test rules`: each window fires above its limit alone, no data is told.

Invariant: what no series can be made up for has no test, and is named.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from maestro_cli.core.promql import promql_string
from maestro_cli.core.quantities import prometheus_duration
from maestro_cli.slo.objectives import Latency, Objective
from maestro_cli.slo.rules.alerts import (
    ABSENT_NAME,
    RuleOptions,
    absent_seconds,
    absent_severity,
    alert_name,
    notice_of,
)
from maestro_cli.slo.rules.examples import both, example, parse_selector, series_text
from maestro_cli.slo.windows import BurnWindow, Profile

_EVENTS = 600_000  # of each scrape
_OVER = 1.01  # so little above a limit: it must fire, and none with a greater factor
_LONG = 5  # scrapes more than what is waited for


_Made = Callable[[float, float, float], list[dict[str, str]]]


@dataclass(frozen=True, slots=True)
class UnitTests:
    """The document for promtool, and the names of objectives that have no test in it."""

    document: Mapping[str, Any]
    without: tuple[str, ...]


def unit_tests(
    objectives: Iterable[Objective], profile: Profile, options: RuleOptions, rules: str, groups: Sequence[str]
) -> UnitTests:
    """Tests of the rule file at `rules`, whose groups these are."""
    tests: list[dict[str, Any]] = []
    without: list[str] = []
    for objective in objectives:
        found = _tests(objective, profile, options)
        tests += found
        without += [] if found else [objective.name]
    document = {
        "rule_files": [rules],
        "evaluation_interval": prometheus_duration(profile.interval_seconds),
        "group_eval_order": list(groups),  # else a record may be read before it is written
        "tests": tests,
    }
    return UnitTests(document, tuple(without))


def _tests(objective: Objective, profile: Profile, options: RuleOptions) -> list[dict[str, Any]]:
    made = _series(objective)
    if made is None:
        return []
    windows = options.windows_for(objective, profile)
    scrape = profile.interval_seconds
    told = [window for window in windows if not notice_of(objective, window.severity).disabled]
    at = max(window.hold_seconds for window in windows) + 2 * windows[0].short_seconds + scrape * _LONG
    shares = {"no event is bad": 0.0, "every event is bad": 1.0}
    for window in windows:
        share = _OVER * window.factor * objective.budget
        if share < 1:
            shares[f"bad just over {window.factor:g} times the budget"] = share
    found = []
    for name, share in shares.items():
        firing = [window for window in told if share > window.factor * objective.budget]
        found.append(
            _test(objective, name, made(share, at, scrape), scrape, [_burning(objective, at, firing)])
        )
    if options.absent and absent_severity(objective):
        last = absent_seconds(objective, windows)
        expected = [(last - scrape, 0), (last + scrape * _LONG, 1)]
        checks = [_silent(objective, seconds, count) for seconds, count in expected]
        found.append(_test(objective, "nothing is measured", [], scrape, checks))
    return found


def _test(
    objective: Objective, name: str, series: list[dict[str, str]], scrape: float, checks: list[dict[str, Any]]
) -> dict[str, Any]:
    return {
        "name": f"{objective.name}: {name}",
        "interval": prometheus_duration(scrape),
        "input_series": series,
        "promql_expr_test": checks,
    }


def _burning(objective: Objective, at: float, firing: Sequence[BurnWindow]) -> dict[str, Any]:
    """Exactly these windows fire, and nothing says that there is no data."""
    labels = [f'{{burn_window="{prometheus_duration(window.long_seconds)}"}}' for window in firing]
    either = f"{alert_name(objective)}|{ABSENT_NAME}"
    return _check(f"count by (burn_window) ({_firing(objective, either)})", at, labels)


def _silent(objective: Objective, at: float, count: int) -> dict[str, Any]:
    return _check(f"count({_firing(objective, ABSENT_NAME)})", at, ["{}"] * count)


def _check(expr: str, at: float, labels: Iterable[str]) -> dict[str, Any]:
    expected = [{"labels": one, "value": 1} for one in labels]
    return {"expr": expr, "eval_time": prometheus_duration(at), "exp_samples": expected}


def _firing(objective: Objective, name: str) -> str:
    own = f'objective={promql_string(objective.name)},alertstate="firing"'
    return f"ALERTS{{alertname=~{promql_string(name)},{own}}}"


def _series(objective: Objective) -> _Made | None:
    """What makes the series for a share of bad events; None where no series can be made up."""
    counters = objective.counters
    if counters is None:
        return None
    total = parse_selector(counters.total)
    counted = parse_selector(counters.good if counters.good is not None else counters.bad or "")
    if total is None or counted is None:
        return None
    inside, outside = example(both(counted, total)), example(total, counted)
    if inside is None or outside is None:
        return None
    is_good, is_one = counters.good is not None, counted.metric == total.metric
    is_bucket = isinstance(objective.indicator, Latency)  # without its bucket nobody knows what is slow
    mine, others = series_text(counted.metric, inside), series_text(total.metric, outside)

    def made(share: float, seconds: float, scrape: float) -> list[dict[str, str]]:
        """A counter that would stay at zero is not there, as with a service that never failed, if all events
        are of its metric: that its labels are there tells that a failure would be counted.
        """
        steps = round(seconds / scrape) + _LONG
        counts = (1 - share if is_good else share) * _EVENTS
        rest = _EVENTS - counts if is_one else _EVENTS
        return [
            _grown(name, by, steps)
            for name, by in ((mine, counts), (others, rest))
            if by or is_bucket or not is_one
        ]

    return made


def _grown(series: str, by: float, steps: int) -> dict[str, str]:
    return {"series": series, "values": f"0+{by:.12g}x{steps}"}
