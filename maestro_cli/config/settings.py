"""Settings and contexts.

Invariant: a context is endpoints and safety switches, whatever stands behind them. A flag beats an
environment variable, beats `./maestro.yaml`, beats `config.yaml`; the embedded platform adds the
context `local` by a file of the same form.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import msgspec

from maestro_cli.config.locations import config_dir, local_state_dir
from maestro_cli.config.strict import Document, read_yaml, suggestion
from maestro_cli.core.errors import NotFound


class Endpoint(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """One HTTP backend. `token` and `password` are secret references."""

    url: str
    token: str | None = None
    username: str | None = None
    password: str | None = None
    ca_file: str | None = None


class ClusterEndpoint(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A kubeconfig file and a context in it; absent means kubectl's own defaults."""

    kubeconfig: str | None = None
    kube_context: str | None = None


class Responders(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Figures for the cost of an incident; without them the post-mortem says what is missing."""

    hourly_rate: float | None = None
    currency: str = "USD"
    value_per_request: float | None = None
    replica_hourly_rate: float | None = None


class Context(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A named set of endpoints, and how careful to be with them."""

    cluster: ClusterEndpoint | None = None
    prometheus: Endpoint | None = None
    alertmanager: Endpoint | None = None
    serving: Endpoint | None = None
    namespace: str | None = None
    read_only: bool = False
    protected: bool = False
    max_replicas_share: float = 1.0
    settle_seconds: float = 300.0
    costs: Responders = Responders()


class SettingsFile(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    current_context: str | None = None
    contexts: dict[str, Context] = {}
    runbooks: list[str] = []
    playbooks: list[str] = []


class Settings(msgspec.Struct, frozen=True):
    """What all files and the environment say together, with the file each context came from."""

    contexts: dict[str, Context]
    origins: dict[str, str]
    current_context: str | None
    current_from: str
    runbook_dirs: tuple[str, ...]
    playbook_dirs: tuple[str, ...]
    files: tuple[str, ...]

    def context(self, name: str) -> Context:
        """The context of that name; raises NotFound with a suggestion."""
        if name in self.contexts:
            return self.contexts[name]
        if name == "local":
            raise NotFound("the embedded platform is not up", fix="maestro local up")
        raise NotFound(
            f"there is no context {name!r}",
            why=suggestion(name, list(self.contexts)) if self.contexts else "no context is configured",
            fix=f"add it to {config_dir() / 'config.yaml'}, or run: maestro local up",
        )


def local_context_file() -> Path:
    return local_state_dir() / "context.json"


def settings_files(working_dir: Path) -> list[Path]:
    """The files that count, farthest first."""
    return [config_dir() / "config.yaml", working_dir / "maestro.yaml"]


def load_settings(
    working_dir: Path, environment: Mapping[str, str] | None = None, *, flag_context: str | None = None
) -> Settings:
    """Read every settings file that exists; raises InvalidFile naming file, line and key."""
    environment = os.environ if environment is None else environment
    contexts: dict[str, Context] = {}
    origins: dict[str, str] = {}
    runbooks: list[str] = []
    playbooks: list[str] = []
    current, current_from, used = None, "", []
    for path in settings_files(working_dir):
        if not path.exists():
            continue
        document = read_yaml(path)
        parsed = document.decode(SettingsFile)
        _check(document, parsed)
        used.append(str(path))
        for name, context in parsed.contexts.items():
            contexts[name], origins[name] = context, str(path)
        runbooks += [str(path.parent / item) for item in parsed.runbooks]
        playbooks += [str(path.parent / item) for item in parsed.playbooks]
        if parsed.current_context:
            current, current_from = parsed.current_context, str(path)
    local = local_context_file()
    if local.exists():
        contexts["local"] = read_yaml(local).decode(Context)
        origins["local"] = str(local)
        used.append(str(local))
    if environment.get("MAESTRO_CONTEXT"):
        current, current_from = environment["MAESTRO_CONTEXT"], "MAESTRO_CONTEXT"
    if flag_context:
        current, current_from = flag_context, "--context"
    if current is None and "local" in contexts:
        current, current_from = "local", "the embedded platform is up"
    return Settings(contexts, origins, current, current_from, tuple(runbooks), tuple(playbooks), tuple(used))


def _check(document: Document, parsed: SettingsFile) -> None:
    for name, context in parsed.contexts.items():
        for key in ("prometheus", "alertmanager", "serving"):
            endpoint = getattr(context, key)
            if endpoint is not None and not endpoint.url.startswith(("http://", "https://")):
                raise document.fail(
                    "is not an http or https URL", ("contexts", name, key, "url"), fix="http://host:port"
                )
            for secret in ("token", "password"):
                value = getattr(endpoint, secret, None) if endpoint is not None else None
                if value is not None and not value.startswith(("env:", "file:")):
                    raise document.fail(
                        "a secret is a reference, not a value",
                        ("contexts", name, key, secret),
                        fix="write env:NAME or file:PATH",
                    )
        if not 0 < context.max_replicas_share <= 1:
            raise document.fail("must be above 0 and at most 1", ("contexts", name, "max_replicas_share"))
