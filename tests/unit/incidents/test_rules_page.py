"""docs/incident-rules.md says what the program does."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

from maestro_cli.config.locations import shipped
from maestro_cli.incidents.intake.bindings import Bindings
from maestro_cli.incidents.intake.correlation import SEVERITIES
from maestro_cli.incidents.intake.detector import Detector
from maestro_cli.incidents.intake.rules.lint import lint_rules
from maestro_cli.incidents.intake.rules.projection import RulesProjection
from maestro_cli.incidents.intake.rules.reader import read_rules
from maestro_cli.incidents.intake.rules.spec import FlappingSpec, RuleSpec, RulesSpec, StormSpec
from maestro_cli.incidents.intake.topology import Topology
from maestro_cli.incidents.register import list_incidents
from maestro_cli.runbooks.projection import RunsProjection
from tests.unit.incidents.world import Room, alert

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "incident-rules.md").read_text(encoding="utf-8")

EXAMPLES = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
SHIPPED = shipped("deploy") / "incident-rules.yaml"


def test_the_example_can_be_read_and_names_every_key(tmp_path: Path) -> None:
    example, _ = EXAMPLES
    file = tmp_path / "rules.yaml"
    file.write_text(example, encoding="utf-8")
    book = read_rules((file,))
    assert [one for one in lint_rules(book, (), (), {}) if one.level == "error"] == []
    fields = {
        name for struct in (RulesSpec, RuleSpec, StormSpec, FlappingSpec) for name in struct.__struct_fields__
    }
    assert {name for name in fields if f"{name}:" not in example} == set()


def test_the_lines_that_turn_topology_on_put_a_node_and_workloads_together(tmp_path: Path) -> None:
    file = tmp_path / "rules.yaml"
    file.write_text(EXAMPLES[1], encoding="utf-8")
    book = read_rules((file, SHIPPED))
    assert lint_rules(book, (), (), {}) == ()
    topology = Topology(nodes={"shop/cart": frozenset({"node-a"})})
    signals = [
        alert(alertname="KubeNodeNotReady", namespace="", deployment="", service="", node="node-a"),
        alert(namespace="shop", deployment="cart", service=""),
        alert(namespace="shop", deployment="checkout", service=""),
        alert(namespace="web", deployment="blog", service=""),
    ]
    apart = {}
    for name, files in (("shipped", (SHIPPED,)), ("own", (file, SHIPPED))):
        (tmp_path / name).mkdir()
        room = Room(tmp_path / name, RulesProjection(), RunsProjection())
        bindings = Bindings((), read_rules(files))
        Detector(room.journal, room.clock, "watch", bindings=bindings, topology=lambda: topology).ingest(
            signals, source="alertmanager-api"
        )
        apart[name] = {one.key: one.signals for one in list_incidents(room.journal)}
        room.journal.close()
    assert apart["shipped"] == {"rule/node/-/node-a": 1, "shop/cart": 1, "shop/checkout": 1, "web/blog": 1}
    assert apart["own"] == {"node/node-a": 3, "web/blog": 1}


def test_the_table_of_severities_is_the_one_that_is_used() -> None:
    words: dict[str, list[str]] = defaultdict(list)
    for word, severity in SEVERITIES.items():
        words[severity.value if severity is not None else "never opens an incident"].append(word)
    rows = re.findall(r"^\| ([a-z0-9, ]+) \| ([a-z0-9 ]+) \|$", PAGE, re.MULTILINE)
    assert {said: told.split(", ") for told, said in rows if said != "severity"} == words
