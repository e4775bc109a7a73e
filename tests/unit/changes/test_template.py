"""Templates compared, and what a person is shown of the difference."""

from __future__ import annotations

import copy
import json
from dataclasses import fields, replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maestro_cli.changes.kinds.kind import Request
from maestro_cli.changes.kinds.rollback import Rollback
from maestro_cli.changes.model import Plan, plan_digest
from maestro_cli.changes.records import plan_from_data, plan_to_data
from maestro_cli.changes.template import (
    comparable,
    diff_templates,
    is_secret,
    release_digest,
    target_of,
    template_digest,
)
from maestro_cli.core.untrusted import Untrusted
from tests.unit.changes.bench import Bench
from tests.unit.changes.fake_cluster import REF, FakeCluster, template
from tests.unit.changes.fake_nodes import NODE
from tests.unit.changes.some_world import SomeWorld

TEXT = st.text(max_size=12)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=12,
)

TEMPLATES = st.dictionaries(TEXT | st.sampled_from(["spec", "metadata"]), JSON, max_size=4)


def lines(before: dict[str, Any], after: dict[str, Any]) -> list[tuple[str, str | None, str | None]]:
    return [(line.path, line.before, line.after) for line in diff_templates(before, after).lines]


def test_the_controllers_label_and_empty_values_do_not_count() -> None:
    stamped = copy.deepcopy(template(1))
    stamped["metadata"]["labels"]["pod-template-hash"] = "5d8"
    stamped["metadata"]["creationTimestamp"] = None
    stamped["spec"]["initContainers"] = []
    assert template_digest(stamped) == template_digest(template(1))
    assert lines(stamped, template(1)) == []


def test_an_empty_mapping_counts() -> None:
    volume = {"spec": {"volumes": [{"name": "scratch", "emptyDir": {}}]}}
    assert comparable(volume) == volume


def test_paths_are_those_people_think_in() -> None:
    before, after = template(1, MODEL="a"), template(2, MODEL="b", NEW="x")
    after["metadata"]["labels"]["tier"] = "gold"
    after["spec"]["containers"][0]["image"] = "maestro.local/model-server:2"
    after["spec"]["containers"].append({"name": "proxy", "image": "p"})
    assert lines(before, after) == [
        ("containers[proxy].image", None, "p"),
        ("containers[proxy].name", None, "proxy"),
        ("containers[server].args[3]", "fraud=1", "fraud=2"),
        ("containers[server].env[MODEL]", "a", "b"),
        ("containers[server].env[NEW]", None, "x"),
        ("containers[server].image", "maestro.local/model-server:1", "maestro.local/model-server:2"),
        ("labels[tier]", None, "gold"),
    ]


def test_items_with_names_are_compared_by_name_and_another_order_is_said() -> None:
    before = {"spec": {"containers": [{"name": "a", "image": "1"}, {"name": "b", "image": "2"}]}}
    after = {"spec": {"containers": list(reversed(before["spec"]["containers"]))}}
    assert lines(before, after) == [("(order)", "as it is", "another order or type")]


def test_values_of_secret_looking_names_are_hidden_and_their_change_is_not() -> None:
    shown = lines(template(1, API_TOKEN="aaaa"), template(1, API_TOKEN="bbbb"))
    assert shown == [("containers[server].env[API_TOKEN]", "«hidden»", "«hidden»")]


@pytest.mark.parametrize(
    ("argument", "seen"),
    [
        ("--db-password=hunter2", "--db-password=«hidden»"),
        ("API_KEY=hunter2", "API_KEY=«hidden»"),
        ("--serve=token-model", "--serve=token-model"),
    ],
)
def test_secrets_in_arguments_are_hidden(argument: str, seen: str) -> None:
    before = {"spec": {"containers": [{"name": "a", "args": ["x"]}]}}
    after = {"spec": {"containers": [{"name": "a", "args": [argument]}]}}
    assert lines(before, after) == [("containers[a].args[0]", "x", seen)]


