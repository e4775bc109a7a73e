"""`maestro sla` on a bare Prometheus: a month reported, written in every form, made again, and verified."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from maestro_cli.core.archives import pack, read_archive
from maestro_cli.services.sla import PRINTERS
from tests.cli.program import Result, maestro
from tests.contract.recorded_prometheus import recorded_prometheus
from tests.contract.slo.test_slo_commands import OBJECTIVE

pytestmark = pytest.mark.contract
START = round(datetime(2026, 9, 30, 21, tzinfo=UTC).timestamp())  # an hour before October begins in Berlin
STEP_SECONDS, STEPS = 300, 31 * 288 + 24 + 3
OCTOBER = ("--month", "2026-10", "--zone", "Europe/Berlin", "--previous", "0")


@dataclass(frozen=True)
class Scene:
    folder: Path
    url: str

    def run(self, *arguments: str, zone: str = "UTC") -> Result:
        names = ("HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME")
        env = {name: str(self.folder / name.lower()) for name in names}
        return maestro("sla", *arguments, env={**env, "TZ": zone})

    def slo(self, *arguments: str, actor: str = "ann") -> Result:
        names = ("HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME")
        env = {name: str(self.folder / name.lower()) for name in names}
        return maestro("slo", *arguments, env={**env, "MAESTRO_ACTOR": actor})

    def report(self, *arguments: str) -> Result:
        where = ("--file", str(self.folder / "slos"), "--prometheus", self.url)
        return self.run("report", *OCTOBER, *where, *arguments)


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    folder = tmp_path_factory.mktemp("sla")
    for name in ("slos", "home"):
        (folder / name).mkdir()
    for name in ("kept", "holed"):
        (folder / "slos" / f"{name}.yaml").write_text(OBJECTIVE.format(name=name))
    with recorded_prometheus(folder, "\n".join(("# TYPE r counter", *_samples(), "# EOF", ""))) as url:
        yield Scene(folder, url)


def _samples() -> Iterator[str]:
    for name in ("kept", "holed"):
        for code, each in (("200", 10_000), ("500", 4)):
            for step in range(STEPS):
                if name == "kept" or not 2000 <= step < 4000:
                    told = f'r_total{{service="{name}",code="{code}",instance="a"}}'
                    yield f"{told} {each * step} {START + step * STEP_SECONDS}"


@pytest.fixture(scope="module")
def bundle(scene: Scene) -> Path:
    path = scene.folder / "october.tar.gz"
    done = scene.report("--to", str(path), "-o", "json")
    assert done.code == 15, done.err
    assert str(path) in done.err
    document = json.loads(done.out)
    verdicts = {one["objective"]: one["raw"]["verdict"] for one in document["items"]}
    assert verdicts == {"kept": "PASS", "holed": "INDETERMINATE"}
    assert document["verdict"] == "INDETERMINATE"
    (kept,) = (one for one in document["items"] if one["objective"] == "kept")
    assert kept["raw"]["total"] == 10_004 * (31 * 288 + 12)
    return path


def test_a_bundle_is_verified_without_the_prometheus(scene: Scene, bundle: Path) -> None:
    done = scene.run("verify", str(bundle))
    assert done.code == 0, done.err
    assert "PASS" in done.out
    assert "which is trusted" in done.out, "by the key of this installation, as incidents are"


def test_two_people_in_two_zones_write_the_same_bytes(scene: Scene, bundle: Path, tmp_path: Path) -> None:
    forms = ("october.html", "october.md", "october.json", "october.tar.gz")
    for number, zone in enumerate(("UTC", "Asia/Tokyo")):
        (tmp_path / str(number)).mkdir()
        written = [word for form in forms for word in ("--to", str(tmp_path / str(number) / form))]
        assert scene.run("report", "--from", str(bundle), *written, zone=zone).code == 15
    for form in forms:
        assert (tmp_path / "0" / form).read_bytes() == (tmp_path / "1" / form).read_bytes()
    assert (tmp_path / "0" / "october.tar.gz").read_bytes() == bundle.read_bytes()
    assert "<svg" in (tmp_path / "0" / "october.html").read_text()


CONTRACT = """
maestro: contract/v1
name: gold
customer: ACME
objectives: [kept]
zone: Europe/Berlin
credits:
  - {below_percent: 99.99, credit_percent: 10}
  - {below_percent: 99, credit_percent: 25}
