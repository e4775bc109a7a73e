"""What a failed exchange means in words a tired person can act on.

Invariant: text that came from outside is made visible and cut before it enters an error.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from urllib.parse import urlsplit

from maestro_cli.core.errors import InvalidFile, OutcomeUnknown, Refused, Unreachable
from maestro_cli.core.untrusted import visible

QUOTE_LIMIT = 300


def shown_url(url: str) -> str:
    """The URL without user name, password, query and fragment."""
    parts = urlsplit(url)
    return visible(f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}".rstrip("/"), 200)


def checked_url(url: str, system: str) -> str:
    """The URL without a trailing slash; raises InvalidFile when it is not an http(s) URL with a host."""
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        good = False
    if not good:
        raise InvalidFile(
            f"{visible(url, 200)!r} is not an http or https URL",
            file="config",
            key=f"{system.lower()}.url",
            fix="http://host:port",
        )
    return url.rstrip("/")


def unreachable(system: str, url: str, error: BaseException, seconds: float) -> Unreachable:
    """The error for a backend that could not be reached, with what to check."""
    why, fix = _explain(error, seconds)
    return Unreachable(f"{system} at {shown_url(url)} does not answer", why=why, fix=fix)


def outcome_unknown(system: str, url: str, error: BaseException, seconds: float) -> OutcomeUnknown:
    """The error for a write that was sent and got no answer."""
    why, _ = _explain(error, seconds)
    return OutcomeUnknown(
        f"{system} at {shown_url(url)} did not answer a change: it may have been made",
        why=why,
        fix="look at the target before trying again",
    )


def not_like(system: str, url: str, why: str) -> Unreachable:
    """The error for an answer that this system would not give: a login page, a proxy, another program."""
    return Unreachable(
        f"{shown_url(url)} does not answer like {system}",
        why=visible(why, QUOTE_LIMIT),
        fix="check the URL of this context: a login page, a proxy or another program may stand there",
    )


def refused(system: str, url: str, status: int, said: str) -> Refused:
    """The error for 401 and 403."""
    why = f"HTTP {status}" + (f": {quoted(said)}" if said.strip() else "")
    if status == 401:
        return Refused(
            f"{system} at {shown_url(url)} does not accept the credentials",
            why=why,
            fix="check token, username and password of this endpoint: they may be missing or expired",
        )
    return Refused(
        f"{system} at {shown_url(url)} forbids this", why=why, fix="ask its owner for the permission it names"
    )


def server_error(system: str, url: str, status: int, said: str | bytes, *, safe: bool) -> Unreachable:
    """The error for 5xx and 429; after an unsafe request a 5xx leaves the outcome unknown."""
    why = f"HTTP {status}: {quoted(said) or 'no reason given'}"
    if safe or status == 429:
        fix = "try again later" if status == 429 else "check its health and its own log"
        return Unreachable(f"{system} at {shown_url(url)} cannot serve this now", why=why, fix=fix)
    return OutcomeUnknown(
        f"{system} at {shown_url(url)} failed during a change: it may have been made",
        why=why,
        fix="look at the target before trying again",
    )


def quoted(said: str | bytes) -> str:
    """What a backend said, as one visible line of limited length."""
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
    return visible(" ".join(text[: QUOTE_LIMIT * 4].split()), QUOTE_LIMIT)


def _explain(error: BaseException, seconds: float) -> tuple[str, str]:
    chain = list(_causes(error))
    for cause in chain:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return (
                f"its certificate is not trusted: {visible(cause.verify_message, QUOTE_LIMIT)}",
                "set ca_file of this endpoint (or certificate-authority in the kubeconfig)",
            )
        if isinstance(cause, socket.gaierror):
            return "its name does not resolve", "check the host name, DNS and VPN"
        if isinstance(cause, ConnectionRefusedError):
            return "nothing listens there: connection refused", "check that it runs, and host and port"
    for cause in chain:
        if isinstance(cause, ssl.SSLError):
            return f"TLS failed: {quoted(str(cause))}", "check http against https, and the port"
        if isinstance(cause, TimeoutError) or "timeout" in type(cause).__name__.lower():
            return f"no answer within {seconds:.0f} s", "check network, VPN and firewall, and its load"
    return f"{type(error).__name__}: {quoted(str(error))}", "check that it runs, and host and port"


def _causes(error: BaseException) -> Iterator[BaseException]:
    """An error and everything it wraps: causes, contexts, and what requests and urllib3 put into args."""
    waiting: list[BaseException] = [error]
    seen: set[int] = set()
    while waiting and len(seen) < 50:
        current = waiting.pop(0)
        if id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        inner = [current.__cause__, current.__context__, getattr(current, "reason", None), *current.args]
        waiting += [item for item in inner if isinstance(item, BaseException)]
