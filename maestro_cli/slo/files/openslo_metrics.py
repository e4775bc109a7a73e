"""The metrics of an SLI of OpenSLO. Invariant: a source that is neither Prometheus nor maestro is refused."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from maestro_cli.core.errors import InvalidFile
from maestro_cli.slo.files.found import Place, Reading
from maestro_cli.slo.files.promql import MIXED, SELECTOR, as_written, has_no_window, indicator_of, mixes_units
from maestro_cli.slo.objectives import WINDOW, ErrorRatio, Indicator, Queries, Recovery, Threshold

_FIX = 'write a counter and its labels, such as http_requests_total{code=~"5.."}'


class Source(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    spec: dict[str, Any] = {}
    type: str = ""
    metricSourceRef: str = ""


class Metric(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    metricSource: Source


class Ratio(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    counter: bool = True
    good: Metric | None = None
    bad: Metric | None = None
    total: Metric | None = None
    raw: Metric | None = None
    rawType: Literal["success", "failure"] | None = None


class SliSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    ratioMetric: Ratio | None = None
    thresholdMetric: Metric | None = None
    description: str = ""


def indicator_of_sli(
    at: Place, sli: SliSpec, reading: Reading, objective: Place, op: Any, value: float | None
) -> Indicator:
    """What an SLI measures; `op` and `value` are those of the objective. Raises InvalidFile."""
    if (sli.ratioMetric is None) == (sli.thresholdMetric is None):
        raise at.fail("needs either 'ratioMetric' or 'thresholdMetric'")
    if sli.ratioMetric is not None:
        return _ratio(at.at("ratioMetric"), sli.ratioMetric, reading)
    if op is None or value is None:
        raise objective.fail("a thresholdMetric needs 'op' and 'value'", fix="op: lte, value: 0.1")
    assert sli.thresholdMetric is not None
    source, at = sli.thresholdMetric.metricSource, at.at("thresholdMetric", "metricSource")
    if source.type.lower() == "maestro":
        return _recovery(at, source, objective, op, value)
    query = _query(at, source, reading)
    if WINDOW in query:
        raise at.at("spec", "query").fail("a threshold is compared at an instant", fix="write a range: [5m]")
    return Threshold(query, op, value)


def _recovery(at: Place, source: Source, objective: Place, op: str, value: float) -> Recovery:
    kind = source.spec.get("recovery")
    if kind not in ("rto", "rpo") or len(source.spec) != 1:
        raise at.at("spec").fail("maestro measures recoveries", fix="recovery: rto, or rpo")
    if op not in ("lt", "lte") or value <= 0:
        raise objective.fail("a recovery takes at most so many seconds", fix="op: lt, value: 900")
    return Recovery("rto" if kind == "rto" else "rpo", value)


def _ratio(at: Place, ratio: Ratio, reading: Reading) -> Indicator:
    if ratio.raw is not None:
        if ratio.good or ratio.bad or ratio.total:
            raise at.fail("has 'raw' and counts too", fix="keep one of them")
        return _raw(at, ratio, ratio.raw, reading)
    if (ratio.good is None) == (ratio.bad is None):
        raise at.fail("needs either 'good' or 'bad'")
    if ratio.total is None:
        raise at.fail("needs 'total'")
    key = "bad" if ratio.good is None else "good"
    part_at, total_at = (at.at(one, "metricSource") for one in (key, "total"))
    part = _query(part_at, (ratio.good or ratio.bad or ratio.total).metricSource, reading)
    total = _query(total_at, ratio.total.metricSource, reading)
    bad, good = (part, None) if key == "bad" else (None, part)
    if not ratio.counter:
        bad, good, total = (None if one is None else _samples(one) for one in (bad, good, total))  # type: ignore[assignment]
    found = indicator_of(total=total, bad=bad, good=good)
    if has_no_window(found):
        assert isinstance(found, Queries)
        wrong = total_at if WINDOW not in found.total else part_at
        raise wrong.at("spec", "query").fail(
            "is not a selector, and says no range", why=_FIX, fix=f"[{WINDOW}]"
        )
    if mixes_units(found):
        raise total_at.at("spec", "query").fail(**MIXED)
    return found


def _samples(query: str) -> str:
    """What is no counter is added up over its samples."""
    return f"sum(sum_over_time({query}[{WINDOW}]))" if SELECTOR.fullmatch(query) else query


def _raw(at: Place, ratio: Ratio, raw: Metric, reading: Reading) -> ErrorRatio:
    if ratio.rawType is None:
        raise at.fail("'raw' needs 'rawType'", fix="rawType: failure, or success")
    query = _query(at.at("raw", "metricSource"), raw.metricSource, reading)
    if WINDOW not in query:  # a ratio that is stored: what it was on average
        range_ = WINDOW if SELECTOR.fullmatch(query) else f"{WINDOW}:"
        query = f"avg_over_time({query if SELECTOR.fullmatch(query) else f'({query})'}[{range_}])"
    return ErrorRatio(query if ratio.rawType == "failure" else f"1 - ({query})")


def _query(at: Place, source: Source, reading: Reading) -> str:
    """The query of a Prometheus source; raises InvalidFile."""
    named = source.metricSourceRef
    if not source.type and not named:
        raise at.fail("says no type", fix="type: Prometheus")
    if not source.type and named not in reading.sources:
        raise at.at("metricSourceRef").fail(
            "names a DataSource that is not there",
            fix="put its file into the same folder, or add type: Prometheus",
        )
    type_ = source.type or reading.sources[named]
    if type_.lower() != "prometheus":
        raise _wrong_type(at, type_)
    query = source.spec.get("query")
    if not isinstance(query, str):
        raise at.at("spec").fail("needs a 'query'", fix=_FIX)
    try:
        return at.at("spec", "query").met(as_written(query))
    except ValueError as error:
        raise at.at("spec", "query").fail(
            f"is not a selector or another query: it {error}", fix=_FIX
        ) from error


def _wrong_type(at: Place, type_: str) -> InvalidFile:
    return at.at("type").fail(
        f"{type_[:60]!r} is not measured", why="objectives are measured on Prometheus", fix="type: Prometheus"
    )
