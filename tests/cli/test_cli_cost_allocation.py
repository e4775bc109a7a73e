"""`maestro cost show|top|allocate|report|diff` as a person or a script calls them, of records: no network."""

from __future__ import annotations

import csv
import json
import re
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from maestro_cli.cost.metering.model import BalancerRef, ContainerRef, Hours, Metered, NodeRef, VolumeRef
from maestro_cli.cost.prices.model import (
    Capacity,
    NodePrice,
    PriceBook,
    PriceVersion,
    Resource,
    StorageClass,
    UnitRates,
)
from maestro_cli.cost.record import pack_record
from tests.cli.program import Result, check_golden, maestro

START = datetime(2026, 11, 2, tzinfo=UTC)
HOURS = 24
EVIL = "\x1b[31m\u202eevil, =1+1 | x"
FORMATS = ("table", "wide", "json", "yaml", "csv", "md", "jsonpath={.total}")
SHA = re.compile(r"[0-9a-f]{64}")


def metered(start: datetime = START, cores: float = 2.0) -> Metered:
    """Two nodes; `fraud` in two versions, a web of somebody else, DNS, and a job of a hostile team."""

    def one(namespace: str, name: str, node: str, **more: str) -> ContainerRef:
        kind = more.pop("kind", "Deployment")
        workload = name.rsplit("-", 1)[0]
        return ContainerRef(namespace, name, "main", node, kind, workload, {"app": workload}, **more)

    containers = (
        one("ml", "fraud-a", "n1", team="risk", model="fraud", version="3"),
        one("ml", "fraud-b", "n2", team="risk", model="fraud", version="4"),
        one("web", "shop-a", "n1", team=EVIL),
        one("kube-system", "dns-a", "n1"),
        one("ml", "train-a", "n2", kind="CronJob", team="risk"),
    )
    whole = np.ones(HOURS)
    night = np.where(np.arange(HOURS) < 4, 1.0, np.nan)
    cpu = np.vstack([cores * whole, 2 * whole, 3 * whole, 0.25 * whole, 6 * night])
    memory = np.vstack([4 * whole, 4 * whole, 8 * whole, 1 * whole, 2 * night])
    return Metered(
        cluster="prod-eu",
        hours=Hours(start, HOURS),
        containers=containers,
        nodes=(
            NodeRef("n1", "m5.2xlarge", "eu-1", "eu-1a"),
            NodeRef("n2", "m5.2xlarge", "eu-1", "eu-1b", Capacity.SPOT),
        ),
        volumes=(VolumeRef("pv-1", "ssd", "ml", "data", ("fraud-a",)), VolumeRef("pv-2", "ssd", "ml", "old")),
        requested={Resource.CPU: cpu, Resource.MEMORY: memory},
        used={Resource.CPU: cpu * 0.4, Resource.MEMORY: memory * 1.1},
        capacity={
            Resource.CPU: np.vstack([8 * whole, 8 * whole]) * np.array([[0.75], [1.0]]),
            Resource.MEMORY: np.vstack([32 * whole, 32 * whole]),
        },
        present=np.ones((2, HOURS)),
        volume_gib=np.vstack([100 * whole, 20 * whole]),
        coverage=np.where(np.arange(HOURS) == 7, 0.5, 1.0),
        sent_gib={"internet": np.full((5, HOURS), 0.1)},
        balancers=(BalancerRef("web", "shop"),),
        balancer_hours=np.ones((1, HOURS)),
        notes=("Prometheus keeps 15d00h: the window begins before that",),
    )


def book(dearer: float = 1.0) -> PriceBook:
    version = PriceVersion(
        since=START - timedelta(days=30),
        on_demand=UnitRates(0.031611, 0.004237, 0.95),
        nodes=(
            NodePrice("m5.2xlarge", 0.384 * dearer),
            NodePrice("m5.2xlarge", 0.15 * dearer, Capacity.SPOT),
        ),
        storage=(StorageClass("ssd", 0.00011),),
        control_plane_hourly=0.10,
        load_balancer_hourly=0.025,
    )
    return PriceBook.of("EUR", [version], "prices.yaml")


