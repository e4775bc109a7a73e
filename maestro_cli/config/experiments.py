"""What a context says of experiments. Invariant: a context that says nothing allows none that is guarded."""

from __future__ import annotations

import msgspec


class Blackout(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """No experiment for `duration` from each time of `cron` in `zone`."""

    name: str
    cron: str
    duration: str
    zone: str = "UTC"


class ExperimentRules(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """`namespaces` are the only ones whose objects may be hurt; `cap` is how many of those that serve beside
    one another, as a number or a share of them, which allows one at least and never all.
    """

    namespaces: list[str] = []
    cap: int | str = "25%"
    blackouts: list[Blackout] = []
