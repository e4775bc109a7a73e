"""What is secret of a context. Invariant: what cannot be read is no secret yet, and stops nothing."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

from maestro_cli.core.errors import MaestroError

if TYPE_CHECKING:
    from maestro_cli.config.secrets import Secrets
    from maestro_cli.config.settings import Context


def secrets_of(context: Context, secrets: Secrets) -> Iterator[str]:
    """What the endpoints, `redact` and the kubeconfig of a context say is secret."""
    from maestro_cli.config.settings import ENDPOINTS
    from maestro_cli.sources.openbao import ambient_tokens

    yield from ambient_tokens(os.environ)
    endpoints = (getattr(context, name) for name in ENDPOINTS)
    references = [secret for one in endpoints if one is not None for secret in (one.token, one.password)]
    receiver = context.webhook.references.values() if context.webhook is not None else ()
    for reference in (*references, *receiver, *context.redact):
        # What cannot be read is no secret yet; the source that needs it says so.
        with suppress(MaestroError):
            yield secrets.resolve(reference) if reference else ""
    if context.cluster is not None:
        from maestro_cli.sources.kube.secrets import kubeconfig_secrets

        yield from kubeconfig_secrets(context.cluster)
