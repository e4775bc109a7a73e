"""Labels, logs, config maps and names of managers that an attacker wrote stay text, and are capped."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from maestro_cli.changes.projection import ChangesProjection
from maestro_cli.core.canonical import canonical_json
from maestro_cli.core.facts.cluster import ConfigMap
from maestro_cli.core.facts.edits import FieldWrite, WrittenObject
from maestro_cli.core.refs import ObjectRef
from maestro_cli.incidents.triage.configuration import routing_of, text_changes
from tests.unit.incidents.platform import Recorded, at, workload
from tests.unit.incidents.triage_cases import PODS, failing_without_release, investigate
from tests.unit.incidents.world import Room, alert

PIECES = (
    "\x1b[2J", "\u202e", "\x00", "[bold red]", "{{ 7*7 }}", "$(rm -rf /)", "`id`", "%s%n", "\ud800",
    "\n" * 50, "schema: maestro.routing/1\n", "routes: {", "&a [*a]", "!!python/object:os.system",
    "🂡", "version: 9e999",
    "error connection refused ", '{"level":"error","message":', "a" * 5000, "fraud", '"', "'", "\\", "=", ":",
)  # fmt: skip


def nasty(dice: random.Random, most: int = 12) -> str:
    return "".join(dice.choice(PIECES) for _ in range(dice.randint(0, most)))


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    made = Room(tmp_path, ChangesProjection())
    made.detector.reconcile([alert(job_name="x" * 5000, secret_name="\u202e")], source="alertmanager-api")
    yield made
    made.journal.close()


def hostile(dice: random.Random) -> Recorded:
    template: dict[str, Any] = {
        "metadata": {"labels": {"app": "fraud"}},
        "spec": {
            "volumes": [{"configMap": {"name": "settings"}}],
            "containers": [{"args": ["--serve", nasty(dice), "--serve", "fraud=" + "9" * 400]}],
        },
    }
    writes = tuple(
        FieldWrite(nasty(dice), at(dice.uniform(-60, 5)), (nasty(dice), "data." + nasty(dice)))
        for _ in range(dice.randint(0, 5))
    )
    data = {nasty(dice, 3)[:250]: nasty(dice, 60) for _ in range(dice.randint(0, 6))}
    held = {"kubectl.kubernetes.io/last-applied-configuration": nasty(dice, 30)}
    case = failing_without_release()
    return case.but(
        workloads=(workload(template=template),),
        written=(WrittenObject(ObjectRef("ConfigMap", "ml", "settings"), "7", at(-900), writes),),
        configs=(ConfigMap("ml", "settings", "u", "7", data, held),),
        logs={name: [(float(s), nasty(dice, 4)) for s in range(-20, 30, 5)] for name in PODS["old"]},
    )


def test_whatever_is_written_there_a_triage_ends_and_its_record_is_bounded(room: Room) -> None:
    for seed in range(12):
        report = investigate(room, hostile(random.Random(seed)))
        assert len(report.evidence) >= 18
        assert {item.kind for item in report.evidence if not item.ok} <= {"config"}
        again = investigate(room, hostile(random.Random(seed)))
        assert again.suspects == report.suspects
        for item in report.evidence:
            assert len(canonical_json(item.as_data())) < 300_000
        assert len(canonical_json(report.suspects_as_data())) < 300_000


def test_a_config_map_of_any_content_is_no_routing_or_one_that_is_read(room: Room) -> None:
    for seed in range(200):
        dice = random.Random(seed)
        text = "schema: maestro.routing/1\n" + nasty(dice, 20)
        found = routing_of([ConfigMap("ml", "c", "u", "1", {"routing.yaml": text})])
        assert found is None or found.subject == "configmap ml/c"


def test_changes_of_any_text_are_few_and_short() -> None:
    for seed in range(100):
        dice = random.Random(seed)
        changes = text_changes({"k": nasty(dice, 200)}, {"k": nasty(dice, 200), nasty(dice): nasty(dice)})
        assert len(changes) <= 20
        assert all(len(line) <= 320 for line in changes)
