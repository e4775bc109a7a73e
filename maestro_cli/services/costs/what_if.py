"""What the context's bill would be if something were otherwise."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from maestro_cli.core.errors import NoData, UsageError
from maestro_cli.core.refs import parse_workload_ref
from maestro_cli.core.untrusted import visible
from maestro_cli.cost.allocation.allocate import tell
from maestro_cli.cost.allocation.charging import charge
from maestro_cli.cost.allocation.grouping import Filter
from maestro_cli.cost.allocation.sharing import Sharing
from maestro_cli.cost.metering.model import HOUR, Metered
from maestro_cli.cost.prices.model import HOURS_OF_A_MONTH
from maestro_cli.cost.what_if.model import (
    Bill,
    CacheHits,
    Change,
    NodeType,
    Replicas,
    Running,
    SpotShare,
    WhatIf,
)
from maestro_cli.cost.what_if.reckoning import GROUPING, NoPrice, NotMetered, parts_of, reckon
from maestro_cli.cost.what_if.replicas import running
from maestro_cli.services.costs.wanted import CostWindow
from maestro_cli.services.costs.windows import find_cost_data, hours_of

if TYPE_CHECKING:
    from maestro_cli.services.costs.root import CostServices

_EVERYTHING = "all"
_EVERYWHERE = "DaemonSet"
LOOKUPS = "maestro_prediction_cache_lookups_total"  # of the bundled model server


@dataclass(frozen=True, slots=True)
class WhatIfWanted:
    """What was asked for, as it was written: `NAME=VALUE` each."""

    window: CostWindow
    replicas: Sequence[str] = ()
    cache_hits: Sequence[str] = ()
    spot: Sequence[str] = ()
    node_types: Sequence[str] = ()
    namespace: str | None = None


def find_what_if(services: CostServices, wanted: WhatIfWanted) -> WhatIf:
    """Raises UsageError for what says nothing, NoData for what was not metered or has no price."""
    changes = _changes(services, wanted)
    if not changes:
        raise UsageError("nothing would be otherwise", fix="--replicas ml/deploy/fraud=2, --spot all=50%, …")
    data = find_cost_data(services, wanted.window)
    metered = data.metered
    charged = charge(metered, data.book)
    hourly = tell(charged, GROUPING, Sharing(), Filter())
    seen = hourly.allocation.seen_hours
    version = data.book.at(metered.hours.end - HOUR)
    if not seen > 0 or version is None:
        raise NoData("nothing was measured that has a price", fix="another --window")
    month = HOURS_OF_A_MONTH / seen  # as `cost show` tells a month
    now = hourly.allocation.total * month
    try:
        steps, added = reckon(parts_of(hourly.allocation.rows, month), changes, _counted(metered), version)
    except NoPrice as error:
        fix = "a line for it in the file of prices: maestro cost prices show tells those that there are"
        raise NoData(str(error), fix=fix) from error
    except NotMetered as error:
        raise NoData(str(error), fix=f"maestro cost show --by {error.by} names what was metered") from error
    return WhatIf(
        cluster=metered.cluster,
        currency=data.book.currency,
        hours=metered.hours,
        coverage=hourly.allocation.coverage,
        now=now,
        then=Bill(now + added.expected, now + added.low, now + added.high),
        steps=steps,
        prices=data.book.source,
        notes=(
            *metered.notes,
            *(f"no price for {one}: a lower bound" for one in charged.unpriced),
        ),
        digest=data.digest,
    )


def _counted(metered: Metered) -> Callable[[str], Running | None]:
    return lambda workload: running(metered, workload)


def _changes(services: CostServices, wanted: WhatIfWanted) -> tuple[Change, ...]:
    """Replicas, then caches, spot, and node types: each is told of what those before left."""
    found: list[Change] = []
    for text in wanted.replicas:
        fix = "--replicas ml/deploy/fraud=2"
        name, value = _split(text, fix)
        workload = _workload(name, wanted)
        if parse_workload_ref(workload).kind == _EVERYWHERE:
            raise UsageError(f"{workload} has a pod on each node, and no number of replicas", fix=fix)
        found.append(Replicas(workload, _number(value, text, fix)))
    for text in wanted.cache_hits:
        fix = "--cache-hits ml/deploy/fraud=60%, or 20%:60% from now to then"
        name, value = _split(text, fix)
        told, _, then = value.rpartition(":")
        workload = _workload(name, wanted)
        now = _share(told, text, fix) if told else _hits_now(services, wanted, workload, text)
        if now >= 1:
            raise UsageError(f"{visible(text, 80)} computes nothing now", fix=fix)
        found.append(CacheHits(workload, _share(then, text, fix), now))
    for text in wanted.spot:
        fix = "--spot all=50%, or --spot ml/deploy/batch=80%"
        name, value = _split(text, fix)
        workload = "" if name == _EVERYTHING else _workload(name, wanted)
        found.append(SpotShare(workload, _share(value, text, fix)))
    for text in wanted.node_types:
        name, value = _split(text, "--node-type m5.xlarge=m6g.xlarge")
        found.append(NodeType(name, value))
    _require_one_each(found)
    return tuple(found)


def _require_one_each(changes: Sequence[Change]) -> None:
    """Raises UsageError where one thing would be otherwise in two ways."""
    seen: set[tuple[type[Change], str]] = set()
    for one in changes:
        what = one.old if isinstance(one, NodeType) else one.workload
        if (type(one), what) in seen:
            raise UsageError(f"{visible(what or _EVERYTHING, 120)} would be otherwise in two ways at once")
        seen.add((type(one), what))


def _hits_now(services: CostServices, wanted: WhatIfWanted, workload: str, text: str) -> float:
    """The share of lookups that the prediction caches of a Deployment answered in the window."""
    fix = f"say it: --cache-hits {visible(text.partition('=')[0], 80)}=NOW:THEN"
    if wanted.window.record is not None:
        raise UsageError("a record does not tell what caches answered", fix=fix)
    hours, ref = hours_of(wanted.window, services.clock.now()), parse_workload_ref(workload)
    labels = {"namespace": ref.namespace, "deployment": ref.name}

    def looked_up(which: str) -> str:
        named = {**labels, "result": which} if which else labels
        return f"sum(increase({services.cluster_series.of(LOOKUPS, named)}[{hours.count}h]))"

    promql = f"{looked_up('hit')} / {looked_up('')}"
    share = services.prometheus.query(promql, at=min(hours.end, services.clock.now())).only
    if share is None or not 0 <= share <= 1:
        raise NoData(f"{workload} was not seen to look anything up in its cache", why=promql, fix=fix)
    return share


def _workload(name: str, wanted: WhatIfWanted) -> str:
    return str(parse_workload_ref(name, namespace=wanted.namespace))


def _split(text: str, fix: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name.strip() or not value.strip():
        raise UsageError(f"{visible(text, 80)!r} is not NAME=VALUE", fix=fix)
    return name.strip(), value.strip()


def _number(value: str, text: str, fix: str) -> float:
    try:
        found = float(value)
    except ValueError:
        found = math.nan
    if not (math.isfinite(found) and 0 <= found <= 1e6 and found == int(found)):
        raise UsageError(f"{visible(text, 80)} is no number of replicas", fix=fix)
    return found


def _share(value: str, text: str, fix: str) -> float:
    try:
        found = float(value.removesuffix("%")) / (100 if value.endswith("%") else 1)
    except ValueError:
        found = math.nan
    if not (math.isfinite(found) and 0 <= found <= 1):
        raise UsageError(f"{visible(text, 80)}: {visible(value, 20)!r} is no share", fix=fix)
    return found
