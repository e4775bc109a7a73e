"""What Chaos Mesh says is believed record by record; no condition alone is an effect or an end."""

from __future__ import annotations

from typing import Any

import pytest

from maestro_cli.chaos.mesh.following import child_kinds, children_selector, state_of
from maestro_cli.chaos.mesh.selection import matched, most
from maestro_cli.core.clock import SystemClock
from maestro_cli.core.errors import UsageError
from maestro_cli.core.facts.cluster import Node, Pod


def record(phase: str, injected: int, recovered: int, **more: Any) -> dict[str, Any]:
    made = {"id": "ml/fraud-a/server", "selectorKey": ".", "phase": phase}
    return {**made, "injectedCount": injected, "recoveredCount": recovered, **more}


def document(*records: dict[str, Any], conditions: str = "", **metadata: Any) -> dict[str, Any]:
    said = [{"type": one.strip("-"), "status": str(not one.startswith("-"))} for one in conditions.split()]
    return {
        "kind": "NetworkChaos",
        "metadata": {"name": "slow", "uid": "u", **metadata},
        "status": {"conditions": said, "experiment": {"containerRecords": list(records)}},
    }


NEW, IN, OUT = record("Not Injected", 0, 0), record("Injected", 1, 0), record("Not Injected", 1, 1)
FAILED = {"type": "Failed", "operation": "Apply", "message": "no such device\x1b[2J"}


@pytest.mark.parametrize(
    ("found", "injected", "recovered", "words"),
    [
        ({"kind": "NetworkChaos", "metadata": {"name": "slow"}}, False, False, "no controller has looked"),
        (document(conditions="-Selected -AllInjected -AllRecovered"), False, False, "selected no pod"),
        (document(conditions="Selected AllInjected"), False, False, "selected no pod"),
        (
            document(NEW, conditions="Selected -AllInjected AllRecovered"),
            False,
            True,
            "not injected into ml/",
        ),
        (document(IN, conditions="Selected AllInjected"), True, False, "slow is injected into ml/fraud-a"),
        (document(IN, conditions="Selected -AllInjected"), False, False, "not said to be injected"),
        (document(IN, NEW, conditions="Selected AllInjected"), False, False, "not injected into ml/"),
        (
            document(OUT, conditions="Selected -AllInjected AllRecovered"),
            False,
            True,
            "is over by itself",
        ),
        (document(record("Not Injected", 2, 1)), False, False, "no controller"),
        (document(IN, conditions="Selected AllInjected Paused"), True, False, "is paused"),
    ],
)
def test_states(found: dict[str, Any], injected: bool, recovered: bool, words: str) -> None:
    state = state_of(found)
    assert (state.is_injected, state.is_recovered) == (injected, recovered)
    assert words in state.words


def test_what_was_never_injected_is_not_taken_for_what_was() -> None:
    assert not state_of(document(NEW, conditions="Selected AllRecovered")).was_injected
    assert state_of(document(OUT)).was_injected


def test_a_reason_of_a_controller_is_made_visible() -> None:
    state = state_of(document({**NEW, "events": [FAILED]}, conditions="Selected"))
    assert "no such device" in state.words
    assert "\x1b" not in state.words
    mended = {"type": "Succeeded", "operation": "Apply", "message": ""}
    assert (
        "no such" not in state_of(document({**NEW, "events": [FAILED, mended]}, conditions="Selected")).words
    )


def test_a_finalizer_that_holds_is_named_with_what_is_not_recovered() -> None:
    held = state_of(document(IN, deletionTimestamp="2026-01-01T00:00:00Z", finalizers=["chaos-mesh/records"]))
    assert "slow is being deleted and held by chaos-mesh/records: not recovered in ml/" in held.holds_on


def test_the_other_end_of_a_connection_is_no_target() -> None:
    other = {**IN, "id": "ml/store-1", "selectorKey": ".Target"}
    assert state_of(document(IN, other)).pods == (("ml", "fraud-a"),)


def test_what_a_workflow_and_a_schedule_make_is_found_by_its_label() -> None:
    assert children_selector("Workflow", "w") == "chaos-mesh.org/workflow=w"
    assert children_selector("Schedule", "s") == "managed-by=s"
    assert children_selector("PodChaos", "p") == ""
    steps = [{"podChaos": {}}, {"schedule": {"networkChaos": {}}}]
    assert child_kinds({"kind": "Workflow", "spec": {"templates": steps}}) == (
        "PodChaos",
        "NetworkChaos",
        "Schedule",
    )
    nested = {"type": "Workflow", "workflow": {"templates": [{"dnsChaos": {}}]}}
    assert child_kinds({"kind": "Schedule", "spec": nested}) == ("DNSChaos", "Workflow")


def pod(name: str, node: str = "a", namespace: str = "ml", **labels: str) -> Pod:
    now = SystemClock().now()
    return Pod(namespace, name, name, "Running", True, node, "", now, False, "", {"app": "x", **labels}, ())


NODES = [Node("a", True, True, "a", labels={"zone": "a"}), Node("b", True, True, "b", labels={"zone": "b"})]
THERE = [pod("one"), pod("two", "b", tier="gold"), pod("three", namespace="other")]


@pytest.mark.parametrize(
    ("selector", "names"),
    [
        ({"labelSelectors": {"app": "x"}}, ["one", "two"]),
        ({"labelSelectors": {"app": "x"}, "namespaces": ["other"]}, ["three"]),
        ({"labelSelectors": {"tier": "gold"}}, ["two"]),
        ({"expressionSelectors": [{"key": "tier", "operator": "DoesNotExist"}]}, ["one"]),
        ({"expressionSelectors": [{"key": "tier", "operator": "In", "values": ["gold"]}]}, ["two"]),
        ({"expressionSelectors": [{"key": "tier", "operator": "NotIn", "values": ["gold"]}]}, ["one"]),
        ({"nodes": ["b"]}, ["two"]),
        ({"nodeSelectors": {"zone": "a"}}, ["one"]),
        ({"podPhaseSelectors": ["Pending"], "nodes": ["a"]}, []),
        ({"pods": {"other": ["three"]}, "labelSelectors": {"app": "none"}}, ["three"]),
    ],
)
def test_whom_a_selector_matches(selector: dict[str, Any], names: list[str]) -> None:
    assert [one.name for one in matched({"selector": selector}, "ml", THERE, NODES)] == names


@pytest.mark.parametrize(
    "selector",
    [
        {"annotationSelectors": {"a": "b"}},
        {"fieldSelectors": {"a": "b"}},
        {"expressionSelectors": [{"key": "app", "operator": "Is"}]},
    ],
)
def test_a_selector_that_cannot_be_told_raises(selector: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        matched({"selector": selector}, "ml", THERE, NODES)


@pytest.mark.parametrize(
    ("mode", "value", "expected"),
    [("one", None, 1), ("fixed", "2", 2), ("fixed", "9", 4), ("fixed-percent", "50", 2), ("all", None, 4)],
)
def test_how_many_a_mode_takes(mode: str, value: str | None, expected: int) -> None:
    assert most({"mode": mode, "value": value}, 4) == expected
