"""On-call files: what is read, and what is refused with its place."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from maestro_cli.core.errors import InvalidFile
from maestro_cli.incidents.people.oncall import OnCall
from maestro_cli.incidents.people.oncall_file import read_oncall, recalled

TEXT = """maestro: oncall/v1
people:
  ana: {name: Ana Ortiz, email: ana@example.org, channels: ["env:ANA_CHAT"]}
  ben: {channels: ["file:secrets/ben"]}
schedules:
  primary:
    zone: Europe/Berlin
    layers:
      - people: [ana, ben]
        start: 2026-11-02 09:00
        handoff: 7d
    overrides:
      - {person: ben, from: 2026-11-03 09:00, until: 2026-11-04 09:00, reason: swap}
  pager: {pagerduty: PI7DH85}
policies:
  grave:
    severities: [sev1, sev2]
    steps:
      - {tell: [schedule:primary]}
      - {after: 5m, tell: [schedule:pager, person:ana]}
      - {after: 15m, tell: [channel:file:secrets/boss]}
    repeat: {times: 2, every: 30m}
  rest: {steps: [{after: 1h, tell: [person:ben]}]}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "oncall.yaml"
    path.write_text(TEXT, encoding="utf-8")
    return path


def test_a_file_is_read_whole(file: Path) -> None:
    found = read_oncall(file)
    assert found.people["ana"].channels == ("env:ANA_CHAT",)
    assert found.people["ben"].channels == (f"file:{file.parent}/secrets/ben",)
    (override,) = found.schedules["primary"].overrides
    assert override.begin == datetime(2026, 11, 3, 8, tzinfo=UTC)
    assert found.schedules["pager"].pagerduty == "PI7DH85"
    grave, rest = found.policies
    assert [(n, number, since) for n, number, since, _ in grave.moments()][:4] == [
        (1, 1, timedelta(0)),
        (1, 2, timedelta(minutes=5)),
        (1, 3, timedelta(minutes=15)),
        (2, 1, timedelta(minutes=30)),
    ]
    assert len(list(grave.moments())) == 9
    assert (found.policy_for("sev1"), found.policy_for("sev3")) == (grave, rest)


def test_a_snapshot_is_the_same_whatever_becomes_of_the_file(file: Path) -> None:
    found = read_oncall(file)
    grave = found.policies[0]
    kept = recalled(found.snapshot(grave), "the snapshot")
    assert (kept.policies, kept.people, kept.schedules) == ((grave,), found.people, found.schedules)


@pytest.mark.parametrize(
    ("was", "wrong", "place"),
    [
        ("people: [ana, ben]", "people: [ana, bem]", ":9: schedules.primary.layers[0].people[1]"),
        ("handoff: 7d", "handoff: 59m", ":11: schedules.primary.layers[0].handoff"),
        ("handoff: 7d", "handof: 7d", ":11: schedules.primary.layers[0].handof"),
        ("start: 2026-11-02 09:00", "start: monday", ":10: schedules.primary.layers[0].start"),
        ("start: 2026-11-02 09:00", "start: 2026-11-02T09:00Z", ":10: schedules.primary.layers[0].start"),
        ("zone: Europe/Berlin", "zone: Europe/Berlim", ":7: schedules.primary.zone"),
        ("until: 2026-11-04 09:00", "until: 2026-11-03 09:00", ":13: schedules.primary.overrides[0].until"),
        ("{pagerduty: PI7DH85}", "{}", ":14: schedules.pager"),
        ("[schedule:primary]", "[schedule:secondary]", ":19: policies.grave.steps[0].tell[0]"),
        ("[schedule:primary]", "[ana]", ":19: policies.grave.steps[0].tell[0]"),
        ("[schedule:primary]", "[]", ":19: policies.grave.steps[0].tell"),
        ("after: 15m", "after: 5m", ":21: policies.grave.steps[2].after"),
        ("every: 30m", "every: 15m", ":22: policies.grave.repeat.every"),
        ("times: 2", "times: 0", ":22: policies.grave.repeat.times"),
        ("channel:file:secrets/boss", "channel:https://x", ":21: policies.grave.steps[2].tell[0]"),
        ("file:secrets/boss", "file:~nosuchuser/hook", ":21: policies.grave.steps[2].tell[0]"),
        ('["env:ANA_CHAT"]', '["https://chat/x"]', ":3: people.ana.channels[0]"),
        ("file:secrets/ben", "file:~nosuchuser/hook", ":4: people.ben.channels[0]"),
    ],
)
def test_what_is_wrong_is_named_by_line_and_key(file: Path, was: str, wrong: str, place: str) -> None:
    assert was in TEXT
    file.write_text(TEXT.replace(was, wrong, 1), encoding="utf-8")
    with pytest.raises(InvalidFile) as refused:
        read_oncall(file)
    assert f"{file.name}{place}" in refused.value.what


def test_a_file_of_another_kind_is_refused(file: Path) -> None:
    file.write_text(TEXT.replace("oncall/v1", "playbook/v1"), encoding="utf-8")
    with pytest.raises(InvalidFile):
        read_oncall(file)


def test_people_alone_are_a_file(tmp_path: Path) -> None:
    path = tmp_path / "people.yaml"
    path.write_text("maestro: oncall/v1\npeople: {ana: {}}\n", encoding="utf-8")
    found: OnCall = read_oncall(path)
    assert (list(found.people), found.policy_for("sev1")) == (["ana"], None)
