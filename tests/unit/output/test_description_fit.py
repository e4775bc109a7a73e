"""What a narrow terminal keeps of a described object: the reasons, and the messages as a whole."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from maestro_cli.core.facts.cluster import ClusterEvent, Container
from maestro_cli.core.facts.inspection import Description, ObjectCondition
from maestro_cli.core.facts.inventory import PodLine
from maestro_cli.core.refs import ObjectRef
from maestro_cli.output.renderers.descriptions import description_view
from maestro_cli.output.tables import text_width
from maestro_cli.output.writer import OutputOptions, emit

NOW = datetime(2026, 11, 26, tzinfo=UTC)
NAME = "payments-gateway-7c9d8f6b5d-x2x4z"
SAID = (
    "0/3 nodes are available: 3 Insufficient cpu. preemption: 0/3 nodes are available: 3 No preemption "
    "victims found for incoming pod."
)
EVENT = ClusterEvent("ml", "e", "Warning", "FailedScheduling", SAID, "Pod", NAME, NOW, NOW, count=4)
FOUND = Description(
    ref=ObjectRef("Pod", "ml", NAME),
    uid="u",
    created_at=NOW,
    deleting_since=None,
    labels={},
    annotations={},
    line=None,
)
CONDITION = ObjectCondition("PodScheduled", "False", "bad", "Unschedulable", SAID, NOW)
CONTAINER = Container(
    "server", "registry.example.test/payments/gateway:2026.11.26-1", False, 12, "waiting",
    "CrashLoopBackOff", SAID, last_reason="Error", last_exit_code=137,
)  # fmt: skip
POD = PodLine(
    "ml",
    NAME,
    "Pending",
    "bad",
    0,
    1,
    0,
    None,
    NOW,
    "",
    "",
    "",
    "",
    (),
    "Pending",
    "",
    "",
    "u",
    {},
    (CONTAINER,),
)


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        (replace(FOUND, events=(EVENT,)), "FailedScheduling"),
        (replace(FOUND, conditions=(CONDITION,)), "Unschedulable"),
        (replace(FOUND, line=POD), "CrashLoopBackOff"),
    ],
    ids=["event", "condition", "container"],
)
def test_eighty_columns_have_the_reason_and_the_whole_message(
    found: Description, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("CI", raising=False)
    screen = io.StringIO()
    monkeypatch.setattr(screen, "isatty", lambda: True)
    emit(description_view(found, NOW), OutputOptions(), screen)
    lines = re.sub("\x1b\\[[0-9;]*m", "", screen.getvalue()).splitlines()
    (row,) = (at for at, line in enumerate(lines) if reason in line and "0/3" in line)
    start = lines[row].index("0/3")
    assert " ".join(line[start:].strip() for line in lines[row:]).startswith(SAID)
    assert max(map(text_width, lines)) <= 80
