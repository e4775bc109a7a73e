"""One table of rights, for both clusters."""

from __future__ import annotations

import pytest

from maestro_cli.local.certificates import IDENTITIES
from maestro_cli.local.roles import ANY, MASTERS, ROLES, Rule, cluster_roles

# Whoever may do one of these can take every other right.
RBAC = "rbac.authorization.k8s.io"
LEVERS = [
    ("impersonate", "", "serviceaccounts"), ("create", "", "serviceaccounts/token"),
    ("get", "", "nodes/proxy"), ("create", "", "nodes/proxy"), ("create", RBAC, "clusterrolebindings"),
    ("update", RBAC, "clusterroles"), ("bind", RBAC, "clusterroles"), ("escalate", RBAC, "clusterroles"),
    ("create", "admissionregistration.k8s.io", "mutatingwebhookconfigurations"),
    ("update", "certificates.k8s.io", "certificatesigningrequests/approval"),
]  # fmt: skip


def may(group: str, verb: str, api_group: str, resource: str) -> bool:
    return any(rule.allows(verb, api_group, resource) for rule in ROLES[group])


def test_every_identity_has_a_role() -> None:
    assert set(IDENTITIES.values()) == set(ROLES)


# A kubelet asks for the tokens of its pods, as everywhere: its identity is as good as an administrator's.
HELD = {("maestro:kubelets", "serviceaccounts/token")}


@pytest.mark.parametrize("group", [group for group in ROLES if group != MASTERS])
@pytest.mark.parametrize("lever", LEVERS, ids=lambda lever: " ".join(lever))
def test_no_identity_but_the_administrator_can_raise_itself(group: str, lever: tuple[str, str, str]) -> None:
    assert may(MASTERS, *lever)
    assert may(group, *lever) is ((group, lever[2]) in HELD)


@pytest.mark.parametrize(
    ("group", "verb", "api_group", "resource", "allowed"),
    [
        ("maestro:viewers", "list", "", "pods", True),
        ("maestro:viewers", "get", "", "pods/log", True),
        ("maestro:viewers", "get", "", "secrets", False),
        ("maestro:viewers", "create", "", "pods/exec", False),
        ("maestro:viewers", "patch", "apps", "deployments", False),
        ("maestro:oncall", "patch", "apps", "deployments/scale", True),
        ("maestro:oncall", "create", "", "pods/eviction", True),
        ("maestro:oncall", "get", "", "secrets", True),
        ("maestro:oncall", "delete", "", "secrets", False),
        ("maestro:oncall", "patch", "", "nodes", True),
        ("maestro:oncall", "delete", "", "nodes", False),
        ("maestro:oncall", "delete", "", "namespaces", False),
        ("maestro:kubelets", "patch", "", "pods/status", True),
        ("maestro:kubelets", "create", "", "pods", False),
        ("maestro:agents", "create", "", "secrets", False),
        ("maestro:agents", "delete", "", "secrets", True),
    ],
)
def test_who_may_do_what(group: str, verb: str, api_group: str, resource: str, allowed: bool) -> None:
    assert may(group, verb, api_group, resource) is allowed


def test_a_rule_covers_a_subresource_only_by_its_name_or_by_all() -> None:
    assert not Rule(("get",), ("pods",)).allows("get", "", "pods/log")
    assert Rule(("get",), ANY).allows("get", "", "pods/log")
    assert not Rule(("get",), ANY).allows("get", "apps", "deployments")


def test_the_objects_of_the_real_cluster_say_the_same_as_the_table() -> None:
    made = cluster_roles()
    assert [one["metadata"]["name"] for one in made if one["kind"] == "ClusterRole"] == list(ROLES)[1:]
    for one in made:
        name = one["metadata"]["name"]
        if one["kind"] == "ClusterRole":
            assert one["rules"] == [rule.as_policy_rule() for rule in ROLES[name]]
        else:
            assert one["roleRef"]["name"] == one["subjects"][0]["name"] == name
            assert one["subjects"][0]["kind"] == "Group"
