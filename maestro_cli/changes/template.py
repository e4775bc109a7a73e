"""Pod templates compared. Invariant: two templates are equal when a rollout would not tell them apart.

The label `pod-template-hash`, which the controller adds, and empty values do not count.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from maestro_cli.changes.model import Diff, DiffLine, Target
from maestro_cli.core.canonical import canonical_json, digest
from maestro_cli.core.facts.cluster import Workload
from maestro_cli.core.secret_words import HIDDEN, SECRET_NAMES, hide_word, looks_secret, sounds_secret
from maestro_cli.core.untrusted import Untrusted

TEMPLATE_HASH = "pod-template-hash"
RESTARTED_AT = "kubectl.kubernetes.io/restartedAt"
_VALUE_LIMIT = 2000
# Values of such names, and values that look so, are not shown; that they differ is.
_SECRET_PATH = re.compile(rf"(?i)\b(?:env|labels|annotations)\[[^\]]*(?:{SECRET_NAMES})[^\]]*\]$")
# `password: x` or `api_key = "x"` in a line, and `password=x` anywhere; a number, a switch or a reference to
# elsewhere is no secret. Nothing is read twice (`*+`), so that a megabyte of anything takes no time.
_NAMED = rf"(?=[\w.-]*?(?:{SECRET_NAMES}))[\w.-]++"
_NONE = r"[\"']?(?:[\d.]++|true|false|null|none|)[\"']?"
_OPEN = r"\$|env:|file:|bao:"
_LINE = re.compile(rf"(?im)^[ \t\"'-]*+{_NAMED}[\"']?\s*+[:=]\s*+(?!{_NONE}\s*+,?\s*+$)(?!{_OPEN})\S")
_INSIDE = re.compile(rf"(?i)(?<![\w.-]){_NAMED}=(?!{_NONE}(?:[\s,;&|]|$))(?!{_OPEN})\S")
_PLACE = re.compile(r"(.*\[)(\d+)\]", re.DOTALL)


def comparable(template: Mapping[str, Any]) -> dict[str, Any]:
    """The template without `pod-template-hash` and without null or empty values."""
    meta = template.get("metadata")
    if isinstance(meta, Mapping) and isinstance(meta.get("labels"), Mapping):
        labels = {key: value for key, value in meta["labels"].items() if key != TEMPLATE_HASH}
        template = {**template, "metadata": {**meta, "labels": labels}}
    body: dict[str, Any] = _pruned(template)
    if isinstance(body.get("metadata"), dict):
        body["metadata"] = {key: item for key, item in body["metadata"].items() if item != {}}
    return {key: item for key, item in body.items() if key != "metadata" or item != {}}


def _pruned(value: Any) -> Any:
    if isinstance(value, Mapping):
        items = {str(key): _pruned(item) for key, item in value.items()}
        # An empty mapping stays: `emptyDir: {}` means something.
        return {key: item for key, item in items.items() if item is not None and item != []}
    if isinstance(value, (list, tuple)):
        return [_pruned(item) for item in value]
    return value


def template_digest(template: Mapping[str, Any]) -> str:
    """SHA-256 (hex) of the comparable form."""
    return digest(comparable(template))


def release_digest(template: Mapping[str, Any]) -> str:
    """The same for templates that differ only in when they were restarted: they run the same release."""
    meta = template.get("metadata")
    if isinstance(meta, Mapping) and RESTARTED_AT in (meta.get("annotations") or {}):
        annotations = {key: value for key, value in meta["annotations"].items() if key != RESTARTED_AT}
        template = {**template, "metadata": {**meta, "annotations": annotations}}
    return template_digest(template)


def program_digest(template: Mapping[str, Any]) -> str:
    """The same for templates that differ in annotations alone: a restart, or a note that somebody left."""
    meta = template.get("metadata")
    if isinstance(meta, Mapping):
        slim = {key: value for key, value in meta.items() if key != "annotations"}
        template = {**template, "metadata": slim}
    return template_digest(template)


def is_secret(name: str, value: str) -> bool:
    """Whether a variable of that name and value is to be hidden."""
    return sounds_secret(name) or looks_secret(value)


def holds_secret(key: str, text: str) -> bool:
    """Whether a text of that name is to be hidden: by its name, its looks, or a line in it."""
    return is_secret(key, text) or any(found.search(text) for found in (_LINE, _INSIDE))


def target_of(workload: Workload) -> Target:
    """The workload as the target of a plan; see Target.state for what it covers."""
    # How many a DaemonSet wants is decided by the nodes that there are.
    wanted = 0 if workload.ref.kind == "DaemonSet" else workload.replicas_wanted
    state = digest(
        [
            workload.uid, workload.generation, workload.revision, wanted,
            workload.paused, workload.selector, template_digest(workload.template),
        ]
    )  # fmt: skip
    return Target(workload.ref, workload.uid, workload.resource_version, workload.generation, state)


def diff_templates(before: Mapping[str, Any], after: Mapping[str, Any]) -> Diff:
    """What differs, path by path: `containers[server].env[MODEL]`, `labels[app]`, `containers[x].args[2]`.

    Values are the text that was written, or compact JSON; those of secret-looking names are hidden.
    """
    left, right = _flat(comparable(before)), _flat(comparable(after))
    lines = []
    for path in sorted({*left, *right}):
        old, new = left.get(path), right.get(path)
        if old != new:
            lines.append(DiffLine(Untrusted(path), _shown(path, left), _shown(path, right)))
    if not lines and template_digest(before) != template_digest(after):
        lines.append(
            DiffLine(Untrusted("(order)"), Untrusted("as it is"), Untrusted("another order or type"))
        )
    return Diff(tuple(lines))


def _shown(path: str, flat: Mapping[str, str]) -> Untrusted | None:
    value = flat.get(path)
    if value is None:
        return None
    if _SECRET_PATH.search(path):
        return Untrusted(HIDDEN)
    place = _PLACE.fullmatch(path)  # of a list of words, where an option may stand before its value
    value = hide_word(value, flat.get(f"{place[1]}{int(place[2]) - 1}]", "") if place else "")
    return Untrusted(value if len(value) <= _VALUE_LIMIT else value[: _VALUE_LIMIT - 1] + "…")


def _flat(template: Mapping[str, Any]) -> dict[str, str]:
    flat: dict[str, str] = {}
    _walk("", template, flat)
    return flat


def _walk(path: str, value: Any, flat: dict[str, str]) -> None:
    if isinstance(value, Mapping) and value:
        # An environment variable is one thing, not a name and a value.
        if set(value) == {"name", "value"} and path.endswith("]"):
            flat[path] = str(value["value"])
            return
        for key, item in value.items():
            _walk(_step(path, str(key)), item, flat)
    elif isinstance(value, Sequence) and not isinstance(value, str) and value:
        names = _names(value)
        for index, item in enumerate(value):
            _walk(f"{path}[{names[index] if names else index}]", item, flat)
    elif path:
        flat[path] = value if isinstance(value, str) else canonical_json(value)


def _step(path: str, key: str) -> str:
    """Drop `spec` and `metadata` from the front, as kubectl users think of a template."""
    if path in ("", "spec", "metadata"):
        return key
    return f"{path}[{key}]" if path.split("[")[0] in ("labels", "annotations") else f"{path}.{key}"


def _names(items: Sequence[Any]) -> list[str] | None:
    """The items' names when each has its own, so that a list is compared by name."""
    names = [item.get("name") if isinstance(item, Mapping) else None for item in items]
    if not all(isinstance(name, str) and name for name in names) or len(set(names)) != len(names):
        return None
    return [str(name) for name in names]


def diff_objects(
    name: str, before: Mapping[str, Any], after: Mapping[str, Any], *, secret: bool
) -> list[DiffLine]:
    """What differs between two objects, path by path; of a Secret only which paths do."""
    left: dict[str, str] = {}
    right: dict[str, str] = {}
    _walk("", _pruned(before), left)
    _walk("", _pruned(after), right)
    lines = []
    for path in sorted({*left, *right}):
        old, new = left.get(path), right.get(path)
        if old != new:
            key = path.rpartition(".")[2]
            hides = secret or any(value is not None and holds_secret(key, value) for value in (old, new))
            shown = [
                None if path not in flat else Untrusted(HIDDEN) if hides else _shown(path, flat)
                for flat in (left, right)
            ]
            lines.append(DiffLine(Untrusted(f"{name} {path}"), *shown))
    return lines
