"""Experiment files are read as Chaos Toolkit reads them; what it would refuse is refused with its line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from chaoslib.exceptions import ChaosException
from chaoslib.experiment import ensure_experiment_is_valid

from maestro_cli.chaos.experiments.reading import read_experiment
from maestro_cli.chaos.model import Count, StopCondition, Tolerated
from maestro_cli.core.errors import InvalidFile
from maestro_cli.core.refs import WorkloadRef

PROBE: dict[str, Any] = {
    "type": "probe", "name": "answers", "tolerance": 200,
    "provider": {"type": "http", "url": "http://127.0.0.1:1/"},
}  # fmt: skip
PLAIN: dict[str, Any] = {
    "title": "What if it ends?",
    "description": "It comes back.",
    "steady-state-hypothesis": {"title": "It answers", "probes": [PROBE]},
    "method": [
        {"type": "action", "name": "end", "provider": {"type": "process", "path": "true"}},
        {"ref": "answers"},
    ],
    "rollbacks": [],
}
OURS = """
title: A slow replica
description: Others answer.
extensions:
  - name: maestro
    duration: 20s
    target: {workload: ml/deploy/fraud, count: 25%}
    faults:
      - name: slow
        fault: server-latency
        parameters: {milliseconds: 400, share: 50%}
    stop:
      - {query: "sum(rate(errors[1m]))", when: "> 0.05"}
    objectives: [fraud-availability]
    steady_state: {every: 500ms, misses: 10%, in_a_row: 5}
method:
  - type: action
    name: slow it down
    provider: {type: python, module: maestro_cli.chaos.actions, func: inject, arguments: {fault: slow}}
