"""Files of prices: what is read of them, and how a mistake is told."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from maestro_cli.config.locations import shipped
from maestro_cli.core.errors import InvalidFile
from maestro_cli.cost.prices.file import ReadPrices
from maestro_cli.cost.prices.model import ALWAYS, Capacity, PriceVersion, UnitRates
from maestro_cli.cost.prices.reading import read_prices

# OpenCost's configs/default.json as it was on 2024-10-25 (commit 5f65333), key for key
DEFAULT_JSON = """{
    "provider": "custom",
    "description": "Default prices based on GCP us-central1",
    "CPU": "0.031611",
    "spotCPU": "0.006655",
    "RAM": "0.004237",
    "spotRAM": "0.000892",
    "GPU": "0.95",
    "storage": "0.00005479452",
    "zoneNetworkEgress": "0.01",
    "regionNetworkEgress": "0.01",
    "internetNetworkEgress": "0.12"
}"""
HEADING = "EndTimestamp,InstanceID,Region,AssetClass,InstanceIDField,InstanceType,MarketPriceHourly,Version\n"


def written(tmp_path: Path, text: str, name: str = "prices.yaml") -> ReadPrices:
    (tmp_path / name).write_text(text, encoding="utf-8")
    return read_prices(tmp_path / name)


def only(found: ReadPrices) -> PriceVersion:
    assert found.book is not None
    (version,) = found.book.versions
    return version


def refusal(tmp_path: Path, text: str, name: str = "prices.yaml") -> InvalidFile:
    with pytest.raises(InvalidFile) as caught:
        written(tmp_path, text, name)
    return caught.value


@pytest.mark.parametrize("name", ["prices.yaml", "default.json"])
def test_opencosts_default_file_is_read_as_it_is(tmp_path: Path, name: str) -> None:
    found = written(tmp_path, DEFAULT_JSON, name)
    version = only(found)
    assert version.since == ALWAYS
    assert version.on_demand == UnitRates(0.031611, 0.004237, 0.95)
    assert version.spot == UnitRates(0.006655, 0.000892, None)
    assert (version.egress.zone, version.egress.region, version.egress.internet) == (0.01, 0.01, 0.12)
    anything = version.storage_class("gold")
    assert anything is not None
    assert anything.per_gib_hour * 730 == pytest.approx(0.04)
    assert {(one.key, one.line) for one in found.oddities} == {("spotCPU", 5), ("spotRAM", 7)}
    assert all("79% off" in one.what for one in found.oddities)


def test_amounts_of_opencost_that_are_not_read_are_told_and_its_other_keys_passed_over(
    tmp_path: Path,
) -> None:
    """OpenCost writes all its configuration into the file once it runs, empty or not."""
    text = """{"CPU": "0.03", "RAM": "0.004", "GPU": "", "projectID": "p", "azureCloud": "",
     "readOnly": "true", "discount": "30%", "sharedOverhead": "0", "negotiatedDiscount": "0%",
     "LBIngressDataCost": "0.01"}"""
    found = written(tmp_path, text, "aws.json")
    assert [(one.line, one.key, one.what) for one in found.oddities] == [
        (2, "discount", "is not read"),
        (3, "LBIngressDataCost", "is not read"),
    ]
    assert only(found).on_demand == UnitRates(0.03, 0.004, None)


def test_the_shipped_file_prices_the_embedded_platform_and_has_nothing_odd() -> None:
    found = read_prices(shipped("deploy") / "local" / "prices.yaml")
    assert (found.figures.replica_hourly_rate, found.figures.budget_per_million) == (0.05, 5.0)
    assert found.oddities == ()
    line = only(found).node("process", "local", Capacity.ON_DEMAND)
    assert line is not None
    assert line.hourly == 0.10


@pytest.mark.parametrize(
    ("text", "fix"),
    [
        ("CPU: 0.03\nRAM: 0.004\nversions: []\n", "leave it out"),
        ("hourly_rate: 95\ncurrency: EUR\nversions: []\n", "such as '- {since: "),
    ],
)
def test_versions_of_which_there_are_none_are_told(tmp_path: Path, text: str, fix: str) -> None:
    (odd,) = written(tmp_path, text).oddities
    assert (odd.line, odd.key) == (3, "versions")
    assert fix in odd.what


NAMED = "2026,n-1,eu,node,metadata.name,m,{},\n"
KIND = "2026,m,eu,node,metadata.labels.node.kubernetes.io/instance-type,,{},\n"
CLASS = "2026,gold,,pv,spec.storageClassName,,{},\n"
CARD = "2026,A100,,gpu,x,,{},\n"


@pytest.mark.parametrize("line", [NAMED, KIND, CLASS, CARD])
def test_a_line_of_a_csv_that_is_there_twice_counts_once_and_is_told(tmp_path: Path, line: str) -> None:
    other = KIND.format(3)
    found = written(tmp_path, HEADING + line.format(1) + other + line.format(1), "prices.csv")
    told = [one for one in found.oddities if one.key == "InstanceID"]
    assert [(one.line, one.what.partition(": ")[2]) for one in told] == [(4, "take one of both out")]
    assert "line 2" in told[0].what
    once = written(tmp_path, HEADING + line.format(1) + other, "once.csv")
    assert only(found) == only(once)


@pytest.mark.parametrize("line", [NAMED, CLASS, CARD])
def test_two_prices_of_one_thing_in_a_csv_are_refused_with_both_lines(tmp_path: Path, line: str) -> None:
    error = refusal(tmp_path, HEADING + line.format(1) + line.format(2), "prices.csv")
    assert (error.line, error.why, error.fix) == (3, "line 2 has 1, this one 2", "take one of both out")


@pytest.mark.parametrize("line", [NAMED, CLASS, CARD])
def test_of_two_prices_at_other_times_in_a_csv_the_later_line_holds_and_is_told(
    tmp_path: Path, line: str
) -> None:
    later = line.format(2).replace("2026", "2027")
    found = written(tmp_path, HEADING + line.format(1) + later, "prices.csv")
    assert only(found) == only(written(tmp_path, HEADING + later, "later.csv"))
    (told,) = (one for one in found.oddities if one.key == "EndTimestamp")
    assert (told.line, "in place of 1, which line 2 has" in told.what) == (3, True)
    error = refusal(tmp_path, HEADING + line.format(1) + later + line.format(3), "prices.csv")
    assert (error.line, error.why) == (4, "line 2 has 1, this one 3")


def test_a_file_of_figures_alone_prices_no_machine(tmp_path: Path) -> None:
    found = written(tmp_path, "replica_hourly_rate: 0.1\ncurrency: EUR\n")
    assert found.book is None
    assert (found.figures.replica_hourly_rate, found.figures.currency) == (0.1, "EUR")


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "---\n"], ids=["empty", "comments", "a mark"])
def test_a_file_that_says_nothing_is_refused_with_its_line(tmp_path: Path, text: str) -> None:
    error = refusal(tmp_path, text)
    assert "says no price" in str(error)
    assert error.line in (1, 2)


def test_versions_hold_from_their_day_on_in_any_order(tmp_path: Path) -> None:
    text = (
        "versions:\n"
        "- {since: 2026-06-01T06:00:00+02:00, nodes: [{type: a, hourly: 2}]}\n"
        "- {since: 2026-01-01, nodes: [{type: a, hourly: 1}]}\n"
    )
    book = written(tmp_path, text).book
    assert book is not None
    assert [one.since for one in book.versions] == [
        datetime(2026, 1, 1, tzinfo=UTC),
        datetime(2026, 6, 1, 4, tzinfo=UTC),
    ]
    assert book.at(datetime(2025, 12, 31, tzinfo=UTC)) is None


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("CPU: 0.03\nRAM: -0.004\n", 2, "RAM"),
        ('CPU: "0.03"\nRAM: "nan"\n', 2, "RAM"),
        ('CPU: "0.03"\nRAM: "1e999"\n', 2, "RAM"),
        ("CPU: cheap\nRAM: 0.004\n", 1, "CPU"),
        ("CPU: 0.03\n", 1, "without RAM"),
        ("spotGPU: 0.3\n", 1, "without spotCPU"),
        ("CPU: 0.03\nRMA: 0.004\n", 2, "did you mean 'RAM'"),
        ("nodes:\n- {type: a, hourly: -1}\n", 2, "nodes[0].hourly"),
        ("nodes:\n- {type: a, hourly: .inf}\n", 2, "nodes[0].hourly"),
        ("nodes:\n- {type: a, hourly: 1, capacity: spto}\n", 2, "did you mean 'spot'"),
        ("nodes:\n- {type: a, hourly: 1}\n- {type: a, hourly: 2}\n", 3, "see line 2"),
        ("nodes:\n- {hourly: 1}\n", 2, "names no type"),
        ("nodes:\n- {type: a, node: b, hourly: 1}\n", 2, "a type and a node"),
        ("storage_classes:\n- {name: a}\n", 2, "per_gib_month"),
        ("storage_classes:\n- {name: a, per_gib_month: 1, per_gib_hour: 1}\n", 2, "one price"),
        ("storage_classes:\n- {name: a, per_gib_month: 1}\n- {name: a, per_gib_month: 1}\n", 3, "see line 2"),
        ("zoneNetworkEgress: 1\negress:\n  zone: 1\n", 3, "is given twice"),
        ("gpus: {A100: 1, a100: 2}\n", 1, "gpus.a100"),
        ("currency: dollars\n", 1, "is no currency"),
        ("currency: USD\ncurrencyCode: EUR\n", 2, "is a second currency"),
        (
            "versions:\n- {since: 2026-01-01, currency: USD}\n- {since: 2027-01-01, currency: EUR}\n",
            3,
            "second",
        ),
        ("versions:\n- {since: 2026-01-01}\n- {since: 2026-01-01T00:00:00Z}\n", 3, "see line 2"),
        ("versions:\n- {since: yesterday}\n", 2, "versions[0].since"),
        ("versions:\n- {since: 2026-02-30}\n", 2, "versions[0].since"),
        ("versions:\n- {CPU: 1, RAM: 1}\n", 2, "'since' is missing"),
        ("CPU: 1\nRAM: 1\nversions:\n- {since: 2026-01-01}\n", 1, "stands beside versions"),
    ],
)
def test_what_cannot_be_a_price_is_refused_with_line_and_key(
    tmp_path: Path, text: str, line: int, said: str
) -> None:
    error = refusal(tmp_path, text)
    assert error.where.endswith(f"prices.yaml:{line}")
    assert said in f"{error} {error.why} {error.fix}"


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        (
            "nodes:\n- {type: a, hourly: 1}\n- {type: a, hourly: 1.5, capacity: spot}\n",
            3,
            "dearer than on demand",
        ),
        ("nodes:\n- {type: a, hourly: 1}\n- {type: a, hourly: 0.1, capacity: spot}\n", 3, "90% off"),
        ("nodes:\n- {type: a, hourly: 1400}\n", 2, "price of a month"),
        ("nodes:\n- {type: a, hourly: 0}\n", 2, "free"),
        ("nodes:\n- {type: a, hourly: 1, interruptions_per_hour: 0.1}\n", 2, "not interrupted"),
        ("nodes:\n- {type: a, hourly: 1, capacity: spot, interruptions_per_hour: 5}\n", 2, "percentage"),
        ("CPU: 23\nRAM: 0.004\n", 1, "price of a month"),
        ("CPU: 0.03\nRAM: 0.004\nspotCPU: 0.04\nspotRAM: 0.003\n", 3, "dearer"),
        ("storage_classes:\n- {name: a, per_gib_hour: 0.04}\n", 2, "per_gib_month"),
    ],
)
def test_what_is_likely_not_meant_is_told_with_its_line_and_taken(
    tmp_path: Path, text: str, line: int, said: str
) -> None:
    found = written(tmp_path, text)
    assert found.book is not None
    (odd,) = found.oddities
    assert (odd.line, said in odd.what) == (line, True)


def test_an_oddity_of_a_version_names_the_version(tmp_path: Path) -> None:
    found = written(tmp_path, "versions:\n- since: 2026-01-01\n  nodes:\n  - {type: a, hourly: 0}\n")
    assert [(one.line, one.key) for one in found.oddities] == [(4, "versions[0].nodes[0].hourly")]


def test_opencosts_csv_prices_nodes_by_name_by_id_and_by_kind_and_their_gpus_apart(tmp_path: Path) -> None:
    lines = (
        "2028-01-06 23:34:45 UTC,node-7,,node,metadata.name,,0.1337,\n"
        "# a comment\n"
        "2028-01-06 23:34:45 UTC,i-0abc,eu-west-1,node,spec.providerID,m5.large,0.10,\n"
        "2028-01-06 23:34:45 UTC,i-0def,eu-west-1,node,spec.providerID,m5.large,0.20,\n"
        "2028-01-06,n2-standard-4,,node,metadata.labels.node.kubernetes.io/instance-type,,0.19,\n"
        "2028-01-06 23:34:45 UTC,A100-OnDemand,,gpu,nvidia.com/gpu_type,,0.5,\n"
        "2028-01-06 23:34:45 UTC,gold,,pv,spec.storageClassName,,0.1338,"
    )
    found = written(tmp_path, HEADING + lines, "prices.csv")
    version = only(found)
    by_name = version.one_node(["NODE-7"], "us")
    assert by_name is not None
    assert (by_name.hourly, by_name.gpus_apart) == (0.1337, True)
    assert version.one_node(["i-0abc"], "us-east-1") is None
    kind = version.node("m5.large", "eu-west-1", Capacity.ON_DEMAND)
    anywhere = version.node("n2-standard-4", "us", Capacity.ON_DEMAND)
    gold = version.storage_class("gold")
    assert kind is not None
    assert anywhere is not None
    assert gold is not None
    assert [kind.hourly, anywhere.hourly, gold.per_gib_hour] == pytest.approx([0.15, 0.19, 0.1338])
    assert version.gpu("a100-ondemand") == 0.5
    assert ["several prices" in one.what for one in found.oddities] == [True]


def test_a_line_of_the_csv_that_is_not_read_is_told(tmp_path: Path) -> None:
    lines = "x,Reserved,,node,metadata.labels.TestClusterUsage,,0.65,\nx,a,,node,metadata.name,,1,\n"
    found = written(tmp_path, HEADING + lines, "prices.csv")
    assert [(one.line, one.key) for one in found.oddities] == [(2, "InstanceIDField")]


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        (HEADING + "x,a,,node,metadata.name,,-1,\n", 2, "MarketPriceHourly"),
        (HEADING + "x,a,,node,metadata.name,,NaN,\n", 2, "MarketPriceHourly"),
        (HEADING + "x,a,,node,metadata.name,,,\n", 2, "found nothing"),
        (HEADING + "x,a,,nod,metadata.name,,1,\n", 2, "did you mean 'node'"),
        (HEADING + "x,a,,node\n", 2, "4 fields"),
        (HEADING + 'x,"a,,node,metadata.name,,1,\n', 2, "CSV"),
        (HEADING.replace("Region", "Regoin"), 1, "did you mean 'Region'"),
        (HEADING + "x,k,,gpu,l,,1,\nx,k,,gpu,l,,2,\n", 3, "has two prices"),
    ],
)
def test_a_mistake_in_the_csv_is_refused_with_its_line(
    tmp_path: Path, text: str, line: int, said: str
) -> None:
    error = refusal(tmp_path, text, "prices.csv")
    assert error.where.endswith(f"prices.csv:{line}")
    assert said in f"{error} {error.why} {error.fix}"


def test_a_csv_of_which_nothing_can_be_read_is_refused(tmp_path: Path) -> None:
    assert "MarketPriceHourly" not in str(refusal(tmp_path, HEADING, "prices.csv"))
    error = refusal(tmp_path, HEADING + "x,Reserved,,node,metadata.labels.Use,,0.65,\n", "prices.csv")
    assert "line 2" in error.why
