"""What the server serves, as clients ask for it.

Invariant: both the aggregated and the older documents are made from the table of kinds.
"""

from __future__ import annotations

from collections.abc import Iterable

from maestro_cli.local.cluster.kinds import KINDS, REVIEWS, Kind
from maestro_cli.local.cluster.lacking import LACKING
from maestro_cli.local.cluster.representation import parse_accept
from maestro_cli.local.cluster.status import Object

AGGREGATED_TYPE = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
LISTED = (*KINDS, *REVIEWS, *LACKING)
_OPTIONAL = ("shortNames", "categories")


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
    return {kind.group: kind.version for kind in LISTED}


def _reference(group: str, version: str, kind: str) -> Object:
    return {"group": group, "version": version, "kind": kind}


def _resource(kind: Kind) -> Object:
    """A kind with its subresources, as aggregated discovery has it."""
    own = (kind.group, kind.version, kind.kind)
    subresources = [
        {
            "subresource": one.name,
            "responseKind": _reference(*((one.group, one.version, one.kind) if one.kind else own)),
            "verbs": list(one.verbs),
        }
        for one in kind.subresources
    ]
    entry = {
        "resource": kind.plural,
        "responseKind": _reference(*own),
        "scope": "Namespaced" if kind.namespaced else "Cluster",
        "singularResource": kind.singular,
        "verbs": list(kind.verbs),
        "shortNames": list(kind.short_names),
        "categories": list(kind.categories),
        "subresources": subresources,
    }
    return {name: value for name, value in entry.items() if value or name == "verbs"}


def aggregated(groups: Iterable[str]) -> Object:
    """An APIGroupDiscoveryList of apidiscovery.k8s.io/v2 for these groups."""
    items = []
    for group, version in group_versions().items():
        if group in groups:
            resources = [_resource(kind) for kind in LISTED if kind.group == group]
            served = {"version": version, "freshness": "Current", "resources": resources}
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
    return {"kind": "APIGroup", "apiVersion": "v1", **_group(name)}


def _group(name: str) -> Object:
    version = group_versions()[name]
    served = {"groupVersion": f"{name}/{version}", "version": version}
    return {"name": name, "versions": [served], "preferredVersion": served}


def group_list() -> Object:
    """An APIGroupList, without the core group."""
    groups = [_group(name) for name in group_versions() if name]
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}


def resource_list(group_name: str, version: str) -> Object:
    """An APIResourceList, subresources included."""
    resources: list[Object] = []
    for kind in LISTED:
        if (kind.group, kind.version) != (group_name, version):
            continue
        entry = _resource(kind)
        common = {"namespaced": kind.namespaced}
        own = {"name": kind.plural, "singularName": kind.singular, **common, "kind": kind.kind}
        own |= {name: entry[name] for name in ("verbs", *_OPTIONAL) if name in entry}
        resources.append(own)
        for one in entry.get("subresources", ()):
            answers = one["responseKind"]
            told = {"name": f"{kind.plural}/{one['subresource']}", "singularName": "", **common}
            if answers["group"] != kind.group:
                told |= {"group": answers["group"], "version": answers["version"]}
            resources.append({**told, "kind": answers["kind"], "verbs": one["verbs"]})
    group_version = f"{group_name}/{version}" if group_name else version
    return {
        "kind": "APIResourceList",
        "apiVersion": "v1",
        "groupVersion": group_version,
        "resources": resources,
    }
