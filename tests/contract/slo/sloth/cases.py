"""Objectives made by a seeded draw, as maestro holds them and as files that Sloth reads, with their series.

Each case has a stretch of health and stretches that spend its budget at known multiples, so that what fires
comes and goes. The series are written for promtool: a sample a minute.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from maestro_cli.slo.objectives import WINDOW, Counters, ErrorRatio, Indicator, Latency, Objective, Queries
from maestro_cli.slo.windows import burn_windows

HOURS = 20
SLOTH_PERIODS = (28, 30)  # days; for every other period Sloth is given windows
_DAY = 86400
_TARGETS = ("95", "99", "99.5", "99.9", "99.95", "99.99")  # of which a page can fire
_PERIODS = (30, 7, 28, 90)
_MULTIPLES = (0.0, 0.5, 0.9, 1.3, 2.6, 3.5, 7.0, 16.0)
_LABELS: tuple[dict[str, str], ...] = (
    {},
    {"team": "risk"},
    {"team": "risk", "tier": 'a"b\\c', "region": "eu"},
)
Steps = list[float]  # events of each minute


@dataclass(frozen=True)
class Case:
    """One objective. `groups` are the labels that its ratio keeps; `fires`: a page and a ticket, at times."""

    name: str
    objective: Objective
    percent: str
    sli: Mapping[str, Any]
    series: Mapping[str, str]
    groups: str = ""
    fires: bool = True

    @property
    def days(self) -> int:
        return round(self.objective.window_seconds / _DAY)


def cases() -> list[Case]:
    """The same ones at every call."""
    return [*(_draw(number) for number in range(10)), _boundary()]


def _draw(number: int) -> Case:
    """Each indicator and each period in turn; all else by the seed of the number.

    An hour of health, then so much for so long that a page and a ticket fire with any of the periods.
    """
    chance = random.Random(number)
    kind = _KINDS[number % len(_KINDS)]
    percent, days = chance.choice(_TARGETS), _PERIODS[number % len(_PERIODS)]
    budget = float(1 - Decimal(percent) / 100)
    stretches = [(0.0, 60, 600), (16.0, 200, 600)]
    stretches += [
        (multiple, chance.randrange(40, 250), chance.choice((12, 600, 54321)))
        for multiple in chance.sample(_MULTIPLES, 3)
    ]
    total: Steps = []
    bad: Steps = []
    for multiple, minutes, rate in stretches:
        multiple *= chance.uniform(
            1.01, 1.06
        )  # no ratio is at a limit by accident: the last bit would decide
        total += [float(rate)] * minutes
        bad += [rate * min(1.0, multiple * budget)] * minutes
    total += [600.0] * (HOURS * 60 - len(total))
    bad += [0.0] * (len(total) - len(bad))
    return kind(
        f"{kind.__name__.strip('_')}-{days}d-{percent}", percent, days, chance.choice(_LABELS), total, bad
    )


def _objective(name: str, percent: str, days: int, labels: dict[str, str], indicator: Indicator) -> Objective:
    return Objective(
        name=f"shop-{name.replace('.', '-')}",
        title=name,
        service="shop",
        target=float(Decimal(percent) / 100),
        window_seconds=float(days * _DAY),
        indicator=indicator,
        labels=labels,
    )


def _grown(steps: Steps) -> str:
    """The values of a counter that grows by these."""
    value, values = 0.0, ["0"]
    for step in steps:
        value += step
        values.append(f"{value:.12g}")
    return " ".join(values)


def _by_bad(name: str, percent: str, days: int, labels: dict[str, str], total: Steps, bad: Steps) -> Case:
    all_, failed = 'requests_total{job="shop"}', 'requests_total{job="shop", code=~"5.."}'
    good = [one - other for one, other in zip(total, bad, strict=True)]
    return Case(
        name,
        _objective(name, percent, days, labels, Counters(all_, bad=failed)),
        percent,
        _events(f"sum(rate({failed}[$window]))", f"sum(rate({all_}[$window]))"),
        {
            'requests_total{job="shop", code="200"}': _grown(good),
            'requests_total{job="shop", code="503"}': _grown(bad),
            'requests_total{job="other", code="503"}': _grown(total),
        },
    )


def _by_good(name: str, percent: str, days: int, labels: dict[str, str], total: Steps, bad: Steps) -> Case:
    all_, fine = "jobs_total", 'jobs_total{outcome="done"}'
    good = [one - other for one, other in zip(total, bad, strict=True)]
    return Case(
        name,
        _objective(name, percent, days, labels, Counters(all_, good=fine)),
        percent,
        _events(f"sum(rate({all_}[$window])) - sum(rate({fine}[$window]))", f"sum(rate({all_}[$window]))"),
        {'jobs_total{outcome="done"}': _grown(good), 'jobs_total{outcome="lost"}': _grown(bad)},
    )


def _latency(name: str, percent: str, days: int, labels: dict[str, str], total: Steps, bad: Steps) -> Case:
    good = [one - other for one, other in zip(total, bad, strict=True)]
    slow = 'sum(rate(wait_seconds_count[$window])) - sum(rate(wait_seconds_bucket{le="0.1"}[$window]))'
    return Case(
        name,
        _objective(name, percent, days, labels, Latency("wait_seconds", 0.1)),
        percent,
        _events(slow, "sum(rate(wait_seconds_count[$window]))"),
        {
            'wait_seconds_bucket{le="0.1"}': _grown(good),
            'wait_seconds_bucket{le="+Inf"}': _grown(total),
            "wait_seconds_count": _grown(total),
        },
    )


def _queries(name: str, percent: str, days: int, labels: dict[str, str], total: Steps, bad: Steps) -> Case:
    lost = "sum(increase(refused_total[$window])) + sum(increase(broken_total[$window]))"
    all_ = "sum(increase(calls_total[$window]))"
    halves = [one / 2 for one in bad]
    return Case(
        name,
        _objective(name, percent, days, labels, Queries(all_, bad=lost)),
        percent,
        _events(lost, all_),
        {"refused_total": _grown(halves), "broken_total": _grown(halves), "calls_total": _grown(total)},
    )


def _raw(name: str, percent: str, days: int, labels: dict[str, str], total: Steps, bad: Steps) -> Case:
    """A gauge of what is well, of two clusters, one the other way round in time."""
    query = "1 - avg by (cluster) (avg_over_time(healthy_ratio[$window]))"
    well = [1 - one / other for one, other in zip(bad, total, strict=True)]
    return Case(
        name,
        _objective(name, percent, days, labels, ErrorRatio(query)),
        percent,
        {"raw": {"error_ratio_query": _templated(query)}},
        {
            'healthy_ratio{cluster="a"}': " ".join(f"{one:.12g}" for one in well),
            'healthy_ratio{cluster="b"}': " ".join(f"{one:.12g}" for one in reversed(well)),
        },
        "cluster",
    )


def _boundary() -> Case:
    """Exactly at the limit of the slowest ticket all the time: 1 · (1 − 75 %), which floats hold exactly."""
    query = "avg_over_time(broken_ratio[$window])"
    return Case(
        "boundary",
        _objective("boundary", "75", 30, {}, ErrorRatio(query)),
        "75",
        {"raw": {"error_ratio_query": _templated(query)}},
        {"broken_ratio": " ".join(["0.25"] * HOURS * 60)},
        fires=False,
    )


def _events(error: str, total: str) -> dict[str, Any]:
    return {"events": {"error_query": _templated(error), "total_query": _templated(total)}}


def _templated(query: str) -> str:
    return query.replace(WINDOW, "{{.window}}")


_KINDS: tuple[Callable[..., Case], ...] = (_by_bad, _by_good, _latency, _queries, _raw)


def spec_of(case: Case) -> dict[str, Any]:
    """The file that Sloth reads, which is told to count events over the period too."""
    plugins = [{"id": "sloth.dev/core/sli_rules/v1", "config": {"disableOptimized": True}}]
    name = case.objective.name.removeprefix("shop-")
    return {
        "version": "prometheus/v1",
        "service": "shop",
        "labels": case.objective.labels,
        "slo_plugins": {"chain": plugins},
        "slos": [
            {
                "name": name,
                "objective": float(case.percent),
                "sli": case.sli,
                "alerting": {"name": "SlothBurn"},
            }
        ],
    }


def windows_of(days: int) -> dict[str, Any]:
    """Our windows of a period, for Sloth, which knows only those of its own."""
    found = [
        {
            "errorBudgetPercent": round(window.factor * window.long_seconds / (days * _DAY) * 100, 9),
            "shortWindow": f"{window.short_seconds / 60:g}m",
            "longWindow": f"{window.long_seconds / 60:g}m",
        }
        for window in burn_windows(days * _DAY)
    ]
    return {
        "apiVersion": "sloth.slok.dev/v1",
        "kind": "AlertWindows",
        "spec": {
            "sloPeriod": f"{days}d",
            "page": {"quick": found[0], "slow": found[1]},
            "ticket": {"quick": found[2], "slow": found[3]},
        },
    }


def inputs_of(case: Case) -> list[dict[str, str]]:
    """For promtool."""
    return [{"series": name, "values": values} for name, values in case.series.items()]
