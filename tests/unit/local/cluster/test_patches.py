"""The three patches: their directives, and the laws they keep."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from maestro_cli.local.cluster.patches import json_patch, merge_patch
from maestro_cli.local.cluster.status import ApiError
from maestro_cli.local.cluster.strategic import strategic_merge

_SCALARS = st.one_of(st.booleans(), st.integers(), st.text(max_size=5))
_NAMES = st.sampled_from(["a", "b", "containers", "env", "spec", "name"])
_JSON = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_NAMES, inner, max_size=3),
    max_leaves=12,
)
_OBJECTS = st.dictionaries(_NAMES, _JSON, max_size=4)
_CONTAINERS = st.lists(
    st.fixed_dictionaries({"name": st.sampled_from("abcde"), "image": st.text("xyz", max_size=3)}),
    max_size=5,
    unique_by=lambda one: one["name"],
)


@settings(suppress_health_check=[HealthCheck.too_slow])  # a busy machine is no fault of the patch
@given(_OBJECTS, _OBJECTS)
def test_merge_patch_is_idempotent(target: dict[str, Any], patch: dict[str, Any]) -> None:
    once = merge_patch(target, patch)
    assert merge_patch(once, patch) == once


@given(_OBJECTS)
def test_an_empty_patch_changes_nothing(target: dict[str, Any]) -> None:
    assert strategic_merge(copy.deepcopy(target), {}, "@PodSpec") == target
    assert merge_patch(copy.deepcopy(target), {}) == target
    assert json_patch(copy.deepcopy(target), []) == target


@given(_CONTAINERS, _CONTAINERS)
def test_lists_with_a_merge_key_merge_by_it(
    current: list[dict[str, str]], patch: list[dict[str, str]]
) -> None:
    merged = strategic_merge({"containers": current}, {"containers": patch}, "@PodSpec")["containers"]
    expected = {one["name"]: one["image"] for one in [*current, *patch]}
    assert {one["name"]: one["image"] for one in merged} == expected
    assert len(merged) == len(expected)
    assert strategic_merge({"containers": merged}, {"containers": patch}, "@PodSpec")["containers"] == merged


@given(_CONTAINERS, st.randoms())
def test_set_element_order_orders(current: list[dict[str, str]], chance: Any) -> None:
    order = [{"name": one["name"]} for one in current]
    chance.shuffle(order)
    merged = strategic_merge({"containers": current}, {"$setElementOrder/containers": order}, "@PodSpec")[
        "containers"
    ]
    assert [one["name"] for one in merged] == [one["name"] for one in order]


@given(_OBJECTS, _OBJECTS)
def test_any_patch_is_applied_or_refused(target: dict[str, Any], patch: dict[str, Any]) -> None:
    code = 400
    try:
        strategic_merge(target, patch, "@Pod")
    except ApiError as error:
        code = error.code
    assert code == 400


def test_directives() -> None:
    first = {"name": "x", "env": [{"name": "E", "value": "1"}], "command": ["old"]}
    template = {"containers": [first, {"name": "y"}], "nodeSelector": {"a": "b"}}
    deployment = {
        "metadata": {"finalizers": ["a", "b"]},
        "spec": {
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}},
            "template": {"spec": template},
        },
    }
    changed = {"name": "x", "env": [{"name": "F", "value": "2"}], "command": ["new"]}
    new_template = {
        "containers": [changed, {"name": "y", "$patch": "delete"}],
        "nodeSelector": {"$patch": "replace", "c": "d"},
    }
    patch = {
        "metadata": {"$deleteFromPrimitiveList/finalizers": ["a"], "finalizers": ["c"]},
        "spec": {
            "strategy": {"$retainKeys": ["type"], "type": "Recreate"},
            "template": {"spec": new_template},
        },
    }
    both = [{"name": "E", "value": "1"}, {"name": "F", "value": "2"}]
    merged_template = {
        "containers": [{"name": "x", "env": both, "command": ["new"]}],
        "nodeSelector": {"c": "d"},
    }
    assert strategic_merge(deployment, patch, "@Deployment") == {
        "metadata": {"finalizers": ["b", "c"]},
        "spec": {"strategy": {"type": "Recreate"}, "template": {"spec": merged_template}},
    }


def test_ports_merge_by_the_key_of_their_own_kind() -> None:
    service = {"spec": {"ports": [{"port": 80, "name": "a"}]}}
    merged = strategic_merge(service, {"spec": {"ports": [{"port": 81, "name": "b"}]}}, "@Service")
    assert [one["port"] for one in merged["spec"]["ports"]] == [80, 81]
    pod = {"spec": {"containers": [{"name": "c", "ports": []}]}}
    more = {"spec": {"containers": [{"name": "c", "ports": [{"containerPort": 80}]}]}}
    merged = strategic_merge(pod, more, "@Pod")
    assert merged["spec"]["containers"][0]["ports"] == [{"containerPort": 80}]


def test_json_patch_operations() -> None:
    document = {"a": [1, 2], "b": {"c~/d": 1}}
    operations = [
        {"op": "test", "path": "/b/c~0~1d", "value": 1},
        {"op": "add", "path": "/a/1", "value": 9},
        {"op": "add", "path": "/a/-", "value": 3},
        {"op": "copy", "from": "/a/0", "path": "/e"},
        {"op": "move", "from": "/b", "path": "/f"},
        {"op": "remove", "path": "/a/0"},
        {"op": "replace", "path": "/e", "value": None},
    ]
    assert json_patch(document, operations) == {"a": [9, 2, 3], "e": None, "f": {"c~/d": 1}}


@pytest.mark.parametrize("value", [True, 1.5, "1"])
def test_a_json_patch_test_compares_as_json_does(value: object) -> None:
    with pytest.raises(ApiError):
        json_patch({"a": 1}, [{"op": "test", "path": "/a", "value": value}])


def test_what_a_patch_copies_is_bounded() -> None:
    doubling = [{"op": "copy", "from": "/data", "path": f"/data/c{number}"} for number in range(14)]
    with pytest.raises(ApiError, match="the accumulated size increase of copy is") as refused:
        json_patch({"data": {"a": "x" * 1000}}, doubling)
    assert refused.value.code == 422


def test_what_a_patch_copies_is_not_nested_without_end() -> None:
    deeper = [{"op": "copy", "from": "", "path": "/a" * 2**number} for number in range(1, 12)]
    with pytest.raises(ApiError, match="nests deeper than 100 levels"):
        json_patch({"a": {"a": {}}}, deeper)


def test_a_copy_is_free_of_its_origin() -> None:
    operations = [
        {"op": "copy", "from": "/a", "path": "/b"},
        {"op": "add", "path": "/b/c", "value": 1},
    ]
    assert json_patch({"a": {}}, operations) == {"a": {}, "b": {"c": 1}}


class _Counted(str):
    """Text that counts how often it is compared."""

    comparisons = 0

    def __eq__(self, other: object) -> bool:
        _Counted.comparisons += 1
        return str.__eq__(self, other)

    __hash__ = str.__hash__


_MANY = 1000


def _counted(first: int) -> list[str]:
    return [_Counted(f"n{number}") for number in range(first, first + _MANY)]


@pytest.mark.parametrize(
    ("target", "patch"),
    [
        (
            {"containers": [{"name": name} for name in _counted(0)]},
            {"containers": [{"name": name} for name in _counted(_MANY // 2)]},
        ),
        (
            {"containers": [{"name": name} for name in _counted(0)]},
            {"containers": [{"name": name, "$patch": "delete"} for name in _counted(_MANY // 2)]},
        ),
        ({"finalizers": _counted(0)}, {"finalizers": _counted(_MANY // 2)}),
        ({"finalizers": _counted(0)}, {"$deleteFromPrimitiveList/finalizers": _counted(_MANY // 2)}),
        (dict.fromkeys(_counted(0), 1), {"$retainKeys": _counted(_MANY // 2)}),
    ],
    ids=["merge", "delete", "by value", "delete by value", "retain"],
)
def test_the_work_of_a_merge_does_not_grow_with_the_square(
    target: dict[str, Any], patch: dict[str, Any]
) -> None:
    form = "@ObjectMeta" if "finalizers" in target else "@PodSpec"
    _Counted.comparisons = 0
    strategic_merge(target, patch, form)
    assert _Counted.comparisons < 20 * _MANY


def test_what_is_deleted_may_come_again_and_twins_go_together() -> None:
    target = {"containers": [{"name": "a", "image": "1"}, {"name": "b"}, {"name": "a", "image": "2"}]}
    patch = {"containers": [{"name": "a", "$patch": "delete"}, {"name": "a", "image": "3"}, {"name": "a"}]}
    merged = strategic_merge(target, patch, "@PodSpec")["containers"]
    assert sorted(merged, key=lambda one: one["name"]) == [{"name": "a", "image": "3"}, {"name": "b"}]
