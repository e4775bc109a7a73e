"""What changes do to a routing document (`maestro.routing/1`, docs/serving.md), as plain data.

Invariant: a document is never altered in place; what an edit does not name stays as it was; defaults are left
out, as the server does. The server itself says whether a document is right.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from maestro_cli.config.strict import dump_yaml, parse_yaml
from maestro_cli.core.errors import GateNotMet, InvalidFile, UsageError

SCHEMA = "maestro.routing/1"
FILE = "routing.yaml"  # the key of a ConfigMap that is looked at first
STABLE, CANARY = "stable", "canary"
Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Standing:
    """Who answers for one name: a stable version, and a canary with its share (0 to 1), if there is one."""

    stable: int | None
    canary: int | None = None
    share: float = 0.0

    @property
    def shares(self) -> dict[int, float]:
        """By version, of the requests that name none."""
        stable = {} if self.stable is None else {self.stable: 1 - self.share}
        return stable if self.canary is None else {**stable, self.canary: self.share}


def read_document(text: str, where: str) -> dict[str, Any]:
    """The document as plain data; raises UsageError when it is none."""
    try:
        data = parse_yaml(text[:], where).data  # what is read wants text and no kind of it
    except InvalidFile as error:
        raise UsageError(f"{where} is no routing document", why=str(error)) from error
    if not isinstance(data, dict) or data.get("schema") != SCHEMA:
        raise UsageError(f"{where} is no routing document", fix=f"it begins with schema: {SCHEMA}")
    return data


def keys_of(data: Mapping[str, str]) -> list[str]:
    """The keys of a ConfigMap in the order in which a routing document is looked for."""
    return sorted(data, key=lambda name: name != FILE)


def write_document(document: Document) -> str:
    """YAML for people; comments that somebody wrote do not survive."""
    return dump_yaml(json.loads(json.dumps(document)))


def is_frozen(document: Document) -> bool:
    """Whether promotions and growing canaries are to stop."""
    return document.get("frozen") is True


def with_freeze(document: Document, *, frozen: bool) -> dict[str, Any]:
    others = {key: value for key, value in document.items() if key != "frozen"}
    return {**others, "frozen": True} if frozen else others


def standing(document: Document, model: str) -> Standing:
    """Who answers for the name; raises GateNotMet for a route that is neither a version nor such a split."""
    route = _routes(document).get(model)
    if route is None:
        return Standing(None)
    to = route.get("to")
    alone = _version(to, model)
    if alone is not None:
        return Standing(alone)
    split = to.get("split") if isinstance(to, dict) else None
    arms = split.get("arms") if isinstance(split, dict) else None
    found = {arm.get("name"): arm for arm in arms or () if isinstance(arm, dict)}
    if set(found) == {STABLE, CANARY}:
        versions = {name: _version(arm.get("to"), model) for name, arm in found.items()}
        weights = {name: float(arm.get("weight", 0)) for name, arm in found.items()}
        total = sum(weights.values())
        if None not in versions.values() and total > 0:
            return Standing(versions[STABLE], versions[CANARY], weights[CANARY] / total)
    raise GateNotMet(
        f"the route of {model} is neither one version nor a split of {STABLE} and {CANARY}",
        why="this change would not know what to leave alone",
        fix="write the document yourself: maestro traffic apply --file FILE",
    )


def growing_share(before: Document, after: Document) -> float | None:
    """The largest share (0 to 1) that a version newer than the stable one gets, where it had less; else None.

    Going back to an older version gives none more. Of a model that was not served nobody can lose. Of a
    route that is no version and no split of two, and is another than before, it is all: what is not known
    is no less.
    """
    found = [_growing(before, after, model) for model in _routes(after) if has_route(before, model)]
    return max((one for one in found if one is not None), default=None)


def _growing(before: Document, after: Document, model: str) -> float | None:
    try:
        had, has = standing(before, model).shares, standing(after, model).shares
        stable = standing(before, model).stable
    except GateNotMet:
        return None if _routes(before).get(model) == _routes(after).get(model) else 1.0
    newer = (version for version in has if stable is not None and version > stable)
    return max((has[one] for one in newer if has[one] > had.get(one, 0.0)), default=None)


def with_share(document: Document, model: str, now: Standing, version: int, share: float, key: str) -> Any:
    """The document in which `version` answers that share (0 to under 1) and the stable version the rest."""
    if now.stable is None:
        raise UsageError(f"nothing says which version of {model} is the stable one", fix="--stable VERSION")
    if version == now.stable:
        raise UsageError(f"version {version} of {model} is the stable one already", fix="name another")
    if not (math.isfinite(share) and 0 <= share < 1):
        raise UsageError(f"{share:g} is no share for a canary", fix="0 to under 1; all of it is a promotion")
    if share == 0:
        return with_version(document, model, now.stable)
    weight = _plain_number(round(share * 100, 6))
    before = (_routes(document).get(model) or {}).get("to")
    old = before.get("split", {}) if isinstance(before, dict) else {}
    same = now.canary == version
    split = {
        **({"key": key or old.get("key")} if key or old.get("key") else {}),
        "salt": old.get("salt", "") if same else f"canary-{version}",
        "arms": [
            {"name": STABLE, "weight": _plain_number(round(100 - weight, 6)), "to": _node(model, now.stable)},
            {"name": CANARY, "weight": weight, "to": _node(model, version)},
        ],
    }
    return _with_route(document, model, {"to": {"split": {k: v for k, v in split.items() if v != ""}}})


def with_version(document: Document, model: str, version: int) -> dict[str, Any]:
    """The document in which that version answers for the name, alone."""
    return _with_route(document, model, {"to": _node(model, version)})


def with_shadow(document: Document, model: str, shadow: Mapping[str, Any] | None) -> dict[str, Any]:
    """The document in which a version is asked beside the route of the name, or none is."""
    route = {key: value for key, value in _routes(document)[model].items() if key != "shadow"}
    return _with_route(document, model, {**route, **({"shadow": shadow} if shadow else {})}, whole=True)


def shadow_of(document: Document, model: str) -> int | None:
    """The version that is asked beside the route of the name."""
    shadow = (_routes(document).get(model) or {}).get("shadow")
    version = shadow.get("version") if isinstance(shadow, dict) else None
    return version if isinstance(version, int) else None


def named_versions(document: Document) -> set[tuple[str, int]]:
    """Every model with a version that a document names."""
    return set(_named(document))


def has_route(document: Document, model: str) -> bool:
    return model in _routes(document)


def _named(value: Any) -> Iterator[tuple[str, int]]:
    if isinstance(value, Mapping):
        model, version = value.get("model"), value.get("version")
        if isinstance(model, str) and isinstance(version, int):
            yield model, version
        for item in value.values():
            yield from _named(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _named(item)


def _with_route(
    document: Document, model: str, route: Mapping[str, Any], *, whole: bool = False
) -> dict[str, Any]:
    routes = _routes(document)
    kept = {} if whole else {key: value for key, value in (routes.get(model) or {}).items() if key != "to"}
    return {**document, "routes": {**routes, model: {**route, **kept}}}


def _routes(document: Document) -> dict[str, Any]:
    routes = document.get("routes") or {}
    return routes if isinstance(routes, dict) else {}


def _version(node: Any, model: str) -> int | None:
    """The version of a node that is exactly one version of that model."""
    if not isinstance(node, dict) or set(node) != {"model", "version"} or node["model"] != model:
        return None
    return node["version"] if isinstance(node["version"], int) else None


def _node(model: str, version: int) -> dict[str, Any]:
    return {"model": model, "version": version}


def _plain_number(value: float) -> float | int:
    return int(value) if value == int(value) else value
