"""Which prices hold, and by what a cluster's nodes are priced."""

from __future__ import annotations

from maestro_cli.config.locations import shipped
from maestro_cli.cost.metering.model import NodeRef
from maestro_cli.cost.prices.lines import kinds_priced, price_lines
from maestro_cli.cost.prices.model import ALWAYS, Capacity, NodePrice, PriceVersion, UnitRates
from maestro_cli.cost.prices.reading import read_prices

NODES = (
    NodeRef("a", "m5.large", "eu"),
    NodeRef("b", "m5.large", "eu"),
    NodeRef("c", "m5.huge", "eu"),
    NodeRef("d", "m5.large", "eu", capacity=Capacity.SPOT),
    NodeRef("e"),
)


def test_kinds_without_a_price_come_first_and_those_with_a_line_last() -> None:
    version = PriceVersion(ALWAYS, on_demand=UnitRates(0.03, 0.004), nodes=(NodePrice("m5.large", 0.1),))
    found = [(one.instance_type, one.capacity, one.nodes, one.by) for one in kinds_priced(version, NODES)]
    assert found == [
        ("m5.large", "spot", 1, ""),
        ("", "on-demand", 1, "list"),
        ("m5.huge", "on-demand", 1, "list"),
        ("m5.large", "on-demand", 2, "line"),
    ]


def test_every_price_of_the_shipped_file_is_shown() -> None:
    book = read_prices(shipped("deploy") / "local" / "prices.yaml").book
    assert book is not None
    shown = {(one.what, one.name) for one in price_lines(book.versions[0])}
    assert {("node", "process"), ("list", "gpu"), ("list, spot", "cpu")} <= shown
    assert {("overhead", "metric series"), ("egress", "to the internet"), ("storage", "standard")} <= shown
