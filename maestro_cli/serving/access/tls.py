"""TLS, and the name in a client's certificate.

Invariant: with a client authority no connection without a certificate of that authority is answered, and a
request's scope holds the name of its own connection's certificate, or none.
"""

from __future__ import annotations

import asyncio
import ssl

from maestro_cli.core.errors import InvalidFile
from maestro_cli.serving.access.credentials import CERTIFICATE
from maestro_cli.serving.access.options import TlsOptions
from maestro_cli.serving.connections import BoundedConnection
from maestro_cli.serving.protocol.http import Receive, Scope, Send


def make_context(options: TlsOptions) -> ssl.SSLContext:
    """TLS 1.2 and newer; raises InvalidFile for what cannot be used, and never asks for a password."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    try:
        context.load_cert_chain(options.certificate, options.key, password="")
    except (OSError, ValueError) as error:
        raise InvalidFile(
            f"cannot be used with the key {options.key}", file=str(options.certificate), why=_why(error)
        ) from error
    if options.client_ca is not None:
        try:
            context.load_verify_locations(options.client_ca)
        except (OSError, ValueError) as error:
            raise InvalidFile(
                "cannot be used as an authority", file=str(options.client_ca), why=_why(error)
            ) from error
        context.verify_mode = ssl.CERT_REQUIRED
    return context


class NamedClients(BoundedConnection):
    """uvicorn's protocol, which tells the application nothing of the client's certificate."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        name, application = _client_name(transport), self.app
        if name is None:
            return

        async def named(scope: Scope, receive: Receive, send: Send) -> None:
            scope[CERTIFICATE] = name
            await application(scope, receive, send)

        self.app = named


def _client_name(transport: asyncio.Transport) -> str | None:
    """The common name of the verified certificate; "" when it has none, or several: that names nobody."""
    connection = transport.get_extra_info("ssl_object")
    certificate = connection.getpeercert() if connection is not None else None
    if not certificate:
        return None
    names = [text for part in certificate["subject"] for kind, text in part if kind == "commonName"]
    return names[0] if len(names) == 1 else ""


def _why(error: Exception) -> str:
    told = getattr(error, "reason", None) or getattr(error, "strerror", None)
    return str(told or type(error).__name__)
