"""How to prove to an endpoint who asks, and how to know that it is the endpoint.

Invariant: a secret is read when a request needs it and is never kept; TLS is always verified.
"""

from __future__ import annotations

import base64
import ssl
from collections.abc import Mapping

from maestro_cli.config.secrets import NO_VAULT, Secrets
from maestro_cli.config.settings import Endpoint
from maestro_cli.core.errors import InvalidFile


def authorization(endpoint: Endpoint, system: str, secrets: Secrets = NO_VAULT) -> Mapping[str, str]:
    """The Authorization header for one request, or nothing; a token beats a user name.

    Raises InvalidFile when a secret reference leads nowhere or its value cannot be a header.
    """
    if endpoint.token:
        return {"Authorization": f"Bearer {_secret(secrets, endpoint.token, system, 'token')}"}
    if endpoint.username:
        reference = endpoint.password
        password = _secret(secrets, reference, system, "password") if reference else ""
        pair = f"{endpoint.username}:{password}".encode()
        return {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}
    return {}


def tls_context(endpoint: Endpoint, system: str) -> ssl.SSLContext | None:
    """Trust in `ca_file` alone, or None for the usual authorities; raises InvalidFile."""
    if not endpoint.ca_file:
        return None
    try:
        return ssl.create_default_context(cafile=endpoint.ca_file)
    except (OSError, ssl.SSLError) as error:
        raise InvalidFile(
            "is not a readable PEM file of certificate authorities",
            file=endpoint.ca_file,
            key=f"{system.lower()}.ca_file",
            why=str(error),
        ) from error


def _secret(secrets: Secrets, reference: str, system: str, field: str) -> str:
    key = f"{system.lower()}.{field}"
    value = secrets.resolve(reference, key=key)
    if not (value.isascii() and value.isprintable()):
        raise InvalidFile(f"what {reference} holds cannot be sent as a header", file="config", key=key)
    return value
