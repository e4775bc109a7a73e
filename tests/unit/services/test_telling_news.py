"""At the end of a command its news are told, and nothing that goes wrong with that fails the command."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import pytest

from maestro_cli.core.cancellation import Cancellation
from maestro_cli.core.errors import Busy, NotFound
from maestro_cli.journal.messages import Standing
from maestro_cli.services import GlobalOptions, Services

CONFIG = """
current_context: x
contexts:
  x:
    channels: {chat: {kind: slack, url: "env:CHAT_THAT_IS_NOT_SET"}}
    notify: [{to: [chat], on: [opened]}]
  quiet: {}
"""


class NoSignals:
    def cooperative(self) -> Cancellation:
        return Cancellation()


def built(context: str | None = None) -> Services:
    return Services(GlobalOptions(context=context), NoSignals())


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "maestro").mkdir()
    (tmp_path / "maestro" / "config.yaml").write_text(CONFIG)
    for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.chdir(tmp_path)
    for name in ("MAESTRO_CONTEXT", "CHAT_THAT_IS_NOT_SET"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@pytest.fixture
def services() -> Iterator[Services]:
    with built() as made:
        yield made


def test_a_channel_whose_address_is_not_here_waits_without_an_attempt(services: Services) -> None:
    services.desk.open("payments fail")
    services.tell_news()
    (kept,) = services.outbox.messages()
    assert (kept.standing, kept.attempts, kept.content["title"]) == (Standing.WAITING, 0, "payments fail")


def test_a_journal_that_is_busy_is_a_warning_and_no_error(
    services: Services, capsys: pytest.CaptureFixture[str]
) -> None:
    services.desk.open("payments fail")
    with mock.patch.object(services.herald, "tell", side_effect=Busy("the journal is locked")):
        services.tell_news()
    assert capsys.readouterr().err == "maestro: warning: nobody could be told: the journal is locked\n"


def test_a_command_that_only_reads_tells_nothing_and_opens_no_journal(
    services: Services, folder: Path
) -> None:
    services.tell_news()
    assert "journal" not in services.__dict__
    with built() as other:
        other.desk.open("payments fail")
    assert services.desk.list()
    services.tell_news()
    assert services.outbox.messages() == ()


def test_a_context_without_channels_tells_nothing() -> None:
    with built("quiet") as services:
        services.desk.open("payments fail")
        services.tell_news()
        assert services.journal.events(kinds=("outbox.queued",)) == []


def test_a_channel_that_does_not_exist_cannot_be_tried(services: Services) -> None:
    with pytest.raises(NotFound) as caught:
        services.test_channel("office")
    assert caught.value.why == "channels: chat"
