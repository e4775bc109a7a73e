"""Silences as changes, in a real Alertmanager: made once, found by their mark, ended, put back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from maestro_cli.changes.kinds import KINDS
from maestro_cli.changes.model import Consent, State
from maestro_cli.changes.pipeline import ChangePipeline
from maestro_cli.changes.policy import Policy
from maestro_cli.changes.projection import ChangesProjection
from maestro_cli.core.clock import SystemClock
from maestro_cli.core.errors import GateNotMet, NotFound, UsageError
from maestro_cli.core.matchers import Matcher, matchers_text, parse_matchers
from maestro_cli.core.refs import silence_ref
from maestro_cli.journal.store import Journal
from maestro_cli.sources.alertmanager import Alertmanager
from tests.patience import PATIENCE_SECONDS
from tests.unit.changes.fake_cluster import FakeCluster
from tests.unit.changes.some_world import SomeWorld

from .conftest import RunningAlertmanager, until

pytestmark = pytest.mark.contract
YES = Consent(given=True)
EVIL = 'x, y "q" \\ \\t =~|\t\r\n\x1b'


@pytest.fixture
def source(alertmanager: RunningAlertmanager) -> Iterator[Alertmanager]:
    made = Alertmanager(alertmanager.endpoint)
    yield made
    made.close()


@pytest.fixture
def changes(tmp_path: Path, source: Alertmanager) -> Iterator[ChangePipeline]:
    """Of a context without a cluster worth mentioning."""
    clock = SystemClock()
    journal = Journal(tmp_path / "journal.db", projections=[ChangesProjection()], clock=clock)
    policy = Policy(context="test", poll_seconds=0.05, verify_timeout_seconds=PATIENCE_SECONDS)
    world = SomeWorld(FakeCluster(), notifier=source)
    yield ChangePipeline(journal, world, policy=policy, clock=clock, actor="ada")
    journal.close()


def fires(alertmanager: RunningAlertmanager, source: Alertmanager, **labels: str) -> None:
    alertmanager.post({"labels": labels, "annotations": {}})
    until(lambda: [one for one in source.alerts() if labels.items() <= one.labels.items()])


def test_it_hides_what_the_plan_says_and_lets_it_be_heard_again(
    alertmanager: RunningAlertmanager, source: Alertmanager, changes: ChangePipeline
) -> None:
    fires(alertmanager, source, alertname="Made", pod=EVIL)
    fires(alertmanager, source, alertname="Made", pod="other")
    matchers = (Matcher("alertname", "Ma.e", is_regex=True), Matcher("pod", EVIL))
    ref = silence_ref(matchers_text(matchers))
    plan = changes.plan("silence", ref, {"duration": "1h", "comment": "known"})
    assert [line.path for line in plan.diff.lines[1:]] == [f"Made{{pod={EVIL}}}"]
    changes.execute(plan, Consent(given=False), dry_run=True)
    assert not any(plan.id in one.comment for one in source.silences())
    assert changes.execute(plan, YES).state is State.VERIFIED
    (made,) = [one for one in source.silences() if plan.id in one.comment]
    assert (made.created_by, made.state, made.matchers) == ("ada", "active", parse_matchers(ref.name))
    hidden = until(lambda: [one for one in source.alerts() if one.suppressed_by == (made.id,)])
    assert [one.labels["pod"] for one in hidden] == [EVIL]
    with pytest.raises(GateNotMet, match="is there already"):
        changes.plan("silence", ref, {"duration": "2h"})
    undone = changes.execute(changes.plan_undo(plan.id), YES)
    assert undone.state is State.VERIFIED
    until(lambda: not [one for one in source.alerts() if made.id in one.suppressed_by])
    again = changes.execute(changes.plan_undo(undone.id), YES)
    (back,) = [one for one in source.silences() if again.id in one.comment]
    assert (back.ends_at, back.id == made.id) == (made.ends_at, False)
    changes.execute(changes.plan("unsilence", ref, {"id": back.id}), YES)


def test_a_label_of_any_name_is_silenced_where_there_can_be_one(
    alertmanager: RunningAlertmanager, source: Alertmanager, changes: ChangePipeline
) -> None:
    """Alertmanager has them from 0.27 on, as Prometheus 3 has."""
    name, labels = 'k8s.pod "é",\\\t', {"alertname": "AnyName"}
    body = [{"labels": {**labels, name: pod}, "annotations": {}} for pod in ("a", "b")]
    if httpx.post(f"{source.url}/api/v2/alerts", json=body, trust_env=False).status_code == 400:
        with pytest.raises(UsageError, match="does not accept"):
            changes.execute(changes.plan("silence", silence_ref('"a.b"=c'), {"duration": "1h"}), YES)
        return
    until(lambda: len([one for one in source.alerts() if name in one.labels]) == 2)
    plan = changes.plan("silence", silence_ref(matchers_text([Matcher(name, "a")])), {"duration": "1h"})
    assert [line.path for line in plan.diff.lines[1:]] == [f"AnyName{{{name}=a}}"]
    assert changes.execute(plan, YES).state is State.VERIFIED
    hidden = until(lambda: [one for one in source.alerts() if name in one.labels and one.suppressed_by])
    assert [one.labels[name] for one in hidden] == ["a"]


def test_sent_twice_it_is_made_once_and_ended_once(changes: ChangePipeline, source: Alertmanager) -> None:
    ref = silence_ref("alertname=Twice")
    plan = changes.plan("silence", ref, {"duration": "1h"})
    kind = KINDS["silence"]
    for _ in range(2):
        kind.apply(changes.world, plan, resource_version="")
    made = [one for one in source.silences() if plan.id in one.comment]
    assert [one.state for one in made] == ["active"]
    ended = changes.plan("unsilence", ref)
    for _ in range(2):
        KINDS["unsilence"].apply(changes.world, ended, resource_version="")
    assert [one.state for one in source.silences() if plan.id in one.comment] == ["expired"]


def test_what_it_does_not_accept_is_an_error_with_its_words(source: Alertmanager) -> None:
    clock = SystemClock()
    with pytest.raises(UsageError) as raised:
        source.create_silence(
            parse_matchers("a=~.*"), starts_at=clock.now(), ends_at=clock.now(), created_by="a", comment="b"
        )
    assert raised.value.why
    with pytest.raises(NotFound):
        source.expire_silence("5c6c1c5e-4d70-4f4e-9d2c-3a1a1c0b7e11")
