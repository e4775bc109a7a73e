"""From a kubeconfig to what a request needs: address, trust, credentials.

Invariant: the `kubernetes` package is the authority. Plain credentials (token, token file, client
certificate, password) are read here, because loading the package costs 0.5 to 0.9 s; a contract test
holds both equal. Exec plugins, auth providers and in-cluster accounts always go through the package.
Impersonation (`as`) and `proxy-url`, which the package ignores, are honoured: ignoring the first would
act with other rights than the user wrote.
"""

from __future__ import annotations

import base64
import binascii
import os
import ssl
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

from maestro_cli.config.settings import ClusterEndpoint
from maestro_cli.config.strict import Document, read_yaml, suggestion
from maestro_cli.core.errors import InvalidFile

_KINDS = ("clusters", "contexts", "users")


@dataclass(frozen=True, slots=True)
class Entry:
    """One named cluster, user or context, and the file it came from (its relative paths start there)."""

    document: Document
    path: tuple[str | int, ...]
    body: Mapping[str, Any]

    def text(self, key: str) -> str:
        """The text under a key, or ""; raises InvalidFile when it is something else."""
        value = self.body.get(key)
        if value is None:
            return ""
        if not isinstance(value, str):
            raise self.document.fail("expected text", (*self.path, key))
        return value

    def bytes_of(self, key: str) -> bytes | None:
        """What `key-data` holds in base 64, or what the file named by `key` holds; raises InvalidFile."""
        data = self.text(f"{key}-data")
        if data:
            try:
                return base64.b64decode("".join(data.split()), validate=True)
            except (binascii.Error, ValueError) as error:
                raise self.document.fail("is not base 64", (*self.path, f"{key}-data")) from error
        return self.file_bytes(key)

    def file_bytes(self, key: str) -> bytes | None:
        """What the file named by a key holds, relative to the kubeconfig; raises InvalidFile."""
        name = self.text(key)
        if not name:
            return None
        try:
            return (Path(self.document.file).parent / name).read_bytes()
        except OSError as error:
            why = error.strerror or ""
            raise self.document.fail(f"{name} cannot be read", (*self.path, key), why=why) from error


@dataclass(frozen=True, slots=True)
class Kubeconfig:
    """The context in use, its cluster and its user; `paths` are the files that exist, nearest first."""

    paths: tuple[Path, ...]
    context: str
    namespace: str
    cluster: Entry
    user: Entry | None
    user_name: str


@dataclass(frozen=True, slots=True)
class Access:
    """How to reach one API server: `headers` is asked for every request, so tokens can be renewed."""

    server: str
    tls: ssl.SSLContext | None
    server_name: str | None
    proxy: str | None
    headers: Callable[[], Mapping[str, str]]
    user_name: str
    context: str
    namespace: str


def kubeconfig_paths(endpoint: ClusterEndpoint, environment: Mapping[str, str]) -> tuple[Path, ...]:
    """The files kubectl would read: the endpoint's, else $KUBECONFIG's that exist, else ~/.kube/config."""
    if endpoint.kubeconfig:
        return (Path(endpoint.kubeconfig).expanduser(),)
    named = [Path(item).expanduser() for item in environment.get("KUBECONFIG", "").split(os.pathsep) if item]
    existing = tuple(path for path in named if path.exists())
    if named:
        return existing or (named[0],)
    return (Path.home() / ".kube" / "config",)


def read_kubeconfig(paths: Sequence[Path], wanted: str | None) -> Kubeconfig:
    """The named context, or the current one; the first file that names a thing wins, as in kubectl.

    Raises InvalidFile naming file, line and key.
    """
    documents = [read_yaml(path) for path in paths]
    entries: dict[str, dict[str, Entry]] = {kind: {} for kind in _KINDS}
    current = wanted or ""
    for document in documents:
        for kind in _KINDS:
            for name, entry in named_entries(document, kind):
                entries[kind].setdefault(name, entry)
        said = document.data.get("current-context")
        current = current or (said if isinstance(said, str) else "")
    first = documents[0]
    if not current:
        raise first.fail(
            "no context is current", ("current-context",), fix="set kube_context of this cluster"
        )
    context = _lookup(entries["contexts"], current, first, "context")
    user_name = context.text("user")
    return Kubeconfig(
        tuple(paths),
        current,
        context.text("namespace"),
        _lookup(entries["clusters"], context.text("cluster"), context.document, "cluster"),
        _lookup(entries["users"], user_name, context.document, "user") if user_name else None,
        user_name,
    )