@pytest.fixture
def record(tmp_path: Path) -> str:
    path = tmp_path / "day.tar.gz"
    path.write_bytes(pack_record(metered(), book(), ".tar.gz")[0])
    return str(path)


@pytest.fixture
def later(tmp_path: Path) -> str:
    """The day after: fraud asks for twice the cores, machines cost a tenth more, the training is gone."""
    changed = metered(START + timedelta(days=1), cores=4.0)
    keep = [0, 1, 2, 3]
    kept = replace(
        changed,
        containers=tuple(changed.containers[one] for one in keep),
        requested={one: rows[keep] for one, rows in changed.requested.items()},
        used={one: rows[keep] for one, rows in changed.used.items()},
        sent_gib={one: rows[keep] for one, rows in changed.sent_gib.items()},
    )
    path = tmp_path / "next.tar.gz"
    path.write_bytes(pack_record(kept, book(1.1), ".tar.gz")[0])
    return str(path)


def cost(*arguments: str) -> Result:
    found = maestro("cost", *arguments)
    return replace(found, out=SHA.sub("DIGEST", found.out))


def name_of(command: str, form: str) -> str:
    return f"cost-{command}.{form.split('=')[0]}"


@pytest.mark.parametrize("form", FORMATS)
def test_what_it_costs_is_the_same_in_every_format(record: str, form: str) -> None:
    result = cost("show", "--from", record, "--by", "team", "-o", form)
    check_golden(name_of("show", form), result.out)
    assert (result.code, result.err) == (0, "")
    assert not {"\x1b", "\u202e"} & set(result.out)


@pytest.mark.parametrize("picture", ["treemap", "bars", "trend"])
def test_a_picture_stands_below_the_tables_without_boxes_and_colour(record: str, picture: str) -> None:
    plain = cost("show", "--from", record, "--by", "team")
    result = cost("show", "--from", record, "--by", "team", "--picture", picture)
    assert result.out.startswith(plain.out)
    check_golden(f"cost-show-{picture}.table", result.out.removeprefix(plain.out))
    assert (result.code, result.err) == (0, "")
    assert not {"\x1b", "\u202e"} & set(result.out)


def test_a_picture_that_there_is_not_is_refused(record: str) -> None:
    result = cost("show", "--from", record, "--picture", "pie\x1b")
    assert result.code == 2
    assert "--picture treemap|bars|trend" in result.err
    assert "\x1b" not in result.err


@pytest.mark.parametrize(("command", "pictures"), [("show", 3), ("report", 7)])
def test_a_page_has_its_pictures_and_fetches_and_runs_nothing(
    record: str, tmp_path: Path, command: str, pictures: int
) -> None:
    result = cost(command, "--from", record, "-o", "html")
    assert (result.code, result.err) == (0, "")
    assert result.out.startswith("<!DOCTYPE html>")
    assert result.out.count("<svg ") == pictures
    assert "<h1" in result.out
    assert not re.search(r"<script|<img|<link|\son\w+=|url\(|src=", result.out)
    assert not {"\x1b", "\u202e"} & set(result.out)
    assert cost(command, "--from", record, "-o", "html").out == result.out
    if command == "report":
        cost("report", "--from", record, "--to", str(tmp_path / "page.html"))
        assert SHA.sub("DIGEST", (tmp_path / "page.html").read_text()) == result.out


def test_a_filter_that_takes_nobody_says_so(record: str) -> None:
    note = "nobody is selected: what was metered has no such values"
    nobody = json.loads(cost("show", "--from", record, "--where", "team=elsewhere", "-o", "json").out)
    assert (nobody["selected"], note in nobody["notes"]) == (0.0, True)
    somebody = json.loads(cost("show", "--from", record, "--where", "team=risk", "-o", "json").out)
    assert note not in somebody["notes"]


