"""Files of Sloth and Pyrra are read as those programs read them, and what differs is said."""

from __future__ import annotations

from typing import Any

import pytest

from maestro_cli.config.strict import dump_yaml
from maestro_cli.core.errors import InvalidFile
from maestro_cli.slo.files.found import Found
from maestro_cli.slo.files.reading import find_in_text
from maestro_cli.slo.objectives import (
    Counters,
    ErrorRatio,
    Indicator,
    Latency,
    Objective,
    Queries,
    Threshold,
)

EVENTS = {
    "error_query": 'sum(rate(http_total{code=~"5.."}[{{.window}}]))',
    "total_query": "sum(rate(http_total[{{ .window }}]))",
}
COUNTED = Counters("http_total", 'http_total{code=~"5.."}')


def sloth(**slo: Any) -> dict[str, Any]:
    given = {"name": "availability", "objective": 99.9, "sli": {"events": EVENTS}, "alerting": {"name": "A"}}
    return {
        "version": "prometheus/v1",
        "service": "shop",
        "labels": {"team": "a"},
        "slos": [{**given, **slo}],
    }


def pyrra(indicator: Any = None, **spec: Any) -> dict[str, Any]:
    ratio = {"errors": {"metric": 'http_total{code=~"5.."}'}, "total": {"metric": "http_total"}}
    return {
        "apiVersion": "pyrra.dev/v1alpha1",
        "kind": "ServiceLevelObjective",
        "metadata": {"name": "shop-errors", "namespace": "monitoring", "labels": {"role": "alert-rules"}},
        "spec": {"target": "99.9", "window": "4w", "indicator": indicator or {"ratio": ratio}, **spec},
    }


def find(*documents: Any) -> Found:
    return find_in_text("---\n".join(map(dump_yaml, documents)), "slo.yaml")


def read(data: Any) -> Objective:
    found = find(data)
    for error in found.broken:
        raise error
    (objective,) = found.objectives
    return objective


def test_a_file_of_sloth_is_read() -> None:
    alerting = {
        "name": "HighErrorRate", "labels": {"category": "availability"},
        "annotations": {"summary": "s", "runbook": "https://r"},
        "page_alert": {"labels": {"severity": "pageteam"}}, "ticket_alert": {"disable": True},
    }  # fmt: skip
    found = read(sloth(labels={"tier": 2, "live": True}, alerting=alerting))
    assert (found.name, found.service, found.target) == ("shop-availability", "shop", 0.999)
    assert found.echo == "99.9 % = 43m12s of 30 days"
    assert found.indicator == COUNTED
    assert found.labels == {"team": "a", "tier": "2", "live": "true", "category": "availability"}
    assert (found.runbook, found.origin) == ("https://r", "slo.yaml:6")
    assert (found.alerting.name, found.alerting.annotations["summary"]) == ("HighErrorRate", "s")
    assert found.alerting.page.labels == {"severity": "pageteam"}
    assert (found.alerting.page.disabled, found.alerting.ticket.disabled) == (False, True)


def test_its_resource_is_read_as_its_file() -> None:
    file = sloth()
    (slo,) = file["slos"]
    events = {"errorQuery": EVENTS["error_query"], "totalQuery": EVENTS["total_query"]}
    alerting = {"name": "A", "pageAlert": {"disable": True}}
    spec = {
        "service": "shop",
        "labels": {"team": "a"},
        "slos": [{**slo, "sli": {"events": events}, "alerting": alerting}],
    }
    metadata = {"name": "x", "namespace": "monitoring", "uid": "u", "generation": 3}
    found = read(
        {
            "apiVersion": "sloth.slok.dev/v1",
            "kind": "PrometheusServiceLevel",
            "metadata": metadata,
            "spec": spec,
            "status": {"processedSLOs": 1},
        }
    )
    assert (found.name, found.indicator, found.labels) == ("shop-availability", COUNTED, {"team": "a"})
    assert found.alerting.page.disabled


SLOW = """(
  sum(rate(s_count{a!="b"}[{{.window}}])) -
  sum(rate(s_bucket{le="0.4",a!="b"}[{{.window}}]))
)"""


@pytest.mark.parametrize(
    ("sli", "found"),
    [
        (
            {"events": {"error_query": SLOW, "total_query": 'sum(rate(s_count{a!="b"}[{{.window}}]))'}},
            Latency('s{a!="b"}', 0.4),
        ),
        (
            {"events": {"error_query": "e[{{.window}}]", "total_query": "sum(rate(a[{{.window}}]))"}},
            Queries("sum(rate(a[$window]))", bad="e[$window]"),
        ),
        ({"raw": {"error_ratio_query": "1 - x[{{.window}}]"}}, ErrorRatio("1 - x[$window]")),
    ],
    ids=["latency", "queries", "raw"],
)
def test_indicators_of_sloth(sli: Any, found: Indicator) -> None:
    assert read(sloth(sli=sli)).indicator == found


