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

_PLACE = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?/[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")
_URL = re.compile(r"https?://[^\s/@]+(/\S*)?")
_SERVICE = re.compile(r"[a-z0-9A-Z]([-a-z0-9A-Z_.]{0,61}[a-z0-9A-Z])?")
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


class Failover(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """What a failover of this region is made with. A region is called as its context is, at the entrance too.

    `to` is the context of the region that takes over. Callers come in by `entrance` (`ml/entrance`), a
    Service in the cluster of the context `at` (by default `to`), and are served where `url` answers.
    Sentinels are written into the config map `sentinels` (`ml/sentinels`) here, and looked for in the other
    region. What is measured counts for the objectives of `service`; without it for those of the service that
    the entrance's slice names by its label `app.kubernetes.io/name`, and where it names none, for none.
    """

    to: str
    entrance: str
    url: str
    sentinels: str
    at: str = ""
    service: str = ""


class ExperimentRules(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """`namespaces` are the only ones whose objects may be hurt; `cap` is how many of those that serve beside
    one another, as a number or a share of them, which allows one at least and never all. `budgets` are judged
    by all that is `known` of them, where gaps may have been bad, or by what was `seen` alone. `embedded`: the
    load balancer and the kubelets are those of the embedded platform of this user, and carry out faults.
    `whole`: faults may meet what there is one of alone, as a whole workload, or a config map. `failover`:
    which region takes over when this one is lost.
    """

    namespaces: list[str] = []
    cap: int | str = "25%"
    blackouts: list[Blackout] = []
    budgets: Literal["known", "seen"] = "known"
    server_faults: FaultHooks | None = None
    embedded: bool = False
    whole: bool = False
    failover: Failover | None = None


def check_experiments(document: Document, rules: ExperimentRules, at: Path_) -> None:
    """Raises InvalidFile for what nobody could go by."""
    if not _CAP.fullmatch(str(rules.cap)):
        raise document.fail("is neither a number nor a share", (*at, "cap"), fix="cap: 25%")
    hooks = rules.server_faults
    if hooks is not None and not is_reference(hooks.key):
        what = "a secret is a reference, not a value"
        raise document.fail(what, (*at, "server_faults", "key"), fix=f"write {REFERENCES}")
    if rules.failover is not None:
        _check_failover(document, rules.failover, (*at, "failover"))
    for index, one in enumerate(rules.blackouts):
        try:
            holds(one, datetime.fromisoformat("2026-01-01T00:00:00+00:00"))
        except (ValueError, OSError, KeyError) as error:
            raise document.fail(str(error), (*at, "blackouts", index)) from error


def _check_failover(document: Document, failover: Failover, at: Path_) -> None:
    for key in ("entrance", "sentinels"):
        if not _PLACE.fullmatch(getattr(failover, key)):
            raise document.fail("is not NAMESPACE/NAME", (*at, key), fix=f"{key}: ml/{key}")
    if not _URL.fullmatch(failover.url):
        raise document.fail("is not an http or https URL", (*at, "url"), fix="url: https://models.example/v2")
    if failover.service and not _SERVICE.fullmatch(failover.service):
        what = "is no name of a service, as objectives have it"
        raise document.fail(what, (*at, "service"), fix="service: fraud")


def holds(blackout: Blackout, now: datetime) -> bool:
    """Whether it is one of those times; raises ValueError where it cannot be read."""
    duration = timedelta(seconds=parse_duration_seconds(blackout.duration))
    return began_at(parse_cron(blackout.cron), ZoneInfo(blackout.zone), duration, now) is not None
