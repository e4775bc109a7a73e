"""How long a fault lasts by itself. Invariant: longer than it is wanted, or it is refused: never shorter."""

from __future__ import annotations

from maestro_cli.core.errors import GateNotMet
from maestro_cli.core.quantities import format_duration

LEASH_SECONDS = 30.0  # how much longer it lasts by itself than it is wanted, should nobody be there to end it


def leashed(seconds: float, most: float) -> float:
    """Seconds until it ends by itself; raises GateNotMet where it cannot last so long (`most`)."""
    lasts = seconds + LEASH_SECONDS
    if lasts > most:
        longest = format_duration(most - LEASH_SECONDS)
        raise GateNotMet(
            f"a fault of this kind lasts {longest} at most",
            why=f"it would end by itself before the declared {format_duration(seconds)} are over",
            fix=f"duration: {longest}",
        )
    return lasts
