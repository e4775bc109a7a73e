"""What was asked of a store of models, and what was found; both stand side by side."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from maestro_cli.core.errors import NoData
from maestro_cli.cost.storage.keeping import NEWEST
from maestro_cli.cost.storage.lifecycle import GCS_CLASSES, Policy, gcs_policy, s3_policy
from maestro_cli.cost.storage.tiering import Place, Tiering


@dataclass(frozen=True, slots=True)
class StorageWanted:
    """What `maestro cost storage` was asked for; `needed` are `MODEL@VERSION` that stay in any case."""

    store: Path
    prefix: str = ""
    hot: str = "STANDARD"
    cold: str = "STANDARD_IA"
    prices: Path | None = None
    newest: int = NEWEST
    months: float = 12.0
    reads_per_month: float = 0.0
    least_age_days: float = 30.0
    needed: tuple[str, ...] = ()
    offline: bool = False


@dataclass(frozen=True, slots=True)
class Stored:
    """What was found; `others` objects are of no version."""

    wanted: StorageWanted
    at: datetime
    currency: str
    items: tuple[Tiering, ...]
    others: int
    others_bytes: int
    unknown: str

    @property
    def unpriced(self) -> int:
        """How many versions it cannot be told of whether moving them pays."""
        return sum(item.place is Place.UNKNOWN for item in self.items)

    @property
    def saving(self) -> float | None:
        """Of those that move: a lower bound where some have no price, None where these are all that might."""
        moved = [item.saving or 0.0 for item in self.items if item.place is Place.MOVE]
        return sum(moved) if moved or not self.unpriced else None

    def policy(self) -> Policy:
        """For S3, or for GCS where the class is one of its own; raises UsageError, NoData."""
        if self.unknown:
            raise NoData(
                "every version stays: there is no policy",
                why=f"who needs which version is not known: {self.unknown}",
                fix="--offline asks nobody: what stays is then --needed and the newest, --keep",
            )
        days = round(self.wanted.least_age_days)
        made = gcs_policy if self.wanted.cold in GCS_CLASSES else s3_policy
        return made(self.items, self.wanted.cold, days)
