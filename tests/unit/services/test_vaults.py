"""Two contexts in one process: each reads its secrets from its own vault."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from maestro_cli.config.settings import Context
from maestro_cli.core.cancellation import Cancellation
from maestro_cli.services import GlobalOptions, Services

SYSTEMS = ("prometheus", "alertmanager", "serving", "pagerduty", "opencost")
BOTH = ("one", "two")


class Site(ThreadingHTTPServer):
    """The vault of a context and the systems that its secrets are for, at one address."""

    daemon_threads = True

    def __init__(self, secret: str) -> None:
        super().__init__(("127.0.0.1", 0), _Answers)
        self.secret = secret
        self.shown: set[str] = set()  # credentials that its systems were shown

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Answers(BaseHTTPRequestHandler):
    server: Site

    def do_GET(self) -> None:
        status, body = 200, {"data": {"data": {"token": self.server.secret}}}
        if self.path.startswith("/v1/sys/"):
            status = 404
        elif not self.path.startswith("/v1/"):
            self.server.shown.add(self.headers.get("Authorization", ""))
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


class NoSignals:
    def cooperative(self) -> Cancellation:
        return Cancellation()


@pytest.fixture
def sites() -> Iterator[dict[str, Site]]:
    with ExitStack() as ending:
        made = {name: ending.enter_context(Site(f"secret-of-{name}")) for name in BOTH}
        for site in made.values():
            thread = threading.Thread(target=site.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
            thread.start()
            ending.callback(thread.join)
            ending.callback(site.shutdown)
        yield made


@pytest.fixture
def services(sites: dict[str, Site], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Services]:
    for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    for name in ("BAO_ADDR", "VAULT_ADDR", "MAESTRO_CONTEXT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("VAULT_KEY", "key")
    monkeypatch.chdir(tmp_path)
    contexts = {
        name: {
            "secrets": {"url": site.url, "token": "env:VAULT_KEY"},
            "redact": ["bao:secret/systems#token"],
            **{system: {"url": site.url, "token": "bao:secret/systems#token"} for system in SYSTEMS},
        }
        for name, site in sites.items()
    }
    (tmp_path / "maestro").mkdir()
    (tmp_path / "maestro" / "config.yaml").write_text(json.dumps({"contexts": contexts}))
    with Services(GlobalOptions(context="one"), NoSignals()) as built:
        yield built


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_source_shows_what_the_vault_of_its_own_context_holds(
    services: Services, sites: dict[str, Site], system: str
) -> None:
    each = {"two": services.in_context("two"), "one": services}
    for own in (*each.values(), *reversed(each.values())):
        context = Context(**{system: getattr(own.context, system)})
        own.check_endpoints(context)
    for name, site in sites.items():
        assert {shown.split("=")[-1].split()[-1] for shown in site.shown} == {f"secret-of-{name}"}


def test_channels_steps_and_records_use_the_vault_of_their_own_context(services: Services) -> None:
    for own, name in ((services.in_context("two"), "two"), (services, "one")):
        assert own.secrets.resolve("bao:secret/systems#token") == f"secret-of-{name}"
        assert own.acting_as("watch").secrets.resolve("bao:secret/systems#token") == f"secret-of-{name}"
        text = " ".join(f"secret-of-{one}" for one in BOTH)
        event = own.journal.append("a.note", "a/1", "me", {"text": text})
        assert event.data["text"] == text.replace(f"secret-of-{name}", "«secret»")
