"""Budgets as a YAML file: `maestro: budgets/v1`. Invariant: an amount is above 0, and has a currency."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal

import msgspec

from maestro_cli.config.strict import Document, Path_, dotted, read_yaml
from maestro_cli.core.matchers import Matcher
from maestro_cli.core.untrusted import visible
from maestro_cli.cost.allocation.grouping import Filter
from maestro_cli.cost.allocation.sharing import IdleSharing
from maestro_cli.cost.budgets.model import Budget
from maestro_cli.cost.budgets.standing import WARN_SHARES

_SCOPES = ("namespace", "team", "model", "version", "workload")
_IDLE = {"none": IdleSharing.ROW, "node": IdleSharing.NODE, "cluster": IdleSharing.CLUSTER}
_MOST_NAME = 63


class ScopeSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who spends; all that is said must hold. `labels` are those of pods."""

    namespace: str | None = None
    team: str | None = None
    model: str | None = None
    version: str | None = None
    workload: str | None = None
    labels: dict[str, str] = {}


class BudgetSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`amount` a month; `warn` in percent of it. `forecast: fail` fails a month that will be over.

    `idle: none` leaves unused capacity out; `node` or `cluster` adds the part that falls to who spends.
    """

    amount: float
    scope: ScopeSpec = ScopeSpec()
    currency: str | None = None
    warn: tuple[float, ...] = tuple(100 * share for share in WARN_SHARES)
    forecast: Literal["warn", "fail"] = "warn"
    idle: Literal["none", "node", "cluster"] = "none"
    owner: str = ""


class BudgetsFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Budgets by name. `currency` is that of those that say none; without it, that of the prices."""

    maestro: Literal["budgets/v1"]
    budgets: dict[str, BudgetSpec]
    currency: str | None = None


def read_budgets(files: Iterable[Path], currency: str) -> tuple[Budget, ...]:
    """Those of all files, by name; `currency` is that of the prices. Raises InvalidFile."""
    found: dict[str, Budget] = {}
    for file in files:
        document = read_yaml(file)
        for budget, at in _budgets(document, currency):
            earlier = found.get(budget.name)
            if earlier is not None:
                raise document.fail("is there twice", at, why=f"{earlier.origin} has it too")
            found[budget.name] = budget
    return tuple(sorted(found.values(), key=lambda one: one.name))


def _budgets(document: Document, currency: str) -> Iterator[tuple[Budget, Path_]]:
    spec = document.decode(BudgetsFile)
    if not spec.budgets:
        raise document.fail("names no budget", ("budgets",), fix="budgets: {ml: {amount: 500}}")
    for name, one in spec.budgets.items():
        at: Path_ = ("budgets", name)
        if not name.strip() or len(name) > _MOST_NAME or name != visible(name):
            raise document.fail("is no name of a budget", at, fix=f"at most {_MOST_NAME} characters")
        _check(document, one, at)
        own = one.currency or spec.currency or currency
        if own != currency:
            key: Path_ = (*at, "currency") if one.currency else ("currency",)
            why = f"the prices are in {currency}, and nothing says what a {own} is"
            raise document.fail(f"is in {visible(own, 20)}", key, why=why, fix=f"currency: {currency}")
        yield (
            Budget(
                name=name,
                amount=one.amount,
                currency=own,
                where=_where(document, one.scope, (*at, "scope")),
                warn=tuple(sorted({share / 100 for share in one.warn})),
                fails_on_forecast=one.forecast == "fail",
                idle=_IDLE[one.idle],
                owner=one.owner,
                origin=f"{document.file}:{document.line_of(at)}",
            ),
            at,
        )


def _check(document: Document, one: BudgetSpec, at: Path_) -> None:
    if not (math.isfinite(one.amount) and one.amount > 0):
        raise document.fail("is no amount", (*at, "amount"), why="it is not above 0", fix="amount: 500")
    for index, share in enumerate(one.warn):
        if not 0 < share <= 1000:
            raise document.fail("is no percentage", (*at, "warn", index), fix="warn: [50, 80, 100]")


def _where(document: Document, scope: ScopeSpec, at: Path_) -> Filter:
    matchers = []
    for key in _SCOPES:
        value = getattr(scope, key)
        if value is not None:
            matchers.append(Matcher(key, _value(document, value, (*at, key))))
    for label, value in scope.labels.items():
        path: Path_ = (*at, "labels", label)
        if not label.strip():
            raise document.fail("is no label", path)
        matchers.append(Matcher(f"label_{label}", _value(document, value, path)))
    return Filter(tuple(matchers))


def _value(document: Document, value: str, at: Path_) -> str:
    if not value.strip():
        raise document.fail("is empty", at, why=f"{dotted(at)} would be of whoever says nothing")
    return value
