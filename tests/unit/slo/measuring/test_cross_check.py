"""What PromQL counts is compared with what makes a ratio."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from maestro_cli.slo.measuring.cross_check import cross_check
from maestro_cli.slo.measuring.measure import Outside, measure
from maestro_cli.slo.objectives import Counters
from maestro_cli.slo.ports import RawSeries
from tests.unit.slo.measuring.told import Told, every, objective, series, span

DAY = span(1440)


@dataclass
class Counting(Told):
    """Prometheus whose PromQL counts so many."""

    counted: float = 0.0
    total: float = 0.0

    def steps(self, promql: str, start: datetime, end: datetime, step_seconds: float) -> list[RawSeries]:  # type: ignore[override]
        parts = {"counted": self.counted, "total": self.total}
        return [RawSeries({"maestro_part": name}, [end.timestamp()], [n]) for name, n in parts.items()]


def compared(bad_a_minute: float, counted: float, total: float) -> str:
    ok = series(every(60, [float(step) for step in range(1446)], at=-300))
    bad = series(every(60, [bad_a_minute * step for step in range(1446)], at=-300), name="e_total")
    told = Counting([ok, bad], counted=counted, total=total)
    goal = replace(objective(), indicator=Counters(total="r_total", bad="e_total"))
    return cross_check(measure(goal, DAY, Outside(told, DAY.end + timedelta(hours=1))), told)


def test_more_bad_events_than_events_agree_with_nothing() -> None:
    assert compared(3.0, 5.0, 7.0).startswith("not compared with PromQL: more good events than events")


def test_what_is_a_ratio_agrees_or_differs() -> None:
    assert compared(0.5, 720.0, 1440.0).startswith("PromQL agrees: ")
    assert compared(0.5, 5.0, 7.0).startswith("PROMQL DIFFERS")
