"""What a context says of experiments. Invariant: a context that says nothing allows none that is guarded."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

import msgspec

from maestro_cli.config.secrets import REFERENCES, is_reference
from maestro_cli.config.strict import Document, Path_
from maestro_cli.core.cron import began_at, parse_cron
from maestro_cli.core.quantities import parse_duration_seconds

_CAP = re.compile(r"[1-9][0-9]{0,3}|[0-9]{1,3}(\.[0-9]{1,3})?%")


class Blackout(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """No experiment for `duration` from each time of `cron` in `zone`."""

    name: str
    cron: str
    duration: str
    zone: str = "UTC"


class FaultHooks(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Where the model servers of pods take faults: `port`, and the `key` (a secret reference) for it.

    With `loopback` a pod that is reported at 10.244.n.m listens at 127.244.n.m, as on the embedded platform.
    """

    key: str
    port: int = 8080
    loopback: bool = False


class ExperimentRules(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """`namespaces` are the only ones whose objects may be hurt; `cap` is how many of those that serve beside
    one another, as a number or a share of them, which allows one at least and never all. `budgets` are judged
    by all that is `known` of them, where gaps may have been bad, or by what was `seen` alone. `embedded`: the
    load balancer and the kubelets are those of the embedded platform of this user, and carry out faults.
    `whole`: faults may meet what there is one of alone, as a whole workload, or a config map.
    """

    namespaces: list[str] = []
    cap: int | str = "25%"
    blackouts: list[Blackout] = []
    budgets: Literal["known", "seen"] = "known"
    server_faults: FaultHooks | None = None
    embedded: bool = False
    whole: bool = False


def check_experiments(document: Document, rules: ExperimentRules, at: Path_) -> None:
    """Raises InvalidFile for what nobody could go by."""
    if not _CAP.fullmatch(str(rules.cap)):
        raise document.fail("is neither a number nor a share", (*at, "cap"), fix="cap: 25%")
    hooks = rules.server_faults
    if hooks is not None and not is_reference(hooks.key):
        what = "a secret is a reference, not a value"
        raise document.fail(what, (*at, "server_faults", "key"), fix=f"write {REFERENCES}")
    for index, one in enumerate(rules.blackouts):
        try:
            holds(one, datetime.fromisoformat("2026-01-01T00:00:00+00:00"))
        except (ValueError, OSError, KeyError) as error:
            raise document.fail(str(error), (*at, "blackouts", index)) from error


def holds(blackout: Blackout, now: datetime) -> bool:
    """Whether it is one of those times; raises ValueError where it cannot be read."""
    duration = timedelta(seconds=parse_duration_seconds(blackout.duration))
    return began_at(parse_cron(blackout.cron), ZoneInfo(blackout.zone), duration, now) is not None
