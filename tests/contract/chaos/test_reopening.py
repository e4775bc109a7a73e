"""A node that a drill left closed is opened by a change, and by whatever is left where none can be made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from maestro_cli.changes.history import list_changes
from maestro_cli.changes.kinds.kind import CHANGE_ANNOTATION
from maestro_cli.changes.model import Consent, State
from maestro_cli.changes.pipeline import ChangePipeline
from maestro_cli.changes.sealing import is_sealed
from maestro_cli.core.refs import ObjectRef
from maestro_cli.services.reopening import reopen_node
from tests.contract.chaos.lab import Lab
from tests.contract.chaos.test_unwritable import fill

pytestmark = pytest.mark.contract
NODE = "node-a"


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab(tmp_path)


def is_open(lab: Lab) -> bool:
    return lab.cluster.get_node(NODE).schedulable


def closed_by_a_change(lab: Lab) -> None:
    plan = lab.pipeline.plan("cordon", ObjectRef("Node", "", NODE))
    lab.pipeline.execute(plan, Consent(given=True), cause="as a runbook does")
    assert not is_open(lab)


def closed_by_hand(lab: Lab) -> None:
    node = lab.cluster.get_node(NODE)
    version, unmarked = node.resource_version, {CHANGE_ANNOTATION: None}
    lab.cluster.write_node(
        NODE, uid=node.uid, resource_version=version, unschedulable=True, annotations=unmarked
    )


@pytest.mark.parametrize("close", [closed_by_a_change, closed_by_hand])
def test_that_it_was_opened_is_among_the_changes_and_no_evidence_for_who_responds(
    lab: Lab, close: Callable[[Lab], None]
) -> None:
    close(lab)
    assert reopen_node(lab.cluster, lab.pipeline, NODE, "drl-1") is True
    assert is_open(lab)
    newest = list_changes(lab.journal)[0]
    assert (newest.kind, newest.state, newest.cause) == (
        "uncordon", State.VERIFIED, "drill drl-1: the end of the drill",
    )  # fmt: skip
    assert is_sealed(newest)
    assert reopen_node(lab.cluster, lab.pipeline, NODE, "drl-1") is False


def test_what_somebody_closed_again_since_is_opened_too(lab: Lab) -> None:
    closed_by_a_change(lab)
    assert reopen_node(lab.cluster, lab.pipeline, NODE, "drl-1") is True
    closed_by_hand(lab)
    assert reopen_node(lab.cluster, lab.pipeline, NODE, "drl-2") is True
    assert is_open(lab)


def test_a_policy_that_lets_no_change_through_and_a_full_disk_keep_no_node_closed(lab: Lab) -> None:
    closed_by_hand(lab)
    policy = replace(lab.policy, read_only=True)
    strict = ChangePipeline(lab.journal, lab.world, policy=policy, clock=lab.clock, actor="ana")
    assert reopen_node(lab.cluster, strict, NODE, "drl-1") is True
    assert is_open(lab)
    closed_by_hand(lab)
    fill(lab)
    assert reopen_node(lab.cluster, lab.pipeline, NODE, "drl-2") is True
    assert is_open(lab)
