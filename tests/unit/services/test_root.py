"""What the composition root must not get wrong: secrets, switches and the words of the command line."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from unittest import mock

import pytest

from maestro_cli.config.locations import config_dir
from maestro_cli.core.cancellation import Cancellation
from maestro_cli.core.errors import NotFound, UsageError
from maestro_cli.core.progress import Quiet
from maestro_cli.runbooks.model import Answer, Question
from maestro_cli.services import GlobalOptions, Services
from maestro_cli.services.person import TerminalPerson
from maestro_cli.services.running import parse_pairs

CONFIG = """
current_context: x
contexts:
  x:
    prometheus: {url: "http://127.0.0.1:1", token: "env:PROMETHEUS_TOKEN"}
    alertmanager: {url: "http://127.0.0.1:1", token: "env:NOT_SET"}
    cluster: {kubeconfig: kubeconfig}
    secrets: {url: "http://127.0.0.1:1", token: "file:vault"}
    redact: [file:more]
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


def test_what_a_step_prints_of_the_kubeconfig_never_reaches_the_journal(services: Services) -> None:
    folder = config_dir()
    user = {"token": "token-of-the-cluster", "exec": {"command": str(folder / "never-run")}}
    text = json.dumps({"users": [{"name": "u", "user": user}]})
    (folder / "kubeconfig").write_text(text)
    (folder / "more").write_text("first-of-more\nanother-of-more\n")
    event = services.journal.append("a.note", "a/1", "me", {"text": f"{text} another-of-more first-of-more"})
    assert "never-run" in str(event.data)
    for secret in ("token-of-the-cluster", "first-of-more", "another-of-more"):
        assert secret not in str(event.data)


def test_no_token_for_the_vault_reaches_the_journal(
    services: Services, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("BAO_TOKEN", "of-the-environment")
    (tmp_path / ".vault-token").write_text("of-who-logged-in\n")
    (config_dir() / "vault").write_text("of-the-context\n")
    text = "of-the-environment of-who-logged-in of-the-context"
    event = services.journal.append("a.note", "a/1", "me", {"text": text})
    assert event.data["text"] == "«secret» «secret» «secret»"


def test_reading_the_journal_reads_no_secret(services: Services) -> None:
    (config_dir() / "kubeconfig").mkdir()  # reading it would fail
    with mock.patch("maestro_cli.sources.kube.secrets.kubeconfig_secrets") as find:
        assert services.journal.events() == []
        assert not find.called
        services.journal.append("a.note", "a/1", "me", {})
        assert find.call_count == 1


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


def test_one_question_is_put_at_a_time_whichever_run_asks(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    both, at_once = threading.Barrier(2), list[str]()

    def asked(question: Question, is_cancelled: Callable[[], bool]) -> bool:
        assert not is_cancelled()
        with contextlib.suppress(threading.BrokenBarrierError):
            both.wait(1.0)
            at_once.append(question.path)
        return True

    monkeypatch.setattr(Services, "person", TerminalPerson())
    monkeypatch.setattr("maestro_cli.output.prompt.ask_question", asked)
    confirm, said = services.ask_step(Quiet()), list[Answer | None]()
    questions = [Question("run-1", path, "manual", "t", "t", path) for path in ("a", "b")]
    threads = [threading.Thread(target=lambda one=one: said.append(confirm(one))) for one in questions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert (said, at_once) == ([True, True], [])
    cancellation = Cancellation()
    cancellation.cancel()
    monkeypatch.setattr(NoSignals, "cooperative", lambda self: cancellation)
    assert confirm(questions[0]) is None


def test_a_role_goes_to_no_schedule_that_the_on_call_file_does_not_have(services: Services) -> None:
    assert services.role_holder("ana") == "ana"
    with pytest.raises(NotFound, match="has no on-call file"):
        services.role_holder("schedule:primary")
    file = config_dir() / "oncall.yaml"
    file.write_text("maestro: oncall/v1\nschedules: {primary: {pagerduty: PI7DH85}}\n")
    config = config_dir() / "config.yaml"
    config.write_text(CONFIG + f"    oncall: {file}\n")
    with Services(GlobalOptions(), NoSignals()) as built:
        assert built.role_holder(" schedule:primary") == " schedule:primary"
        with pytest.raises(NotFound, match="no schedule 'nope'") as unknown:
            built.role_holder("schedule:nope")
    assert unknown.value.why.endswith("has: primary")