"""
EXCLUSIONS = """
maestro: exclusions/v1
exclusions:
  - {id: patching, owner: ops, reason: patches, start: "2026-10-04T02:00", zone: Europe/Berlin,
     duration: 2h, rrule: FREQ=WEEKLY;BYDAY=SU, declared: "2026-09-01T10:00:00Z"}
  - {id: late, owner: ops, reason: forgotten, start: "2026-10-07T02:00", duration: 2h}
"""


def test_a_contract_says_what_is_due_and_maintenance_is_taken_out(scene: Scene, tmp_path: Path) -> None:
    contract, exclusions = tmp_path / "contract.yaml", tmp_path / "exclusions.yaml"
    contract.write_text(CONTRACT)
    exclusions.write_text(EXCLUSIONS)
    bundle = tmp_path / "gold.zip"
    told = ("--contract", str(contract), "--exclusions", str(exclusions), "--to", str(bundle), "-o", "json")
    done = scene.report(*told)
    assert done.code == 0, done.err
    document = json.loads(done.out)
    (kept,) = document["items"]
    assert [one["id"] for one in document["exclusions"]] == ["patching"] * 4
    assert [one["id"] for one in document["waiting_exclusions"]] == ["late"]
    assert kept["raw"]["total"] - kept["adjusted"]["total"] == 10_004 * 4 * 24
    assert kept["raw"]["verdict"] == "PASS"  # 99.96 % of 99.9 %: the tier above what is promised is not of it
    assert document["credit"] == {"low_percent": 0.0, "high_percent": 0.0, "why": "no tier is reached"}
    assert scene.run("verify", str(bundle)).code == 0


def test_one_zone_moves_the_month_of_no_other(scene: Scene, tmp_path: Path) -> None:
    """1 October begins at 22:00 UTC in Berlin, and its month, in which clocks change, is an hour longer."""
    slos, bundle = tmp_path / "slos", tmp_path / "october.tar.gz"
    slos.mkdir()
    (slos / "kept.yaml").write_text(OBJECTIVE.format(name="kept"))
    calendar = '[{{duration: 1M, isRolling: false, calendar: {{startTime: "2026-01-01 00:00:00", '
    berlin = OBJECTIVE.replace(
        "[{{duration: 1d, isRolling: true}}]", calendar + "timeZone: Europe/Berlin}}}}]"
    )
    where = ("--month", "2026-10", "--previous", "0", "--file", str(slos), "--prometheus", scene.url)

    def totals(*arguments: str) -> dict[str, float]:
        done = scene.run("report", *where, *arguments, "-o", "json")
        return {one["objective"]: one["raw"]["total"] for one in json.loads(done.out)["items"]}

    of_utc = 10_004 * (31 * 288 - 9)  # the recording ends at 23:15
    of_berlin = 10_004 * (31 * 288 + 12)
    assert totals() == {"kept": of_utc}
    (slos / "till.yaml").write_text(berlin.format(name="till").replace('service="till"', 'service="kept"'))
    assert totals("--to", str(bundle)) == {"kept": of_utc, "till": of_berlin}
    assert totals("--zone", "Europe/Berlin") == {"kept": of_berlin, "till": of_berlin}
    verified = scene.run("verify", str(bundle), "-o", "wide")
    assert verified.code == 0, verified.err
    for told in (verified.out, scene.run("report", "--from", str(bundle), "-o", "md").out):
        words = " ".join(told.split())
        assert "2026-10-01 00:00 to 2026-11-01 00:00 UTC" in words
        assert "2026-10-01 00:00 to 2026-11-01 00:00 Europe/Berlin of till, whose calendar it is" in words
    again = tmp_path / "again.tar.gz"
    scene.run("report", "--from", str(bundle), "--to", str(again))
    assert again.read_bytes() == bundle.read_bytes()


def test_a_figure_that_was_changed_is_found(scene: Scene, bundle: Path, tmp_path: Path) -> None:
    files = read_archive(bundle)
    files["report.json"] = files["report.json"].replace(b'"INDETERMINATE"', b'"PASS"')
    changed = tmp_path / "changed.tar.gz"
    changed.write_bytes(pack(files, ".tar.gz"))
    done = scene.run("verify", str(changed))
    assert done.code == 10
    assert "items[0].raw.verdict" in done.out
    assert "INDETERMINATE" in done.out


def test_a_bundle_that_is_false_becomes_no_document_and_takes_no_other_words(
    scene: Scene, bundle: Path, tmp_path: Path
) -> None:
    files = read_archive(bundle)
    files["report.json"] = files["report.json"].replace(b'"INDETERMINATE"', b'"PASS"')
    (tmp_path / "false.zip").write_bytes(pack(files, ".zip"))
    done = scene.run("report", "--from", str(tmp_path / "false.zip"), "--to", str(tmp_path / "a.html"))
    assert done.code == 3
    assert not (tmp_path / "a.html").exists()
    assert scene.run("report", "kept", "--from", str(bundle)).code == 2


def test_a_file_that_is_there_is_left_alone(scene: Scene, bundle: Path, tmp_path: Path) -> None:
    there = tmp_path / "there.html"
    there.write_text("mine")
    done = scene.run("report", "--from", str(bundle), "--to", str(there))
    assert done.code == 11
    assert there.read_text() == "mine"
    assert scene.run("report", "--from", str(bundle), "--to", str(there), "--force").code == 15
    assert there.read_text() != "mine"


@pytest.mark.parametrize(
    ("arguments", "code", "word"),
    [
        (("--month", "2026-13"), 2, "2026-10"),
        (("--month", "2126-01"), 2, "has not begun"),
        (("--zone", "Mars"), 2, "time zone"),
        (("--previous", "900"), 2, "0 to 24"),
        (("--to", "report.docx"), 2, ".html"),
    ],
    ids=["month", "future", "zone", "previous", "form"],
)
def test_what_is_no_report_is_said_so(scene: Scene, arguments: tuple[str, ...], code: int, word: str) -> None:
    done = scene.report(*arguments)
    assert done.code == code
    assert word in done.err


def test_what_is_no_bundle_is_said_so(scene: Scene, tmp_path: Path) -> None:
    path = tmp_path / "no.tar.gz"
    path.write_bytes(pack({"a": b"b"}, ".tar.gz"))
    done = scene.run("verify", str(path))
    assert done.code == 3
    assert "manifest.json" in done.err
    assert scene.run("verify", str(tmp_path / "missing.tar.gz")).code == 6


def _prints(folder: Path) -> bool:
    """Whether a browser of this machine prints a page at all, as long as it may take."""
    program = next(filter(None, map(shutil.which, PRINTERS)), None)
    if program is None:
        return False
    target = folder / "try.pdf"
    command = [
        program,
        "--headless",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        f"--user-data-dir={folder}/try",
    ]
    command += ["--no-sandbox"] if os.getuid() == 0 else []
    try:
        subprocess.run([*command, f"--print-to-pdf={target}", "about:blank"], capture_output=True, timeout=30)
    except subprocess.TimeoutExpired:
        return False
    return target.is_file()


def test_a_browser_prints_it(scene: Scene, bundle: Path, tmp_path: Path) -> None:
    if not _prints(tmp_path):
        pytest.skip("no browser that prints within half a minute: apt-get install chromium")
    path = tmp_path / "october.pdf"
    done = scene.run("report", "--from", str(bundle), "--to", str(path))
    assert done.code == 15, done.err
    assert path.read_bytes().startswith(b"%PDF-")


def test_maintenance_of_the_journal_is_taken_out_and_goes_with_the_bundle(
    scene: Scene, tmp_path: Path
) -> None:
    """Raw and adjusted side by side; the bundle names the event that says so, and is verified offline."""
    config = scene.folder / "xdg_config_home" / "maestro" / "config.yaml"
    config.parent.mkdir(parents=True, exist_ok=True)
    context = {"prometheus": {"url": scene.url}, "objectives": [str(scene.folder / "slos" / "kept.yaml")]}
    config.write_text(json.dumps({"current_context": "bare", "contexts": {"bare": context}}))
    said = ("--owner", "ops", "--reason", "patches", "--start", "2026-10-04T00:00", "--duration", "2h")
    assert scene.slo("exclude", "add", "patch", *said).code == 0
    assert scene.slo("exclude", "approve", "patch", actor="OPS").code == 20
    assert scene.slo("exclude", "approve", "patch", actor="bob").code == 0
    (listed,) = json.loads(scene.slo("exclude", "list", "-o", "json").out)["items"]
    bundle = tmp_path / "october.zip"
    done = scene.run("report", *OCTOBER, "--to", str(bundle), "-o", "json")
    assert done.code == 0, done.err
    document = json.loads(done.out)
    (kept,) = document["items"]
    assert kept["raw"]["total"] - kept["adjusted"]["total"] == 10_004 * 24
    (excluded,) = document["exclusions"]
    assert (excluded["approved_by"], excluded["journal"]) == ("bob", listed["journal"])
    assert re.fullmatch(r"\d+:[0-9a-f]{64}", listed["journal"])
    shutil.move(config, tmp_path)
    assert scene.run("verify", str(bundle)).code == 0


EACH_ITS_OWN = """
maestro: exclusions/v1
exclusions:
  - {id: a, owner: ops, reason: r, start: "2026-10-04T00:00", duration: 40h, declared: "2026-09-01T10:00:00Z",
     objectives: [kept]}
  - {id: b, owner: dba, reason: r, start: "2026-10-08T00:00", duration: 40h, declared: "2026-09-01T11:00:00Z",
     objectives: [holed]}
  - {id: c, owner: ops, reason: r, start: "2026-10-12T00:00", duration: 1h, declared: "2026-09-01T12:00:00Z"}
  - {id: d, owner: dba, reason: r, start: "2026-10-14T00:00", duration: 8h, declared: "2026-09-01T13:00:00Z",
     objectives: [holed]}
  - {id: e, owner: ops, reason: r, start: "2026-10-16T00:00", duration: 24h, declared: "2026-09-01T14:00:00Z"}