def test_a_shared_namespace_that_nobody_metered_is_said(record: str) -> None:
    found = cost("show", "--from", record, "--share", "nosuch=cost", "--share", "kube-system=cost")
    assert found.code == 0
    assert found.out.count("nothing was metered of the shared namespace") == 1
    assert "nothing was metered of the shared namespace nosuch" in found.out


@pytest.mark.parametrize("until", ["0001-01-01", "0001-01-01T00:00:00+14:00", "1969-12-31"])
def test_a_time_before_anything_could_be_measured_is_refused(until: str) -> None:
    result = cost("show", "--until", until)
    assert (result.code, result.out) == (2, "")
    assert "is no time" in result.err


def test_a_record_of_a_wrong_name_is_refused_before_anything_is_asked(tmp_path: Path) -> None:
    result = cost("show", "--from", str(tmp_path / "nowhere.zip"), "--record", str(tmp_path / "kept.txt"))
    assert (result.code, result.out) == (2, "")
    assert ".tar.gz" in result.err


def test_a_window_with_nothing_in_it_is_refused() -> None:
    result = cost("show", "--window", "0s")
    assert (result.code, result.out) == (2, "")
    assert "has nothing in it" in result.err


def test_the_order_of_sharing_moves_costs_and_makes_none(record: str) -> None:
    """A namespace that is shared before the idle capacity leaves its part of that to those who are left."""
    shares = ("--share-idle", "cluster", "--share", "kube-system=even", "-o", "json")
    usual, first = (
        json.loads(cost("allocate", "--from", record, *shares, *order).out)
        for order in ((), ("--share-order", "namespaces, idle,overhead"))
    )
    assert first["sharing"].endswith("in the order namespaces, idle, overhead")
    assert [row["costs"] for row in first["rows"]] != [row["costs"] for row in usual["rows"]]
    assert sum(row["total"] for row in first["rows"]) == pytest.approx(usual["total"], rel=1e-9)


@pytest.mark.parametrize("form", FORMATS)
def test_an_allocation_is_the_same_in_every_format(record: str, form: str) -> None:
    shares = ("--share-idle", "node", "--share", "kube-system=even", "--share-overhead", "cost")
    result = cost("allocate", "--from", record, *shares, "-o", form)
    check_golden(name_of("allocate", form), result.out)
    assert result.code == 0


@pytest.mark.parametrize("form", ["table", "json", "csv", "md"])
def test_the_dearest_are_the_same_in_every_format(record: str, form: str) -> None:
    result = cost("top", "--from", record, "--limit", "2", "-o", form)
    check_golden(name_of("top", form), result.out)
    assert result.code == 0


@pytest.mark.parametrize("form", ["md", "json"])
def test_a_report_is_the_same_in_every_format(record: str, form: str) -> None:
    result = cost("report", "--from", record, "-o", form)
    check_golden(name_of("report", form), result.out)
    assert result.code == 0


@pytest.mark.parametrize("form", ["table", "wide", "json", "csv", "md"])
def test_a_difference_is_the_same_in_every_format(record: str, later: str, form: str) -> None:
    result = cost("diff", record, later, "-o", form)
    check_golden(name_of("diff", form), result.out)
    assert result.code == 0


def test_rows_of_json_add_up_to_the_bill_with_a_filter_too(record: str) -> None:
    for more in ((), ("--where", "namespace=ml"), ("--by", "node,label:app", "--share-idle", "cluster")):
        told = json.loads(cost("allocate", "--from", record, *more, "-o", "json").out)
        assert sum(row["total"] for row in told["rows"]) == pytest.approx(told["total"], rel=1e-9)
        assert sum(told["bill"].values()) == pytest.approx(told["total"], rel=1e-9)


def test_changes_add_up_to_the_change_of_the_bill(record: str, later: str) -> None:
    told = json.loads(cost("diff", record, later, "-o", "json").out)
    assert sum(row["change"] for row in told["rows"]) == pytest.approx(told["change"])
    assert told["change"] == pytest.approx(told["after"]["total"] - told["before"]["total"])
    why = {row["keys"]["workload"]: row["why"] for row in told["rows"] if row["kind"] == "spender"}
    assert why["ml/cronjob/train"] == "gone"
    assert why["web/deploy/shop"] == "prices"
    fraud = next(row for row in told["rows"] if row["keys"]["workload"] == "ml/deploy/fraud")
    assert fraud["why"].endswith("core-hours")
    assert fraud["by_price"] + fraud["by_amount"] == pytest.approx(fraud["change"])


