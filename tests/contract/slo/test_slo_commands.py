"""`maestro slo status` and its neighbours on a bare Prometheus: no context, no rules, a past day."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.cli.program import Result, maestro
from tests.contract.recorded_prometheus import recorded_prometheus

pytestmark = pytest.mark.contract
START = round(datetime(2026, 10, 1, tzinfo=UTC).timestamp())
MINUTES = 1440
MAINTENANCE = """
maestro: exclusions/v1
exclusions:
  - {id: move, owner: ann, reason: the scraper moves, start: 2026-10-01T04:55, duration: 7h,
     objectives: [holed], declared: 2026-09-20T12:00:00Z, approved_by: bob}
"""
OBJECTIVE = """
apiVersion: openslo/v1
kind: SLO
metadata: {{name: {name}}}
spec:
  service: {name}
  indicator:
    metadata: {{name: {name}}}
    spec:
      ratioMetric:
        counter: true
        bad: {{metricSource: {{type: Prometheus, spec: {{query: 'r_total{{service="{name}",code="500"}}'}}}}}}
        total: {{metricSource: {{type: Prometheus, spec: {{query: 'r_total{{service="{name}"}}'}}}}}}
  timeWindow: [{{duration: 1d, isRolling: true}}]
  budgetingMethod: Occurrences
  objectives: [{{target: 0.999}}]
