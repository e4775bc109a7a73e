"""The resource definitions that Chaos Mesh publishes, without their words and what the tables pass over."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from maestro_cli.chaos.mesh.kinds import MeshKind
from maestro_cli.core.canonical import digest

# Of `config/crd/bases` at v2.8.3 (60ec97f1fd5d5edb2fb5c722c8888e18b618d1a0), as `published` gives them.
DIGESTS = {
    "PodChaos": "5025cb460d3e58e36672285f7e44166377f8dd2a17c9ffb87f4ea9be740da3b5",
    "NetworkChaos": "8a6e8a99c328a1131d5c47efa6c096ecfbf51eb1751953a7e591fa8ac2dcdd43",
    "StressChaos": "0f87328d5d0418bfe3bbf330c8a473f4c994d5cb5731b3d7d3803f40c7e2d9ea",
    "IOChaos": "69d92076b20088ed364ab25534cdfa4bf4aaa0058f14f1f0bb44351395e7ab23",
    "DNSChaos": "e8d7a8a26a9612c567ecf3d678c94b60ef537bece676228e88aaff5b9e495923",
    "HTTPChaos": "e413d579e99058d9a45762b528475f5056f24c3db88bd51ae5bedc520ed49fc0",
    "TimeChaos": "8d0b5bdd1bb099d4575ecc5b677ef17e866ca3d94b8075cd60323a9c7bc62f3e",
    "Schedule": "e4ffc419a0d4ca3d049f4b55b42e77d80c1c4404242524d15c07a26483dacfc2",
    "Workflow": "8abd26e812265049e325adde3fae67e3222af7455ae12462d8db9863def1fae6",
}


def published(folder: Path, kind: MeshKind, ours: Mapping[str, Any]) -> dict[str, Any]:
    """One definition of a folder such as `config/crd/bases`, as `compared` gives one of ours."""
    text = (folder / f"chaos-mesh.org_{kind.plural}.yaml").read_text(encoding="utf-8")
    definition = yaml.load(text, Loader=yaml.CSafeLoader)
    return compared(definition, ours)


def compared(definition: Mapping[str, Any], ours: Mapping[str, Any]) -> dict[str, Any]:
    """What of a definition says which manifests are taken, and which of its parts are subresources."""
    spec = definition["spec"]
    version = spec["versions"][0]
    schema = _bare(version["schema"]["openAPIV3Schema"], _schema_of(ours))
    names = {key: spec["names"][key] for key in ("kind", "listKind", "plural", "singular")}
    return {
        "names": names,
        "scope": spec["scope"],
        "version": version["name"],
        "status_apart": "status" in (version.get("subresources") or {}),
        "schema": schema,
    }


def digest_of(definition: Mapping[str, Any], ours: Mapping[str, Any]) -> str:
    return digest(compared(definition, ours))


def _schema_of(definition: Mapping[str, Any]) -> Any:
    return definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]


def _bare(theirs: Any, ours: Any) -> Any:
    """Without descriptions; where ours passes something over, ours."""
    if not isinstance(theirs, dict):
        return theirs
    if isinstance(ours, dict) and ours.get("x-kubernetes-preserve-unknown-fields"):
        return ours
    inside = ours if isinstance(ours, dict) else {}
    return {
        key: sorted(value) if key == "required" else _bare(value, inside.get(key))
        for key, value in theirs.items()
        if not (key == "description" and isinstance(value, str))
    }