def test_a_report_is_written_as_a_page_that_stands_alone(record: str, tmp_path: Path) -> None:
    page, text = tmp_path / "page.html", tmp_path / "page.md"
    for path in (page, text):
        assert cost("report", "--from", record, "--to", str(path)).code == 0
    assert "<table>" in page.read_text(encoding="utf-8")
    assert "\x1b" not in page.read_text(encoding="utf-8") + text.read_text(encoding="utf-8")
    assert "<script" not in page.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "code", "word"),
    [
        (("--by", "namspace"), 2, "--by namespace"),
        (("--where", "namespace"), 2, "LABEL=VALUE"),
        (("--share-idle", "pod"), 2, "--share-idle row"),
        (("--share", "kube-system=most"), 2, "cost, even, metric"),
        (("--share", "=cost"), 2, "--share kube-system=cost"),
        (("--share-order", "idle,namespaces"), 2, "--share-order namespaces,idle,overhead"),
        (("--share-order", "idle,idle,overhead"), 2, "--share-order namespaces,idle,overhead"),
        (("--share", "a", "--share", "a=even"), 2, "--share kube-system=cost"),
        (("--share", "kube-system=metric"), 2, "--share-weight"),
        (("--share-weight", "ml=3"), 2, "--share kube-system=metric"),
        (("--share", "kube-system=metric", "--share-weight", "ml=nan"), 2, "--share-weight ml=3"),
        (("--window", "1d"), 2, "leave out --window"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    record: str, arguments: tuple[str, ...], code: int, word: str
) -> None:
    result = cost("allocate", "--from", record, *arguments)
    assert (result.code, result.out) == (code, "")
    assert word in result.err


def test_a_record_that_is_none_is_an_invalid_file(tmp_path: Path) -> None:
    path = tmp_path / "none.tar.gz"
    path.write_bytes(b"\x1f\x8b no")
    assert cost("show", "--from", str(path)).code == 3
    assert cost("show", "--from", str(tmp_path / "nowhere.zip")).code == 6


def test_two_currencies_are_not_compared(record: str, tmp_path: Path) -> None:
    other = tmp_path / "usd.zip"
    other.write_bytes(pack_record(metered(), replace(book(), currency="USD"), ".zip")[0])
    result = cost("diff", record, str(other))
    assert result.code == 2
    assert "cannot be compared" in result.err
    assert cost("diff", record).code == 2


def test_for_programs_the_rows_of_a_csv_add_up_to_the_bill(record: str) -> None:
    rows = list(
        csv.DictReader(
            maestro("cost", "show", "--by", "namespace", "--from", record, "-o", "csv").out.splitlines()
        )
    )
    total = json.loads(maestro("cost", "show", "--from", record, "-o", "json").out)["total"]
    assert sum(float(row["EUR"]) for row in rows) == pytest.approx(total, rel=1e-12)


@pytest.mark.parametrize("command", ["show", "report", "allocate"])
def test_a_record_reads_the_same_in_every_time_zone(
    command: str, record: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def told(zone: str) -> str:
        with monkeypatch.context() as patch:
            patch.setenv("TZ", zone)
            time.tzset()
            found = maestro("cost", command, "--from", record, "-o", "md").out
        time.tzset()
        return found

    assert told("UTC") == told("Asia/Tokyo") != ""


def test_volumes_of_nobody_are_told_from_the_spender_of_their_namespace(record: str, later: str) -> None:
    listed = maestro("cost", "diff", record, later, "--by", "namespace", "-o", "csv").out.splitlines()
    names = [line.partition(",")[0] for line in listed[1:]]
    assert len(set(names)) == len(names)
    assert {"ml", "ml (unallocated)"} <= set(names)
