"""Who bears what nobody asked for: idle capacity, shared namespaces, overhead.

Invariant: a step moves amounts and makes none; what nobody is there to bear in an hour stays where it was.
All steps work hour by hour, so that two days told apart add up to both told together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, TypeAlias

from maestro_cli.cost.allocation.model import Component, RowKind
from maestro_cli.cost.allocation.sums import Groups, quotient
from maestro_cli.cost.metering.model import Matrix

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from maestro_cli.cost.allocation.charging import Charges

    Codes: TypeAlias = "NDArray[np.intp]"

RESOURCES = (Component.CPU, Component.MEMORY, Component.GPU)


class IdleSharing(Enum):
    """Among whom idle capacity is shared, in proportion to the cost of the same resource."""

    ROW = "row"  # not at all: rows of its own
    NODE = "node"
    CLUSTER = "cluster"


class Spread(Enum):
    """How a shared cost falls to those who share it."""

    COST = "cost"
    EVEN = "even"  # the same for every row of the report
    METRIC = "metric"  # by a figure of each namespace


class Step(Enum):
    """What is shared out; the order decides whether a shared namespace brings its share of idle along."""

    IDLE = "idle"
    NAMESPACES = "namespaces"
    OVERHEAD = "overhead"


USUAL_ORDER = (Step.IDLE, Step.NAMESPACES, Step.OVERHEAD)
_WORDS = {Spread.COST: "by cost", Spread.EVEN: "evenly", Spread.METRIC: "by the weights of namespaces"}


@dataclass(frozen=True, slots=True)
class SharedNamespace:
    """A namespace whose cost falls to all others; `weights` by namespace are for Spread.METRIC."""

    namespace: str
    spread: Spread = Spread.COST
    weights: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Sharing:
    """What is shared out, how, and in which order."""

    idle: IdleSharing = IdleSharing.ROW
    namespaces: tuple[SharedNamespace, ...] = ()
    overhead: Spread | None = None
    overhead_weights: Mapping[str, float] = field(default_factory=dict)
    order: tuple[Step, ...] = USUAL_ORDER

    def __str__(self) -> str:
        told = [] if self.idle is IdleSharing.ROW else [f"idle within the {self.idle.value} by cost"]
        told += [f"namespace {one.namespace} {_WORDS[one.spread]}" for one in self.namespaces]
        told += [] if self.overhead is None else [f"overhead {_WORDS[self.overhead]}"]
        if told and self.order != USUAL_ORDER:
            told.append(f"in the order {', '.join(one.value for one in self.order)}")
        return ", ".join(told)


def share_out(charges: Charges, sharing: Sharing, groups: Sequence[int]) -> None:
    """Move amounts within `charges.cells`, step by step; `groups` has the number of each subject's row."""
    shared = {one.namespace for one in sharing.namespaces}
    for step in sharing.order:
        if step is Step.IDLE:
            _share_idle(charges, sharing.idle)
        elif step is Step.NAMESPACES:
            bearers = charges.rows(lambda kind, ref: kind is RowKind.SPENDER and ref.namespace not in shared)
            for one in sharing.namespaces:
                sources = charges.rows(
                    lambda kind, ref, name=one.namespace: kind is not RowKind.IDLE and ref.namespace == name
                )
                fractions = _fractions(charges, bearers, one.spread, one.weights, groups)
                _move(charges, sources, bearers, fractions)
        elif sharing.overhead is not None:
            sources = charges.rows(lambda kind, ref: kind is RowKind.OVERHEAD)
            bearers = charges.rows(lambda kind, ref: kind is RowKind.SPENDER and ref.namespace not in shared)
            fractions = _fractions(charges, bearers, sharing.overhead, sharing.overhead_weights, groups)
            _move(charges, sources, bearers, fractions)


def _share_idle(charges: Charges, how: IdleSharing) -> None:
    """Each resource by itself: idle memory falls to who pays for memory."""
    import numpy as np

    if how is IdleSharing.ROW:
        return
    nodes = charges.idle_rows
    where = charges.node_of
    if how is IdleSharing.CLUSTER:
        where = np.where(where >= 0, 0, -1)
    at = np.flatnonzero(where >= 0)
    here = Groups(where[at], 1 if how is IdleSharing.CLUSTER else len(nodes))
    for resource in RESOURCES:
        cells = charges.cells.get(resource)
        if cells is None or not len(nodes):
            continue
        paid = here.sums(cells[at])
        idle = cells[nodes]
        pool = idle.sum(axis=0, keepdims=True) if how is IdleSharing.CLUSTER else idle
        charges.of(Component.IDLE)[at] += quotient(cells[at], paid[here.codes]) * pool[here.codes]
        cells[nodes] = np.where(paid > 0, 0.0, idle)


def _fractions(
    charges: Charges, bearers: Codes, spread: Spread, weights: Mapping[str, float], groups: Sequence[int]
) -> Matrix:
    """The share of each bearer in each hour; a column of zeros where there is nobody."""
    import numpy as np

    costs = np.maximum(charges.total[bearers], 0.0)
    if spread is Spread.COST:
        return quotient(costs, costs.sum(axis=0))
    if spread is Spread.EVEN:
        codes = np.asarray(groups, dtype=np.intp)[bearers]
        count = int(codes.max(initial=-1)) + 1
        figures = np.ones(count)
    else:
        names = [charges.subjects[row][1].namespace for row in bearers]
        known = sorted(set(names))
        codes = np.searchsorted(known, names) if known else np.zeros(0, dtype=np.intp)
        count, figures = len(known), np.asarray([max(weights.get(name, 0.0), 0.0) for name in known])
    paid = Groups(codes, count).sums(costs)
    there = np.where(paid > 0, figures[:, None], 0.0)
    return quotient(costs, paid[codes]) * quotient(there, there.sum(axis=0))[codes]


def _move(charges: Charges, sources: Codes, bearers: Codes, fractions: Matrix) -> None:
    import numpy as np

    if not len(sources):
        return
    borne = fractions.sum(axis=0) > 0
    pool = charges.total[sources].sum(axis=0)
    charges.of(Component.SHARED)[bearers] += fractions * pool
    for cells in charges.cells.values():
        cells[sources] = np.where(borne, 0.0, cells[sources])
