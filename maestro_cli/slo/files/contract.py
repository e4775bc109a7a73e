"""What was promised to a customer and what is due when it is missed, as a YAML file: `maestro: contract/v1`.

Invariant: credits grow as the ratio falls; every objective that is named is there.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Literal

import msgspec

from maestro_cli.config.strict import read_yaml, suggestion
from maestro_cli.slo.files import figures
from maestro_cli.slo.files.found import Place
from maestro_cli.slo.report.model import Terms, Tier


class CreditSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Below this percentage, this share of the fee of the period is due, in percent too."""

    below_percent: float
    credit_percent: float


class ContractFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`judged` is the figure that counts: adjusted has what is excluded taken out."""

    maestro: Literal["contract/v1"]
    name: str
    customer: str
    objectives: list[str]
    period: Literal["week", "month", "quarter", "year"] = "month"
    zone: str = "UTC"
    judged: Literal["raw", "adjusted"] = "adjusted"
    credits: list[CreditSpec] = []


@dataclass(frozen=True, slots=True)
class Contract:
    """The terms, the zone that its periods begin in, and where it was read."""

    terms: Terms
    zone: str = "UTC"
    origin: str = ""


def read_contract(path: Path, known: Collection[str] | None = None) -> Contract:
    """Read one file; `known` are the names of objectives, where they are to be checked.

    Raises InvalidFile.
    """
    document = read_yaml(path)
    file, place = document.decode(ContractFile), Place(document)
    for key in ("name", "customer"):
        if not getattr(file, key).strip():
            raise place.at(key).fail("is empty")
    if not file.objectives:
        raise place.at("objectives").fail("names no objective", fix="maestro slo list names them")
    for number, name in enumerate(file.objectives):
        at = place.at("objectives", number)
        if name in file.objectives[:number]:
            raise at.fail("is there twice")
        if known is not None and name not in known:
            raise at.fail("there is no such objective", fix=suggestion(name, known))
    zone = figures.zone_at(place.at("zone"), file.zone)
    terms = Terms(
        file.name, file.customer, tuple(file.objectives), _tiers(place.at("credits"), file.credits),
        file.judged, file.period,
    )  # fmt: skip
    return Contract(terms, zone.key, place.origin)


def _tiers(place: Place, given: list[CreditSpec]) -> tuple[Tier, ...]:
    """In the order of the file, which is that of falling ratios."""
    for number, one in enumerate(given):
        if not 0 < one.credit_percent <= 100:
            at = place.at(number, "credit_percent")
            raise at.fail("is a percentage above 0 and at most 100", fix="credit_percent: 10")
    tiers = tuple(
        Tier(figures.percent(place.at(number, "below_percent"), one.below_percent), one.credit_percent)
        for number, one in enumerate(given)
    )
    for number, (before, after) in enumerate(pairwise(tiers), start=1):
        if after.below >= before.below or after.credit_percent <= before.credit_percent:
            raise place.at(number).fail(
                "does not come after the one before it", fix="lower ratio, higher credit"
            )
    return tiers
