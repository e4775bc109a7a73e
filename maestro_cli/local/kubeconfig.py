"""Kubeconfigs written as JSON: where the API server is, how to trust it and how to be trusted.

Invariant: a private key that is inlined is on disk only for the moment in which it is loaded, for its owner.
"""

from __future__ import annotations

import base64
import json
import os
import ssl
import tempfile
from dataclasses import dataclass
from pathlib import Path

from maestro_cli.core.errors import InvalidFile
from maestro_cli.local.objects import Object


@dataclass(frozen=True, slots=True)
class KubeConfig:
    """Where the API server is, how to trust it and how to be trusted."""

    server: str
    tls: ssl.SSLContext | bool
    token: str = ""


def load_kubeconfig(path: Path) -> KubeConfig:
    """Read the current context of a kubeconfig written as JSON.

    Understands certificate-authority(-data), insecure-skip-tls-verify, token, client-certificate(-data)
    and client-key(-data). Raises InvalidFile.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        context = _named(document["contexts"], document["current-context"])["context"]
        cluster = _named(document["clusters"], context["cluster"])["cluster"]
        user = _named(document["users"], context["user"])["user"]
        server = str(cluster["server"])
    except FileNotFoundError as missing:
        raise InvalidFile("no such kubeconfig", file=str(path)) from missing
    except (ValueError, KeyError, TypeError) as broken:
        raise InvalidFile("not a kubeconfig in JSON", file=str(path), why=repr(broken)) from broken
    return KubeConfig(server=server.rstrip("/"), tls=_tls(cluster, user), token=str(user.get("token", "")))


def _named(entries: list[Object], name: str) -> Object:
    for entry in entries:
        if entry["name"] == name:
            return entry
    raise KeyError(name)


def _tls(cluster: Object, user: Object) -> ssl.SSLContext | bool:
    if str(cluster["server"]).startswith("http://"):
        return False
    authority = cluster.get("certificate-authority-data")
    context = ssl.create_default_context(
        cafile=cluster.get("certificate-authority"),
        cadata=base64.b64decode(authority).decode("ascii") if authority else None,
    )
    if cluster.get("insecure-skip-tls-verify"):
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if user.get("client-certificate"):
        context.load_cert_chain(user["client-certificate"], user.get("client-key"))
    elif user.get("client-certificate-data"):
        _load_inline_pair(context, user)
    return context


def _load_inline_pair(context: ssl.SSLContext, user: Object) -> None:
    # ssl reads certificate chains from files only; the file is 0600 and gone before anything is sent
    descriptor, name = tempfile.mkstemp()
    try:
        with os.fdopen(descriptor, "wb") as file:
            for part in ("client-certificate-data", "client-key-data"):
                file.write(base64.b64decode(user[part]) + b"\n")
        context.load_cert_chain(name)
    finally:
        os.unlink(name)
