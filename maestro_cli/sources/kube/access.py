"""Which credentials a kubeconfig's user gives, by the shortest way that is right.

Invariant: see `kubeconfig`. A user without usable credentials is anonymous, as in kubectl; a plugin
that fails is an error, never anonymous.
"""

from __future__ import annotations

import base64
import logging
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from maestro_cli.config.settings import ClusterEndpoint
from maestro_cli.core.errors import InvalidFile, Refused, Unreachable
from maestro_cli.core.untrusted import visible
from maestro_cli.sources.deadline import within
from maestro_cli.sources.kube.kubeconfig import (
    Access,
    Entry,
    Kubeconfig,
    impersonation,
    invalid,
    kubeconfig_paths,
    read_kubeconfig,
    server_of,
    tls_context,
    tls_of,
)

if TYPE_CHECKING:
    from kubernetes.client import Configuration

TOKEN_FILE_SECONDS = 60.0
PLUGIN_SECONDS = 20.0
INTERACTIVE_PLUGIN_SECONDS = 300.0  # somebody logs in with a browser
_STATIC_USER = {"token", "tokenFile", "client-certificate", "client-certificate-data", "client-key",
                "client-key-data", "username", "password", "as", "as-uid", "as-groups", "as-user-extra",
                "extensions"}  # fmt: skip


def cluster_access(endpoint: ClusterEndpoint, environment: Mapping[str, str] | None = None) -> Access:
    """Resolve an endpoint to an API server and credentials.

    Raises InvalidFile for a bad kubeconfig, Refused or Unreachable when a credential plugin fails.
    """
    config = config_of(endpoint, os.environ if environment is None else environment)
    if config is None:
        return _in_cluster()
    return static_access(config) if _is_static(config) else library_access(config)


def written_access(endpoint: ClusterEndpoint) -> Access | None:
    """The same by what is written in files alone; None where a plugin or a provider is to be asked."""
    config = config_of(endpoint, os.environ)
    return static_access(config) if config is not None and _is_static(config) else None


def config_of(endpoint: ClusterEndpoint, environment: Mapping[str, str]) -> Kubeconfig | None:
    """None in a pod, where there is a service account instead."""
    paths = kubeconfig_paths(endpoint, environment)
    if not paths[0].exists() and not endpoint.kubeconfig and "KUBERNETES_SERVICE_HOST" in environment:
        return None
    return read_kubeconfig(paths, endpoint.kube_context)


def _is_static(config: Kubeconfig) -> bool:
    return config.user is None or set(config.user.body) <= _STATIC_USER


def static_access(config: Kubeconfig) -> Access:
    """Access by credentials that are written in the kubeconfig or in a file it names."""
    user, extra = config.user, impersonation(config.user)
    certificate = _certificate(user) if user is not None else None
    return _access(config, tls_of(config.cluster, certificate), _static_headers(user, extra))


def _access(config: Kubeconfig, tls: Any, headers: Callable[[], Mapping[str, str]]) -> Access:
    cluster = config.cluster
    return Access(
        server=server_of(cluster),
        tls=tls,
        server_name=cluster.text("tls-server-name") or None,
        proxy=cluster.text("proxy-url") or None,
        headers=headers,
        user_name=config.user_name,
        context=config.context,
        namespace=config.namespace,
    )


def _certificate(user: Entry) -> tuple[bytes, bytes] | None:
    certificate, key = user.bytes_of("client-certificate"), user.bytes_of("client-key")
    if certificate is None or key is None:
        return None
    return certificate, key


def _static_headers(user: Entry | None, extra: Mapping[str, str]) -> Callable[[], Mapping[str, str]]:
    if user is None:
        return lambda: extra
    if user.text("token"):
        fixed = {"Authorization": f"Bearer {_sendable(user, user.text('token'), 'token')}", **extra}
        return lambda: fixed
    if user.text("tokenFile"):
        source = _TokenFile(user)
        source.read()  # a missing file is an error now, not at the first request
        return lambda: {"Authorization": f"Bearer {source.read()}", **extra}
    if "username" in user.body and "password" in user.body:
        pair = f"{user.text('username')}:{user.text('password')}".encode()
        basic = {"Authorization": f"Basic {base64.b64encode(pair).decode()}", **extra}
        return lambda: basic
    return lambda: extra


