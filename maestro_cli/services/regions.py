"""Regions of one context: the entrance by which callers come in, wherever that is, and the other region.

Invariant: what is written at the entrance is written as the context there may: its read-only mode, access and
protection, and the rules and freezes of its policy count as well as those of the context that asks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

from maestro_cli.changes.model import GateReason
from maestro_cli.chaos.regions.sentinels import Sentinel, sentinel_of
from maestro_cli.config.experiments import Failover
from maestro_cli.core.errors import ExitCode, NotFound
from maestro_cli.core.facts.entrances import REGION_PREFIX, Entrance
from maestro_cli.core.refs import ObjectRef

if TYPE_CHECKING:
    from maestro_cli.changes.model import Plan
    from maestro_cli.changes.rules import Judgement
    from maestro_cli.services.changing import ChangeServices
    from maestro_cli.services.experimenting import ExperimentServices

_GROUP = "discovery.k8s.io"


class ContextEntrances:
    """Satisfies changes.ports.EntrancePort: of the context that `failover.at` names, else of its own."""

    def __init__(self, services: ChangeServices) -> None:
        rules = services.context.experiments
        failover = rules.failover if rules is not None else None
        at = (failover.at or failover.to) if failover is not None else services.context_name
        self._asking = services
        self._services = services if at == services.context_name else services.in_context(at)

    def get(self, namespace: str, name: str) -> Entrance:
        return self._services.cluster.entrances.get(namespace, name)

    def write(
        self, entrance: Entrance, *, uid: str, resource_version: str, endpoints: Sequence[Mapping[str, Any]],
        ports: Sequence[Mapping[str, Any]], annotations: Mapping[str, str | None], dry_run: bool = False,
    ) -> Entrance:  # fmt: skip
        return self._services.cluster.entrances.write(
            entrance, uid=uid, resource_version=resource_version, endpoints=endpoints, ports=ports,
            annotations=annotations, dry_run=dry_run,
        )  # fmt: skip

    def ails(self, url: str) -> str:
        """On the embedded platform an address is another one than is reported."""
        from maestro_cli.sources.front_door import ails

        rules = self._services.context.experiments
        return ails(listening_url(url) if rules is not None and rules.embedded else url)

    def judged(self, plan: Plan, actor: str, now: datetime) -> Sequence[Judgement]:
        """Each with the context in its place: of one's own rules the gate asks itself."""
        from maestro_cli.changes.approvals import identity_of
        from maestro_cli.changes.budgets import budgets_of
        from maestro_cli.changes.rules import Caller, judge

        there, name = self._services, self._services.context_name
        rules = there.policy.rules
        if there is self._asking or rules is None:
            return ()
        caller = Caller(actor, identity_of(there) if actor == there.actor else "")
        found = judge(rules, plan, caller, now, budgets_of(there, rules))
        return [replace(one, place=f"{one.place} of context {name}, which has the entrance") for one in found]

    def forbids(self, ref: ObjectRef) -> Sequence[GateReason]:
        there, name = self._services.policy, self._services.context_name
        reasons = []
        if there.read_only:
            what = f"context {name}, which has {ref}, is read-only"
            reasons.append(GateReason("read-only", ExitCode.POLICY_REFUSED, what))
        if there.protected and not self._asking.policy.protected:
            reasons.append(
                GateReason(
                    "protected", ExitCode.POLICY_REFUSED, f"context {name}, which has {ref}, is protected",
                    why=f"context {self._asking.context_name} is not, so that no name would be asked for",
                    fix=f"set contexts.{self._asking.context_name}.protected: true",
                )
            )  # fmt: skip
        for verb, resource, group in (("get", "services", ""), ("patch", "endpointslices", _GROUP)):
            said = self._services.cluster.access(
                verb, resource, namespace=ref.namespace, group=group, name=""
            )
            if not said.allowed:
                what = f"you may not {verb} {said.resource} in namespace {ref.namespace} of context {name}"
                reasons.append(GateReason("access", ExitCode.REFUSED, what, why=said.reason))
        return reasons


class ContextRegions:
    """Satisfies chaos.ports.Regions; raises NotFound where the context names no other region."""

    def __init__(self, services: ExperimentServices) -> None:
        self._services, self._failover = services, failover_of(services)
        services.settings.context(self._failover.to)
        self.own, self.other = services.context_name, self._failover.to
        namespace, _, name = self._failover.entrance.partition("/")
        self.entrance = ObjectRef("Service", namespace, name)
        self.there = services.in_context(self.other)

    def ails(self, region: str) -> str:
        entrances = self._services.entrances
        found = entrances.get(self.entrance.namespace, self.entrance.name)
        if region not in found.regions:
            raise NotFound(
                f"{self.entrance} knows no region {region!r}",
                fix=f"annotate it: {REGION_PREFIX}{region}=http://ADDRESS:PORT/PATH",
            )
        return entrances.ails(found.regions[region])

    @cached_property
    def service(self) -> str:
        """As the context says, else as the entrance does, asked once: no remedy waits for that."""
        if self._failover.service:
            return self._failover.service
        return self._services.entrances.get(self.entrance.namespace, self.entrance.name).serves

    def unserved(self) -> str:
        from maestro_cli.sources.front_door import ails

        return ails(self._failover.url)

    def write_sentinel(self, sentinel: Sentinel) -> None:
        """Into a config map, which is made where there is none."""
        namespace, _, name = self._failover.sentinels.partition("/")
        path, data = f"/api/v1/namespaces/{namespace}/configmaps", {"data": sentinel.data()}
        try:
            self._services.cluster.merge_object(f"{path}/{name}", data)
        except NotFound:
            made = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, **data}
            self._services.cluster.create_object(path, made)

    def newest_sentinel(self) -> Sentinel | None:
        namespace, _, name = self._failover.sentinels.partition("/")
        try:
            return sentinel_of(self.there.cluster.get_config_map(namespace, name).data)
        except NotFound:
            return None


def failover_of(services: ExperimentServices) -> Failover:
    """Raises NotFound where the context declares none."""
    rules = services.context.experiments
    if rules is None or rules.failover is None:
        key = f"contexts.{services.context_name}.experiments.failover"
        raise NotFound(
            "the context names no other region that takes over", fix=f"set {key} (docs/experiments.md)"
        )
    return rules.failover


def listening_url(url: str) -> str:
    """The same URL with the address where what is reported there listens."""
    from maestro_cli.local.addresses import listening_address

    parts = urlsplit(url)
    host = listening_address(parts.hostname or "")
    netloc = f"{host}:{parts.port}" if parts.port else host
    return urlunsplit((parts.scheme, netloc, parts.path, parts.query, ""))
