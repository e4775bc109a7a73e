"""The small pure parts: shapes, onsets, rollouts, template diffs, queries."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from maestro_cli.core.facts.cluster import ClusterEvent
from maestro_cli.core.refs import WorkloadRef
from maestro_cli.core.workload_labels import workload_of
from maestro_cli.incidents.intake.masking import shape
from maestro_cli.incidents.triage.logs import count_shapes, is_bad, read_line
from maestro_cli.incidents.triage.onset import find_onset
from maestro_cli.incidents.triage.queries import INFERENCE, MetricFamily, Queries
from maestro_cli.incidents.triage.rollouts import rollouts_of, scaled_up_at
from maestro_cli.incidents.triage.template_diff import template_changes
from tests.unit.incidents.platform import FRAUD, NEW, OLD, at, revision, workload
from tests.unit.incidents.world import T0


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("took 12 ms", "took 1.5e3 ms"),
        ('user "ana" failed', 'user "bo \\x" failed'),
        ("id 6f1c2a30-9d1f-4c3e-8a55-0123456789ab", "id 00000000-0000-4000-8000-000000000000"),
        ("2026-11-23T09:00:00.123Z up", "2025-01-01 10:11:12,999 up"),
        ("from 10.244.1.7:8080", "from 127.0.0.1"),
        ("at 0x7ffde3", "at 0x1"),
        ("digest 9f86d081884c7d65", "digest 0a1b2c3d"),
        ("pod fraud-7d9f8b6c54-x2x4z died", "pod fraud-6b8c5d4f7c-bbbbb died"),
    ],
)
def test_texts_that_differ_in_masked_parts_have_one_shape(one: str, other: str) -> None:
    assert shape(one) == shape(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("connection refused", "connection reset"), ("deadbeef", "facade"), ("read failed", "write failed")],
)
def test_different_texts_keep_different_shapes(one: str, other: str) -> None:
    assert shape(one) != shape(other)


def test_structured_lines_are_read_by_their_own_words() -> None:
    assert read_line('{"level":"ERROR","msg":"boom","error":"x is 3"}') == ("error", "boom | x is 3")
    assert read_line("{broken") == ("", "{broken")
    assert not is_bad("info", "0 errors, nothing failed")
    assert is_bad("", "Traceback (most recent call last):")
    assert not is_bad("", "served 200 in 3 ms")
    counts, samples = count_shapes("error 1\nerror 2\n\nfine\n")
    assert sorted(counts.values()) == [1, 2]
    assert samples["error <n>"] == ("error 1", "", True)


def points(*values: float) -> list[tuple[datetime, float]]:
    return [(T0 + timedelta(seconds=second), value) for second, value in enumerate(values)]


def test_the_onset_is_the_start_of_the_excursion_that_reaches_the_alert() -> None:
    series = points(*[0.0] * 20, 0.4, *[0.0] * 30, *[0.1] * 10, 0.0, *[0.2] * 10)
    found = find_onset(series, at(70), basis="errors", floor=0.002, gap_seconds=5)
    assert found is not None
    assert (found.at, found.earliest) == (at(51), at(50))


@pytest.mark.parametrize(
    "values",
    [
        [0.0] * 60,
        [float("nan")] * 60,
        [],
        [*[0.0] * 10, 0.5, *[0.0] * 50],
        [0.01 + 0.0005 * (n % 7) for n in range(60)],
    ],
)
def test_a_series_that_did_not_leave_its_baseline_has_no_onset(values: list[float]) -> None:
    assert find_onset(points(*values), at(60), basis="errors", floor=0.002, gap_seconds=5) is None


def test_an_excursion_that_had_ended_before_the_alert_is_not_its_onset() -> None:
    over = points(*[0.0] * 20, *[0.1] * 15, *[0.0] * 15)
    assert find_onset(over, at(50), basis="errors", floor=0.002, gap_seconds=5) is None
    again = points(*[0.0] * 20, *[0.1] * 15, *[0.0] * 15, *[0.1] * 3)
    found = find_onset(again, at(50), basis="errors", floor=0.002, gap_seconds=5)
    assert found is not None
    assert found.at == at(50)


def test_a_revision_that_rose_again_is_dated_by_its_event() -> None:
    messages = (f"Scaled up replica set {OLD} to 1 from 0", f"Scaled up replica set {NEW} to 3 from 2", "x")
    events = [
        ClusterEvent("ml", "e", "Normal", "ScalingReplicaSet", text, "Deployment", "fraud", at(50), at(90), 2)
        for text in messages
    ]
    rose = scaled_up_at(events)
    assert rose == {OLD: at(90)}
    revisions = (revision(3, OLD, -900, "fraud=1"), revision(2, NEW, -20, "fraud=2"))
    newest, older = rollouts_of(workload(), revisions, rose)
    assert (newest.revision, newest.active_at, newest.current, newest.previous) == (3, at(90), True, 2)
    assert (older.revision, older.active_at, older.current) == (2, at(-20), False)


def test_a_first_revision_replaced_nothing() -> None:
    (first,) = rollouts_of(workload(), (revision(1, OLD, -10, "fraud=1"),), {})
    assert first.previous is None


def test_a_template_diff_names_paths_and_hides_secrets() -> None:
    def template(image: str, **env: str) -> dict[str, object]:
        variables = [{"name": name, "value": value} for name, value in env.items()]
        return {"metadata": {"labels": {"pod-template-hash": image}},
                "spec": {"containers": [{"name": "server", "image": image, "env": variables}]}}  # fmt: skip

    changes = template_changes(template("a:1", LOG="info", API_TOKEN="x"), template("a:2", API_TOKEN="y"))
    text = "\n".join(changes)
    assert "spec.containers[server].image: a:1 → a:2" in changes
    assert "spec.containers[server].env[LOG].value: removed info" in changes
    assert "env[API_TOKEN].value: changed (not shown)" in text
    assert "pod-template-hash" not in text
    assert len(template_changes({}, {f"k{n}": n for n in range(500)})) == 21


def test_labels_that_name_a_workload() -> None:
    assert workload_of({"namespace": "ml", "deployment": "fraud"}) == FRAUD
    assert workload_of({"namespace": "ml", "statefulset": "db"}) == WorkloadRef("StatefulSet", "ml", "db")
    assert workload_of({"namespace": "ml", "pod": "fraud-7d9f8b6c54-x2x4z"}) == FRAUD
    assert workload_of({"namespace": "ml", "pod": "db-0"}) is None
    assert workload_of({"deployment": "fraud"}) is None


def test_queries_hold_hostile_values_as_literals() -> None:
    hostile = WorkloadRef("Deployment", 'ml"} or vector(1) #', "a\nb")
    text = Queries(INFERENCE, hostile).error_ratio(5)
    assert 'namespace="ml\\"} or vector(1) #"' in text
    assert 'deployment="a\\nb"' in text
    with pytest.raises(ValueError, match="label name"):
        MetricFamily("x_total", "x_bucket", dimensions={"pod": "a}b"})
