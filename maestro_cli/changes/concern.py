"""Whether a part of a policy is about a plan, and in which namespaces the plan changes anything.

Invariant: the target and all that it reaches count alike. What could not be read counts as what the part is
about: no rule is passed by what nobody saw.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase

from maestro_cli.changes.model import Plan, Reached, Unread
from maestro_cli.changes.policy_file import Budget, Freeze, Rule
from maestro_cli.core.matchers import parse_matchers
from maestro_cli.core.refs import ObjectRef
from maestro_cli.core.selectors import selector_matches

_SHOWN = 3


def why_about(part: Rule | Freeze | Budget, plan: Plan) -> str | None:
    """Why a part of the policy is about a plan; "" for the target itself, None when it is not."""
    if _is_about(part, Reached(plan.target.ref, plan.labels)):
        return ""
    for one in plan.blast.reaches:
        if _is_about(part, one):
            return f"it reaches {one.ref}" + (
                "" if one.labels is not None else ", whose labels are not known"
            )
    missing = unread_of(plan)
    return f"it may be about this, for want of the {missing[0].what.partition(':')[0]}" if missing else None


def _is_about(part: Rule | Freeze | Budget, one: Reached) -> bool:
    if part.targets and not any(fnmatchcase(str(one.ref), pattern) for pattern in part.targets):
        return False
    return not part.selector or one.labels is None or selector_matches(part.selector, one.labels)


def unread_of(plan: Plan) -> Sequence[Unread]:
    """What of a plan's reach is not known; of a server nobody knows which workload it is."""
    ref = plan.target.ref
    own = [Unread(f"workload that answers as {ref}")] if ref.kind == "Server" else []
    return (*own, *plan.blast.unread)


def named(plan: Plan) -> str:
    """The target and what it reaches, in short."""
    names = [str(ref) for ref in _refs(plan)]
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more


def namespaces_of(plan: Plan) -> Sequence[str]:
    """Every namespace in which a change alters, ends or hides something, as far as that is known."""
    return sorted({*plan.blast.namespaces, *filter(None, (_namespace(ref) for ref in _refs(plan)))})


def nowhere(plan: Plan) -> str:
    """What is reached and may be in any namespace, in words; empty when there is nothing of it."""
    ref = plan.target.ref
    if not _namespace(ref) and ref.kind != "Node":
        return str(ref)
    return next((one.what for one in unread_of(plan) if not one.namespace), "")


def _refs(plan: Plan) -> Iterator[ObjectRef]:
    yield plan.target.ref
    yield from (one.ref for one in plan.blast.reaches)


def _namespace(ref: ObjectRef) -> str:
    """Its own; that of a silence is the one to which its matchers pin it."""
    if ref.kind != "Silence":
        return ref.namespace
    pinned = [one for one in parse_matchers(ref.name) if one.label == "namespace"]
    return next((one.value for one in pinned if one.is_equal and not one.is_regex), "")
