"""Settings and contexts.

Invariant: a context is endpoints and safety switches, whatever stands behind them. A flag beats an
environment variable, beats `./maestro.yaml`, beats `config.yaml`; the embedded platform adds the
context `local` by a file of the same form.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

import msgspec

from maestro_cli.config.channels import Channel, Route, check_channels, secrets_of
from maestro_cli.config.colours import Colour
from maestro_cli.config.experiments import ExperimentRules, check_experiments
from maestro_cli.config.intake import Anomalies, Receiver, Warnings
from maestro_cli.config.locations import config_dir, local_state_dir
from maestro_cli.config.secrets import REFERENCES, is_reference
from maestro_cli.config.strict import Document, read_yaml, suggestion
from maestro_cli.config.trust import require_trusted
from maestro_cli.core.errors import NotFound, UsageError

# It becomes the name of the context's journal file.
CONTEXT_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
LOCAL = "local"  # is added while the embedded platform is up, and would hide one of that name
_LISTEN = re.compile(r"\S*:[0-9]{1,5}")
_PARAMETER = re.compile(r"[A-Z][A-Z0-9_]{0,62}")  # as runbooks name theirs
_Rate = Annotated[float, msgspec.Meta(ge=0)]
_Limit = Annotated[float, msgspec.Meta(gt=0)]
_NAME_RULE = "use letters, digits, '.', '_' and '-'"


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
    """Figures for what incidents and predictions cost; without them it is said what is missing.

    `budget_per_million` is what a million predictions may cost.
    """

    hourly_rate: _Rate | None = None
    currency: str = "USD"
    value_per_request: _Rate | None = None
    replica_hourly_rate: _Rate | None = None
    budget_per_million: _Limit | None = None


class CostLabels(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Labels of pods that name their team, model and version, the most telling first; empty: the shipped."""

    team: list[str] = []
    model: list[str] = []
    version: list[str] = []


