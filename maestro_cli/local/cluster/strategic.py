"""Strategic merge patch (apimachinery/pkg/util/strategicpatch).

Invariant: a list merges by the key its type has in `shapes`; every other list is replaced as a whole.
"""

from __future__ import annotations

from typing import Any

from maestro_cli.local.cluster.shapes import MESSAGES, item_of, merge_key
from maestro_cli.local.cluster.status import bad_request

_PATCH, _ORDER, _DELETE, _RETAIN = (
    "$patch", "$setElementOrder/", "$deleteFromPrimitiveList/", "$retainKeys",
)  # fmt: skip


def _form(form: str, field: str) -> str:
    """The type of a member of an object of this type."""
    return MESSAGES[form[1:]].get(field, "any") if form.startswith("@") else item_of(form)


def strategic_merge(target: Any, patch: Any, form: str) -> dict[str, Any]:
    """`target` with `patch` merged in by the rules of the type `form`. Raises ApiError 400."""
    if not isinstance(patch, dict):
        raise bad_request("a strategic merge patch is an object")
    directive = patch.get(_PATCH)
    if directive == "replace":
        return {key: value for key, value in patch.items() if key != _PATCH}
    if directive == "delete":
        return {}
    if directive not in (None, "merge"):
        raise bad_request(f"Unknown patch directive: {directive!r}")
    merged = dict(target) if isinstance(target, dict) else {}
    _retain(merged, patch)
    for field, value in patch.items():
        if not field.startswith("$"):
            _merge_field(merged, _form(form, field), field, value, patch)
    for field, value in patch.items():
        _apply_directive(merged, form, field, value)
    return merged


def _merge_field(merged: dict[str, Any], form: str, field: str, value: Any, patch: dict[str, Any]) -> None:
    current = merged.get(field)
    if value is None:
        merged.pop(field, None)
    elif isinstance(value, dict):
        # A map that is new here still has its directives and nulls taken out.
        merged[field] = strategic_merge(current, value, form)
    elif isinstance(value, list) and (key := merge_key(form)):
        order = patch.get(f"{_ORDER}{field}")
        merged[field] = _merge_list(_listed(current), value, key, item_of(form))
        if order is None and isinstance(current, list):
            merged[field] = _in_order(merged[field], current, key)
    elif isinstance(value, list) and key == "":
        kept = _listed(current)
        merged[field] = kept + [one for one in value if one not in kept]
    else:
        merged[field] = value


def _retain(merged: dict[str, Any], patch: dict[str, Any]) -> None:
    keys = patch.get(_RETAIN)
    if keys is None:
        return
    if not isinstance(keys, list):
        raise bad_request("$retainKeys must be a list")
    for key in [key for key in merged if key not in keys]:
        del merged[key]


def _apply_directive(merged: dict[str, Any], form: str, field: str, value: Any) -> None:
    if field.startswith(_DELETE):
        name = field.removeprefix(_DELETE)
        merged[name] = [one for one in _listed(merged.get(name)) if one not in _listed(value)]
    elif field.startswith(_ORDER):
        name = field.removeprefix(_ORDER)
        key = merge_key(_form(form, name))
        if isinstance(merged.get(name), list):
            merged[name] = _in_order(merged[name], _listed(value), key)


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list) else []


def _merge_list(current: list[Any], patch: list[Any], key: str, form: str) -> list[Any]:
    if any(isinstance(item, dict) and item.get(_PATCH) == "replace" and len(item) == 1 for item in patch):
        return [item for item in patch if _PATCH not in item]
    merged = current
    for item in patch:
        if not isinstance(item, dict) or key not in item:
            raise bad_request(f"map: {item!r} does not contain declared merge key: {key}")
        same = [at for at, one in enumerate(merged) if isinstance(one, dict) and one.get(key) == item[key]]
        if item.get(_PATCH) == "delete":
            merged = [one for at, one in enumerate(merged) if at not in same]
        elif not same:
            merged = [*merged, strategic_merge({}, item, form)]
        else:
            at = same[0]
            merged = [*merged[:at], strategic_merge(merged[at], item, form), *merged[at + 1 :]]
    return merged


def _in_order(merged: list[Any], order: list[Any], key: str | None) -> list[Any]:
    """The items in the order given; the others keep their place relative to what they followed."""

    def identity(item: Any) -> Any:
        value = item.get(key) if key and isinstance(item, dict) else item
        return value if isinstance(value, (str, int)) else repr(value)

    ranks = {identity(item): rank for rank, item in enumerate(order)}
    ranked = [one for one in merged if identity(one) in ranks]
    known = iter(sorted(ranked, key=lambda one: ranks[identity(one)]))
    return [next(known) if identity(one) in ranks else one for one in merged]
