"""What the prices of a context are at an instant, and what of its cluster they price."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from maestro_cli.core.errors import InvalidFile, MaestroError, NoData
from maestro_cli.cost.metering.identities import Identities
from maestro_cli.cost.prices.lines import PriceList, kinds_priced, price_lines
from maestro_cli.cost.prices.reading import read_prices
from maestro_cli.runbooks.lint import Finding, lint_file
from maestro_cli.services.costs.windows import instant_of

if TYPE_CHECKING:
    from datetime import datetime

    from maestro_cli.cost.metering.model import NodeRef
    from maestro_cli.services.costs.root import CostServices

RULES = {
    "invalid": "The file cannot be read, or holds what cannot be a price",
    "odd": "A price that is likely not meant, or that is not read",
}
_LOOK = timedelta(hours=1)


def find_price_list(services: CostServices, file: Path | None = None, at: str = "") -> PriceList:
    """Raises NoData when nothing holds then, UsageError for what is no instant, InvalidFile."""
    instant = instant_of(at, services.clock.now(), "--at")
    prices = services.prices(file)
    book = prices.machines()
    version = book.at(instant)
    if version is None:
        raise NoData(
            f"nothing held at {instant:%Y-%m-%d %H:%M} UTC",
            why=f"the first version of {book.source} begins at {book.versions[0].since:%Y-%m-%d %H:%M} UTC",
            fix="a version with an earlier since:, or another --at",
        )
    kinds, why = None, ""
    try:
        kinds = kinds_priced(version, _nodes(services, instant))
    except MaestroError as error:
        why = error.what
    return PriceList(
        context=services.context_name,
        source=book.source,
        currency=book.currency,
        at=instant,
        since=version.since,
        versions=len(book.versions),
        lines=tuple(price_lines(version)),
        kinds=kinds,
        why=why,
        oddities=prices.oddities,
    )


def lint_prices(file: Path) -> Sequence[Finding]:
    """What is wrong with a file, or odd in it."""
    try:
        read = read_prices(file)
    except InvalidFile as error:
        return [lint_file(error)]
    return [Finding("odd", "warning", one.file, one.line, f"{one.key}: {one.what}") for one in read.oddities]


def _nodes(services: CostServices, at: datetime) -> list[NodeRef]:
    """The nodes of the hour before; raises NoData when Prometheus knows of none."""
    found = Identities()
    for metric in ("kube_node_info", "kube_node_labels"):
        selector = services.cluster_series.of(metric)
        found.take(services.raw_prometheus.series(selector, at - _LOOK, at))
    names = sorted({*found.provider_ids, *found.node_labels})
    if not names:
        raise NoData("Prometheus knows of no node: it has no kube_node_info of kube-state-metrics")
    return [found.node(name) for name in names]
