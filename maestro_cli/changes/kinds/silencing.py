"""What silence and unsilence have in common: the alerts that one set of matchers takes in.

Invariant: a silence that a change made carries the change's id in its comment, and is found by it whatever id
Alertmanager gave it; silences with one mark are one silence.
"""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from maestro_cli.changes.kinds.kind import Permission, Request
from maestro_cli.changes.kinds.writing import Draft, Spec, WritingKind
from maestro_cli.changes.model import BlastRadius, Diff, DiffLine, Plan, Target
from maestro_cli.changes.ports import World
from maestro_cli.core.canonical import digest
from maestro_cli.core.errors import UsageError
from maestro_cli.core.facts.alerts import Alert, Silence
from maestro_cli.core.matchers import Matcher, parse_matchers
from maestro_cli.core.refs import ObjectRef
from maestro_cli.core.untrusted import Untrusted

_MARK = re.compile(r"\[maestro (chg-[0-9a-z]+)\]")
MAX_SHOWN = 50  # alerts in a plan


@dataclass(frozen=True, slots=True)
class Silencing:
    """The silences with exactly these matchers, oldest first; `over` are those that ended."""

    ref: ObjectRef
    matchers: tuple[Matcher, ...]
    live: tuple[Silence, ...]
    over: tuple[Silence, ...]

    @property
    def uid(self) -> str:
        """Matchers are no object that could be another one under the same name."""
        return digest(["matchers", self.ref.name])

    @property
    def resource_version(self) -> str:
        return digest([(one.id, one.ends_at) for one in self.live])

    @property
    def generation(self) -> int:
        return 0

    def marked(self, change_id: str) -> tuple[Silence, ...]:
        """Those that this change made, live or over."""
        return tuple(one for one in (*self.live, *self.over) if mark_of(one) == change_id)


class SilencingKind(WritingKind[Silencing]):
    """A kind whose target is a set of matchers. Alertmanager has no access review: it answers by the call."""

    permissions: ClassVar[tuple[Permission, ...]] = ()
    count: ClassVar[int]  # of silences that it adds

    def read(self, world: World, ref: ObjectRef) -> Silencing:
        if ref.kind != "Silence":
            raise UsageError(f"{ref} is not a silence", fix="name the matchers: silence/LABEL=VALUE,…")
        matchers = parse_matchers(ref.name)
        same = [one for one in world.alertmanager.silences() if one.matchers == matchers]
        same.sort(key=lambda one: (one.starts_at, one.id))
        live = tuple(one for one in same if not one.is_over)
        return Silencing(ref, matchers, live, tuple(one for one in same if one.is_over))

    def target(self, found: Silencing) -> Target:
        return Target(found.ref, found.uid, found.resource_version, 0, found.resource_version)

    def blast(self, world: World, found: Silencing, draft: Draft, request: Request) -> BlastRadius:
        return BlastRadius(
            workloads=0, replicas_now=0, replicas_after=0, namespace_share=0.0,
            recent=tuple(request.recent), alerts_hidden=len(self.touched(world, found)),
        )  # fmt: skip

    @abstractmethod
    def touched(self, world: World, found: Silencing) -> Sequence[Alert]:
        """The firing alerts that it hides, or lets be heard again."""

    def is_up(self, found: Silencing) -> bool:
        return True

    def spec_of(self, found: Silencing) -> Spec:
        return {"silences": len({mark_of(one) or one.id for one in found.live})}

    def part(self, spec: Spec) -> str:
        return digest(["silences", spec["silences"]])

    def spec(self, world: World, found: Silencing, plan: Plan) -> Spec:
        return {"silences": self.spec_of(found)["silences"] + self.count}


def mark_of(silence: Silence) -> str:
    """The change that made it, or ""."""
    match = _MARK.search(silence.comment)
    return match.group(1) if match else ""


def with_mark(comment: str, change_id: str) -> str:
    """The comment with this mark alone: one that was copied from another silence is left out."""
    return f"{without_mark(comment)} [maestro {change_id}]".strip()


def without_mark(comment: str) -> str:
    return _MARK.sub("", comment).strip()


def alerts_diff(alerts: Sequence[Alert], before: str, after: str) -> tuple[DiffLine, ...]:
    """A line for each alert, by its labels."""
    lines = [
        DiffLine(Untrusted(_labels(alert.labels)), Untrusted(before), Untrusted(after))
        for alert in sorted(alerts, key=lambda alert: _labels(alert.labels))
    ]
    if len(lines) > MAX_SHOWN:
        more = Untrusted(f"{len(lines) - MAX_SHOWN} alerts more")
        lines = [*lines[:MAX_SHOWN], DiffLine(more, Untrusted(before), Untrusted(after))]
    return tuple(lines)


def silence_diff(silence: str, before: str | None, after: str | None, rest: Sequence[DiffLine]) -> Diff:
    first = DiffLine(Untrusted(silence), *(None if t is None else Untrusted(t) for t in (before, after)))
    return Diff((first, *rest))


def _labels(labels: Mapping[str, str]) -> str:
    rest = ",".join(f"{name}={labels[name]}" for name in sorted(labels) if name != "alertname")
    return f"{labels.get('alertname', '')}{{{rest}}}"
