"""What the composition root must not get wrong: secrets, switches and the words of the command line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from maestro_cli.core.cancellation import Cancellation
from maestro_cli.core.errors import UsageError
from maestro_cli.services import GlobalOptions, Services
from maestro_cli.services.root import parse_pairs

CONFIG = """
current_context: x
contexts:
  x:
    prometheus: {url: "http://127.0.0.1:1", token: "env:PROMETHEUS_TOKEN"}
    alertmanager: {url: "http://127.0.0.1:1", token: "env:NOT_SET"}
"""


class NoSignals:
    def cooperative(self) -> Cancellation:
        return Cancellation()


@pytest.fixture
def services(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Services]:
    (tmp_path / "maestro").mkdir()
    (tmp_path / "maestro" / "config.yaml").write_text(CONFIG)
    for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("NOT_SET", raising=False)
    monkeypatch.delenv("MAESTRO_CONTEXT", raising=False)
    with Services(GlobalOptions(), NoSignals()) as built:
        yield built


def test_a_secret_of_an_endpoint_never_reaches_the_journal(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PROMETHEUS_TOKEN", "not-for-the-record")
    event = services.journal.append("a.note", "a/1", "me", {"text": "Bearer not-for-the-record"})
    assert "not-for-the-record" not in str(event.data)
    assert "not-for-the-record" not in services.journal_path.read_bytes().decode("utf-8", "replace")


@pytest.mark.parametrize(("value", "expected"), [("0", False), ("", False), ("1", True), ("yes", True)])
def test_the_variable_for_read_only_can_say_no(
    services: Services, monkeypatch: pytest.MonkeyPatch, value: str, expected: bool
) -> None:
    monkeypatch.setenv("MAESTRO_READ_ONLY", value)
    assert services.policy.read_only is expected


def test_pairs_are_read_whole_and_once() -> None:
    assert parse_pairs(["A=1", "B=x=y", "C="]) == {"A": "1", "B": "x=y", "C": ""}
    for wrong in (["A"], ["=1"], ["A=1", "A=2"]):
        with pytest.raises(UsageError):
            parse_pairs(wrong)