class _TokenFile:
    """A token that something renews in its file; read again after a minute, as kubectl does."""

    def __init__(self, user: Entry) -> None:
        self._user, self._token, self._read_at = user, "", float("-inf")

    def read(self) -> str:
        if time.monotonic() - self._read_at >= TOKEN_FILE_SECONDS:
            content = self._user.file_bytes("tokenFile") or b""
            self._token = _sendable(self._user, content.decode("utf-8", "replace").strip(), "tokenFile")
            self._read_at = time.monotonic()
        return self._token


def _sendable(user: Entry, token: str, key: str) -> str:
    if token and token.isascii() and token.isprintable():
        return token
    raise user.document.fail("the token is empty or cannot be sent as a header", (*user.path, key))


def library_access(config: Kubeconfig) -> Access:
    """Access through the `kubernetes` package: exec plugins, OIDC and cloud providers."""
    from kubernetes.client import Configuration  # 0.5 to 0.9 s
    from kubernetes.config import ConfigException, load_kube_config

    borrowed = Configuration()
    said: list[str] = []
    limit = INTERACTIVE_PLUGIN_SECONDS if sys.stdout.isatty() else PLUGIN_SECONDS

    def load() -> None:
        with _listening(said):
            load_kube_config(
                os.pathsep.join(str(path) for path in config.paths),
                context=config.context,
                client_configuration=borrowed,
            )

    try:
        within(limit, load)
    except TimeoutError as error:
        what = f"the credential plugin of user {config.user_name!r} did not answer within {limit:.0f} s"
        raise Unreachable(
            what, fix="run kubectl with the same kubeconfig to see what it waits for"
        ) from error
    except (ConfigException, KeyError, TypeError, ValueError, OSError) as error:
        raise invalid(config.paths, "gives no access", visible(str(error), 300)) from error
    headers = _borrowed_headers(borrowed, impersonation(config.user))
    if borrowed.cert_file is None and "Authorization" not in headers():
        raise Refused(
            f"user {config.user_name!r} of {config.paths[0]} has no credentials",
            why=visible("; ".join(said), 300) or "its plugin or provider gave none",
            fix="log in again with the tool that the kubeconfig names",
        )
    tls = _borrowed_tls(borrowed) if server_of(config.cluster).startswith("https:") else None
    return _access(config, tls, headers)


def _borrowed_headers(borrowed: Configuration, extra: Mapping[str, str]) -> Callable[[], Mapping[str, str]]:
    lock = threading.Lock()

    def key() -> str | None:
        with _listening([]):  # asking may run the plugin again, when the token is about to expire
            return cast("str | None", borrowed.get_api_key_with_prefix("BearerToken", alias="authorization"))

    def headers() -> Mapping[str, str]:
        with lock:
            try:
                token = within(PLUGIN_SECONDS, key)
            except TimeoutError as error:
                raise Unreachable("the credential plugin did not renew the token in time") from error
        return {"Authorization": token, **extra} if token else extra

    return headers


def _borrowed_tls(borrowed: Configuration) -> Any:
    authority = Path(borrowed.ssl_ca_cert).read_bytes() if borrowed.ssl_ca_cert else None
    certificate = None
    if borrowed.cert_file and borrowed.key_file:
        certificate = Path(borrowed.cert_file).read_bytes(), Path(borrowed.key_file).read_bytes()
    return tls_context(authority, certificate, verify=bool(borrowed.verify_ssl))


def _in_cluster() -> Access:
    from kubernetes.client import Configuration  # 0.5 to 0.9 s
    from kubernetes.config import ConfigException, load_incluster_config

    borrowed = Configuration()
    try:
        load_incluster_config(client_configuration=borrowed)
    except (ConfigException, OSError) as error:
        raise InvalidFile("gives no access", file="the pod's service account", why=str(error)) from error
    headers = _borrowed_headers(borrowed, {})
    return Access(
        str(borrowed.host), _borrowed_tls(borrowed), None, None, headers, "service account", "in-cluster", ""
    )


@contextmanager
def _listening(said: list[str]) -> Iterator[None]:
    """Collect what the package logs about a failed plugin; without it, that would go to stderr."""

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            said.append(record.getMessage())

    listener, root = Listener(logging.ERROR), logging.getLogger()
    root.addHandler(listener)
    try:
        yield
    finally:
        root.removeHandler(listener)
