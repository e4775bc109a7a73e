"""What is measured of a service, and what makes one measure unusual.

Invariant: frozen data. A verdict is only given on enough points and enough traffic; else it is none.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

Points = tuple[tuple[datetime, float], ...]


class Measure(StrEnum):
    REQUEST_RATE = "request_rate"
    ERROR_RATIO = "error_ratio"
    LATENCY = "latency"
    SATURATION = "saturation"
    ACCURACY = "accuracy"

    @property
    def words(self) -> str:
        return {"latency": "p95 latency"}.get(self.value, self.value.replace("_", " "))


@dataclass(frozen=True, slots=True)
class Profile:
    """How a measure is judged.

    `is_log`: its noise is multiplied, so it is judged by its logarithm. `signs`: 1 where a rise is unusual,
    -1 where a fall is. `least_mad` keeps a series that never moves from making everything unusual,
    `least_change` is the smallest change worth telling; both are in the scale it is judged by. `is_share`: it
    is a share of events, and chance alone moves that of a few.
    """

    signs: tuple[int, ...]
    least_mad: float
    least_change: float
    is_log: bool = False
    is_share: bool = False

    def scaled(self, value: float) -> float:
        return math.log(max(value, 1e-9)) if self.is_log else value

    def plain(self, scaled: float) -> float:
        return math.exp(scaled) if self.is_log else scaled


PROFILES: Mapping[Measure, Profile] = {
    Measure.REQUEST_RATE: Profile((1, -1), 0.05, math.log(2), is_log=True),
    Measure.ERROR_RATIO: Profile((1,), 0.0005, 0.01, is_share=True),
    Measure.LATENCY: Profile((1,), 0.05, math.log(1.5), is_log=True),
    Measure.SATURATION: Profile((1,), 0.01, 0.15),
    Measure.ACCURACY: Profile((-1,), 0.005, 0.05, is_share=True),
}


@dataclass(frozen=True, slots=True)
class Service:
    """The workload of a series, by its labels: untrusted text."""

    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"


@dataclass(frozen=True, slots=True)
class Baseline:
    """What is usual: median and MAD in the scale it is judged by, and the tenth and ninetieth percentile as
    plain values; `basis` says in words of which points."""

    median: float
    mad: float
    low: float
    high: float
    points: int
    basis: str


@dataclass(frozen=True, slots=True)
class Reading:
    """The judgement of a measure now: `unusual`, `usual` (well within what is), `between` or `none`, with the
    reason for none. `mads` is how far the newest sample is off, with its sign."""

    verdict: str
    why: str = ""
    value: float = math.nan
    mads: float = 0.0
    samples: int = 0
    baseline: Baseline | None = None


@dataclass(frozen=True, slots=True)
class Anomaly:
    """One that is going on; `text` is untrusted, since it may hold labels."""

    service: Service
    measure: Measure
    since: datetime
    text: str
    value: float
    mads: float
    baseline: Baseline
    incident: str = ""

    @property
    def subject(self) -> str:
        return f"anomaly/{self.service}/{self.measure.value}"