def named_entries(document: Document, kind: str) -> Iterator[tuple[str, Entry]]:
    """The clusters, contexts or users of one file by name; raises InvalidFile."""
    if not isinstance(document.data, Mapping):
        raise document.fail("is not a kubeconfig", fix="kubectl config view")
    items = document.data.get(kind) or []
    if not isinstance(items, list):
        raise document.fail("expected a list", (kind,))
    field = kind.removesuffix("s")
    for index, item in enumerate(items):
        path = (kind, index)
        if not isinstance(item, Mapping) or not isinstance(item.get("name"), str):
            raise document.fail("expected a name and its settings", path)
        body = item.get(field)
        if body is not None and not isinstance(body, Mapping):
            raise document.fail("expected a mapping", (*path, field))
        yield item["name"], Entry(document, (*path, field), body or {})


def _lookup(entries: Mapping[str, Entry], name: str, document: Document, kind: str) -> Entry:
    if name in entries:
        return entries[name]
    fix = suggestion(name, list(entries)) if entries else ""
    raise document.fail(f"there is no {kind} {name!r}", (f"{kind}s",), fix=fix)


def server_of(cluster: Entry) -> str:
    """The API server's URL; raises InvalidFile."""
    server = cluster.text("server").rstrip("/")
    if not server.startswith(("http://", "https://")):
        raise cluster.document.fail("is not an http or https URL", (*cluster.path, "server"))
    return server


def tls_of(cluster: Entry, certificate: tuple[bytes, bytes] | None) -> ssl.SSLContext | None:
    """Trust in the cluster's authority (or the usual ones), and the client certificate; None for http."""
    if not server_of(cluster).startswith("https:"):
        return None
    try:
        return tls_context(
            cluster.bytes_of("certificate-authority"),
            certificate,
            verify=cluster.body.get("insecure-skip-tls-verify") is not True,
        )
    except (ssl.SSLError, ValueError) as error:
        why = str(error)
        raise cluster.document.fail("its certificates cannot be used", cluster.path, why=why) from error


def tls_context(
    authority: bytes | None, certificate: tuple[bytes, bytes] | None, *, verify: bool
) -> ssl.SSLContext:
    """A client context from PEM bytes; raises ssl.SSLError or ValueError when they are not PEM."""
    text = authority.decode("ascii", "strict") if authority else None
    context = ssl.create_default_context(cadata=text)
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if certificate:
        with _private_file(certificate[0]) as cert, _private_file(certificate[1]) as key:
            # A password function, because OpenSSL would otherwise ask the terminal for one.
            context.load_cert_chain(cert, key, password=lambda: "")
    return context


@contextmanager
def _private_file(content: bytes) -> Iterator[str]:
    # ssl loads a client key from a file only; this one is ours alone (0600) and gone at once.
    with NamedTemporaryFile(prefix="maestro-") as stream:
        stream.write(content)
        stream.flush()
        yield stream.name


def impersonation(user: Entry | None) -> Mapping[str, str]:
    """Headers for `as` and `as-uid` of a user entry.

    Raises InvalidFile for `as-groups` and `as-user-extra`, which need repeated headers.
    """
    if user is None:
        return {}
    for key in ("as-groups", "as-user-extra"):
        if user.body.get(key):
            raise user.document.fail("maestro cannot impersonate with it", (*user.path, key))
    pairs = {"Impersonate-User": user.text("as"), "Impersonate-Uid": user.text("as-uid")}
    return {name: value for name, value in pairs.items() if value}


def invalid(paths: Sequence[Path], what: str, why: str, fix: str = "") -> InvalidFile:
    """The error for a kubeconfig that could be read and yet gives no access."""
    return InvalidFile(what, file=str(paths[0]), why=why, fix=fix)