@pytest.mark.parametrize(
    ("slo", "key", "says", "fix"),
    [
        ({"objective": 0.999}, "slos[0].objective", "looks like a ratio", "write 99.9"),
        ({"objective": 100}, "slos[0].objective", "percentage above 1", "write 99.9"),
        ({"sli": {"plugin": {"id": "x"}}}, "slos[0].sli.plugin", "plugin of Sloth", "error_query"),
        ({"sli": {}}, "slos[0].sli", "either 'events' or 'raw'", ""),
        (
            {"sli": {"raw": {"error_ratio_query": "x"}}},
            "slos[0].sli.raw.error_ratio_query",
            "no range",
            "window",
        ),
        ({"sli": {"raw": {"error_ratio_query": "(x"}}}, "slos[0].sli.raw.error_ratio_query", "open", ""),
        ({"name": "a b"}, "slos[0].name", "not a name", "letters"),
    ],
)
def test_what_is_wrong_in_a_file_of_sloth_is_named(slo: Any, key: str, says: str, fix: str) -> None:
    with pytest.raises(InvalidFile) as caught:
        read(sloth(**slo))
    assert caught.value.key == key
    assert says in f"{caught.value.what} {caught.value.why}"
    assert fix in caught.value.fix


def test_plugins_that_make_rules_are_said_to_be_ignored() -> None:
    chain = {"chain": [{"id": "sloth.dev/core/debug/v1", "priority": 1, "config": {"msg": "x"}}]}
    found = find({**sloth(plugins=chain), "slo_plugins": chain})
    assert [note.text.partition(" ")[0] for note in found.notes] == ["slo_plugins", "plugins"]
    assert len(found.objectives) == 1


def test_windows_of_sloth_are_said_to_be_ignored() -> None:
    found = find({"apiVersion": "sloth.slok.dev/v1", "kind": "AlertWindows", "spec": {}})
    assert (found.broken, found.notes[0].text.partition(":")[0]) == ((), "AlertWindows are ignored")


def test_a_file_of_pyrra_is_read() -> None:
    data = pyrra(alerting={"name": "Burn", "burnrates": False, "absent": True})
    data["metadata"]["labels"] |= {"pyrra.dev/team": "a", "pyrra.dev/service": "shop"}
    data["metadata"]["annotations"] = {"pyrra.dev/runbook_url": "https://r"}
    found = read(data)
    assert (found.name, found.service, found.target, found.indicator) == (
        "shop-errors",
        "shop",
        0.999,
        COUNTED,
    )
    assert found.echo == "99.9 % = 40m19s of 28 days"
    assert found.labels == {"team": "a", "service": "shop"}
    assert (found.runbook, found.alerting.name, found.alerting.page.disabled) == ("https://r", "Burn", True)


HISTOGRAM = {"success": {"metric": 's_bucket{le="1"}'}, "total": {"metric": 's_count{a="b"}'}}


@pytest.mark.parametrize(
    ("indicator", "found"),
    [
        ({"latency": {**HISTOGRAM, "total": {"metric": "s_count"}}}, Latency("s", 1.0)),
        ({"latency": HISTOGRAM}, Latency("s", 1.0, total='s_count{a="b"}')),
        ({"latencyNative": {"latency": "200ms", "total": {"metric": "s"}}}, Latency("s", 0.2, native=True)),
        ({"bool_gauge": {"metric": "probe_success"}}, Threshold("probe_success", "gte", 1.0)),
    ],
    ids=["latency", "of-others", "native", "gauge"],
)
def test_indicators_of_pyrra(indicator: Any, found: Indicator) -> None:
    assert read(pyrra(indicator)).indicator == found


def test_a_grouping_of_pyrra_is_said_to_be_one_objective() -> None:
    found = find(pyrra({"bool_gauge": {"metric": "probe_success", "grouping": ["job", "target"]}}))
    assert "all of job, target together are one objective" in found.notes[0].text


@pytest.mark.parametrize(
    ("spec", "key", "says"),
    [
        ({"target": "0.999"}, "spec.target", "looks like a ratio"),
        ({"target": "all"}, "spec.target", "not a number"),
        ({"target": "NaN"}, "spec.target", "not a number"),
        ({"window": "soon"}, "spec.window", "not a duration"),
        ({"indicator": {}}, "spec.indicator", "needs one of"),
        (
            {"indicator": {"latency": {**HISTOGRAM, "success": {"metric": "s"}}}},
            "spec.indicator.latency.success.metric",
            "no bucket",
        ),
        (
            {"indicator": {"bool_gauge": {"metric": "up{"}}},
            "spec.indicator.bool_gauge.metric",
            "not a selector",
        ),
    ],
)
def test_what_is_wrong_in_a_file_of_pyrra_is_named(spec: Any, key: str, says: str) -> None:
    data = pyrra()
    data["spec"] |= spec
    with pytest.raises(InvalidFile) as caught:
        read(data)
    assert caught.value.key == key
    assert says in f"{caught.value.what} {caught.value.why}"
