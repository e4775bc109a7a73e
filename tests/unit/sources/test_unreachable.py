"""No source makes a person wait, and every one names the endpoint and what to check."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any, Protocol

import pytest

from maestro_cli.config.settings import ClusterEndpoint, Endpoint
from maestro_cli.core.errors import ExitCode, InvalidFile, OutcomeUnknown, Refused, Unreachable
from maestro_cli.core.facts.endpoints import EndpointCheck
from maestro_cli.sources.alertmanager import Alertmanager
from maestro_cli.sources.kube import KubeCluster
from maestro_cli.sources.kube.api_server import JSON_PATCH
from maestro_cli.sources.kube.kubeconfig import Access
from maestro_cli.sources.prometheus import Prometheus
from maestro_cli.sources.serving import InferenceServer
from tests.patience import least_seconds

HTML = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 21\r\n\r\n<html>log in!</html>\n"
REDIRECT = b"HTTP/1.1 302 Found\r\nLocation: http://evil.test/\x1b[31m\r\nContent-Length: 0\r\n\r\n"
NOT_HTTP = b"SSH-2.0-OpenSSH_9.2\r\n"
FORBIDDEN = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 11\r\n\r\nnot \x1b[2Jyou"
WRONG_SHAPE = b'HTTP/1.1 200 OK\r\nContent-Length: 26\r\n\r\n{"data": [[[1]]], "a": []}'
DEEP = b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + b"[" * 100_000
DROPPED = b""
BROKEN = b"HTTP/1.1 503 Unavailable\r\nContent-Length: 4\r\n\r\nbusy"
Serve = Callable[[bytes | Callable[[], Iterator[bytes]]], Any]


class Source(Protocol):
    def check(self) -> EndpointCheck: ...

    def close(self) -> None: ...


PATIENCE = (
    0.5  # with what never answers; the defaults are measured in tests/contract/sources/test_patience.py
)
LONG = 60.0  # with what answers, however busy the machine is


def kube(url: str, seconds: float = PATIENCE) -> KubeCluster:
    access = Access(url, None, None, None, dict, "someone", "ctx", "")
    return KubeCluster(ClusterEndpoint(), access=access, timeout_seconds=seconds)


MAKERS: dict[str, tuple[Callable[[str, float], Any], Callable[[Any], object]]] = {
    "kube": (kube, lambda source: source.list_pods("ml")),
    "prometheus": (
        lambda url, seconds: Prometheus(Endpoint(url), timeout_seconds=seconds),
        lambda source: source.query("up"),
    ),
    "alertmanager": (
        lambda url, seconds: Alertmanager(Endpoint(url), timeout_seconds=seconds),
        lambda source: source.alerts(),
    ),
    "serving": (
        lambda url, seconds: InferenceServer(Endpoint(url), timeout_seconds=seconds),
        lambda source: source.index(),
    ),
}
each_source = pytest.mark.parametrize("name", MAKERS)


def failure(name: str, url: str, seconds: float = LONG) -> Exception:
    make, ask = MAKERS[name]
    source = make(url, seconds)
    try:
        with pytest.raises(Exception) as caught:  # noqa: PT011 - the caller looks at the type
            ask(source)
        return caught.value
    finally:
        source.close()


@each_source
def test_a_silent_backend_is_given_up_in_time(name: str, blackhole: int) -> None:
    errors: list[Exception] = []

    def ask() -> None:
        errors.append(failure(name, f"http://127.0.0.1:{blackhole}", PATIENCE))

    assert least_seconds(ask, PATIENCE + 1) < PATIENCE + 1
    error = errors[-1]
    assert isinstance(error, Unreachable)
    assert error.exit_code is ExitCode.UNREACHABLE
    assert f"127.0.0.1:{blackhole}" in error.what
    assert "no answer within" in error.why
    assert error.fix


@each_source
def test_a_closed_port_says_that_nothing_listens(name: str, closed_port: int) -> None:
    error = failure(name, f"http://127.0.0.1:{closed_port}")
    assert isinstance(error, Unreachable)
    assert "nothing listens there" in error.why


@each_source
def test_an_unknown_host_says_that_the_name_does_not_resolve(name: str) -> None:
    error = failure(name, "http://no-such-host.invalid:9090", PATIENCE)
    assert isinstance(error, Unreachable)
    assert "does not resolve" in error.why or "no answer" in error.why  # offline, DNS may hang


@each_source
@pytest.mark.parametrize("answer", [HTML, REDIRECT, NOT_HTTP, WRONG_SHAPE, DEEP, DROPPED, BROKEN])
def test_another_program_at_the_address_is_an_unreachable_backend(
    name: str, answer: bytes, scripted: Serve
) -> None:
    error = failure(name, scripted(answer).url)
    assert isinstance(error, Unreachable), error
    assert "127.0.0.1" in error.what
    assert "\x1b" not in f"{error.what}{error.why}{error.fix}"


@each_source
def test_a_forbidden_request_is_refused_with_what_was_said_made_visible(name: str, scripted: Serve) -> None:
    error = failure(name, scripted(FORBIDDEN).url)
    assert isinstance(error, Refused) or name == "kube"  # there, only a Status speaks for the API server
    assert "not ␛[2Jyou" in getattr(error, "why", "")


@each_source
def test_a_trickling_answer_ends_in_time(name: str, scripted: Serve) -> None:
    server: Any = None

    def trickle() -> Iterator[bytes]:
        yield b"HTTP/1.1 200 OK\r\nContent-Length: 5000000\r\n\r\n["
        while not server.stopping.wait(0.2):
            yield b" "

    server = scripted(trickle)

    def ask() -> None:
        assert isinstance(failure(name, server.url, PATIENCE), Unreachable)

    assert least_seconds(ask, PATIENCE + 1) < PATIENCE + 1


@pytest.mark.parametrize("url", ["", "ftp://x", "http://", "http://a:b:c", "http://h:99999", "/tmp"])
def test_what_is_no_url_is_an_invalid_setting(url: str) -> None:
    for make, _ in MAKERS.values():
        with pytest.raises(InvalidFile, match="is not an http or https URL"):
            make(url, LONG)


def test_a_giant_answer_is_not_read_to_its_end(scripted: Serve) -> None:
    sent = 0

    def flood() -> Iterator[bytes]:
        nonlocal sent
        yield b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n["
        while sent < 400:
            sent += 1
            yield b"1," * 50_000

    source = Prometheus(Endpoint(scripted(flood).url), max_bytes=2**20)
    with pytest.raises(Unreachable, match="does not answer like Prometheus") as caught:
        source.query("up")
    source.close()
    assert "larger than" in caught.value.why
    assert sent < 400


def test_a_write_without_an_answer_has_an_unknown_outcome(blackhole: int, closed_port: int) -> None:
    path = "/apis/apps/v1/namespaces/ml/deployments/fraud"
    silent = kube(f"http://127.0.0.1:{blackhole}")
    with pytest.raises(OutcomeUnknown, match="may have been made"):
        silent._api.patch(path, JSON_PATCH, [], dict, dry_run=False)
    absent = kube(f"http://127.0.0.1:{closed_port}")
    with pytest.raises(Unreachable) as caught:
        absent._api.patch(path, JSON_PATCH, [], dict, dry_run=False)
    assert not isinstance(caught.value, OutcomeUnknown)
    silent.close()
    absent.close()


def test_a_user_and_password_in_the_url_are_not_shown(closed_port: int) -> None:
    error = failure("alertmanager", f"http://bob:hunter2@127.0.0.1:{closed_port}")
    assert "hunter2" not in f"{error}{getattr(error, 'why', '')}"


@each_source
def test_a_check_reports_and_does_not_raise(name: str, closed_port: int) -> None:
    source: Source = MAKERS[name][0](f"http://127.0.0.1:{closed_port}", LONG)
    check = source.check()
    source.close()
    assert not check.ok
    assert "nothing listens" in check.error
    assert check.fix
    assert 0 <= check.seconds < LONG


def test_a_slow_backend_that_is_there_gets_its_whole_time(
    scripted: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("maestro_cli.sources.http.FIRST_CONTACT_SECONDS", 0.2)
    pause, asked = threading.Event(), 0

    def slowly() -> Iterator[bytes]:
        nonlocal asked
        asked += 1
        yield b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n["
        pause.wait(0.4)
        yield b"]"

    source = Alertmanager(Endpoint(scripted(slowly).url), timeout_seconds=5)
    assert source.alerts() == ()
    assert asked == 2
    source.close()
