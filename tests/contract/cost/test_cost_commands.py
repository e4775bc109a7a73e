"""`maestro cost` over a real Prometheus, and of the record that it made: the same bytes offline."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from maestro_cli.config.locations import config_dir, state_dir
from maestro_cli.incidents.desk import IncidentDesk
from maestro_cli.incidents.projection import IncidentProjection
from maestro_cli.journal.store import Journal
from tests.cli.program import maestro
from tests.contract.cost.test_metering_prometheus import HOURS, SCRAPE, START, text
from tests.contract.recorded_prometheus import recorded_prometheus
from tests.unit.incidents.world import SetClock

PRICES = """
currency: EUR
CPU: 0.03
RAM: 0.004
GPU: 0.9
nodes: [{type: m5, hourly: 0.40}]
spotCPU: 0.01
spotRAM: 0.001
storage_classes: [{name: ssd, per_gib_month: 0.073}]
overhead: {control_plane_hourly: 0.10, load_balancer_hourly: 0.025}
"""
UNTIL = ("--until", f"{START + timedelta(hours=HOURS):%Y-%m-%dT%H:%M:%SZ}")


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("commands")
    with recorded_prometheus(folder, text(), f"--query.lookback-delta={SCRAPE - 1}s") as found:
        yield found


@pytest.fixture
def lab(url: str) -> None:
    """The context `lab`, with prices."""
    config_dir().mkdir(parents=True, exist_ok=True)
    (config_dir() / "prices.yaml").write_text(PRICES, encoding="utf-8")
    (config_dir() / "config.yaml").write_text(
        f'current_context: lab\ncontexts: {{lab: {{prometheus: {{url: "{url}"}}, '
        "costs: {prices: prices.yaml}}}",
        encoding="utf-8",
    )


@pytest.mark.usefixtures("lab")
def test_a_real_bill_is_what_its_parts_cost() -> None:
    told = json.loads(maestro("cost", "show", "--window", "3h", *UNTIL, "-o", "json").out)
    # the node of a known type for three hours; of the other the first hour, and 29 minutes of the second
    spot = (1 + 29 / 60) * (8 * 0.01 + 32 * 0.001)
    machines = told["bill"]["cpu"] + told["bill"]["memory"]
    assert machines == pytest.approx(3 * 0.40 + spot, rel=1e-6)
    assert told["bill"]["storage"] == pytest.approx(3 * 10 * 0.073 / 730, rel=0.01)
    assert sum(row["total"] for row in told["rows"]) == pytest.approx(told["total"], rel=1e-9)
    assert told["coverage"] == pytest.approx(1.0, abs=0.02)
    assert "nodes: no instance type spot" in " ".join(told["unpriced"]) + " ".join(told["notes"])


@pytest.mark.usefixtures("lab")
@pytest.mark.parametrize("form", ["table", "json", "md", "csv"])
def test_a_record_gives_the_same_bytes_without_a_network(tmp_path: Path, form: str) -> None:
    record = tmp_path / "three.tar.gz"
    shares = ("--share-idle", "node", "--by", "team,model", "-o", form)
    live = maestro("cost", "allocate", "--window", "3h", *UNTIL, *shares, "--record", str(record))
    assert (live.code, live.err) == (0, "")
    (config_dir() / "config.yaml").write_text("contexts: {}\n", encoding="utf-8")  # nobody can be asked
    again = maestro("cost", "allocate", "--from", str(record), *shares)
    assert (again.code, again.out) == (0, live.out)
    assert maestro("cost", "report", "--from", str(record), "-o", form).code == 0


@pytest.mark.usefixtures("lab")
def test_an_hour_is_compared_with_the_one_before() -> None:
    until = ("--until", f"{START + timedelta(hours=2):%Y-%m-%dT%H:%M:%SZ}")
    told = json.loads(maestro("cost", "diff", "--window", "1h", *until, "--by", "pod", "-o", "json").out)
    why = {row["keys"]["pod"]: row["why"] for row in told["rows"] if row["kind"] == "spender"}
    assert why["ml/short"] == "new"
    assert why["ml/whole"] == ""
    assert told["change"] < 0  # a node went


@pytest.mark.usefixtures("lab")
def test_what_nobody_measured_is_no_data() -> None:
    result = maestro("cost", "show", "--window", "2h", "--until", "2026-01-02")
    assert (result.code, result.out) == (15, "")
    assert "nothing was measured" in result.error_lines[0]


@pytest.mark.usefixtures("lab")
def test_what_has_no_prices_is_no_data() -> None:
    file = config_dir() / "config.yaml"
    file.write_text(
        file.read_text(encoding="utf-8").replace("costs: {prices: prices.yaml}", ""), encoding="utf-8"
    )
    result = maestro("cost", "show", "--window", "3h", *UNTIL)
    assert (result.code, result.out) == (15, "")
    assert "prices" in result.error_lines[0]


@pytest.mark.usefixtures("lab")
def test_waste_of_a_record_is_told_without_a_network_and_names_what_it_has_not(tmp_path: Path) -> None:
    record = tmp_path / "three.tar.gz"
    assert maestro("cost", "show", "--window", "3h", *UNTIL, "--record", str(record)).code == 0
    before = maestro("cost", "waste", "--window", "3h", *UNTIL, "-o", "json")
    assert before.code == 15, "nothing was found where nothing could be judged"
    past = json.loads(before.out)
    (config_dir() / "config.yaml").write_text("contexts: {}\n", encoding="utf-8")  # nobody can be asked
    told = maestro("cost", "waste", "--from", str(record), "-o", "json")
    assert told.code == 15, told.err
    kinds = [
        "cold cache",
        "dear metric",
        "idle model",
        "too many replicas",
        "unattached volume",
        "zombie workload",
    ]
    for found in (past, json.loads(told.out)):
        assert not found["items"]
        assert sorted(one["kind"] for one in found["not_judged"]) == kinds


@pytest.fixture
def drilled(lab: None) -> None:
    """A drill whose incident lasted from 1:15 to 1:45, one before it, and one that nobody detected."""
    clock = SetClock(START)
    file = state_dir() / "journal" / "lab.sqlite"
    with closing(Journal(file, projections=[IncidentProjection()], clock=clock)) as journal:
        desk = IncidentDesk(journal, clock, "ana")
        for begins, lasts in ((10, 20), (45, 30)):
            clock.advance(60 * begins)
            found = desk.open("rehearsal", drill=True)
            clock.advance(60 * lasts)
            desk.resolve(found.id, force=True, reason="it is over")
            card = {"incident": found.id, "scorecard": {"scenario": "bad-release"}}
            journal.append("drill.scored", f"drill/drl-{begins}", "ana", card)
        nothing = {"incident": "", "scorecard": {"scenario": "unseen"}}
        journal.append("drill.scored", "drill/drl-0", "ana", nothing)


@pytest.mark.usefixtures("drilled")
def test_a_drill_cost_what_the_machines_did_while_its_incident_lasted() -> None:
    """The node of a known type, the control plane, and a volume; of the other node 14 of 30 minutes."""
    told = json.loads(maestro("cost", "show", "--drill", "bad-release", "-o", "json").out)
    span = told["incident"]
    assert (span["number"], span["drill"], span["lasts"]) == (2, True, False)
    hour = told["total"]  # the hour from 1:00, all of it
    assert span["cost"] == pytest.approx(hour / 2, rel=0.02)
    by_id = json.loads(maestro("cost", "show", "--drill", "drl-10", "-o", "json").out)
    assert by_id["incident"]["number"] == 1
    again = json.loads(maestro("cost", "show", "--incident", "2", "-o", "json").out)
    assert again == told


@pytest.mark.usefixtures("drilled")
@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("--drill", "unseen"), 15, "no incident came of the drill unseen"),
        (("--drill", "never"), 6, "no drill 'never' was scored"),
        (("--drill", "bad-release", "--incident", "1"), 2, "an incident and a drill"),
        (("--drill", "bad-release", "--window", "1h"), 2, "an incident says what its window is"),
    ],
)
def test_a_drill_without_an_incident_has_no_cost(words: tuple[str, ...], code: int, says: str) -> None:
    result = maestro("cost", "show", *words)
    assert (result.code, result.out) == (code, "")
    assert says in result.error_lines[0]
