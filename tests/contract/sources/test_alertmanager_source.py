"""The Alertmanager source and the webhook receiver against the real program."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from maestro_cli.config.settings import Endpoint
from maestro_cli.core.errors import Unreachable
from maestro_cli.core.facts.alerts import Alert, WebhookMessage, fingerprint_of
from maestro_cli.sources.alertmanager import Alertmanager

from .conftest import RunningAlertmanager, until

pytestmark = pytest.mark.contract
HOSTILE = '\x1b]0;owned\x07 \u202e<b> ünïcode "quoted" \\'


@pytest.fixture
def source(alertmanager: RunningAlertmanager) -> Iterator[Alertmanager]:
    source = Alertmanager(alertmanager.endpoint)
    yield source
    source.close()


def alert(name: str, **more: Any) -> dict[str, Any]:
    labels = {"alertname": name, **more.pop("labels", {})}
    return {"labels": labels, "annotations": {"summary": HOSTILE}, "generatorURL": "http://p/g", **more}


def named(source: Alertmanager, name: str, **which: Any) -> list[Alert]:
    return [item for item in source.alerts(**which) if item.name == name]


def test_it_tells_version_and_status(source: Alertmanager) -> None:
    assert source.version()
    assert source.status() == "disabled"  # its own cluster mode is off
    check = source.check()
    assert (check.ok, check.version) == (True, source.version())


def test_an_alert_comes_by_the_api_and_by_webhook_with_one_fingerprint(
    alertmanager: RunningAlertmanager, source: Alertmanager
) -> None:
    started = datetime.now(UTC).replace(microsecond=123_000)
    alertmanager.post(alert("Both", labels={"pod": HOSTILE}, startsAt=started.isoformat()))
    (polled,) = until(lambda: named(source, "Both"))
    assert (polled.firing, polled.starts_at, polled.suppressed_by) == (True, started, ())
    assert polled.labels["pod"] == polled.annotations["summary"] == HOSTILE
    assert polled.generator_url == "http://p/g"

    def pushed() -> list[Alert]:
        messages: list[WebhookMessage] = alertmanager.received
        return [item for message in messages for item in message.alerts if item.name == "Both"]

    (first,) = until(pushed)
    assert first.fingerprint == polled.fingerprint == fingerprint_of(polled.labels)
    assert (first.starts_at, first.firing, first.labels) == (started, True, polled.labels)
    message = next(item for item in alertmanager.received if first in item.alerts)
    assert (message.truncated, message.group_key, message.status) == (0, '{}:{alertname="Both"}', "firing")

    told = until(lambda: [item for item in alertmanager.cut_short if item.alerts[0].name == "Both"])
    assert (told[0].alerts, told[0].truncated) == ((first,), 0)  # with basic authentication

    ended = (started + timedelta(seconds=1)).isoformat()
    alertmanager.post(alert("Both", labels={"pod": HOSTILE}, startsAt=started.isoformat(), endsAt=ended))
    resolved = until(lambda: [item for item in pushed() if not item.firing])[0]
    assert resolved.fingerprint == first.fingerprint
    assert resolved.ends_at is not None
    until(lambda: not named(source, "Both"))


def test_silenced_and_inhibited_alerts_say_by_what(
    alertmanager: RunningAlertmanager, source: Alertmanager
) -> None:
    alertmanager.silence("quiet", "yes")
    alertmanager.post(
        alert("Silenced", labels={"quiet": "yes"}),
        alert("Source", labels={"role": "source"}),
        alert("Target", labels={"role": "target"}),
    )
    (silenced,) = until(lambda: [item for item in named(source, "Silenced") if item.suppressed_by])
    (target,) = until(lambda: [item for item in named(source, "Target") if item.suppressed_by])
    assert target.suppressed_by == (named(source, "Source")[0].fingerprint,)
    assert silenced.firing
    assert named(source, "Silenced", silenced=False) == []
    assert named(source, "Target", inhibited=False) == []


def test_a_storm_is_read_in_one_answer(alertmanager: RunningAlertmanager, source: Alertmanager) -> None:
    alertmanager.post(*(alert("Storm", labels={"pod": f"p-{index}"}) for index in range(800)))
    assert len(until(lambda: len(found := named(source, "Storm")) == 800 and found)) == 800
    cut = until(lambda: [item for item in alertmanager.cut_short if item.truncated])
    assert len(cut[-1].alerts) == 1  # and the message says how many it left out


def test_threads_may_share_a_source(source: Alertmanager) -> None:
    versions: list[str] = []
    threads = [threading.Thread(target=lambda: versions.append(source.version())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(versions) == 8
    assert len(set(versions)) == 1


def test_another_program_is_not_taken_for_alertmanager(prometheus_endpoint: Endpoint) -> None:
    source = Alertmanager(prometheus_endpoint)
    with pytest.raises(Unreachable, match="does not answer like Alertmanager"):
        source.alerts()
    source.close()
