"""Endpoints become sources: settings, contexts, clients, the journal, the platform.

Invariant: everything is built on first use and imported where it is built, so that a command pays
only for what it touches. Nothing here asks whether a context is local.
"""

from __future__ import annotations

import getpass
import os
import re
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, Self, TypeVar

from maestro_cli.config.secrets import Secrets
from maestro_cli.core.cancellation import Cancellation
from maestro_cli.core.clock import Clock, SystemClock
from maestro_cli.core.errors import MaestroError, NotFound, UsageError
from maestro_cli.services.built_once import built_once
from maestro_cli.services.person import Person, person_at_terminal

if TYPE_CHECKING:
    from maestro_cli.config.settings import ClusterEndpoint, Context, Endpoint, Settings
    from maestro_cli.core.facts.endpoints import EndpointCheck
    from maestro_cli.core.progress import Progress
    from maestro_cli.core.redaction import Redactor
    from maestro_cli.journal.model import Projection, Verification
    from maestro_cli.journal.store import Journal
    from maestro_cli.local.kubernetes.build_cache import Binary
    from maestro_cli.local.platform import EmbeddedPlatform
    from maestro_cli.local.platform_status import PlatformStatus
    from maestro_cli.output.progress import TerminalProgress
    from maestro_cli.output.renderers.contexts import Finding
    from maestro_cli.sources.alertmanager import Alertmanager
    from maestro_cli.sources.kube.cluster import KubeCluster
    from maestro_cli.sources.opencost import OpenCost
    from maestro_cli.sources.pagerduty import PagerDuty
    from maestro_cli.sources.prometheus import Prometheus
    from maestro_cli.sources.prometheus_raw import RawPrometheus
    from maestro_cli.sources.serving import InferenceServer
    from maestro_cli.sources.serving_admin import ServingAdmin

    Source = Alertmanager | KubeCluster | Prometheus | InferenceServer | PagerDuty | OpenCost


_CONTEXT_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@:-]{0,199}")


class Closable(Protocol):
    def close(self) -> None: ...


T = TypeVar("T", bound=Closable)
E = TypeVar("E")


class SignalHandlers(Protocol):
    def cooperative(self) -> Cancellation: ...


@dataclass(frozen=True, slots=True)
class GlobalOptions:
    context: str | None = None
    is_read_only: bool = False
    is_plain: bool = False
    asks: Callable[[], Person | None] = person_at_terminal  # whom to ask, looked up each time
    why_held: Callable[[], str] = lambda: (
        ""
    )  # why nothing may be changed now, asked before each step that would


