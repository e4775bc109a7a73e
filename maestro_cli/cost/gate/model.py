"""What manifests ask for, what that costs a month, and how two sets of them differ.

Units: cores, GiB, GPUs, a currency unit a month of `HOURS_OF_A_MONTH`. Invariant: what a manifest does not
say is named in `unknown` and is never 0; an amount beside an unknown is a lower bound.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from maestro_cli.core.refs import ObjectRef
from maestro_cli.core.verdict import Judgement
from maestro_cli.cost.prices.model import HOURS_OF_A_MONTH, Capacity


class Scale(Enum):
    """Which end of what autoscaling permits."""

    LEAST = "min"
    MOST = "max"


@dataclass(frozen=True, slots=True)
class Claim:
    """One persistent volume; without `gib` nobody said how large. An empty class is the cluster's default."""

    storage_class: str
    gib: float | None


@dataclass(frozen=True, slots=True)
class Asked:
    """What one object asks for: `least` to `most` replicas, each with these requests and claims.

    `hours` is how long a month they run. `claims` are of a replica, `own_claims` of the object whatever its
    replicas are. `extended` are resources of device plugins by name. `parts` are other groups of pods of the
    same object. `unknown` says what a cost cannot be told without, `notes` what it was told by all the same.
    `content` and `runs` are what else makes it another: a digest of what was not read; when a job runs, or
    where a DaemonSet does.
    """

    least: float = 1.0
    most: float = 1.0
    cpu: float = 0.0
    memory_gib: float = 0.0
    gpus: float = 0.0
    gpu: str = ""
    capacity: Capacity = Capacity.ON_DEMAND
    claims: tuple[Claim, ...] = ()
    own_claims: tuple[Claim, ...] = ()
    balancers: int = 0
    hours: float = HOURS_OF_A_MONTH
    unknown: tuple[str, ...] = ()
    extended: tuple[tuple[str, float], ...] = ()
    parts: tuple[Asked, ...] = ()
    content: str = ""
    runs: str = ""
    notes: tuple[str, ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class Assumed:
    """What no manifest says: `nodes` for DaemonSets, `job_hours` a month for jobs; None is not known.

    Of `ignored` kinds, and resources of device plugins, what is not known is taken for nothing.
    """

    namespace: str = "default"
    nodes: int | None = None
    job_hours: float | None = None
    ignored: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Span:
    """From the fewest to the most replicas."""

    least: float
    most: float


@dataclass(frozen=True, slots=True)
class Manifests:
    """What the objects of one side ask for. `elsewhere` are autoscalers' targets that are not there."""

    asked: Mapping[ObjectRef, Asked]
    elsewhere: frozenset[ObjectRef] = frozenset()


@dataclass(frozen=True, slots=True)
class Monthly:
    """A month at the fewest and at the most replicas; lower bounds where there is an unknown. `notes` are
    prices that were taken for want of others.
    """

    least: float
    most: float
    unknown: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def at(self, scale: Scale) -> float:
        return self.least if scale is Scale.LEAST else self.most


@dataclass(frozen=True, slots=True)
class Changed:
    """One object on both sides; None where it is not. `same`: it asks for the same, so that nothing changes,
    known or not.
    """

    ref: ObjectRef
    old: Monthly | None
    new: Monthly | None
    old_asked: Asked | None
    new_asked: Asked | None

    @property
    def same(self) -> bool:
        return self.old_asked == self.new_asked

    def increase(self, scale: Scale) -> float:
        """What is known to come on top; where one side has an unknown, not the whole of it."""
        if self.same:
            return 0.0
        return (self.new.at(scale) if self.new else 0.0) - (self.old.at(scale) if self.old else 0.0)

    @property
    def unknown(self) -> tuple[str, ...]:
        """Of either side, whether it changes or not."""
        sides = (one.unknown for one in (self.new, self.old) if one is not None)
        return tuple(dict.fromkeys(text for side in sides for text in side))

    @property
    def unknown_before(self) -> tuple[str, ...]:
        return self.old.unknown if self.old is not None and not self.same else ()

    @property
    def unknown_after(self) -> tuple[str, ...]:
        return self.new.unknown if self.new is not None and not self.same else ()


@dataclass(frozen=True, slots=True)
class Comparison:
    """All objects of both sides, by name."""

    changed: tuple[Changed, ...]
    notes: tuple[str, ...] = ()

    def increase(self, scale: Scale) -> float:
        return sum(one.increase(scale) for one in self.changed)

    def before(self, scale: Scale) -> float:
        return sum(one.old.at(scale) for one in self.changed if one.old is not None)

    def after(self, scale: Scale) -> float:
        return sum(one.new.at(scale) for one in self.changed if one.new is not None)

    @property
    def is_known(self) -> bool:
        """Whether nothing that changes is unknown: else an increase is only what is known of it."""
        return not any(one.unknown_before or one.unknown_after for one in self.changed)

    @property
    def different(self) -> tuple[Changed, ...]:
        """Those that do not ask for the same; the dearest increase first."""
        found = [one for one in self.changed if not one.same]
        return tuple(sorted(found, key=lambda one: (-abs(one.increase(Scale.MOST)), str(one.ref))))

    @property
    def coverage(self) -> float:
        """The share of the objects that cost something of which all is known; 1 without one."""
        if not self.changed:
            return 1.0
        known = sum(1 for one in self.changed if not one.unknown)
        return known / len(self.changed)


@dataclass(frozen=True, slots=True)
class Limits:
    """What a gate allows a month: an `increase`, in money or as a share of the cost before; a `total`."""

    increase: float | None = None
    increase_share: float | None = None
    total: float | None = None


@dataclass(frozen=True, slots=True)
class Judged:
    """One limit and what came of it; `bound` is the limit in money, None where it could not be told."""

    rule: str
    bound: float | None
    judgement: Judgement
