"""Whether a version is worth moving to cheaper storage.

    moving pays when  GiB · (p_hot − p_cold) · months  >  n · p_request + GiB read · p_back + early leave

over the months that are looked ahead. Objects below what a class charges at the least do not move (S3 leaves
those under 128 KiB where they are), and what leaves before the class's least days pays for all of them.

Invariant: what is kept is never moved; without a price there is no figure; nothing is ever deleted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from maestro_cli.core.untrusted import visible
from maestro_cli.cost.metering.model import GIB
from maestro_cli.cost.prices.model import HOURS_OF_A_MONTH, StorageClass
from maestro_cli.cost.storage.model import StoredVersion

DAY_SECONDS = 86_400


class Place(Enum):
    """What becomes of a version."""

    MOVE = "move"
    STAY = "stay"
    KEEP = "keep"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Outlook:
    """How long it will lie there, and what will be read of it: `reads_per_month` whole reads of a version."""

    months: float = 12.0
    reads_per_month: float = 0.0
    least_age_days: float = 30.0


@dataclass(frozen=True, slots=True)
class Tiering:
    """One version: what it costs where it is, what moving it costs once and saves, over the outlook.

    `once` is the requests of the move, `back` what reading it back costs; `saving` is what is left.
    """

    version: StoredVersion
    place: Place
    why: str
    monthly: float | None = None
    once: float | None = None
    back: float | None = None
    saving: float | None = None


def weigh_versions(
    versions: Iterable[StoredVersion],
    kept: Mapping[StoredVersion, str],
    *,
    hot: StorageClass | None,
    cold: StorageClass | None,
    outlook: Outlook,
    now: datetime,
) -> tuple[Tiering, ...]:
    """Every version with where it belongs; raises ValueError where both classes are one."""
    if hot is not None and cold is not None and hot.name == cold.name:
        raise ValueError(f"from {hot.name} to {cold.name} is no move")
    return tuple(_weigh(one, kept.get(one, ""), hot, cold, outlook, now) for one in versions)


def _weigh(
    one: StoredVersion,
    kept: str,
    hot: StorageClass | None,
    cold: StorageClass | None,
    outlook: Outlook,
    now: datetime,
) -> Tiering:
    size = one.size_bytes / GIB
    monthly = None if hot is None else size * hot.per_gib_hour * HOURS_OF_A_MONTH
    if kept:
        return Tiering(one, Place.KEEP, kept, monthly)
    elsewhere = [name for name in one.storage_classes if name and hot is not None and name != hot.name]
    if elsewhere and (cold is None or one.storage_classes != (cold.name,)):
        return Tiering(one, Place.STAY, f"some of it is in {visible(elsewhere[0], 40)}")
    if cold is not None and one.storage_classes == (cold.name,):
        return Tiering(
            one, Place.STAY, f"it is in {cold.name} already", size * cold.per_gib_hour * HOURS_OF_A_MONTH
        )
    if hot is None or cold is None:
        return Tiering(
            one, Place.UNKNOWN, f"no price of {'where it is' if hot is None else 'where it would go'}"
        )
    if cold.per_thousand_requests is None or cold.per_gib_retrieved is None:
        return Tiering(one, Place.UNKNOWN, f"no price of requests to, or reading from, {cold.name}", monthly)
    age_days = (now - one.written_at).total_seconds() / DAY_SECONDS
    if age_days < outlook.least_age_days:
        return Tiering(one, Place.STAY, f"written {max(age_days, 0):.0f} days ago", monthly)
    return _figures(one, hot, cold, outlook, monthly or 0.0)


def _figures(
    one: StoredVersion, hot: StorageClass, cold: StorageClass, outlook: Outlook, monthly: float
) -> Tiering:
    moving = (one.size_bytes - one.small_objects_bytes) / GIB
    once = one.objects * (cold.per_thousand_requests or 0.0) / 1000
    back = moving * outlook.reads_per_month * outlook.months * (cold.per_gib_retrieved or 0.0)
    stays_months = max(outlook.months, cold.least_days * 24 / HOURS_OF_A_MONTH)
    cheaper = hot.per_gib_hour * outlook.months - cold.per_gib_hour * stays_months
    saving = moving * cheaper * HOURS_OF_A_MONTH - once - back
    if saving <= 0:
        reason = f"moving it would cost {-saving:.2g} more than it saves in {outlook.months:g} months"
        return Tiering(one, Place.STAY, reason, monthly, once, back, saving)
    return Tiering(one, Place.MOVE, f"to {cold.name}", monthly, once, back, saving)
