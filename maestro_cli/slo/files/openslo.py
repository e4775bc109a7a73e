"""Objectives as OpenSLO v1 files. Invariant: a target is a ratio above 0 and below 1.

Format: https://openslo.com, `apiVersion: openslo/v1`, `kind: SLO`, with an inline ratio indicator on
Prometheus counters. `metadata.labels` name the workload it belongs to and become alert labels.
"""

from __future__ import annotations

import re
from typing import Literal

import msgspec

from maestro_cli.config.strict import Document
from maestro_cli.core.quantities import parse_duration_seconds
from maestro_cli.slo.files.promql import SELECTOR, indicator_of
from maestro_cli.slo.objectives import Objective

_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]{0,61}[a-z0-9])?")
_LABEL = re.compile(r"(?!__)[a-zA-Z_][a-zA-Z0-9_]*")


class _Spec(msgspec.Struct, forbid_unknown_fields=True):
    query: str


class _Source(msgspec.Struct, forbid_unknown_fields=True):
    type: Literal["Prometheus", "prometheus"]
    spec: _Spec


class _Metric(msgspec.Struct, forbid_unknown_fields=True):
    metricSource: _Source


class _Ratio(msgspec.Struct, forbid_unknown_fields=True):
    total: _Metric
    counter: bool = True
    good: _Metric | None = None
    bad: _Metric | None = None


class _IndicatorSpec(msgspec.Struct, forbid_unknown_fields=True):
    ratioMetric: _Ratio


class _Metadata(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    displayName: str = ""
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}


class _Indicator(msgspec.Struct, forbid_unknown_fields=True):
    spec: _IndicatorSpec
    metadata: _Metadata | None = None


class _Window(msgspec.Struct, forbid_unknown_fields=True):
    duration: str
    isRolling: bool = True


class _Target(msgspec.Struct, forbid_unknown_fields=True):
    target: float
    displayName: str = ""


class _SloSpec(msgspec.Struct, forbid_unknown_fields=True):
    service: str
    indicator: _Indicator
    timeWindow: list[_Window]
    objectives: list[_Target]
    description: str = ""
    budgetingMethod: Literal["Occurrences"] = "Occurrences"


class SloFile(msgspec.Struct, forbid_unknown_fields=True):
    apiVersion: Literal["openslo/v1"]
    kind: Literal["SLO"]
    metadata: _Metadata
    spec: _SloSpec


def _check_names(document: Document, slo: SloFile) -> None:
    """What becomes part of a Prometheus rule must be able to."""
    if not _NAME.fullmatch(slo.metadata.name):
        raise document.fail("is not a name", ("metadata", "name"), fix="use a-z, 0-9 and '-'")
    for label in slo.metadata.labels:
        if not _LABEL.fullmatch(label):
            raise document.fail(
                "is not a Prometheus label name", ("metadata", "labels", label), fix="use a-z, 0-9 and '_'"
            )
    ratio = slo.spec.indicator.spec.ratioMetric
    for key, metric in (("good", ratio.good), ("bad", ratio.bad), ("total", ratio.total)):
        if metric is not None and not SELECTOR.fullmatch(metric.metricSource.spec.query):
            at = ("spec", "indicator", "spec", "ratioMetric", key, "metricSource", "spec", "query")
            fix = 'write a counter and its labels, such as http_requests_total{code=~"5.."}'
            raise document.fail("is not a selector", at, fix=fix)


def read_openslo(document: Document) -> Objective:
    slo = document.decode(SloFile)
    ratio = slo.spec.indicator.spec.ratioMetric
    at = ("spec", "indicator", "spec", "ratioMetric")
    if (ratio.good is None) == (ratio.bad is None):
        raise document.fail("needs either 'good' or 'bad'", at)
    if not ratio.counter:
        raise document.fail("only counters are supported", (*at, "counter"))
    if len(slo.spec.objectives) != 1 or len(slo.spec.timeWindow) != 1:
        raise document.fail("needs exactly one objective and one time window", ("spec",))
    target = slo.spec.objectives[0].target
    if not 0 < target < 1:
        fix = f"write {target / 100:g}" if 1 < target < 100 else "write 0.999 for 99.9 %"
        raise document.fail(
            "the target is a ratio above 0 and below 1", ("spec", "objectives", 0, "target"), fix=fix
        )
    try:
        window_seconds = parse_duration_seconds(slo.spec.timeWindow[0].duration)
    except ValueError as error:
        raise document.fail(str(error), ("spec", "timeWindow", 0, "duration")) from error
    if window_seconds <= 0:
        raise document.fail("must be longer than nothing", ("spec", "timeWindow", 0, "duration"), fix="30d")
    if not slo.spec.timeWindow[0].isRolling:
        raise document.fail("only rolling windows are supported", ("spec", "timeWindow", 0, "isRolling"))
    _check_names(document, slo)
    return Objective(
        name=slo.metadata.name,
        title=slo.metadata.displayName or slo.metadata.name,
        service=slo.spec.service,
        target=target,
        window_seconds=window_seconds,
        indicator=indicator_of(
            total=ratio.total.metricSource.spec.query,
            bad=ratio.bad.metricSource.spec.query if ratio.bad else None,
            good=ratio.good.metricSource.spec.query if ratio.good else None,
        ),
        labels=dict(slo.metadata.labels),
        runbook=slo.metadata.annotations.get("maestro.io/runbook", ""),
        origin=f"{document.file}:{document.first_line}",
    )
