"""The rules that a Prometheus says it has loaded. Invariant: what it says is untrusted text.

Format: https://prometheus.io/docs/prometheus/latest/querying/api/#rules
"""

from __future__ import annotations

import msgspec

from maestro_cli.core.facts.rules import LoadedRule
from maestro_cli.core.untrusted import Untrusted


class _Rule(msgspec.Struct, rename="camel"):
    name: str
    query: str
    type: str = ""
    duration: float = 0.0
    keep_firing_for: float = 0.0
    labels: dict[str, str] | None = None
    annotations: dict[str, str] | None = None
    last_error: str = ""


class _Group(msgspec.Struct):
    name: str = ""
    file: str = ""
    rules: list[_Rule] | None = None


class RuleGroups(msgspec.Struct):
    """The data of an answer."""

    groups: list[_Group] | None = None


def loaded_rules(answer: RuleGroups) -> tuple[LoadedRule, ...]:
    """Every rule, in the order of its group."""
    return tuple(_rule(rule, group) for group in answer.groups or [] for rule in group.rules or [])


def _rule(item: _Rule, group: _Group) -> LoadedRule:
    return LoadedRule(
        kind="alert" if item.type == "alerting" else "record",
        name=Untrusted(item.name),
        query=Untrusted(item.query),
        labels={name: Untrusted(text) for name, text in (item.labels or {}).items()},
        annotations={name: Untrusted(text) for name, text in (item.annotations or {}).items()},
        hold_seconds=item.duration,
        keep_seconds=item.keep_firing_for,
        group=Untrusted(group.name),
        file=Untrusted(group.file),
        error=Untrusted(item.last_error),
    )