"""


@dataclass(frozen=True)
class Scene:
    folder: Path
    url: str

    @property
    def env(self) -> dict[str, str]:
        names = ("HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME")
        return {name: str(self.folder / name.lower()) for name in names}

    def run(self, *arguments: str) -> Result:
        where = ("--file", str(self.folder / "slos"), "--prometheus", self.url)
        return maestro("slo", *arguments, *where, env=self.env)

    def read(self, *arguments: str) -> Any:
        return json.loads(self.run(*arguments, "-o", "json").out)


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    folder = tmp_path_factory.mktemp("slo")
    (folder / "slos").mkdir()
    (folder / "home").mkdir()
    for name in ("kept", "broken", "holed"):
        (folder / "slos" / f"{name}.yaml").write_text(OBJECTIVE.format(name=name))
    with recorded_prometheus(folder, "\n".join(("# TYPE r counter", *_samples(), "# EOF", ""))) as url:
        settings = folder / "xdg_config_home" / "maestro" / "config.yaml"
        settings.parent.mkdir(parents=True)
        context = {"prometheus": {"url": url}, "objectives": ["slos"], "exclusions": ["out.yaml"]}
        settings.write_text(json.dumps({"contexts": {"bare": context}}))
        (settings.parent / "out.yaml").write_text(MAINTENANCE)
        (settings.parent / "slos").symlink_to(folder / "slos")
        yield Scene(folder, url)


def _samples() -> Iterator[str]:
    for name, bad in (("kept", 0.4), ("broken", 3.0), ("holed", 0.4)):
        for code, rate in (("200", 1000.0), ("500", bad)):
            for minute in range(-5, MINUTES + 1):
                if name != "holed" or not 300 <= minute < 700:
                    told = f'r_total{{service="{name}",code="{code}",instance="a"}}'
                    yield f"{told} {int(rate * (minute + 5))} {START + minute * 60}"


AT = ("--at", "2026-10-02T00:00:00Z")


def test_status_has_a_verdict_each_and_ends_with_the_worst(scene: Scene) -> None:
    done = scene.run("status", *AT)
    assert done.code == 10
    verdicts = {line.split()[0]: line.split()[1] for line in done.out.splitlines()[1:]}
    assert verdicts == {"kept": "PASS", "broken": "FAIL", "holed": "INDETERMINATE"}


@pytest.mark.parametrize(
    ("name", "code"), [("kept", 0), ("broken", 10), ("holed", 15)], ids=["PASS", "FAIL", "INDETERMINATE"]
)
def test_an_exit_code_is_the_verdict(scene: Scene, name: str, code: int) -> None:
    assert scene.run("status", name, *AT).code == code


def test_json_has_counts_bounds_budget_and_policy(scene: Scene) -> None:
    (one,) = scene.read("status", "kept", *AT)["items"]
    measured = one["measured"]
    assert measured["total"] == 1000 * MINUTES + 576
    assert measured["bounds"] == {"low": measured["ratio"], "high": measured["ratio"]}
    assert measured["budget"]["left"] == pytest.approx(0.6, abs=0.01)
    assert one["policy"]["standing"] == "normal"
    assert one["burn"]["state"] == "ok"


def test_the_second_look_comes_from_the_disk_and_is_the_same(scene: Scene) -> None:
    first, second = (scene.read("explain", "kept", *AT) for _ in range(2))
    assert all(asked["kept"] for asked in second["queries"])
    assert first["measured"] == second["measured"]
    assert [one["sha256"] for one in first["queries"]] == [one["sha256"] for one in second["queries"]]


def test_what_promql_counts_is_compared_when_that_is_asked_for(scene: Scene) -> None:
    plain, checked = (
        scene.read("explain", "kept", *AT, *more)["measured"] for more in ((), ("--cross-check",))
    )
    assert checked["notes"][:-1] == plain["notes"]
    assert checked["notes"][-1].startswith("PromQL agrees")
    assert checked["coverage"] == plain["coverage"]


def test_what_is_excluded_is_beside_what_was_measured_of_all(scene: Scene) -> None:
    done = maestro("--context", "bare", "slo", "status", *AT, "-o", "json", env=scene.env)
    found = {one["objective"]: one["measured"] for one in json.loads(done.out)["items"]}
    assert found["holed"]["verdict"] == "INDETERMINATE"
    assert found["holed"]["adjusted"]["verdict"] == "PASS"
    assert [out["id"] for out in found["holed"]["excluded"]] == ["move"]
    assert found["kept"]["adjusted"] is None


def test_a_budget_that_is_spent_freezes(scene: Scene) -> None:
    done = scene.run("budget", "broken", *AT)
    assert done.code == 10
    assert "freeze" in done.out


def test_another_target_is_judged_by_the_same_events(scene: Scene) -> None:
    done = scene.read("what-if", "kept", *AT, "--target", "99.5%", "--target", "0.9999")
    assert [one["verdict"] for one in done["items"]] == ["PASS", "PASS", "FAIL"]
    assert len({one["good"] for one in done["items"]}) == 1


def test_a_gate_lets_nothing_through_that_is_not_known(scene: Scene) -> None:
    assert scene.run("gate").code == 15


def test_a_gate_is_asked_of_an_instant_that_is_over(scene: Scene) -> None:
    codes = {name: scene.run("gate", name, *AT).code for name in ("kept", "broken")}
    assert codes == {"kept": 0, "broken": 10}


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("status", "keptt"), 6, "kept"),
        (("status", "--at", "2999-01-01T00:00:00Z"), 2, "still to come"),
        (("status", "--month", "2026-13"), 2, "2026-10"),
        (("status", "--month", "0002-01"), 2, "2026-10"),
        (("status", "--month", "2999-01"), 2, "has not begun"),
        (("status", "--window", "99999d"), 2, "longer than five years"),
        (("status", "--zone", "Mars/Olympus"), 2, "Europe/Berlin"),
        (("what-if", "kept", "--target", "99.9"), 2, "write 99.9%"),
        (("gate", "--left-at-least", "25"), 2, "0.25"),
        (("gate", "--at", "2999-01-01T00:00:00Z"), 2, "still to come"),
        (("gate", "--zone", "Mars"), 2, "not a time zone"),
        (("status", "--until", "PASS"), 2, "--watch --until PASS"),
    ],
    ids=[
        "name",
        "future",
        "month",
        "old month",
        "future month",
        "window",
        "zone",
        "percentage",
        "share",
        "gate of the future",
        "gate of no zone",
        "until",
    ],
)
def test_what_cannot_be_meant_is_refused_with_what_can(
    scene: Scene, arguments: tuple[str, ...], code: int, said: str
) -> None:
    done = scene.run(*arguments)
    assert done.code == code, done.err
    assert said in done.err


def test_a_watch_says_a_line_a_look_and_ends_in_time(scene: Scene) -> None:
    done = scene.run("status", *AT, "--watch", "--every", "1s", "--timeout", "1s")
    assert done.code == 124
    assert "1 PASS, 1 FAIL, 1 INDETERMINATE" in done.out


def test_a_watch_ends_well_with_the_verdict_that_it_waits_for(scene: Scene) -> None:
    done = scene.run("status", "kept", *AT, "--watch", "--until", "PASS", "--timeout", "10m")
    assert done.code == 0, done.err
    assert done.out == "1 PASS, 0 FAIL, 0 INDETERMINATE\n"


def test_maintenance_of_the_context_is_taken_out_beside_what_was_measured(
    scene: Scene, tmp_path: Path
) -> None:
    """Two hours of a day; what was declared late is told and stays in."""
    (tmp_path / "maestro").mkdir()
    (tmp_path / "maestro" / "config.yaml").write_text(
        "current_context: here\ncontexts:\n  here:\n"
        f"    prometheus: {{url: '{scene.url}'}}\n    objectives: ['{scene.folder / 'slos'}']\n"
        "    exclusions: [exclusions.yaml]\n",
        encoding="utf-8",
    )
    (tmp_path / "maestro" / "exclusions.yaml").write_text(
        "maestro: exclusions/v1\nexclusions:\n"
        "- {id: patching, owner: ops, reason: r, start: 2026-10-01T02:00, duration: 2h, objectives: [kept],"
        " declared: 2026-09-30T00:00:00Z}\n"
        "- {id: late, owner: ops, reason: r, start: 2026-10-01T06:00, duration: 1h,"
        " declared: 2026-10-01T08:00:00Z}\n",
        encoding="utf-8",
    )
    env = {"XDG_CONFIG_HOME": str(tmp_path), "XDG_CACHE_HOME": str(scene.folder / "xdg_cache_home")}
    found = json.loads(maestro("slo", "explain", "kept", *AT, "-o", "json", env=env).out)["measured"]
    assert found["total"] == 1000 * MINUTES + 576
    assert found["adjusted"]["total"] == pytest.approx(found["total"] * 22 / 24, rel=1e-3)
    assert [note for note in found["notes"] if note.endswith("approves it: late")]
    other = json.loads(maestro("slo", "explain", "broken", *AT, "-o", "json", env=env).out)["measured"]
    assert other["adjusted"] is None