"""


def test_status_report_and_list_judge_maintenance_by_what_each_objective_loses(
    scene: Scene, tmp_path: Path
) -> None:
    """Forty hours of each of two leave room for one of both; the last is too much for one of them alone."""
    config = scene.folder / "xdg_config_home" / "maestro" / "config.yaml"
    config.parent.mkdir(parents=True, exist_ok=True)
    (config.parent / "each.yaml").write_text(EACH_ITS_OWN)
    context = {"prometheus": {"url": scene.url}, "objectives": [str(scene.folder / "slos")]}
    context["exclusions"] = ["each.yaml"]
    config.write_text(json.dumps({"current_context": "each", "contexts": {"each": context}}))
    status = scene.slo("status", *OCTOBER[:4], "-o", "json")
    kept = {
        one["objective"]: [out["id"] for out in one["measured"]["excluded"]]
        for one in json.loads(status.out)["items"]
    }
    assert kept == {"kept": ["a", "c", "e"], "holed": ["b", "c", "d"]}
    bundle = tmp_path / "each.zip"
    done = scene.run("report", *OCTOBER, "--to", str(bundle), "-o", "json")
    document = json.loads(done.out)
    reported = {one["objective"]: [out["id"] for out in one["excluded"]] for one in document["items"]}
    assert reported == kept
    assert [one["objectives"] for one in document["exclusions"]] == [
        ["kept"],
        ["holed"],
        [],
        ["holed"],
        ["kept"],
    ]
    assert [(one["id"], one["objectives"]) for one in document["waiting_exclusions"]] == [("e", ["holed"])]
    listed = json.loads(scene.slo("exclude", "list", "-o", "json").out)["items"]
    assert [one["standing"] for one in listed[:4]] == ["counts"] * 4
    assert listed[4]["standing"].startswith("counts, but not for holed")
    config.unlink()
    assert scene.run("verify", str(bundle)).code == 0
