"""A message that channels are handed, at a time that stands still."""

from __future__ import annotations

from datetime import UTC, datetime

from maestro_cli.config.channels import Channel
from maestro_cli.journal.messages import Attempt, Delivery, Standing
from maestro_cli.sources.notify.channels import Channels
from maestro_cli.sources.web import Web

TEXT = {"text": "sev2 #7 fraud: opened", "moment": "opened", "severity": "sev2", "title": "fraud"}
MORE = {
    "state": "detected",
    "owner": "ana <@U1>",
    "workload": "ml/deploy/fraud",
}
NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


class FixedClock:
    def now(self) -> datetime:
        return NOW

    def monotonic(self) -> float:
        return 0.0

    def sleep(self, seconds: float) -> None:
        raise AssertionError


def a_message(**content: str) -> Delivery:
    said = {**TEXT, **MORE, "at": "2026-11-23T09:00:00Z", **content}
    return Delivery(
        "msg-1", "notify/x/1", "channel:x", "webhook", said, "inc-1", 30.0, "watch",
        Standing.WAITING, 0, "", "2026-11-23T09:00:01Z", "", "",
    )  # fmt: skip


def send(channel: Channel, message: Delivery) -> Attempt:
    return Channels(Web(), {"x": channel}, clock=FixedClock()).send(message)
