"""What costs are told by, and which of them.

A grouping is names divided by commas: `namespace`, `workload`, `team`, … or `label:NAME` for a label of pods.
A filter has label matchers over the same names; a name that is none of them is a label of pods.

Invariant: two things of one name in two namespaces are never one row.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from maestro_cli.core.errors import UsageError
from maestro_cli.core.matchers import Matcher, matchers_text, parse_matchers
from maestro_cli.core.promql import exported_label
from maestro_cli.core.refs import ref_of
from maestro_cli.core.untrusted import visible
from maestro_cli.cost.metering.model import ContainerRef, NodeRef

LABEL = "label:"


@dataclass(frozen=True, slots=True)
class Place:
    """A subject of charges where it ran."""

    ref: ContainerRef
    node: NodeRef | None
    cluster: str


def _workload(place: Place) -> str:
    ref = place.ref
    if ref.workload:
        return str(ref_of(ref.workload_kind, ref.namespace, ref.workload))
    return str(ref_of("Pod", ref.namespace, ref.pod)) if ref.pod else ""


def _joined(*parts: str) -> str:
    return "/".join(parts) if parts[-1] else ""


_KEYS: Mapping[str, Callable[[Place], str]] = {
    "container": lambda one: _joined(one.ref.namespace, one.ref.pod, one.ref.container),
    "pod": lambda one: _joined(one.ref.namespace, one.ref.pod),
    "workload": _workload,
    "namespace": lambda one: one.ref.namespace,
    "team": lambda one: one.ref.team,
    "model": lambda one: one.ref.model,
    "version": lambda one: one.ref.version,
    "qos": lambda one: one.ref.qos,
    "node": lambda one: one.ref.node,
    "zone": lambda one: one.node.zone if one.node else "",
    "region": lambda one: one.node.region if one.node else "",
    "instance_type": lambda one: one.node.instance_type if one.node else "",
    "capacity": lambda one: one.node.capacity.value if one.node else "",
    "cluster": lambda one: one.cluster,
}
GROUPINGS = tuple(_KEYS)


def parse_grouping(text: str) -> tuple[str, ...]:
    """The keys of a grouping; raises UsageError for one that there is not, or twice."""
    keys = tuple(part.strip() for part in text.split(",") if part.strip())
    for key in keys:
        if key not in _KEYS and not (key.startswith(LABEL) and key != LABEL):
            near = difflib.get_close_matches(key, GROUPINGS, 1)
            raise UsageError(
                f"costs cannot be told by {visible(key, 60)!r}",
                why=f"there is {', '.join(GROUPINGS)}, and {LABEL}NAME for a label of pods",
                fix=f"--by {near[0] if near else 'namespace'}",
            )
    if not keys or len(set(keys)) != len(keys):
        raise UsageError(f"{visible(text, 60)!r} names no key, or one twice", fix="--by namespace,workload")
    return keys


def keys_of(grouping: Iterable[str], place: Place) -> tuple[str, ...]:
    """The values of a grouping's keys, "" for those that the subject has not."""
    return tuple(_value(key, place) for key in grouping)


def _value(key: str, place: Place) -> str:
    if key.startswith(LABEL):
        return place.ref.labels.get(exported_label(key.removeprefix(LABEL)), "")
    return _KEYS[key](place)


@dataclass(frozen=True, slots=True)
class Filter:
    """Matchers that all must hold; without one, everything is taken."""

    matchers: tuple[Matcher, ...] = ()

    @classmethod
    def parse(cls, text: str) -> Filter:
        """Raises UsageError."""
        found = cls(parse_matchers(text))
        for one in found.matchers:
            if one.is_regex:
                _compiled(one)
        return found

    def takes(self, place: Place) -> bool:
        return all(self._holds(one, place) for one in self.matchers)

    def _holds(self, one: Matcher, place: Place) -> bool:
        key = one.label
        value = _value(key if key in _KEYS else LABEL + key.removeprefix("label_"), place)
        taken = bool(_compiled(one).fullmatch(value)) if one.is_regex else value == one.value
        return taken is one.is_equal

    def __str__(self) -> str:
        return matchers_text(self.matchers)


def _compiled(one: Matcher) -> re.Pattern[str]:
    try:
        return re.compile(one.value, re.DOTALL)
    except re.error as error:
        raise UsageError(f"{visible(str(one), 100)} cannot be read: {error}") from error