"""


def written(folder: Path, data: Any, name: str = "it.json") -> Path:
    path = folder / name
    path.write_text(data if isinstance(data, str) else json.dumps(data, indent="\t"), encoding="utf-8")
    return path


def test_a_plain_file_is_what_chaos_toolkit_runs(tmp_path: Path) -> None:
    read = read_experiment(written(tmp_path, PLAIN))
    assert (read.name, read.title, read.guarded, read.acts) == ("it", PLAIN["title"], None, True)
    assert read.document == PLAIN
    ensure_experiment_is_valid(dict(read.document))


def test_what_maestro_adds_is_read_from_its_extension(tmp_path: Path) -> None:
    guarded = read_experiment(written(tmp_path, OURS, "it.yaml")).guarded
    assert guarded is not None
    (fault,) = guarded.faults
    assert (fault.name, fault.fault) == ("slow", "server-latency")
    assert fault.parameters == {"milliseconds": 400, "share": 0.5}
    assert fault.target.workload == WorkloadRef("Deployment", "ml", "fraud")
    assert fault.target.count == Count(share=0.25)
    assert [fault.target.count.of(there) for there in (0, 1, 3, 8)] == [0, 1, 1, 2]
    assert guarded.duration_seconds == 20
    assert guarded.stop == (StopCondition("sum(rate(errors[1m]))", ">", 0.05),)
    assert guarded.tolerated == Tolerated(0.5, 0.1, 5)


def without(*path: Any) -> dict[str, Any]:
    data = json.loads(json.dumps(PLAIN))
    found = data
    for part in path[:-1]:
        found = found[part]
    del found[path[-1]]
    return dict(data)


def having(value: Any, *path: Any) -> dict[str, Any]:
    data = json.loads(json.dumps(PLAIN))
    found = data
    for part in path[:-1]:
        found = found[part]
    found[path[-1]] = value
    return dict(data)


PROBES = ("steady-state-hypothesis", "probes", 0)
REFUSED = {
    "no title": without("title"),
    "empty title": having("", "title"),
    "no description": without("description"),
    "no method": without("method"),
    "no title of the hypothesis": without("steady-state-hypothesis", "title"),
    "no tolerance": without(*PROBES, "tolerance"),
    "a fraction as tolerance": having(0.5, *PROBES, "tolerance"),
    "an unknown tolerance": having({"type": "about"}, *PROBES, "tolerance"),
    "a range of one": having({"type": "range", "range": [1]}, *PROBES, "tolerance"),
    "a range of words": having({"type": "range", "range": ["a", "b"]}, *PROBES, "tolerance"),
    "no regular expression": having({"type": "regex", "pattern": "("}, *PROBES, "tolerance"),
    "an empty path": having({"type": "jsonpath", "path": " "}, *PROBES, "tolerance"),
    "no type": without("method", 0, "type"),
    "no name": without("method", 0, "name"),
    "no provider": without("method", 0, "provider"),
    "an unknown type": having("look", "method", 0, "type"),
    "an unknown provider": having({"type": "shell"}, "method", 0, "provider"),
    "no path": without("method", 0, "provider", "path"),
    "no module": having({"type": "python", "func": "f"}, "method", 0, "provider"),
    "a reference to nothing": having("nobody", "method", 1, "ref"),
    "a pause in words": having({"before": "soon"}, "method", 0, "pauses"),
    "an empty tag": having([""], "tags"),
    "an extension without a name": having([{"x": 1}], "extensions"),
    "a control without a name": having([{"provider": {}}], "controls"),
}


@pytest.mark.parametrize("data", REFUSED.values(), ids=REFUSED.keys())
def test_what_chaos_toolkit_refuses_is_refused_with_its_line(data: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises((ChaosException, TypeError, AttributeError)):
        ensure_experiment_is_valid(data)
    with pytest.raises(InvalidFile) as refused:
        read_experiment(written(tmp_path, data))
    assert refused.value.line is not None


@pytest.mark.parametrize(
    ("before", "after", "what"),
    [
        ("fault: server-latency", "fault: server-latncy", "it.yaml:10: extensions[0].faults[0].fault: there"),
        ("milliseconds: 400", "milliseconds: soon", "[0].faults[0].parameters.milliseconds: is not a"),
        ("milliseconds: 400, ", "", "faults[0]: server-latency needs milliseconds"),
        ("share: 50%", "shares: 50%", "parameters.shares: server-latency has no parameter"),
        ("    target: {workload: ml/deploy/fraud, count: 25%}\n", "", "faults[0]: a fault without a target"),
        ("workload: ml/deploy/fraud", "namespace: ml", "target: names neither a workload nor labels"),
        ("workload: ml/deploy/fraud", "workload: deploy/fraud", "target.workload: no namespace for"),
        ("count: 25%", "count: all", "target.count: 'all' is no share"),
        ("count: 25%", "count: 0", "target.count: 0 is not between"),
        ("duration: 20s", "duration: 2h", "duration: is not between"),
        ("duration: 20s", "durations: 20s", "extensions[0].durations: is not known here"),
        ('"> 0.05"', '"high"', "stop[0].when: is no comparison"),
        ("arguments: {fault: slow}", "arguments: {fault: quick}", "[0].provider.arguments.fault: no fault"),
    ],
)  # fmt: skip
def test_what_is_wrong_in_the_extension_is_told_with_its_place(
    before: str, after: str, what: str, tmp_path: Path
) -> None:
    assert before in OURS
    with pytest.raises(InvalidFile, match=r"it\.yaml:") as refused:
        read_experiment(written(tmp_path, OURS.replace(before, after), "it.yaml"))
    assert what in refused.value.what


def test_json_has_the_numbers_of_json_and_its_errors_a_line(tmp_path: Path) -> None:
    loose = '{"title": "t", "description": "d", "method": [], "configuration": {"x": 1e3}}'
    assert read_experiment(written(tmp_path, loose)).document["configuration"] == {"x": 1000.0}
    with pytest.raises(InvalidFile, match=r"it\.json:2: is not valid JSON"):
        read_experiment(written(tmp_path, '{"title": "t",\n oops}'))


DRILL = """
    drill:
      alert: ErrorBudgetBurn
      runbook: high-latency
      right_fix: restart
      true_cause: pod
      duration: 3m
      answers: {agreed: "yes"}
      repairs: agreed