class TelemetryPrograms(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """For one program its own labels of who is believed; none where it is left out, all with `{}`."""

    loki: dict[str, str] | None = None
    tempo: dict[str, str] | None = None
    otelcol: dict[str, str] | None = None
    rotel: dict[str, str] | None = None


class CostTelemetry(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """By whom logs and traces are counted: `match` are labels of who is believed where several count them,
    `programs` those of single programs in place of it, `senders` the labels that name the namespace that
    sent, the most telling first; empty: the shipped.
    """

    match: dict[str, str] = {}
    programs: TelemetryPrograms = TelemetryPrograms()
    senders: list[str] = []


class Costs(Responders, forbid_unknown_fields=True, frozen=True):
    """The same, and the files with the prices of machines, storage and traffic, and with budgets.

    `match` are labels of the series of this cluster, where its Prometheus has those of several. `sends_to` is
    where what pods send is taken to go, which their metrics do not tell; without it that is not counted.
    """

    prices: str | None = None
    budgets: list[str] = []
    labels: CostLabels = CostLabels()
    match: dict[str, str] = {}
    telemetry: CostTelemetry = CostTelemetry()
    sends_to: Literal["zone", "region", "internet"] | None = None


class Context(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A named set of endpoints, and how careful to be with them.

    `redact` refers to secrets beyond those of the endpoints that no record may carry; a file may hold
    several, one a line. `backups` is the folder that backups of what runs there are kept in. `parameters` are
    the values that parameters of runbooks have there, where neither the start of a run nor its alert says.
    `revenue_segments` are the segments of the traffic that earn money (of the model server: routes): their
    failures make an incident graver.
    """

    cluster: ClusterEndpoint | None = None
    prometheus: Endpoint | None = None
    alertmanager: Endpoint | None = None
    serving: Endpoint | None = None
    secrets: Endpoint | None = None
    namespace: str | None = None
    read_only: bool = False
    protected: bool = False
    color: Colour | None = None
    max_replicas_share: float = 1.0
    policy: str | None = None
    incident_rules: str | None = None
    oncall: str | None = None
    pagerduty: Endpoint | None = None
    opencost: Endpoint | None = None
    settle_seconds: float = 300.0
    objectives: list[str] = []
    exclusions: list[str] = []
    contract: str | None = None
    redact: list[str] = []
    costs: Costs = Costs()
    backups: str | None = None
    parameters: dict[str, str] = {}
    revenue_segments: list[str] = []
    experiments: ExperimentRules | None = None
    webhook: Receiver | None = None
    warnings: Warnings = Warnings()
    anomalies: Anomalies = Anomalies()
    channels: dict[str, Channel] = {}
    notify: list[Route] = []


class SettingsFile(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    current_context: str | None = None
    contexts: dict[str, Context] = {}
    runbooks: list[str] = []
    playbooks: list[str] = []
    trust: list[str] = []


class Settings(msgspec.Struct, frozen=True):
    """What all files and the environment say together, with the file each context came from."""

    contexts: dict[str, Context]
    origins: dict[str, str]
    current_context: str | None
    current_from: str
    runbook_dirs: tuple[str, ...]
    playbook_dirs: tuple[str, ...]
    files: tuple[str, ...]
    nearer: str = ""

    def told_by_folder(self, name: str) -> str:
        """`./maestro.yaml` when it chose or defined the context, and which of it; else empty."""
        chosen = self.current_context == name and self.current_from == self.nearer
        words = [word for word, holds in (("chosen", chosen), ("defined", self._defined(name))) if holds]
        return f"{' and '.join(words)} by {self.nearer}" if words and self.nearer else ""

    def _defined(self, name: str) -> bool:
        return self.origins.get(name) == self.nearer

    def context(self, name: str) -> Context:
        """The context of that name; raises NotFound with a suggestion."""
        if name in self.contexts:
            return self.contexts[name]
        if name == LOCAL:
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
    """Read every settings file that exists; relative paths in a file start at its folder.

    Raises InvalidFile naming file, line and key; UsageError when a flag or variable names no context;
    PolicyRefused for a `./maestro.yaml` that somebody else could have written.
    """
    environment = os.environ if environment is None else environment
    contexts: dict[str, Context] = {}
    origins: dict[str, str] = {}
    runbooks: list[str] = []
    playbooks: list[str] = []
    current, current_from, used = None, "", []
    trusted: list[str] = []
    far, near = settings_files(working_dir)
    for path in (far, near):
        if not _is_there(path):
            continue
        parsed = _read_far(path) if path == far else _read_near(path, trusted, far)
        trusted = [_anchored_path(item, path.parent) for item in parsed.trust]
        used.append(str(path))
        for name, context in parsed.contexts.items():
            contexts[name], origins[name] = _anchored(context, path.parent), str(path)
        runbooks = [_anchored_path(item, path.parent) for item in parsed.runbooks] + runbooks
        playbooks = [_anchored_path(item, path.parent) for item in parsed.playbooks] + playbooks
        if parsed.current_context:
            current, current_from = parsed.current_context, str(path)
    local = local_context_file()
    if _is_there(local):
        contexts[LOCAL] = read_yaml(local).decode(Context)
        origins[LOCAL] = str(local)
        used.append(str(local))
    for said, by in ((environment.get("MAESTRO_CONTEXT"), "MAESTRO_CONTEXT"), (flag_context, "--context")):
        if said:
            current, current_from = said, by
    if current is None and LOCAL in contexts:
        current, current_from = LOCAL, "the embedded platform is up"
    if current is not None and not CONTEXT_NAME.fullmatch(current):
        raise UsageError(
            f"{current!r} is not the name of a context", why=f"said by {current_from}", fix=_NAME_RULE
        )
    return Settings(
        contexts, origins, current, current_from, tuple(runbooks), tuple(playbooks), tuple(used), str(near)
    )


def _read_far(path: Path) -> SettingsFile:
    document = read_yaml(path)
    parsed = document.decode(SettingsFile)
    _check(document, parsed)
    return parsed


def _read_near(path: Path, trusted: list[str], far: Path) -> SettingsFile:
    document = read_yaml(path, partial(require_trusted, path, trusted=trusted))
    parsed = document.decode(SettingsFile)
    _check(document, parsed)
    if parsed.trust:
        raise document.fail("only config.yaml can say whom to trust", ("trust",), fix=f"write it in {far}")
    return parsed


def _is_there(path: Path) -> bool:
    """False only when it is certain; a file that cannot be looked at is read, and that error is told."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True
    return True


def _anchored_path(text: str, folder: Path) -> str:
    """A path as the person who wrote the file meant it: `~` is home, relative starts at the file."""
    return str(folder / os.path.expanduser(text))


def _anchored(context: Context, folder: Path) -> Context:
    changed: dict[str, object] = {}
    if context.cluster is not None and context.cluster.kubeconfig:
        kubeconfig = _anchored_path(context.cluster.kubeconfig, folder)
        changed["cluster"] = msgspec.structs.replace(context.cluster, kubeconfig=kubeconfig)
    for key in ENDPOINTS:
        endpoint: Endpoint | None = getattr(context, key)
        if endpoint is None:
            continue
        changed[key] = msgspec.structs.replace(
            endpoint,
            ca_file=_anchored_path(endpoint.ca_file, folder) if endpoint.ca_file else None,
            token=_anchored_secret(endpoint.token, folder),
            password=_anchored_secret(endpoint.password, folder),
        )
    if context.webhook is not None:
        anchored = {key: _anchored_secret(one, folder) for key, one in context.webhook.references.items()}
        changed["webhook"] = msgspec.structs.replace(context.webhook, **anchored)
    hooks = context.experiments.server_faults if context.experiments is not None else None
    if context.experiments is not None and hooks is not None:
        hooks = msgspec.structs.replace(hooks, key=_anchored_secret(hooks.key, folder))
        changed["experiments"] = msgspec.structs.replace(context.experiments, server_faults=hooks)
    changed["channels"] = {name: _anchored_channel(one, folder) for name, one in context.channels.items()}
    for key in ("policy", "incident_rules", "oncall", "backups", "contract"):
        path: str | None = getattr(context, key)
        changed[key] = _anchored_path(path, folder) if path else None
    costs = context.costs
    changed["costs"] = msgspec.structs.replace(
        costs,
        prices=_anchored_path(costs.prices, folder) if costs.prices else None,
        budgets=[_anchored_path(one, folder) for one in costs.budgets],
    )
    changed["exclusions"] = [_anchored_path(path, folder) for path in context.exclusions]
    changed["redact"] = [_anchored_secret(reference, folder) for reference in context.redact]
    return msgspec.structs.replace(context, **changed)


def _anchored_channel(channel: Channel, folder: Path) -> Channel:
    anchored = {key: _anchored_secret(one, folder) for key, one in secrets_of(channel).items()}
    return msgspec.structs.replace(channel, **anchored)


def _anchored_secret(reference: str | None, folder: Path) -> str | None:
    if reference is None or not reference.startswith("file:"):
        return reference
    return f"file:{_anchored_path(reference.removeprefix('file:'), folder)}"


ENDPOINTS = ("prometheus", "alertmanager", "serving", "secrets", "pagerduty", "opencost")


def _check(document: Document, parsed: SettingsFile) -> None:
    for name, context in parsed.contexts.items():
        at = ("contexts", name)
        if not CONTEXT_NAME.fullmatch(name):
            raise document.fail("is not a name for a context", at, fix=_NAME_RULE)
        if name == LOCAL:
            fix = "give it another name, with the same endpoints where it is meant to be that platform"
            raise document.fail("is the embedded platform's own context", at, fix=fix)
        for key in ENDPOINTS:
            endpoint = getattr(context, key)
            if endpoint is not None:
                _check_endpoint(document, endpoint, (*at, key))
        if context.secrets is not None and (context.secrets.token or "").startswith("bao:"):
            at_token = (*at, "secrets", "token")
            fix = "write env:NAME or file:PATH"
            raise document.fail("the token of OpenBao cannot be in OpenBao", at_token, fix=fix)
        for index, reference in enumerate(context.redact):
            _check_reference(document, reference, (*at, "redact", index))
        if context.webhook is not None:
            _check_receiver(document, context.webhook, (*at, "webhook"))
        if context.experiments is not None:
            check_experiments(document, context.experiments, (*at, "experiments"))
        check_channels(document, context.channels, context.notify, at)
        for parameter in context.parameters:
            if not _PARAMETER.fullmatch(parameter):
                fix = "parameters are named like WINDOW"
                raise document.fail("is not the name of a parameter", (*at, "parameters", parameter), fix=fix)
        if not 0 < context.max_replicas_share <= 1:
            raise document.fail("must be above 0 and at most 1", (*at, "max_replicas_share"))
    if parsed.current_context and not CONTEXT_NAME.fullmatch(parsed.current_context):
        raise document.fail("is not the name of a context", ("current_context",), fix=_NAME_RULE)


def _check_endpoint(document: Document, endpoint: Endpoint, at: tuple[str, ...]) -> None:
    try:
        url = urlsplit(endpoint.url)
        is_web = url.scheme in ("http", "https") and bool(url.hostname) and url.port != 0
    except ValueError:  # a bracket or a port that is none
        is_web = False
    if not is_web:
        raise document.fail("is not an http or https URL", (*at, "url"), fix="http://host:port")
    if url.username is not None or url.password is not None:
        fix = "write username: NAME and password: env:NAME beside url:"
        raise document.fail("holds a user name or password", (*at, "url"), fix=fix)
    for secret in ("token", "password"):
        value = getattr(endpoint, secret)
        if value is not None:
            _check_reference(document, value, (*at, secret))


def _check_receiver(document: Document, receiver: Receiver, at: tuple[str, ...]) -> None:
    for key, reference in receiver.references.items():
        _check_reference(document, reference, (*at, key))
    if (receiver.username is None) != (receiver.password is None):
        raise document.fail("needs username: and password: both", at)
    if receiver.listen is not None and not _LISTEN.fullmatch(receiver.listen):
        raise document.fail("is not HOST:PORT", (*at, "listen"), fix="127.0.0.1:9099")
    if not receiver.references:
        raise document.fail("anybody could send alerts", at, fix="write token: env:NAME")


def _check_reference(document: Document, reference: str, at: tuple[str | int, ...]) -> None:
    if not is_reference(reference):
        raise document.fail("a secret is a reference, not a value", at, fix=f"write {REFERENCES}")
