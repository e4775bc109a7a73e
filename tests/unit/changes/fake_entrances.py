"""A FAKE of the entrance of two regions: a Service, its slice, and how the regions are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from maestro_cli.changes.model import GateReason, Plan
from maestro_cli.changes.policy_file import PolicyRules
from maestro_cli.changes.rules import Caller, Judgement, judge
from maestro_cli.core.errors import NotFound, OutcomeUnknown, StalePlan
from maestro_cli.core.facts.entrances import Entrance
from maestro_cli.core.refs import ObjectRef

ENTRANCE = ObjectRef("Service", "ml", "entrance")
REGIONS = {"east": "http://10.0.1.1:8080/ready", "west": "http://10.0.2.1:9090/ready"}


@dataclass
class FakeEntrances:
    """Satisfies changes.ports.EntrancePort."""

    ill: dict[str, str] = field(default_factory=dict)  # why, by the URL
    against: Sequence[GateReason] = ()
    rules: PolicyRules | None = None  # of the context that has it
    loses_answers: int = 0  # so many writes arrive, and their answers do not
    now: Entrance = field(
        default_factory=lambda: Entrance(
            ENTRANCE, "entrance-1", "slice-uid", "7", 1, dict(REGIONS),
            [{"addresses": ["10.0.1.1"], "zone": "a"}], [{"name": "http", "protocol": "TCP", "port": 8080}],
            {}, {},
        )
    )  # fmt: skip

    def get(self, namespace: str, name: str) -> Entrance:
        if (namespace, name) != (ENTRANCE.namespace, ENTRANCE.name):
            raise NotFound(f"services {name!r} not found")
        return self.now

    def write(
        self, entrance: Entrance, *, uid: str, resource_version: str, endpoints: Sequence[Mapping[str, Any]],
        ports: Sequence[Mapping[str, Any]], annotations: Mapping[str, str | None], dry_run: bool = False,
    ) -> Entrance:  # fmt: skip
        if (uid, resource_version) != (self.now.uid, self.now.resource_version):
            raise StalePlan("the slice changed since the plan was made")
        if not dry_run:
            self.now = replace(
                self.now, endpoints=list(endpoints), ports=list(ports), generation=self.now.generation + 1,
                resource_version=str(int(resource_version) + 1),
                annotations={key: value for key, value in annotations.items() if value is not None},
            )  # fmt: skip
            if self.loses_answers:
                self.loses_answers -= 1
                raise OutcomeUnknown("no answer came")
        return self.now

    def ails(self, url: str) -> str:
        return self.ill.get(url, "")

    def forbids(self, ref: ObjectRef) -> Sequence[GateReason]:
        return self.against

    def judged(self, plan: Plan, actor: str, now: datetime) -> Sequence[Judgement]:
        return () if self.rules is None else judge(self.rules, plan, Caller(actor), now)
