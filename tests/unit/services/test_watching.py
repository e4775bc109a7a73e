"""A watch that may change nothing does not promise to respond; one that may acts in a name of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from maestro_cli.core.cancellation import Cancellation
from maestro_cli.core.errors import Interrupted, InvalidFile, NotFound, PolicyRefused
from maestro_cli.core.progress import Quiet
from maestro_cli.incidents.register import list_incidents
from maestro_cli.services import GlobalOptions, Services

CONFIG = """
current_context: x
contexts:
  x:
    cluster: {kubeconfig: ./kubeconfig}
    prometheus: {url: "http://127.0.0.1:1"}
    alertmanager: {url: "http://127.0.0.1:1"}
"""
KUBECONFIG = """
apiVersion: v1
kind: Config
current-context: c
clusters: [{name: c, cluster: {server: "https://127.0.0.1:1"}}]
users: [{name: u, user: {token: t}}]
contexts: [{name: c, context: {cluster: c, user: u}}]
"""


class Cancelled:
    """A signal came before the watch began."""

    def __init__(self) -> None:
        self.cancellation = Cancellation()
        self.cancellation.cancel()

    def cooperative(self) -> Cancellation:
        return self.cancellation


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "maestro").mkdir()
    (tmp_path / "maestro" / "config.yaml").write_text(CONFIG)
    (tmp_path / "maestro" / "kubeconfig").write_text(KUBECONFIG)
    for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.chdir(tmp_path)
    for name in ("MAESTRO_CONTEXT", "MAESTRO_READ_ONLY", "MAESTRO_ACTOR"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def watch(options: GlobalOptions, *, respond: bool) -> None:
    with Services(options, Cancelled()) as services:
        services.run_watch(
            poll="1s", listen=None, token_file=None, announce_to=None, respond=respond, progress=Quiet()
        )


def test_a_read_only_watch_refuses_to_respond_and_still_watches(home: Path) -> None:
    read_only = GlobalOptions(is_read_only=True)
    with pytest.raises(PolicyRefused, match="context x is read-only"):
        watch(read_only, respond=True)
    with pytest.raises(Interrupted):
        watch(read_only, respond=False)


def test_the_variable_makes_it_read_only_too(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAESTRO_READ_ONLY", "1")
    with pytest.raises(PolicyRefused):
        watch(GlobalOptions(), respond=True)


def test_a_context_may_have_a_webhook_alone_and_its_proofs_stay_out_of_records(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / "maestro" / "config.yaml").write_text(
        "current_context: x\ncontexts: {x: {webhook: {listen: '127.0.0.1:0', token: env:HOOK}}}\n"
    )
    with pytest.raises(InvalidFile, match="HOOK is not set"):
        watch(GlobalOptions(), respond=False)
    monkeypatch.setenv("HOOK", "very-secret-word")
    with pytest.raises(Interrupted):
        watch(GlobalOptions(), respond=False)
    with Services(GlobalOptions(), Cancelled()) as services:
        assert "very-secret-word" not in services.redactor.clean("a very-secret-word")
    (home / "maestro" / "config.yaml").write_text("current_context: x\ncontexts: {x: {namespace: ml}}\n")
    with pytest.raises(NotFound, match="nothing to read alerts from"):
        watch(GlobalOptions(), respond=False)


def test_a_watch_that_responds_stops_when_it_is_told_to(home: Path) -> None:
    with pytest.raises(Interrupted):
        watch(GlobalOptions(), respond=True)


class Notes(Quiet):
    def __init__(self) -> None:
        self.texts: list[str] = []

    def note(self, text: str) -> None:
        self.texts.append(text)


@pytest.mark.parametrize("has_prometheus", [True, False])
def test_a_watch_responds_with_an_alertmanager_alone_and_says_what_it_lacks(
    home: Path, has_prometheus: bool
) -> None:
    lines = [one for one in CONFIG.splitlines() if has_prometheus or "prometheus" not in one]
    (home / "maestro" / "config.yaml").write_text("\n".join(lines))
    notes = Notes()
    with Services(GlobalOptions(), Cancelled()) as services, pytest.raises(Interrupted):
        services.run_watch(
            poll="1s", listen=None, token_file=None, announce_to=None, respond=True, progress=notes
        )
    told = [text for text in notes.texts if "no prometheus" in text]
    assert bool(told) is not has_prometheus


def test_other_services_act_in_another_name_on_the_same_journal(home: Path) -> None:
    with Services(GlobalOptions(), Cancelled()) as services:
        own = services.acting_as("watch, me")
        assert own.desk.open("slow").opened_by == "watch, me"
        assert services.actor != "watch, me"
        assert len(list_incidents(services.journal)) == 1
        assert own.cancellation is services.cancellation
