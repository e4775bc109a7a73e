"""Which alerts there are, which have a runbook, and which runbooks were green."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from maestro_cli.config.locations import shipped
from maestro_cli.core.clock import SystemClock
from maestro_cli.core.errors import InvalidFile
from maestro_cli.runbooks.alerts import read_alerts
from maestro_cli.runbooks.catalog import RunbookCatalog
from maestro_cli.runbooks.coverage import cover
from tests.unit.runbooks.bench import Bench

RULES = """groups:
  - name: g
    rules:
      - record: x
        expr: y
      - alert: QueueFull
        expr: x > 1
        labels: {severity: page}
        annotations: {runbook_url: "https://x/runbooks/queue.md"}
"""
OBJECT = "apiVersion: monitoring.coreos.com/v1\nkind: PrometheusRule\nspec:\n" + "".join(
    f"  {line}\n" for line in RULES.replace("QueueFull", "Other").splitlines()
)


def test_alerts_are_read_from_rule_files_objects_and_objectives(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "a.yaml").write_text(RULES)
    (tmp_path / "deep" / "b.yml").write_text("kind: ConfigMap\n---\n" + OBJECT)
    (tmp_path / "c.yaml").write_text("alert: no rule file\n")
    (tmp_path / "d.txt").write_text(RULES)
    found = read_alerts([tmp_path])
    assert [(alert.name, Path(alert.file).name, alert.line) for alert in found] == [
        ("QueueFull", "a.yaml", 6),
        ("Other", "b.yml", 11),
    ]
    assert found[0].annotations == {"runbook_url": "https://x/runbooks/queue.md"}
    names = {alert.labels.get("objective") for alert in read_alerts([shipped("deploy")])}
    assert {"fraud-availability", "fraud-latency"} <= names


def test_a_place_that_is_not_there_and_a_broken_rule_file_are_errors(tmp_path: Path) -> None:
    with pytest.raises(InvalidFile, match="is not there"):
        read_alerts([tmp_path / "missing"])
    (tmp_path / "a.yaml").write_text("groups:\n  - rules: [{alert: x}, *y]\n")
    with pytest.raises(InvalidFile) as caught:
        read_alerts([tmp_path])
    assert caught.value.line == 2


def test_an_alert_without_runbook_and_a_runbook_that_rots_are_told(bench: Bench) -> None:
    (bench.folder / "a.yaml").write_text(RULES)
    (bench.folder / "o.yaml").write_text(OBJECT)
    (bench.folder / "books").mkdir()
    for name in ("queue", "idle"):
        (bench.folder / "books" / f"{name}.md").write_text(
            "```sh {id=a}\ntest -e fail || exit 0; exit 1\n```\n"
        )
    history, now = bench.runner().history, SystemClock().now()

    def look(within: float | None, later: float = 0.0) -> tuple[dict[str, str], dict[str, bool], bool]:
        found = cover(
            read_alerts([bench.folder / "a.yaml", bench.folder / "o.yaml"]),
            RunbookCatalog([bench.folder / "books"]),
            history.last_green,
            now + timedelta(seconds=later),
            within,
        )
        alerts = {one.alert.name: one.runbook for one in found.alerts}
        return alerts, {rot.runbook: rot.is_fresh for rot in found.runbooks}, found.is_met

    assert look(None) == ({"QueueFull": "queue", "Other": "queue"}, {"idle": False, "queue": False}, True)
    catalog = RunbookCatalog([bench.folder / "books"])
    assert bench.runner().start(catalog.get("queue"), {}).ok
    assert look(3600)[1:] == ({"idle": False, "queue": True}, False)
    (bench.folder / "books" / "fail").touch()
    assert not bench.runner().start(catalog.get("idle"), {}).ok
    assert look(3600)[1:] == ({"idle": False, "queue": True}, False)
    (bench.folder / "books" / "fail").unlink()
    assert bench.runner().start(catalog.get("idle"), {}).ok
    assert look(3600)[1:] == ({"idle": True, "queue": True}, True)
    assert look(3600, later=7200)[1:] == ({"idle": False, "queue": False}, False)
    (bench.folder / "books" / "queue.md").unlink()
    assert look(None)[0] == {"QueueFull": "", "Other": ""}
    assert look(None)[2] is False
