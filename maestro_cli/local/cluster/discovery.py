"""What the server serves, as clients ask for it.

Invariant: both the aggregated and the older documents are made from the table of kinds.
"""

from __future__ import annotations

from collections.abc import Iterable

from maestro_cli.local.cluster.kinds import KINDS, Kind, Subresource
from maestro_cli.local.cluster.lacking import LACKING
from maestro_cli.local.cluster.representation import parse_accept
from maestro_cli.local.cluster.status import Object

AGGREGATED_TYPE = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
LISTED = (*KINDS, *LACKING)
# Resources that are answered and never stored: group, kind, plural.
REVIEWS: tuple[tuple[str, str, str], ...] = (
    ("authorization.k8s.io", "SelfSubjectAccessReview", "selfsubjectaccessreviews"),
    ("authorization.k8s.io", "SelfSubjectRulesReview", "selfsubjectrulesreviews"),
    ("authentication.k8s.io", "SelfSubjectReview", "selfsubjectreviews"),
)


def wants_aggregated(accept: str) -> bool:
    """Whether the Accept header prefers aggregated discovery v2; order of parameters is free."""
    for entry in parse_accept(accept):
        given = entry.parameters
        if given.get("as") == "APIGroupDiscoveryList" and given.get("g") == "apidiscovery.k8s.io":
            if given.get("v") == "v2":
                return True
        elif entry.name == "application/json" and "as" not in given:
            return False
    return False


def group_versions() -> dict[str, str]:
    """The version of each group that is served, core first."""
    found = {kind.group: kind.version for kind in LISTED}
    return found | {group: "v1" for group, _, _ in REVIEWS}


def _kind_reference(group: str, version: str, kind: str) -> Object:
    return {"group": group, "version": version, "kind": kind}


def _aggregated_subresource(kind: Kind, one: Subresource) -> Object:
    owner = (one.group, one.version, one.kind) if one.kind else (kind.group, kind.version, kind.kind)
    return {
        "subresource": one.name,
        "responseKind": _kind_reference(*owner),
        "verbs": list(one.verbs),
    }


def _aggregated_resource(kind: Kind) -> Object:
    entry: Object = {
        "resource": kind.plural,
        "responseKind": _kind_reference(kind.group, kind.version, kind.kind),
        "scope": "Namespaced" if kind.namespaced else "Cluster",
        "singularResource": kind.singular,
        "verbs": list(kind.verbs),
    }
    if kind.short_names:
        entry["shortNames"] = list(kind.short_names)
    if kind.categories:
        entry["categories"] = list(kind.categories)
    if kind.subresources:
        entry["subresources"] = [_aggregated_subresource(kind, one) for one in kind.subresources]
    return entry


def _aggregated_review(group: str, kind: str, plural: str) -> Object:
    return {
        "resource": plural,
        "responseKind": _kind_reference(group, "v1", kind),
        "scope": "Cluster",
        "singularResource": kind.lower(),
        "verbs": ["create"],
    }


def aggregated(groups: Iterable[str]) -> Object:
    """An APIGroupDiscoveryList of apidiscovery.k8s.io/v2 for these groups."""
    versions = group_versions()
    items = []
    for group in groups:
        resources = [_aggregated_resource(kind) for kind in LISTED if kind.group == group]
        resources += [_aggregated_review(*review) for review in REVIEWS if review[0] == group]
        served = {"version": versions[group], "freshness": "Current", "resources": resources}
        items.append({"metadata": {"name": group}, "versions": [served]})
    return {
        "kind": "APIGroupDiscoveryList",
        "apiVersion": "apidiscovery.k8s.io/v2",
        "metadata": {},
        "items": items,
    }


def core_versions(address: str) -> Object:
    """The answer of `GET /api` to older clients."""
    return {
        "kind": "APIVersions",
        "versions": ["v1"],
        "serverAddressByClientCIDRs": [{"clientCIDR": "0.0.0.0/0", "serverAddress": address}],
    }


def group(name: str) -> Object:
    """An APIGroup."""
    version = group_versions()[name]
    served = {"groupVersion": f"{name}/{version}", "version": version}
    return {
        "kind": "APIGroup",
        "apiVersion": "v1",
        "name": name,
        "versions": [served],
        "preferredVersion": served,
    }


def group_list() -> Object:
    groups = []
    for name in group_versions():
        if name:
            one = group(name)
            groups.append({field: one[field] for field in ("name", "versions", "preferredVersion")})
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}


def resource_list(group_name: str, version: str) -> Object:
    """An APIResourceList, subresources included."""
    resources: list[Object] = []
    for kind in LISTED:
        if (kind.group, kind.version) != (group_name, version):
            continue
        common = {"namespaced": kind.namespaced}
        entry: Object = {
            "name": kind.plural,
            "singularName": kind.singular,
            **common,
            "kind": kind.kind,
            "verbs": list(kind.verbs),
        }
        if kind.short_names:
            entry["shortNames"] = list(kind.short_names)
        if kind.categories:
            entry["categories"] = list(kind.categories)
        resources.append(entry)
        for one in kind.subresources:
            entry = {"name": f"{kind.plural}/{one.name}", "singularName": "", **common}
            if one.kind and one.group:
                entry |= {"group": one.group, "version": one.version}
            resources.append({**entry, "kind": one.kind or kind.kind, "verbs": list(one.verbs)})
    for review_group, review_kind, plural in REVIEWS:
        if review_group == group_name:
            entry = {"name": plural, "singularName": review_kind.lower(), "namespaced": False}
            resources.append({**entry, "kind": review_kind, "verbs": ["create"]})
    group_version = f"{group_name}/{version}" if group_name else version
    return {
        "kind": "APIResourceList",
        "apiVersion": "v1",
        "groupVersion": group_version,
        "resources": resources,
    }
