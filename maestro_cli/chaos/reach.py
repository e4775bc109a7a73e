"""What a Chaos Toolkit document may do besides looking, told from the document alone. Pure.

Invariant: whatever is not known to look may act. Chaos Toolkit performs a probe as it performs an action, in
the hypothesis, in a tolerance and in the configuration too, and a control may do anything at any time. So the
type that an activity gives itself says nothing: what it calls does.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeGuard

ACTIONS, PROBES = "maestro_cli.chaos.actions", "maestro_cli.chaos.probes"
INJECT, FAILOVER = "inject", "failover"
ACTING = frozenset(
    {INJECT, "hold", "undo", "recovered", "sentinels", FAILOVER}
)  # of ACTIONS: carried out by maestro, under its guard
LOOKING = frozenset({"value", "ready_pods", "served"})  # of PROBES

CLUSTER = "chaosk8s"  # the extension of Chaos Toolkit that asks the cluster of a kubeconfig

Place = tuple[str | int, ...]
_ACTIVITIES: tuple[Place, ...] = (("steady-state-hypothesis", "probes"), ("method",), ("rollbacks",))
_CONTROLS: tuple[Place, ...] = (("controls",), ("steady-state-hypothesis", "controls"))


@dataclass(frozen=True, slots=True)
class Part:
    """One part that may do more than look; `is_bounded`: it only asks maestro, whose guard bounds it."""

    place: Place
    what: str
    is_bounded: bool = False


def acting(document: Mapping[str, Any], given: Mapping[str, Any]) -> Iterator[Part]:
    """Each part that may act, in order; `given` are the configuration and secrets that override its own.

    A `ref` needs no look of its own: it names an activity of the same document.
    """
    for place in _ACTIVITIES:
        for index, activity in enumerate(_at(document, place)):
            yield from _of_activity((*place, index), activity)
    for place in _CONTROLS:
        yield from _of_controls(place, _at(document, place))
    for source in (document, given):
        for part in ("configuration", "secrets"):
            yield from _of_settings((part,), source.get(part))


def asks_cluster(document: Any) -> bool:
    """Whether anything of it, wherever it stands, calls the extension of Chaos Toolkit for Kubernetes."""
    if isinstance(document, Mapping):
        module = str(document.get("module") or "")
        return module.split(".")[0] == CLUSTER or any(map(asks_cluster, document.values()))
    return isinstance(document, list) and any(map(asks_cluster, document))


def _of_activity(place: Place, activity: Mapping[str, Any]) -> Iterator[Part]:
    what = f"the {activity.get('type') or 'activity'} {str(activity.get('name') or '')!r}"
    provider, tolerance = activity.get("provider"), activity.get("tolerance")
    if provider is not None and not _looks(provider):
        yield Part(place, what, is_bounded=_calls(provider, ACTIONS, ACTING))
    if _is_probe(tolerance) and not _looks(tolerance.get("provider")):
        yield Part((*place, "tolerance"), f"the tolerance of {what}")
    yield from _of_controls((*place, "controls"), activity.get("controls") or ())


def _of_controls(place: Place, controls: Any) -> Iterator[Part]:
    for index, control in enumerate(controls):
        yield Part((*place, index), f"the control {str(control.get('name') or '')!r}")


def _of_settings(place: Place, value: Any) -> Iterator[Part]:
    """A probe that gives a value, and what may become one: a tolerance may name a value, and run it."""
    if isinstance(value, Mapping):
        if _is_probe(value) or value.get("env_var_type") == "json":
            yield Part(place, f"what gives {'.'.join(map(str, place))} its value")
            return
        for key, one in value.items():
            yield from _of_settings((*place, key), one)
    elif isinstance(value, list):
        for index, one in enumerate(value):
            yield from _of_settings((*place, index), one)


def _is_probe(value: Any) -> TypeGuard[Mapping[str, Any]]:
    return isinstance(value, Mapping) and value.get("type") == "probe"


def _looks(provider: Any) -> bool:
    if not isinstance(provider, Mapping):
        return False
    if provider.get("type") == "http":
        return str(provider.get("method", "GET")).upper() == "GET"
    return _calls(provider, PROBES, LOOKING)


def _calls(provider: Mapping[str, Any], module: str, functions: frozenset[str]) -> bool:
    called = (provider.get("type"), provider.get("module"))
    return called == ("python", module) and provider.get("func") in functions


def _at(document: Mapping[str, Any], place: Place) -> Any:
    found: Any = document
    for key in place:
        found = found[key] if isinstance(found, Mapping) and key in found else None
    return found or ()