"""
ONE = OURS.replace("count: 25%", "count: 1").replace("\nmethod:", DRILL + "method:")


def test_what_is_expected_of_a_response_has_the_line_of_each_of_its_keys(tmp_path: Path) -> None:
    guarded = read_experiment(written(tmp_path, ONE, "it.yaml")).guarded
    assert guarded is not None
    expected = guarded.drill
    assert expected is not None
    assert (expected.alert, expected.runbook, expected.right_fix) == (
        "ErrorBudgetBurn", "high-latency", "restart"
    )  # fmt: skip
    assert (expected.objective, expected.duration_seconds, expected.patience_seconds) == (
        "fraud-availability", 180.0, 300.0
    )  # fmt: skip
    assert ONE.splitlines()[expected.lines["right_fix"] - 1].strip() == "right_fix: restart"
    assert ONE.splitlines()[expected.lines["answers.agreed"] - 1].strip().startswith("answers:")


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ("count: 1}", "count: 25%}", "a drill names one pod, and its fault may meet more"),
        (
            "{workload: ml/deploy/fraud, count: 1}",
            "{namespace: ml, selector: app=fraud}",
            "is about a workload",
        ),
        ("true_cause: pod", "true_cause: gremlins", "true_cause"),
        ("repairs: agreed", "repairs: agred", "is no step that is answered"),
        ("runbook: high-latency", "runbok: high-latency", "runbok"),
        ("duration: 3m", "duration: 2h", "is not between 100ms and 1h"),
    ],
)
def test_a_drill_that_cannot_be_scored_is_refused_with_its_line(
    tmp_path: Path, old: str, new: str, what: str
) -> None:
    assert old in ONE
    with pytest.raises(InvalidFile, match=r"it\.yaml:\d+: extensions\[0\]") as refused:
        read_experiment(written(tmp_path, ONE.replace(old, new), "it.yaml"))
    assert what in f"{refused.value.what} {refused.value.why} {refused.value.fix}"


LOOKED_AT = """
steady-state-hypothesis:
  title: It answers
  probes:
    - {type: probe, name: answers, tolerance: 0, provider: {type: process, path: "true"}}
"""
STEADY = "steady_state: {every: 500ms, misses: 10%, in_a_row: 5}"


@pytest.mark.parametrize(
    ("steady", "place", "fix"),
    [
        ("steady_state: {every: 21s}", ":15: extensions[0].steady_state.every: ", "every: 20s"),
        ("recovery: 2s", ":15: extensions[0].recovery: ", "every: 0.6s"),
        ("recovery: 200ms", ":15: extensions[0].recovery: ", "recovery: 300ms, with every: 100ms"),
    ],
)
def test_looks_that_do_not_fit_in_the_time_of_a_recovery_are_refused_with_their_line(
    tmp_path: Path, steady: str, place: str, fix: str
) -> None:
    text = OURS.replace(STEADY, steady)
    assert text != OURS
    assert read_experiment(written(tmp_path, text, "it.yaml")).guarded is not None, "nothing is looked at"
    with pytest.raises(InvalidFile, match="no recovery can be seen in time") as refused:
        read_experiment(written(tmp_path, text + LOOKED_AT, "it.yaml"))
    assert (place in refused.value.what, refused.value.fix) == (True, fix)


@pytest.mark.parametrize(
    "steady", ["steady_state: {every: 20s}", "steady_state: {every: 100ms}\n    recovery: 300ms"]
)
def test_three_looks_that_just_fit_in_the_time_of_a_recovery_are_enough(tmp_path: Path, steady: str) -> None:
    text = OURS.replace(STEADY, steady) + LOOKED_AT
    assert read_experiment(written(tmp_path, text, "it.yaml")).guarded is not None
