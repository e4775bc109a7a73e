"""Strategic merge patch (apimachinery/pkg/util/strategicpatch).

Invariant: a list merges by the key its type has in `shapes`; every other list is replaced as a whole. The
work grows with the size of patch and object, not with their product.
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
        known = {_identity(one) for one in kept}
        merged[field] = kept + [one for one in value if _identity(one) not in known]
    else:
        merged[field] = value


def _retain(merged: dict[str, Any], patch: dict[str, Any]) -> None:
    keys = patch.get(_RETAIN)
    if keys is None:
        return
    if not isinstance(keys, list):
        raise bad_request("$retainKeys must be a list")
    kept = {_identity(key) for key in keys}
    for key in [key for key in merged if key not in kept]:
        del merged[key]


def _apply_directive(merged: dict[str, Any], form: str, field: str, value: Any) -> None:
    if field.startswith(_DELETE):
        name = field.removeprefix(_DELETE)
        deleted = {_identity(one) for one in _listed(value)}
        merged[name] = [one for one in _listed(merged.get(name)) if _identity(one) not in deleted]
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
    merged, deleted = current, set[int]()
    places: dict[Any, list[int]] = {}
    for at, one in enumerate(merged):
        if isinstance(one, dict):
            places.setdefault(_identity(one.get(key)), []).append(at)
    for item in patch:
        if not isinstance(item, dict) or key not in item:
            raise bad_request(f"map: {item!r} does not contain declared merge key: {key}")
        place = _identity(item[key])
        if item.get(_PATCH) == "delete":
            deleted.update(places.pop(place, ()))
        elif place in places:
            at = places[place][0]
            merged[at] = strategic_merge(merged[at], item, form)
        else:
            places[place] = [len(merged)]
            merged.append(strategic_merge({}, item, form))
    return [one for at, one in enumerate(merged) if at not in deleted]


def _identity(value: Any) -> Any:
    """Something hashable that is the same for equal values."""
    return value if isinstance(value, (str, int)) else (repr(value),)


def _in_order(merged: list[Any], order: list[Any], key: str | None) -> list[Any]:
    """The items in the order given; the others keep their place relative to what they followed."""

    def identity(item: Any) -> Any:
        return _identity(item.get(key) if key and isinstance(item, dict) else item)

    ranks = {identity(item): rank for rank, item in enumerate(order)}
    ranked = [one for one in merged if identity(one) in ranks]
    known = iter(sorted(ranked, key=lambda one: ranks[identity(one)]))
    return [next(known) if identity(one) in ranks else one for one in merged]
