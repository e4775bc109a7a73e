"""OpenCost's API by answers that were recorded of it, and what they make prices.

`opencost_recorded/assets.json` is what OpenCost of commit 5f65333 answered on 2026-11-27, run once against
the embedded platform with its own default.json: three nodes that say they have 2 cores and 23.54 GiB.
Volumes are written after its `asset_json.go`: the platform has none.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from maestro_cli.config.settings import Endpoint
from maestro_cli.core.errors import Unreachable
from maestro_cli.cost.metering.model import GIB
from maestro_cli.cost.prices.model import Capacity
from maestro_cli.cost.prices.observed import DiskAsset, NodeAsset, observed_book
from maestro_cli.sources.opencost import OpenCost

RECORDED = json.loads(
    (Path(__file__).parent / "opencost_recorded" / "assets.json").read_text(encoding="utf-8")
)
INFO = {"code": 200, "status": "success", "data": {"id": "local", "provider": "custom", "version": "1.37"}}
END = datetime(2026, 11, 27, 9, 30, 0, 123456, tzinfo=UTC)


def opencost(answer: object, status: int = 200) -> tuple[OpenCost, list[httpx.Request]]:
    asked: list[httpx.Request] = []

    def respond(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(status, json=INFO if request.url.path == "/clusterInfo" else answer)

    return OpenCost(Endpoint("http://opencost:9003"), transport=httpx.MockTransport(respond)), asked


def test_the_recorded_nodes_are_the_prices_that_it_was_given() -> None:
    source, asked = opencost(RECORDED)
    nodes, disks = source.assets(END - timedelta(hours=24), END)
    assert asked[0].url.params["window"] == "2026-11-26T09:30:00Z,2026-11-27T09:30:00Z"
    assert ([one.name for one in nodes], disks) == (["node-a", "node-b", "node-c"], ())
    book = observed_book(nodes, disks, "EUR", source.url)
    assert book is not None
    (version,) = book.versions
    assert book.currency == "EUR"
    assert version.on_demand is not None
    assert version.on_demand.cpu == pytest.approx(0.031611, rel=1e-3)
    assert version.on_demand.memory == pytest.approx(0.004237, rel=1e-3)
    assert (version.on_demand.gpu, version.spot) == (None, None)
    own = version.one_node(["process://node-b"], "eu")
    kind = version.node("process", "eu", Capacity.ON_DEMAND)
    assert own is not None
    assert kind is not None
    assert [own.hourly, kind.hourly] == pytest.approx([0.16296, 0.16296], rel=1e-3)


def test_a_list_of_sets_is_read_as_one() -> None:
    source, _ = opencost({**RECORDED, "data": [RECORDED["data"], {}]})
    assert len(source.assets(END, END)[0]) == 3


def test_a_list_of_assets_is_read_as_the_set_that_it_is() -> None:
    source, _ = opencost({**RECORDED, "data": [*RECORDED["data"].values(), None]})
    assert source.assets(END, END) == opencost(RECORDED)[0].assets(END, END)
    wrong, _ = opencost({"code": 200, "data": [{"type": "Node", "minutes": "many"}]})
    with pytest.raises(Unreachable, match="OpenCost"):
        wrong.assets(END, END)


def test_volumes_are_priced_by_their_class_and_what_was_free_or_not_there_by_nothing() -> None:
    disk = {"type": "Disk", "byteHours": 10 * GIB, "totalCost": 0.01, "storageClass": "fast"}
    source, _ = opencost(
        {"code": 200, "data": {"d": disk, "e": {**disk, "storageClass": "free", "totalCost": 0}}}
    )
    nodes, disks = source.assets(END, END)
    book = observed_book(nodes, disks, "USD", "")
    assert book is not None
    assert [(one.name, one.per_gib_hour) for one in book.versions[0].storage] == [("fast", 0.001)]
    gone = NodeAsset("a", "", "big", "eu", Capacity.SPOT, 0.0, 0.0)
    assert observed_book([gone], [DiskAsset("x", 0.0, 0.0)], "USD", "") is None


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        # both as it answered a window that is none
        ({"code": 500, "status": "", "data": None, "message": "Error: illegal window: [nil, nil)"}, 500),
        ({"code": 500, "status": "", "data": None, "message": "Error: illegal window: [nil, nil)"}, 200),
        ({"something": "else"}, 200),
        ({"code": 200, "data": {"a": 1}}, 200),
        ("text", 200),
    ],
)
def test_an_answer_that_is_no_assets_is_an_error_and_not_no_assets(answer: object, status: int) -> None:
    source, _ = opencost(answer, status)
    with pytest.raises(Unreachable):
        source.assets(END - timedelta(hours=1), END)


def test_the_check_says_of_which_cluster_it_is() -> None:
    source, _ = opencost(RECORDED)
    check = source.check()
    assert (check.ok, check.version) == (True, "cluster local, custom")
