"""What is promised of every kind of change, and the test that holds it for each: a kind without one fails.

The table is the registry times the promises. A test counts for the kinds that it is parametrized with; what
is proved elsewhere, or what a kind cannot have, stands in the table by name, with the test or the reason.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from maestro_cli.changes.kinds import KINDS
from tests.cli import test_cli_changes, test_cli_helm
from tests.contract.changes import mock_helm
from tests.contract.changes import test_evictions_on_a_cluster as evictions
from tests.contract.changes import test_helm_on_a_cluster as helm
from tests.contract.changes import test_kinds_on_a_cluster as on_a_cluster
from tests.contract.changes import test_serving_kinds_on_a_cluster as serving
from tests.contract.changes import test_switch_region_on_a_cluster as region_on_a_cluster
from tests.contract.sources import test_alertmanager_silences as silences
from tests.crash.changes import test_kill
from tests.e2e import test_region_failover as failover
from tests.unit.changes import test_helm_rollback, test_kinds
from tests.unit.changes import test_switch_region as region

pytestmark = pytest.mark.contract
Test = Callable[..., Any]
HELM = "helm-rollback"
REGION = "switch-region"
PROMISES: Mapping[str, tuple[Test, ...]] = {
    "plan": (test_kinds.test_a_plan_says_what_would_change_and_changes_nothing,),
    "dry run": (test_kinds.test_a_dry_run_asks_the_server_and_changes_nothing,),
    "dry run ends as the gate": (test_cli_changes.test_a_dry_run_that_the_gate_refuses_ends_as_the_change,),
    "applied once, verified": (test_kinds.test_a_missing_answer_is_probed_and_the_write_lands_once,),
    "undo": (test_kinds.test_its_undo_is_a_change_that_puts_back_what_was_there,),
    "stale plan": (test_kinds.test_it_takes_a_change_of_somebody_else_for_what_it_is,),
    "zero targets, 12": (
        test_kinds.test_nothing_to_act_on_is_zero_targets,
        test_kinds.test_nobody_to_act_on_is_zero_targets,
    ),
    "missing permission, 5, and read-only, 20": (
        test_kinds.test_read_only_a_missing_permission_and_a_missing_target_have_their_codes,
    ),
    "waiting, 17": (test_kinds.test_it_waits_for_a_second_person_where_a_rule_says_so,),
    "kill -9": (
        test_kill.test_killed_and_asked_again_it_is_applied_once,
        test_kill.test_every_kind_is_applied_once,
    ),
    "on the real systems": (
        on_a_cluster.test_it_is_rehearsed_made_and_taken_back_as_kubectl_sees,
        serving.test_each_is_rehearsed_refused_made_and_taken_back_as_the_servers_tell,
    ),
}
SAME = "a workload without replicas is changed all the same"
NAMED = "it is about one object that was named; a missing one is not found, 6"
# What a parametrized test does not take in: the test that holds it, or why there is nothing to hold.
ELSEWHERE: Mapping[tuple[str, str], Test | str] = {
    **{("zero targets, 12", kind): SAME for kind in ("scale", "pause", "resume")},
    **{("zero targets, 12", kind): SAME for kind in ("set-image", "set-env", "set-resources")},
    **{("zero targets, 12", kind): NAMED for kind in ("cordon", "uncordon", "delete-pod", "scale-hpa")},
    ("zero targets, 12", "unsilence"): NAMED,
    ("zero targets, 12", "drain"): "a node without pods is closed all the same",
    ("zero targets, 12", "silence"): "it is about alerts that are still to come",
    ("on the real systems", "delete-pod"): evictions.test_a_pod_is_evicted_and_replaced,
    ("on the real systems", "drain"): evictions.test_a_node_is_drained_within_a_budget_and_opened_again,
    ("on the real systems", "silence"): silences.test_it_hides_what_the_plan_says_and_lets_it_be_heard_again,
    (
        "on the real systems",
        "unsilence",
    ): silences.test_it_hides_what_the_plan_says_and_lets_it_be_heard_again,
    ("on the real systems", "set-weight"): serving.test_the_new_one_ends_as_the_only_one_and_back_again,
    # It needs two regions, and has tests of its own.
    ("plan", REGION): region.test_callers_are_sent_on_and_taken_back_by_the_slice_as_it_was,
    ("dry run", REGION): region.test_a_dry_run_leaves_the_slice_as_it_is,
    ("dry run ends as the gate", REGION): region.test_what_forbids_it_at_the_entrance_refuses_it_here,
    (
        "applied once, verified",
        REGION,
    ): region.test_an_answer_that_was_lost_is_probed_and_the_slice_is_written_once,
    ("undo", REGION): region.test_callers_are_sent_on_and_taken_back_by_the_slice_as_it_was,
    ("stale plan", REGION): region.test_a_slice_that_somebody_else_wrote_since_is_left_alone,
    ("zero targets, 12", REGION): NAMED,
    (
        "missing permission, 5, and read-only, 20",
        REGION,
    ): region.test_what_forbids_it_at_the_entrance_refuses_it_here,
    ("waiting, 17", REGION): region.test_it_waits_for_a_second_person_where_a_rule_says_so,
    ("kill -9", REGION): failover.test_what_a_kill_leaves_is_swept_the_region_first_and_then_the_callers,
    (
        "on the real systems",
        REGION,
    ): region_on_a_cluster.test_callers_go_where_the_slice_leads_and_come_back_with_the_undo,
    # Helm's own program carries it out; where it is not installed, by a MOCK of it (mock_helm.py).
    ("plan", HELM): test_helm_rollback.test_the_plan_shows_what_differs_and_no_secret,
    ("dry run", HELM): test_helm_rollback.test_a_dry_run_has_helm_rehearse,
    (
        "dry run ends as the gate",
        HELM,
    ): test_cli_helm.test_a_dry_run_that_the_gate_refuses_ends_as_the_change,
    ("applied once, verified", HELM): test_helm_rollback.test_a_lost_answer_is_probed_in_the_records,
    ("undo", HELM): test_helm_rollback.test_its_undo_goes_back_to_the_very_revision,
    ("stale plan", HELM): test_helm_rollback.test_what_happened_since_makes_the_plan_stale,
    ("zero targets, 12", HELM): test_helm_rollback.test_where_none_succeeded_it_says_why_for_each,
    (
        "missing permission, 5, and read-only, 20",
        HELM,
    ): test_helm_rollback.test_what_the_gate_refuses_has_its_code,
    ("waiting, 17", HELM): test_helm_rollback.test_what_the_gate_refuses_has_its_code,
    ("kill -9", HELM): test_helm_rollback.test_the_records_tell_what_became_of_it,
    ("on the real systems", HELM): helm.test_back_to_the_last_that_succeeded_and_back_again,
}
# Tests that hold it for these kinds without being parametrized with them.
OWN: Mapping[Test, frozenset[str]] = {
    test_kill.test_killed_and_asked_again_it_is_applied_once: frozenset({"rollback"}),
    serving.test_each_is_rehearsed_refused_made_and_taken_back_as_the_servers_tell: frozenset(
        trial.kind for trial in serving.TRIALS
    ),
}


def kinds_of(test: Test) -> frozenset[str]:
    """The kinds that a test is about."""
    marks = [mark for mark in getattr(test, "pytestmark", ()) if mark.name == "parametrize"]
    values = [getattr(value, "kind", value) for mark in marks for value in mark.args[1]]
    named = {value for value in values if isinstance(value, str) and value in KINDS}
    return frozenset(named) | OWN.get(test, frozenset())


@pytest.mark.parametrize("promise", PROMISES)
def test_each_promise_is_held_for_every_kind(promise: str) -> None:
    tested = frozenset().union(*map(kinds_of, PROMISES[promise]))
    elsewhere = {kind for name, kind in ELSEWHERE if name == promise}
    assert sorted(set(KINDS) - tested - elsewhere) == [], "these kinds have no test of it"
    assert sorted(tested & elsewhere) == [], "these stand in the table twice"
    assert elsewhere <= set(KINDS)


def test_the_table_names_no_promise_that_is_not_there() -> None:
    assert {name for name, _ in ELSEWHERE} <= set(PROMISES)


def test_the_program_of_helm_is_called_a_mock_where_it_is_one() -> None:
    assert "MOCK" in str(mock_helm.__doc__)
