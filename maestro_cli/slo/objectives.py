"""Objectives as OpenSLO v1 files. Invariant: a target is a ratio above 0 and below 1.

Format: https://openslo.com, `apiVersion: openslo/v1`, `kind: SLO`, with an inline ratio indicator on
Prometheus counters. `metadata.labels` name the workload it belongs to and become alert labels.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec

from maestro_cli.config.strict import Document, read_yaml
from maestro_cli.core.errors import InvalidFile
from maestro_cli.core.quantities import format_duration, parse_duration_seconds
from maestro_cli.core.refs import WorkloadRef
from maestro_cli.core.workload_labels import workload_of

_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]{0,61}[a-z0-9])?")
_EQUAL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)\s*=\s*"([^"\\]*)"')  # the matchers that name one value
_LABEL = re.compile(r"(?!__)[a-zA-Z_][a-zA-Z0-9_]*")
# a metric name and label matchers, no function, range or offset: rate() is put around it
_SELECTOR = re.compile(
    r"""[a-zA-Z_:][a-zA-Z0-9_:]*\s*(\{([^{}"'`]|"([^"\\]|\\.)*"|'([^'\\]|\\.)*'|`[^`]*`)*\})?\s*"""
)


@dataclass(frozen=True, slots=True)
class Objective:
    """A promise: at least `target` of the events are good over `window_seconds`.

    `bad` and `total` are PromQL counter selectors; exactly one of `bad` and `good` is set.
    """

    name: str
    title: str
    service: str
    target: float
    window_seconds: float
    total: str
    bad: str | None
    good: str | None
    labels: dict[str, str]
    runbook: str = ""

    @property
    def budget(self) -> float:
        """The share of events that may be bad; rounded, since 1 - 0.9 is a little less than 0.1."""
        return round(1.0 - self.target, 12)

    @property
    def echo(self) -> str:
        """`99.9 % = 43m12s a 30 days`: the target said back in time."""
        days = self.window_seconds / 86400
        allowed = format_duration(self.budget * self.window_seconds)
        return f"{round(self.target * 100, 6):g} % = {allowed} of {days:g} days"

    def is_for(self, workload: WorkloadRef, services: Collection[str] = ()) -> bool:
        """By the workload that its labels or its selector name, else by namespace and service.

        `services` are names that the workload is known by besides its own.
        """
        labels = {**dict(_EQUAL.findall(self.total)), **self.labels}
        named = workload_of(labels)
        if named is not None:
            return named == workload
        namespace = labels.get("namespace", workload.namespace)
        return namespace == workload.namespace and self.service in {workload.name, *services}

    def error_ratio(self, span: str, grouping: str = "namespace, deployment") -> str:
        """PromQL for the share of bad events over a range such as `5m`.

        A series of bad (or good) events that is not there counts none; no traffic is NaN, no total no
        answer.
        """
        total = f"sum by ({grouping}) (rate({self.total}[{span}]))"
        counted = self.good if self.good is not None else self.bad
        ratio = f"(sum by ({grouping}) (rate({counted}[{span}])) or 0 * {total}) / {total}"
        return f"1 - {ratio}" if self.good is not None else ratio


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


def read_objectives(path: Path) -> tuple[Objective, ...]:
    """Read one file, or every `*.yaml` of a folder; raises InvalidFile naming file, line and key."""
    is_ours = {".yaml", ".yml"}
    files = sorted(f for f in path.iterdir() if f.suffix in is_ours) if path.is_dir() else [path]
    objectives = tuple(_objective(read_yaml(file)) for file in files)
    seen: dict[str, str] = {}
    for objective, file in zip(objectives, files, strict=True):
        if objective.name in seen:
            what = f"the objective {objective.name!r} is also in {seen[objective.name]}"
            raise InvalidFile(what, file=str(file), key="metadata.name")
        seen[objective.name] = str(file)
    return objectives


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
        if metric is not None and not _SELECTOR.fullmatch(metric.metricSource.spec.query):
            at = ("spec", "indicator", "spec", "ratioMetric", key, "metricSource", "spec", "query")
            fix = 'write a counter and its labels, such as http_requests_total{code=~"5.."}'
            raise document.fail("is not a selector", at, fix=fix)


def _objective(document: Document) -> Objective:
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
        total=ratio.total.metricSource.spec.query,
        bad=ratio.bad.metricSource.spec.query if ratio.bad else None,
        good=ratio.good.metricSource.spec.query if ratio.good else None,
        labels=dict(slo.metadata.labels),
        runbook=slo.metadata.annotations.get("maestro.io/runbook", ""),
    )
