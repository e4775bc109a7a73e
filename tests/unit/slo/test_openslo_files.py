"""OpenSLO v1 is read whole and strictly: what is wrong is named by file, line and key, with a way out."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from maestro_cli.config.strict import dump_yaml
from maestro_cli.core.errors import InvalidFile
from maestro_cli.slo.files.reading import find_in_text, read_objectives
from maestro_cli.slo.objectives import (
    Calendar,
    Counters,
    ErrorRatio,
    Indicator,
    Latency,
    Method,
    Objective,
    Queries,
    Recovery,
    Slices,
    Threshold,
)
from maestro_cli.slo.rules.alerts import rule_file
from maestro_cli.slo.windows import PROFILES
from tests.unit.slo.test_slo_objectives import RATIO, changed, document, metric

MONTH = [{"duration": "1M", "calendar": {"startTime": "2026-01-01 00:00:00", "timeZone": "Europe/Zurich"}}]
RUNS = {"metricSource": {"type": "maestro", "spec": {"recovery": "rto"}}}


def read(*documents: dict[str, Any]) -> tuple[Objective, ...]:
    found = find_in_text("---\n".join(map(dump_yaml, documents)), "slo.yaml")
    for error in found.broken:
        raise error
    return found.objectives


def with_(**spec: Any) -> dict[str, Any]:
    data = document()
    data["spec"] |= spec
    return data


def sli(**spec: Any) -> dict[str, Any]:
    return with_(indicator={"spec": spec})


def ratio(**fields: Any) -> dict[str, Any]:
    return sli(ratioMetric=fields)


def threshold(source: Any, **objective: Any) -> dict[str, Any]:
    return with_(indicator={"spec": {"thresholdMetric": source}}, objectives=[objective])


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (ratio(good=metric("ok_total"), total=metric("all_total")), Counters("all_total", good="ok_total")),
        (ratio(bad=metric("sum(rate(e[5m]))"), total=metric("sum(a)")), Counters("a", "e")),
        (
            ratio(
                bad=metric("sum(rate(e{b=`]`}[{{.window}}])) or vector(0)"),
                total=metric("sum(rate(a[$window]))"),
            ),
            Counters("a", "e{b=`]`}"),
        ),
        (ratio(good=metric('s_bucket{le="0.2"}'), total=metric("s_count")), Latency("s", 0.2)),
        (
            ratio(
                bad=metric("(sum(rate(s_count[1m])) - sum(rate(s_bucket{le='2'}[1m])))"),
                total=metric("sum(rate(s_count[1m]))"),
            ),
            Latency("s", 2.0),
        ),
        (
            ratio(bad=metric("sum by (a) (rate(e[$window]))"), total=metric("sum(rate(t[1m])) # of all")),
            Queries("sum(rate(t[$window]))", bad="sum by (a) (rate(e[$window]))"),
        ),
        (
            ratio(counter=False, bad=metric("e"), total=metric("t")),
            Queries("sum(sum_over_time(t[$window]))", bad="sum(sum_over_time(e[$window]))"),
        ),
        (ratio(raw=metric("a[$window]"), rawType="failure"), ErrorRatio("a[$window]")),
        (ratio(raw=metric("r"), rawType="success"), ErrorRatio("1 - (avg_over_time(r[$window]))")),
        (ratio(raw=metric("a / b"), rawType="failure"), ErrorRatio("avg_over_time((a / b)[$window:])")),
        (threshold(metric("up == 1"), op="gte", value=1, target=0.99), Threshold("up == 1", "gte", 1.0)),
        (threshold(RUNS, op="lt", value=900), Recovery("rto", 900.0)),
    ],
    ids=[
        "good", "sums", "windows", "bucket", "complement", "grouped", "gauges", "raw", "success",
        "raw-expression",
        "threshold", "recovery",
    ],
)  # fmt: skip
def test_every_metric_becomes_the_indicator_that_it_is(data: dict[str, Any], found: Indicator) -> None:
    (objective,) = read(data)
    assert objective.indicator == found


def test_an_indicator_and_its_source_may_be_documents_of_their_own() -> None:
    source = {"metricSource": {"metricSourceRef": "prom", "spec": {"query": "a_total"}}}
    shared = {
        "apiVersion": "openslo/v1", "kind": "SLI", "metadata": {"name": "errors"},
        "spec": {"ratioMetric": {"bad": metric("e_total"), "total": source}},
    }  # fmt: skip
    prom = {"apiVersion": "openslo/v1", "kind": "DataSource", "metadata": {"name": "prom"}}
    prom["spec"] = {"type": "Prometheus", "connectionDetails": {"url": "x"}}
    slo = with_(indicatorRef="errors")
    del slo["spec"]["indicator"]
    (objective,) = read(slo, shared, prom)
    assert objective.indicator == Counters("a_total", "e_total")
    with pytest.raises(InvalidFile, match="DataSource that is not there"):
        read(slo, shared)
    with pytest.raises(InvalidFile, match="SLI that is not there"):
        read(slo)


def test_several_objectives_of_one_slo_are_told_apart_by_name() -> None:
    both = with_(objectives=[{"displayName": "The SLA!", "target": 0.99}, {"targetPercent": 99.9}])
    first, second = read(both)
    assert (first.name, first.target, first.title) == ("answers-the-sla", 0.99, "answers: The SLA!")
    assert (second.name, second.target, second.title) == ("answers-2", 0.999, "answers: 2")


def test_slices_are_as_long_and_as_good_as_they_say() -> None:
    sliced = {"target": 0.99, "timeSliceTarget": 0.95, "timeSliceWindow": 5}
    (objective,) = read(with_(budgetingMethod="Timeslices", objectives=[sliced]))
    assert (objective.method, objective.slices) == (Method.TIMESLICES, Slices(300.0, 0.95))
    averaged = {"target": 0.99, "timeSliceWindow": "1m"}
    (objective,) = read(with_(budgetingMethod="RatioTimeslices", objectives=[averaged]))
    assert (objective.method, objective.slices) == (Method.RATIO_TIMESLICES, Slices(60.0, 0.0))


@pytest.mark.parametrize(("window", "fix"), [("90s", "2m"), ("30s", "1m"), (1.5, "2m"), (0.1, "1m")], ids=str)
@pytest.mark.parametrize("method", ["Timeslices", "RatioTimeslices"])
def test_slices_are_of_whole_minutes(method: str, window: str | float, fix: str) -> None:
    sliced = {"target": 0.99, "timeSliceTarget": 0.95, "timeSliceWindow": window}
    with pytest.raises(InvalidFile, match="whole number of minutes") as caught:
        read(with_(budgetingMethod=method, objectives=[sliced]))
    assert (caught.value.key, caught.value.fix) == (
        "spec.objectives[0].timeSliceWindow", f"timeSliceWindow: {fix}",
    )  # fmt: skip
    assert caught.value.line is not None


def test_a_window_may_be_of_the_calendar() -> None:
    (objective,) = read(with_(timeWindow=MONTH))
    assert objective.calendar == Calendar("month", "Europe/Zurich", date(2026, 1, 1))
    assert objective.echo == "99.9 % = 40m19s to 44m38s of a calendar month"


@pytest.mark.parametrize(
    ("duration", "days"), [("2w", 14), ("1M", 30), ("1Q", 90), ("1Y", 365), ("36h", 1.5)]
)
def test_a_duration_is_as_long_as_it_says(duration: str, days: float) -> None:
    (objective,) = read(with_(timeWindow=[{"duration": duration, "isRolling": True}]))
    assert objective.window_seconds == days * 86400


@pytest.mark.parametrize(("alerts", "is_watched"), [(None, True), ("burn", True), ("none", False)])
def test_nobody_is_told_of_an_objective_that_wants_no_alerts(alerts: str | None, is_watched: bool) -> None:
    data = document()
    data["metadata"]["annotations"] = {} if alerts is None else {"maestro.io/alerts": alerts}
    (objective,) = read(data)
    assert objective.is_watched is is_watched
    rules = [
        rule for group in rule_file([objective], PROFILES["production"])["groups"] for rule in group["rules"]
    ]
    assert any("alert" in rule for rule in rules) is is_watched
    assert any("record" in rule for rule in rules)


def test_labels_become_those_of_prometheus() -> None:
    data = document()
    data["metadata"]["labels"] = {"team": ["identity", "rbac"], "cost-centre": "a", "tier": 2, "live": True}
    (objective,) = read(data)
    assert objective.labels == {"team": "identity,rbac", "cost_centre": "a", "tier": "2", "live": "true"}


def test_what_defines_other_alerts_is_said_to_be_ignored() -> None:
    policy = {"apiVersion": "openslo/v1", "kind": "AlertPolicy", "metadata": {"name": "p"}, "spec": {}}
    service = {"apiVersion": "openslo/v1", "kind": "Service", "metadata": {"name": "s"}, "spec": {}}
    texts = "---\n".join(map(dump_yaml, (policy, service, with_(alertPolicies=[{"alertPolicyRef": "p"}]))))
    found = find_in_text(texts, "slo.yaml")
    assert [note.text.partition(":")[0] for note in found.notes] == [
        "AlertPolicy p is ignored", "alertPolicies are ignored",
    ]  # fmt: skip
    assert (len(found.objectives), found.broken) == (1, ())


def test_a_broken_document_hides_no_other() -> None:
    other = replace_name(document(), "other")
    found = find_in_text("---\n".join(map(dump_yaml, (changed("spec.objectives", []), other))), "slo.yaml")
    assert [one.name for one in found.objectives] == ["other"]
    assert [error.key for error in found.broken] == ["spec.objectives"]


def test_of_two_with_one_name_neither_is_guessed_to_be_meant() -> None:
    texts = map(dump_yaml, (document(), with_(service="another"), replace_name(document(), "other")))
    found = find_in_text("---\n".join(texts), "slo.yaml")
    assert [one.name for one in found.objectives] == ["other"]
    assert "is also in slo.yaml:1" in found.broken[0].what


def replace_name(data: dict[str, Any], name: str) -> dict[str, Any]:
    data["metadata"]["name"] = name
    return data


SLICE = {"target": 0.9}


@pytest.mark.parametrize(
    ("path", "value", "key", "says"),
    [
        ("spec.objectives", [{"target": 99.9}], "spec.objectives[0].target", "above 0 and below 1"),
        ("spec.objectives", [{"target": 1}], "spec.objectives[0].target", "above 0 and below 1"),
        ("spec.objectives", [{"target": 0.0}], "spec.objectives[0].target", "above 0 and below 1"),
        (
            "spec.objectives",
            [{"targetPercent": 0.999}],
            "spec.objectives[0].targetPercent",
            "above 1 and below",
        ),
        (
            "spec.objectives",
            [{"targetPercent": 100}],
            "spec.objectives[0].targetPercent",
            "above 1 and below",
        ),
        ("spec.objectives", [{"target": 0.9, "targetPercent": 90}], "spec.objectives[0]", "either 'target'"),
        ("spec.objectives", [{}], "spec.objectives[0]", "either 'target'"),
        ("spec.objectives", [], "spec.objectives", "needs an objective"),
        ("spec.timeWindow", [{"duration": "30d"}, {"duration": "7d"}], "spec.timeWindow", "exactly one"),
        ("spec.timeWindow", [{"duration": "a month"}], "spec.timeWindow[0].duration", "not a duration"),
        ("spec.timeWindow", [{"duration": "99999d"}], "spec.timeWindow[0].duration", "longer than five"),
        ("spec.timeWindow", [{"duration": "9Y"}], "spec.timeWindow[0].duration", "longer than five"),
        ("spec.timeWindow", [{"duration": "0s"}], "spec.timeWindow[0].duration", "longer than nothing"),
        (
            "spec.timeWindow",
            [{"duration": "30d", "isRolling": False}],
            "spec.timeWindow[0].isRolling",
            "needs its calendar",
        ),
        (
            "spec.timeWindow",
            [{**MONTH[0], "isRolling": True}],
            "spec.timeWindow[0].isRolling",
            "does not roll",
        ),
        (
            "spec.timeWindow",
            [{**MONTH[0], "duration": "1m"}],
            "spec.timeWindow[0].duration",
            "no calendar window",
        ),
        (
            "spec.timeWindow",
            [{"duration": "1M", "calendar": {"startTime": "2026-01-01 00:00:00", "timeZone": "Bern"}}],
            "spec.timeWindow[0].calendar.timeZone",
            "not a time zone",
        ),
        (
            "spec.timeWindow",
            [{"duration": "1M", "calendar": {"startTime": "soon", "timeZone": "UTC"}}],
            "spec.timeWindow[0].calendar.startTime",
            "not a time",
        ),
        ("spec.budgetingMethod", "Timeslice", "spec.budgetingMethod", "not one of the choices"),
        ("spec.budgetingMethod", "Timeslices", "spec.objectives[0]", "need a timeSliceWindow"),
        ("spec.budgetingMethod", "RatioTimeslices", "spec.objectives[0]", "need a timeSliceWindow"),
        ("spec.indicatorRef", "other", "spec", "either 'indicator' or"),
        ("spec.objectives", [{**SLICE, "indicatorRef": "x"}], "spec.objectives[0]", "the SLO has one too"),
        ("kind", "Slo", "kind", "not one of the choices"),
        ("apiVersion", "openslo/v1alpha", "apiVersion", "another format"),
        ("apiVersion", "v1", "apiVersion", "is no objective"),
        ("metadata.name", "Answers!", "metadata.name", "is not a name"),
        ("metadata.labels", {"1st": "x"}, "metadata.labels.1st", "not a Prometheus label"),
        ("metadata.labels", {"__x": "x"}, "metadata.labels.__x", "not a Prometheus label"),
        ("metadata.labels", {"a-b": "x", "a_b": "y"}, "metadata.labels.a_b", "is there already"),
        (
            "metadata.annotations",
            {"maestro.io/alerts": "no"},
            "metadata.annotations.maestro.io/alerts",
            "not one of the choices",
        ),
        ("metadata.labls", {}, "metadata.labls", "not known here"),
        (f"{RATIO}.bad", None, RATIO, "either 'good' or 'bad'"),
        (f"{RATIO}.good", metric("x"), RATIO, "either"),
        (f"{RATIO}.raw", metric("x"), RATIO, "has 'raw' and counts"),
        (f"{RATIO}.total", metric("sum(x) / 2"), f"{RATIO}.total.metricSource.spec.query", "not a selector"),
        (f"{RATIO}.total", metric("x[5m]"), f"{RATIO}.total.metricSource.spec.query", "not a selector"),
        (
            f"{RATIO}.bad",
            metric("x} or vector(1) or y{"),
            f"{RATIO}.bad.metricSource.spec.query",
            "not a selector",
        ),
        (
            f"{RATIO}.total",
            {"metricSource": {"type": "Datadog", "spec": {"query": "x"}}},
            f"{RATIO}.total.metricSource.type",
            "not measured",
        ),
        (f"{RATIO}.total", {"metricSource": {"spec": {}}}, f"{RATIO}.total.metricSource", "says no type"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, path: str, value: Any, key: str, says: str) -> None:
    file = tmp_path / "answers.yaml"
    file.write_text(dump_yaml(changed(path, value)), encoding="utf-8")
    with pytest.raises(InvalidFile, match=says) as caught:
        read_objectives(file)
    assert caught.value.key == key
    assert caught.value.line is not None


@pytest.mark.parametrize(
    ("objective", "fix"),
    [
        ({"target": 99.9}, "write 0.999, or targetPercent: 99.9"),
        ({"target": 99.99}, "write 0.9999, or targetPercent: 99.99"),
        ({"targetPercent": 0.999}, "write 99.9, or target: 0.999"),
    ],
)
def test_a_percentage_and_a_ratio_are_written_back_as_what_was_meant(
    objective: dict[str, float], fix: str
) -> None:
    with pytest.raises(InvalidFile) as caught:
        read(with_(objectives=[objective]))
    assert caught.value.fix == fix


@pytest.mark.parametrize("text", ["99.9", "99.95", "99.99", "99.999", "95", "99.7"])
def test_a_percentage_is_the_ratio_of_its_own_digits(text: str) -> None:
    (objective,) = read(with_(objectives=[{"targetPercent": float(text)}]))
    assert repr(objective.target) == f"0.{text.replace('.', '')}"


def test_two_objectives_of_one_name_are_refused(tmp_path: Path) -> None:
    for name in ("a.yaml", "b.yaml"):
        (tmp_path / name).write_text(dump_yaml(document()), encoding="utf-8")
    with pytest.raises(InvalidFile, match=r"b\.yaml:1: .*a\.yaml"):
        read_objectives(tmp_path)


def test_a_threshold_says_no_range() -> None:
    with pytest.raises(InvalidFile, match="compared at an instant"):
        read(threshold(metric("x[$window]"), op="lt", value=1, target=0.9))
    with pytest.raises(InvalidFile, match="needs 'op' and 'value'"):
        read(threshold(metric("x"), target=0.9))


def test_an_objective_that_is_read_twice_is_the_same() -> None:
    assert read(document()) == (replace(read(document())[0]),)