def test_the_word_behind_a_secret_option_is_hidden_and_its_change_is_not() -> None:
    def args(*words: str) -> dict[str, Any]:
        return {"spec": {"containers": [{"name": "a", "args": list(words)}]}}

    before, after = (
        args("--token", "hunter2", "--level", "info"),
        args("--token", "hunter3", "--level", "debug"),
    )
    assert lines(before, after) == [
        ("containers[a].args[1]", "«hidden»", "«hidden»"), ("containers[a].args[3]", "info", "debug"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "value",
    ["postgres://ada:hunter2@db/x", "-----BEGIN PRIVATE KEY-----\nMIIE", "eyJhbGciOiJIUzI1.eyJzdWIiOiIx.x"],
)
def test_values_that_look_like_secrets_are_hidden_whatever_their_name(value: str) -> None:
    assert lines(template(1, PLACE="a"), template(1, PLACE=value)) == [
        ("containers[server].env[PLACE]", "a", "«hidden»")
    ]
    assert is_secret("PLACE", value)
    assert not is_secret("PLACE", "http://db:5432/x?user=ada@example.com")


def test_a_restart_is_another_template_and_the_same_release() -> None:
    again = copy.deepcopy(template(1))
    again["metadata"]["annotations"] = {"kubectl.kubernetes.io/restartedAt": "2026-01-01T00:00:00Z"}
    assert template_digest(again) != template_digest(template(1))
    assert release_digest(again) == release_digest(template(1)) == template_digest(template(1))
    assert release_digest(again) != release_digest(template(2))


def test_the_name_of_a_referenced_secret_is_shown() -> None:
    def volume(name: str) -> dict[str, Any]:
        return {"spec": {"volumes": [{"name": "tls", "secret": {"secretName": name}}]}}

    assert lines(volume("a"), volume("b")) == [("volumes[tls].secret.secretName", "a", "b")]


def test_hostile_text_stays_untrusted_through_the_journal(bench: Bench) -> None:
    bench.cluster.ship(template(1, NOTE="\x1b]0;owned\x07[red]<b>‮"))
    plan = bench.pipeline().plan("rollback", REF)
    for made in (plan, plan_from_data(plan_to_data(plan))):
        for line in made.diff.lines:
            assert isinstance(line.path, Untrusted)
            assert line.before is None or isinstance(line.before, Untrusted)
            assert line.after is None or isinstance(line.after, Untrusted)


def test_a_record_of_an_older_version_is_read(bench: Bench) -> None:
    """It has words that are no longer known, and lacks those that came since."""
    plan = bench.pipeline().plan("rollback", REF)
    data = plan_to_data(plan)
    old = {name: value for name, value in data.items() if name not in ("objections", "gives_up")}
    since = ("replicas_ended", "nodes_left", "zones_left")
    blast = {name: value for name, value in data["blast"].items() if name not in since}
    read = plan_from_data({**old, "paused": False, "blast": {**blast, "replicas_restarted": 3}})
    assert read == replace(plan, gives_up=False, blast=replace(plan.blast, replicas_ended=0), payload={})


def test_the_target_of_a_record_is_what_it_was(bench: Bench) -> None:
    """A workload's by the same words as ever; a node's has no namespace."""
    pipeline = bench.pipeline()
    for kind, ref in (("rollback", REF), ("cordon", NODE)):
        plan = pipeline.plan(kind, ref)
        data = plan_to_data(plan)
        assert data["target"]["ref"] == {"kind": ref.kind, "namespace": ref.namespace, "name": ref.name}
        read = plan_from_data(json.loads(json.dumps(data)))
        assert (read, type(read.target.ref)) == (replace(plan, payload={}), type(ref))


@given(TEMPLATES, TEMPLATES)
def test_no_difference_is_hidden_and_none_made_up(before: dict[str, Any], after: dict[str, Any]) -> None:
    assert diff_templates(before, before).is_empty
    same = template_digest(before) == template_digest(after)
    assert diff_templates(before, after).is_empty is same


@given(TEMPLATES, TEMPLATES)
def test_another_template_voids_the_plan(one: dict[str, Any], other: dict[str, Any]) -> None:
    """The target's state and the plan's payload digest move with the template, and with nothing less."""
    first, second = _workload_with(one), _workload_with(other)
    same = template_digest(one) == template_digest(other)
    assert (target_of(first).state == target_of(second).state) is same


def _workload_with(pod_template: dict[str, Any]) -> Any:
    return replace(_WORKLOAD, template=pod_template)


def _cluster() -> FakeCluster:
    cluster = FakeCluster()
    cluster.ship(template(1))
    return cluster


_WORKLOAD = _cluster().get_workload(REF)
_FREE = {"id", "created_at", "payload", "digest"}
_TARGET = st.sampled_from(["uid", "resource_version", "state"])


def test_every_field_of_a_plan_is_bound(bench: Bench) -> None:
    plan = bench.pipeline().plan("rollback", REF)
    for item in fields(Plan):
        changed = replace(plan, **{item.name: None})  # type: ignore[arg-type]
        assert (plan_digest(changed) == plan.digest) is (item.name in _FREE), item.name


@given(_TARGET, TEXT)
def test_any_other_target_has_another_digest(name: str, value: str) -> None:
    plan = _plan()
    target = replace(plan.target, **{name: value})  # type: ignore[arg-type]
    if target != plan.target:
        assert plan_digest(replace(plan, target=target)) != plan.digest


def _plan() -> Plan:
    cluster = _cluster()
    cluster.ship(template(2))
    return Rollback().plan(
        SomeWorld(cluster), Request(REF, {}, "chg-1", datetime(2026, 1, 1, tzinfo=UTC), 300)
    )