class Backends:
    """What one command invocation works with; closes what it opened."""

    def __init__(self, options: GlobalOptions, signals: SignalHandlers) -> None:
        self.options = options
        self._signals = signals
        self.clock: Clock = SystemClock()
        self.building = threading.RLock()  # held while a part is built, see `built_once`
        self._opening = threading.Lock()  # of the next two; never held for longer than they take
        self._closing: list[Callable[[], None]] = []
        self._is_closed = False
        self.secrets = Secrets(self._read_vault)

    def in_context(self, name: str) -> Self:
        """The same services over another context, read afresh; closed with this one."""
        return self._closed_later(type(self)(replace(self.options, context=name), self._signals))

    def acting_as(self, actor: str) -> Self:
        """The same services in another name, with their own sources and journal; closed with this one."""
        other = self.in_context(self.context_name)
        other.actor = actor
        return other

    def close(self) -> None:
        """What a thread that is late still opens is closed at once."""
        with self._opening:
            self._is_closed = True
            closing, self._closing = self._closing, []
        while closing:
            closing.pop()()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def cancellation(self) -> Cancellation:
        """Taking it makes Ctrl-C and SIGTERM cooperative for the rest of this command."""
        return self._signals.cooperative()

    @built_once
    def actor(self) -> str:
        """Who acts: `MAESTRO_ACTOR`, else user@host."""
        return os.environ.get("MAESTRO_ACTOR") or f"{getpass.getuser()}@{socket.gethostname()}"

    @property
    def person(self) -> Person | None:
        """Who is asked; None where nobody is there."""
        return self.options.asks()

    def progress(self) -> TerminalProgress:
        from maestro_cli.output.progress import TerminalProgress

        return TerminalProgress(self.clock, is_plain=self.options.is_plain)

    @built_once
    def settings(self) -> Settings:
        from maestro_cli.config.settings import load_settings

        return load_settings(Path.cwd(), flag_context=self.options.context)

    @built_once
    def context_name(self) -> str:
        """The name of the current context; the embedded platform's when only its journal is there.

        Raises NotFound when there is none.
        """
        name = self.settings.current_context
        if name is not None and not _CONTEXT_NAME.fullmatch(name):
            raise UsageError(f"{name!r} is not a context's name", fix="use letters, digits, '.', '_' and '-'")
        if name is None and self._journal_of("local").exists():
            return "local"
        if name is None:
            raise NotFound(
                "no context is chosen",
                fix="maestro context use NAME, pass --context NAME, or run: maestro local up",
            )
        return name

    @built_once
    def context(self) -> Context:
        return self.settings.context(self.context_name)

    # Contexts

    def use_context(self, name: str) -> str:
        """Write `current_context` into config.yaml; returns what to tell the user."""
        from maestro_cli.config.choice import choose_context

        self.settings.context(name)
        return f"{name} is the current context, in {choose_context(name)}"

    def check_endpoints(self, context: Context) -> list[EndpointCheck]:
        """Ask every configured endpoint for its version, at once; one that cannot be asked is told too."""
        from maestro_cli.core.daemon_pool import DaemonPool
        from maestro_cli.core.facts.endpoints import EndpointCheck

        def ask(endpoint: tuple[str, str, Callable[[], Source]]) -> EndpointCheck:
            system, place, build = endpoint
            try:
                source = build()
            except MaestroError as error:
                text = f"{error.what}: {error.why}" if error.why else error.what
                return EndpointCheck(system, place, False, "", 0.0, text, error.fix)
            return source.check()

        endpoints = list(self._endpoints(context))
        with DaemonPool(len(endpoints), "check") as pool:
            asked = [pool.submit(partial(ask, endpoint)) for endpoint in endpoints]
            return [one.result() for one in asked]

    def _endpoints(self, context: Context) -> Iterator[tuple[str, str, Callable[[], Source]]]:
        """System, place and what makes its source, of each that is configured."""
        if (cluster := context.cluster) is not None:
            yield "Kubernetes", cluster.kubeconfig or "kubeconfig", partial(self._cluster_of, cluster)
        for system, endpoint, build in (
            ("Prometheus", context.prometheus, self._prometheus_of),
            ("Alertmanager", context.alertmanager, self._alertmanager_of),
            ("Serving", context.serving, self._serving_of),
            ("PagerDuty", context.pagerduty, self._pagerduty_of),
            ("OpenCost", context.opencost, self._opencost_of),
        ):
            if endpoint is not None:
                yield system, endpoint.url, partial(build, endpoint)

    def examine(self) -> tuple[list[Finding], list[EndpointCheck]]:
        """The doctor's findings, and the endpoints of the current context if there is one."""
        from maestro_cli.services.doctor import examine

        def path() -> Path | None:
            try:
                return self.journal_path
            except NotFound:
                return None

        findings = examine(lambda: self.settings, path)
        try:
            name = self.settings.current_context
            checks = self.check_endpoints(self.settings.context(name)) if name else []
        except MaestroError as error:
            from maestro_cli.output.renderers.contexts import Finding

            findings.append(Finding("config", "context", False, error.what, error.fix))
            checks = []
        return findings, checks

    # Sources

    def _cluster_of(self, endpoint: ClusterEndpoint) -> KubeCluster:
        from maestro_cli.sources.kube.cluster import KubeCluster

        return self._closed_later(KubeCluster(endpoint))

    def _prometheus_of(self, endpoint: Endpoint) -> Prometheus:
        from maestro_cli.sources.prometheus import Prometheus

        return self._closed_later(Prometheus(endpoint, secrets=self.secrets))

    def slow_prometheus(self, timeout_seconds: float) -> Prometheus:
        """The context's, for queries over weeks that nobody waits for."""
        from maestro_cli.sources.prometheus import Prometheus

        endpoint = self._needed(self.context.prometheus, "prometheus")
        return self._closed_later(Prometheus(endpoint, timeout_seconds=timeout_seconds, secrets=self.secrets))

    @built_once
    def raw_prometheus(self) -> RawPrometheus:
        """The context's, asked for samples over long times."""
        return self.raw_prometheus_of(self._needed(self.context.prometheus, "prometheus"))

    def raw_prometheus_of(self, endpoint: Endpoint) -> RawPrometheus:
        from maestro_cli.sources.prometheus_raw import RawPrometheus

        return self._closed_later(RawPrometheus(endpoint, secrets=self.secrets))

    def _alertmanager_of(self, endpoint: Endpoint) -> Alertmanager:
        from maestro_cli.sources.alertmanager import Alertmanager

        return self._closed_later(Alertmanager(endpoint, secrets=self.secrets))

    def _serving_of(self, endpoint: Endpoint) -> InferenceServer:
        from maestro_cli.sources.serving import InferenceServer

        return self._closed_later(InferenceServer(endpoint, secrets=self.secrets))

    def _opencost_of(self, endpoint: Endpoint) -> OpenCost:
        from maestro_cli.sources.opencost import OpenCost

        return self._closed_later(OpenCost(endpoint, secrets=self.secrets))

    def _pagerduty_of(self, endpoint: Endpoint) -> PagerDuty:
        from maestro_cli.sources.pagerduty import PagerDuty

        return self._closed_later(PagerDuty(endpoint, secrets=self.secrets))

    def _closed_later(self, source: T) -> T:
        with self._opening:
            is_late = self._is_closed
            if not is_late:
                self._closing.append(source.close)
        if is_late:
            source.close()
        return source

    @built_once
    def cluster(self) -> KubeCluster:
        """The context's cluster; never one that nobody named."""
        return self._cluster_of(self._needed(self.context.cluster, "cluster"))

    @built_once
    def prometheus(self) -> Prometheus:
        return self._prometheus_of(self._needed(self.context.prometheus, "prometheus"))

    @built_once
    def alertmanager(self) -> Alertmanager:
        return self._alertmanager_of(self._needed(self.context.alertmanager, "alertmanager"))

    @built_once
    def serving(self) -> ServingAdmin:
        """How the context's model servers are operated."""
        return self._serving_of(self._needed(self.context.serving, "serving")).admin

    @property
    def serving_url(self) -> str:
        """Where callers of the context's model servers come in."""
        return self._needed(self.context.serving, "serving").url

    def _needed(self, endpoint: E | None, key: str) -> E:
        if endpoint is None:
            raise NotFound(
                f"the context {self.context_name!r} has no {key}",
                fix=f"add contexts.{self.context_name}.{key} to {self.settings.origins[self.context_name]}",
            )
        return endpoint

    def _read_vault(self, path: str, key: str) -> str:
        from maestro_cli.sources.openbao import find_vault, read_value

        context = self.settings.contexts.get(self.settings.current_context or "")
        return read_value(find_vault(os.environ, context.secrets if context else None), path, key)

    # The journal

    @built_once
    def journal_path(self) -> Path:
        """The context's journal; it can be read while none of the endpoints is there."""
        name = self.context_name
        if name not in self.settings.contexts and not self._journal_of(name).exists():
            self.settings.context(name)  # raises NotFound, with a suggestion
        return self._journal_of(name)

    @staticmethod
    def _journal_of(name: str) -> Path:
        from maestro_cli.config.locations import state_dir

        return state_dir() / "journal" / f"{name}.sqlite"

    @built_once
    def projections(self) -> tuple[Projection, ...]:
        """Every room's tables; all processes open the journal with the same ones."""
        from maestro_cli.services.projections import every_projection

        return every_projection()

    @built_once
    def journal(self) -> Journal:
        from maestro_cli.services.journalling import open_journal

        return self._closed_later(open_journal(self))

    @built_once
    def redactor(self) -> Redactor:
        """Knows the secrets of the context, so that no record can carry one; reads them for the first."""
        from maestro_cli.core.redaction import Redactor
        from maestro_cli.services.context_secrets import secrets_of

        context = self.settings.contexts.get(self.context_name)
        return Redactor(lambda: secrets_of(context, self.secrets) if context is not None else ())

    def verify_journal(self, anchor: str | None) -> Verification:
        from maestro_cli.services.journalling import verify_journal

        return verify_journal(self, anchor)

    # The embedded platform

    def start_platform(
        self, progress: Progress, *, seed: int, cluster: str | None, cancellation: Cancellation,
        profile: str = "drill", second: bool = False, region: str = "local",
    ) -> PlatformStatus:  # fmt: skip
        """Start the embedded platform; not before its journal could be opened: no journal, no change."""
        from maestro_cli.journal.store import Journal

        Journal(self._journal_of("local"), projections=self.projections, clock=self.clock).close()
        return self.platform.up(
            profile=profile, cluster=cluster, load_seed=seed, second=second, region=region,
            progress=progress, cancellation=cancellation,
        )  # fmt: skip

    @built_once
    def platform(self) -> EmbeddedPlatform:
        from maestro_cli.config.locations import local_state_dir
        from maestro_cli.local.platform import EmbeddedPlatform

        return EmbeddedPlatform(local_state_dir(), clock=self.clock)

    def build_kubernetes(self, target: str, progress: Progress, *, force: bool) -> Binary:
        """Have the real control plane for `target`, or for this machine."""
        from maestro_cli.local.kubernetes.build import ensure_binary
        from maestro_cli.local.kubernetes.build_target import parse_target, this_machine

        wanted = parse_target(target) if target else this_machine()
        return ensure_binary(progress, self.cancellation, target=wanted, force=force)

    def prune_kubernetes(self, progress: Progress) -> tuple[Path, ...]:
        """Remove the control planes that other versions of maestro built; the folders that went."""
        from maestro_cli.local.kubernetes.build import remove_others

        return remove_others(progress)
