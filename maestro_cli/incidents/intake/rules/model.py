"""Rules as read: frozen data, and which of them takes a signal.

Invariant: pure and deterministic. The first rule whose matchers all hold takes a signal, in the order of the
file; the last rule takes every signal, so that each has exactly one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from maestro_cli.config.locations import shipped
from maestro_cli.core.workload_labels import workload_of
from maestro_cli.incidents.intake.correlation import IntakePolicy, incident_key, key_part
from maestro_cli.runbooks.playbooks.matchers import Matcher, mismatch
from maestro_cli.runbooks.playbooks.model import Playbook

STORM_PREFIX = ("storm",)
SHIPPED = "incident-rules.yaml"  # in deploy/
DEFAULT_UNUSED_SECONDS = 30 * 86_400.0


Same = Literal["workload", "node", "dependency"]
ResolveOn = Literal["all", "first", "never"]


@dataclass(frozen=True, slots=True)
class FlapLimit:
    """A signal that comes back `times` times within so long flaps."""

    times: int
    within_seconds: float


DEFAULT_FLAP_LIMIT = FlapLimit(4, 1800.0)


@dataclass(frozen=True, slots=True)
class Rule:
    """How the signals that it takes become incidents; `file` and `line` say where it is written.

    `prefix` begins its keys; a rule without `group_by` groups by workload, under keys that all such share.
    """

    id: str
    matchers: tuple[Matcher, ...] = ()
    group_by: tuple[str, ...] = ()
    same: tuple[Same, ...] = ("workload",)
    window_seconds: float = 600.0
    threshold: int = 1
    reopen_window_seconds: float = 900.0
    flapping: FlapLimit | None = None
    resolve_on: ResolveOn = "never"
    title: str = ""
    prefix: tuple[str, ...] = ()
    by_labels: bool = False
    file: str = ""
    line: int = 1

    def mismatch(self, labels: Mapping[str, str]) -> str:
        """Why it does not take a signal, in words; empty when it does."""
        return mismatch(self.matchers, labels)

    def key(self, labels: Mapping[str, str]) -> str:
        """The key that signals of one incident share."""
        if not self.by_labels:
            about = "node" in self.same and not workload_of(labels) and not labels.get("pod")
            if about and labels.get("node"):
                return f"node/{key_part(labels['node'])}"
            return incident_key(labels)
        parts = (key_part(labels.get(label, "")) for label in self.group_by)
        return "/".join((*self.prefix, *parts))

    @property
    def is_shipped(self) -> bool:
        """Whether it came with maestro: that it finds nothing to match in a context is nobody's mistake."""
        return self.file == str(shipped_rules())

    @property
    def is_storm(self) -> bool:
        """Whether it counts incidents that begin at once, and takes no signal by its labels."""
        return self.prefix == STORM_PREFIX

    @property
    def is_by_topology(self) -> bool:
        """Whether signals of several workloads may be one incident by where they are."""
        return not self.by_labels and self.same != ("workload",)

    @property
    def is_of_playbook(self) -> bool:
        """Whether it is the `correlation` of a playbook."""
        return self.prefix[:1] == ("playbook",)

    @property
    def told(self) -> str:
        """How it groups, in words."""
        return (
            f"by {', '.join(self.group_by) or 'nothing'}" if self.by_labels else f"by {', '.join(self.same)}"
        )


def shipped_rules() -> Path:
    return shipped("deploy") / SHIPPED


EVERY_SIGNAL = Rule("workload")


def rule_of_playbook(playbook: Playbook) -> Rule | None:
    """The rule that the `correlation` of a playbook comes to, None when it has none."""
    correlation = playbook.correlation
    if correlation is None:
        return None
    return Rule(
        id=f"playbook {playbook.id}",
        group_by=correlation.group_by,
        window_seconds=correlation.window_seconds,
        threshold=correlation.threshold,
        flapping=DEFAULT_FLAP_LIMIT,
        prefix=("playbook", key_part(playbook.id)),
        by_labels=True,
        file=playbook.file,
        line=playbook.line_of("correlation"),
    )


@dataclass(frozen=True, slots=True)
class RuleBook:
    """Every rule there is, in order, and the table of intake.

    `dependencies` are the workloads that each workload `ns/name` needs, `needs` also those through others.
    `storm` opens one incident for more keys than its threshold that begin within its window.
    """

    rules: tuple[Rule, ...] = (EVERY_SIGNAL,)
    policy: IntakePolicy = field(default_factory=IntakePolicy)
    storm: Rule | None = None
    dependencies: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    needs: Mapping[str, frozenset[str]] = field(default_factory=dict)
    unused_after_seconds: float = DEFAULT_UNUSED_SECONDS

    def match(self, labels: Mapping[str, str]) -> Rule:
        """The first rule that takes a signal."""
        return next((one for one in self.rules if not one.mismatch(labels)), EVERY_SIGNAL)

    def why_not(self, labels: Mapping[str, str]) -> Sequence[tuple[Rule, str]]:
        """Each other rule, and why it does not take the signal."""
        found = self.match(labels)
        return tuple(
            (one, one.mismatch(labels) or f"it matches too; {found.id} comes first")
            for one in self.rules
            if one is not found
        )
