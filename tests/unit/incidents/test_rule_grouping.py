"""What rules make of signals: incidents, titles, how long they reopen; playbooks come first."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from maestro_cli.config.locations import shipped
from maestro_cli.core.facts.alerts import Alert
from maestro_cli.incidents.desk import IncidentDesk
from maestro_cli.incidents.intake.bindings import Bindings
from maestro_cli.incidents.intake.detector import Detector
from maestro_cli.incidents.intake.rules.explanation import RuleExplanation, explain_signal
from maestro_cli.incidents.intake.rules.projection import RulesProjection
from maestro_cli.incidents.intake.rules.reader import read_rules
from maestro_cli.incidents.model import Severity
from maestro_cli.incidents.register import list_incidents
from maestro_cli.runbooks.playbooks.model import Playbook
from tests.unit.incidents.errand_room import bound
from tests.unit.incidents.world import LABELS, T0, Room, alert

SOURCE = "alertmanager-api"
RULES = """maestro: incident-rules/v1
severities: {blocker: sev1}
heartbeats: [Pulse]
rules:
- id: pair
  matchers: [team=pair]
  group_by: [team]
  threshold: 2
  window: 5m
  title: "{{ labels.team }} is ill"
- id: short
  matchers: [team=short]
  group_by: [team]
  reopen_window: 60s
"""


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    room = Room(tmp_path, RulesProjection())
    yield room
    room.journal.close()


def bindings(room: Room, *playbooks: Playbook) -> Bindings:
    file = room.journal.path.parent / "rules.yaml"
    file.write_text(RULES, encoding="utf-8")
    return Bindings(playbooks, read_rules((file,)))


def detector(room: Room, *playbooks: Playbook) -> Detector:
    return Detector(room.journal, room.clock, "watch", bindings=bindings(room, *playbooks))


def explained(room: Room, *playbooks: Playbook, **labels: str) -> RuleExplanation:
    return explain_signal(bindings(room, *playbooks), room.journal, {**LABELS, **labels}, room.clock.now())


def test_a_rule_groups_by_its_labels_and_waits_for_its_threshold(room: Room) -> None:
    watch = detector(room)
    room.clock.advance(360)
    first = alert(team="pair", deployment="a")
    late = alert(team="pair", deployment="b", starts_at=T0 + timedelta(minutes=6))
    alone = watch.reconcile([first, late], source=SOURCE)
    assert alone.ignored == {"fewer signals than rule pair waits for": 2}
    near = alert(team="pair", deployment="c", starts_at=T0 + timedelta(minutes=4))
    watch.reconcile([first, late, near], source=SOURCE)
    (incident,) = list_incidents(room.journal)
    assert (incident.key, incident.title, incident.signals) == ("rule/pair/pair", "pair is ill", 3)


def about_node(
    name: str, alertname: str, namespace: str = "", deployment: str = "", *, cluster: str = "", pod: str = ""
) -> Alert:
    return alert(
        alertname=alertname, node=name, namespace=namespace, deployment=deployment, service="",
        cluster=cluster, pod=pod,
    )  # fmt: skip


def test_the_shipped_rules_put_together_what_is_said_of_a_node_and_nothing_that_runs_there(
    room: Room,
) -> None:
    shipped_rules = Bindings((), read_rules((shipped("deploy") / "incident-rules.yaml",)))
    watch = Detector(room.journal, room.clock, "watch", bindings=shipped_rules)
    signals = [
        about_node("a", "KubeNodeNotReady"),
        about_node("a", "KubeNodePressure", namespace="monitoring", pod="kube-state-metrics-0"),
        about_node("a", "KubernetesSystemOOM"),
        about_node("b", "KubeNodeNotReady"),
        about_node("a", "KubeNodeNotReady", cluster="east"),
        about_node("a", "PodSlow", namespace="ml", deployment="fraud"),
        about_node("", "KubeNodeNotReady", namespace="ml", deployment="risk"),
    ]
    watch.ingest(signals, source=SOURCE)
    found = {one.key: (one.signals, one.title) for one in list_incidents(room.journal)}
    assert found == {
        "rule/node/-/a": (3, "KubeNodeNotReady on node a"),
        "rule/node/-/b": (1, "KubeNodeNotReady on node b"),
        "rule/node/east/a": (1, "KubeNodeNotReady on node a"),
        "ml/fraud": (1, "PodSlow on ml/fraud"),
        "ml/risk": (1, "KubeNodeNotReady on ml/risk"),
    }
    told = explain_signal(shipped_rules, room.journal, signals[2].labels, room.clock.now())
    assert (told.rule.id, told.would) == ("node", "joins incident #1, which is open")


def test_the_table_of_the_rules_decides_severity_and_heartbeats(room: Room) -> None:
    report = detector(room).ingest([alert(severity="blocker"), alert(alertname="Pulse")], source=SOURCE)
    (incident,) = list_incidents(room.journal)
    assert (incident.severity, report.ignored) == (Severity.SEV1, {"heartbeat": 1})


@pytest.mark.parametrize(("after", "reopened"), [(60, True), (61, False)])
def test_an_incident_reopens_as_long_as_its_rule_says_and_is_linked_after(
    room: Room, after: int, reopened: bool
) -> None:
    watch = detector(room)
    watch.ingest([alert(team="short")], source=SOURCE)
    watch.ingest([alert(team="short", firing=False)], source=SOURCE)
    first = IncidentDesk(room.journal, room.clock, "ana").resolve("latest")
    room.clock.advance(after)
    would = explained(room, team="short").would
    again = alert(team="short", starts_at=room.clock.now())
    watch.ingest([again], source=SOURCE)
    latest = list_incidents(room.journal)[0]
    assert (latest.id == first.id, latest.same_as) == (reopened, None if reopened else first.id)
    assert would.startswith("reopens incident #1" if reopened else "opens an incident, linked to incident #1")


def test_the_correlation_of_a_playbook_comes_before_every_rule(room: Room) -> None:
    told = explained(room, bound("namespace"), team="short")
    assert (told.rule.id, told.key) == ("playbook burn", "playbook/burn/ml")
    assert told.others[0] == ("short", "it matches too; playbook burn comes first")
    assert explained(room, bound("namespace"), team="short", alertname="Other").key == "rule/short/short"


def test_a_signal_is_explained_as_the_detector_would_take_it(room: Room) -> None:
    watch = detector(room)
    assert explained(room).would == "opens an incident"
    watch.ingest([alert()], source=SOURCE)
    assert explained(room, alertname="Other").would == "joins incident #1, which is open"
    assert explained(room, alertname="Pulse").would == "opens nothing: heartbeat"
    assert explained(room, team="pair").would.startswith("opens an incident once 2 signals fire that began")
    unknown = explained(room, severity="loud")
    assert (unknown.severity, unknown.is_word_known) == (Severity.SEV3, False)
    assert len(list_incidents(room.journal)) == 1, "explaining writes nothing"
