"""The secrets that kubeconfig files hold, so that no record carries one.

Invariant: files are read and nothing else: no plugin runs, the `kubernetes` package is not loaded. What
cannot be read is left out; whoever needs it to reach the cluster says why.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import suppress

from maestro_cli.config.settings import ClusterEndpoint
from maestro_cli.config.strict import read_yaml
from maestro_cli.core.errors import InvalidFile
from maestro_cli.sources.kube.kubeconfig import Entry, kubeconfig_paths, named_entries

_WRITTEN = ("token", "password", "client-key-data")
_PROVIDER = ("access-token", "id-token", "refresh-token", "client-secret")  # of an old auth-provider


def kubeconfig_secrets(
    endpoint: ClusterEndpoint, environment: Mapping[str, str] | None = None
) -> Iterator[str]:
    """Tokens, passwords and client keys of every user in the files: one `cat` shows them all."""
    for path in kubeconfig_paths(endpoint, os.environ if environment is None else environment):
        with suppress(InvalidFile):
            for _, user in named_entries(read_yaml(path), "users"):
                yield from _of_user(user)


def _of_user(user: Entry) -> Iterator[str]:
    for key in _WRITTEN:
        with suppress(InvalidFile):
            yield user.text(key)
    for read, key in ((user.file_bytes, "tokenFile"), (user.bytes_of, "client-key")):
        with suppress(InvalidFile):
            yield (read(key) or b"").decode("utf-8", "replace")
    provider = user.body.get("auth-provider")
    config = provider.get("config") if isinstance(provider, Mapping) else None
    if isinstance(config, Mapping):
        yield from (value for key in _PROVIDER if isinstance(value := config.get(key), str))
