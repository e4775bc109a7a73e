"""Switch region: which region serves those who come in by an entrance, a Service without a selector.

Invariant: its one EndpointSlice is written, under its uid and resourceVersion, and read back. Nobody is sent
to a region that is not well as seen from here: neither there nor back. The undo is the slice as it was.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from maestro_cli.changes.kinds.kind import CHANGE_ANNOTATION, Holds, Observation, Option, Permission, Request
from maestro_cli.changes.kinds.writing import Draft, MarkedKind, Spec
from maestro_cli.changes.model import BlastRadius, Diff, DiffLine, Plan, Target, Undo
from maestro_cli.changes.ports import EntrancePort, World
from maestro_cli.core.canonical import digest
from maestro_cli.core.errors import GateNotMet, NotFound, UsageError
from maestro_cli.core.facts.entrances import Entrance, address_of
from maestro_cli.core.refs import ObjectRef
from maestro_cli.core.untrusted import Untrusted, visible

SWITCH = "switch-region"
_BACK = "as_it_was"  # the slice, for the undo
Places = Sequence[Mapping[str, Any]]


class SwitchRegion(MarkedKind[Entrance]):
    """Parameters: `to`, a region of the entrance, which may be in another cluster than the context's."""

    name = SWITCH
    options: ClassVar[Mapping[str, Option]] = {"to": Option(str, needed=True)}
    permissions: ClassVar[tuple[Permission, ...]] = ()  # those at the entrance: asked there

    def known_parameters(self) -> frozenset[str]:
        return frozenset({"to", _BACK})

    def read(self, world: World, ref: ObjectRef) -> Entrance:
        if ref.kind != "Service":
            raise UsageError(f"{ref} is no entrance", fix="name a Service: namespace/service/NAME")
        return world.entrances.get(ref.namespace, ref.name)

    def target(self, found: Entrance) -> Target:
        state = digest([found.uid, self.part_of(found), found.regions, self.mark_of(found)])
        return Target(found.ref, found.uid, found.resource_version, found.generation, state)

    def draft(self, world: World, found: Entrance, request: Request) -> Draft:
        """Raises GateNotMet where the region to go to is not well."""
        endpoints, ports = _wanted(found, request.parameters)
        to = found.region_of(endpoints, ports)
        if self.part({"endpoints": endpoints, "ports": ports}) != self.part_of(found):
            _check_well(world.entrances, found, to)
        now = found.region
        was = {"endpoints": list(found.endpoints), "ports": list(found.ports)}
        return Draft(
            parameters={"to": to, _BACK: request.parameters.get(_BACK)},
            summary=f"send who comes in by {found.ref} to {_named(to)} (now {_named(now)})",
            spec={"endpoints": endpoints, "ports": ports},
            diff=Diff(
                (
                    DiffLine(Untrusted("region"), Untrusted(_named(now)), Untrusted(_named(to))),
                    DiffLine(
                        Untrusted(f"endpointslice/{found.slice}"),
                        Untrusted(_shown(found.endpoints, found.ports)),
                        Untrusted(_shown(endpoints, ports)),
                    ),
                )
            ),
            holds=f"the slice of {found.ref} leads to {_named(to)}",
            undo=Undo(SWITCH, {_BACK: was}, f"have it lead to {_named(now)}, as it was"),
            objections=tuple(world.entrances.forbids(found.ref)),
        )

    def blast(self, world: World, found: Entrance, draft: Draft, request: Request) -> BlastRadius:
        """It ends no replica; whoever comes in is served by others."""
        return BlastRadius(
            workloads=0, replicas_now=0, replicas_after=0, namespace_share=0.0, recent=tuple(request.recent)
        )

    def is_up(self, found: Entrance) -> bool:
        return True

    def spec(self, world: World, found: Entrance, plan: Plan) -> Spec:
        endpoints, ports = _wanted(found, plan.parameters)
        return {"endpoints": endpoints, "ports": ports}

    def part(self, spec: Spec) -> str:
        return digest(["slice", list(spec["endpoints"]), list(spec["ports"])])

    def spec_of(self, found: Entrance) -> Spec:
        return {"endpoints": found.endpoints, "ports": found.ports}

    def mark_of(self, found: Entrance) -> str:
        return found.annotations.get(CHANGE_ANNOTATION, "")

    def is_written(self, found: Entrance, plan: Plan, left: str) -> bool:
        """The server fills in defaults of its own: by where it leads as well."""
        leads = found.region == plan.parameters["to"] != ""
        return leads or super().is_written(found, plan, left)

    def apply(self, world: World, plan: Plan, *, resource_version: str, dry_run: bool = False) -> Entrance:
        port, ref = world.entrances, plan.target.ref
        return port.write(
            port.get(ref.namespace, ref.name), uid=plan.target.uid, resource_version=resource_version,
            endpoints=plan.payload["endpoints"], ports=plan.payload["ports"],
            annotations=self.annotations(plan), dry_run=dry_run,
        )  # fmt: skip

    def progress(self, found: Entrance, plan: Plan) -> Observation:
        return Observation(Holds.YES, f"the slice of {found.ref} leads to {_named(found.region)}")


def _check_well(entrances: EntrancePort, found: Entrance, to: str) -> None:
    """Raises GateNotMet where the region is not."""
    if not to:  # where it led before, and nobody says how that is
        return
    why = entrances.ails(found.regions[to])
    if why:
        raise GateNotMet(
            f"the region {visible(to, 60)} is not well, and nobody is sent there by {found.ref}",
            why=why,
            fix=f"mend it first; whether it is well is told by {visible(found.regions[to], 120)}",
        )


def _wanted(found: Entrance, given: Mapping[str, Any]) -> tuple[Places, Places]:
    """Where the slice is to lead; raises UsageError and NotFound."""
    if (back := given.get(_BACK)) is not None:
        return back["endpoints"], back["ports"]
    to = given.get("to")
    if not isinstance(to, str) or not to:
        raise UsageError(f"{SWITCH} needs a region", fix=f"one of: {', '.join(sorted(found.regions))}")
    if to not in found.regions:
        fix = f"one of: {', '.join(visible(one, 60) for one in sorted(found.regions))}"
        raise NotFound(f"{found.ref} knows no region {visible(to, 60)!r}", fix=fix)
    if len(found.ports) > 1:
        raise UsageError(f"the slice of {found.ref} has several ports, and a region has one address")
    if to == found.region:
        return found.endpoints, found.ports
    address, port = address_of(found.regions[to])
    before = dict(found.ports[0]) if found.ports else {"name": "", "protocol": "TCP"}
    return [{"addresses": [address], "conditions": {"ready": True}}], [{**before, "port": port}]


def _named(region: str) -> str:
    return visible(region, 60) if region else "none of its regions"


def _shown(endpoints: Places, ports: Places) -> str:
    addresses = [str(one) for each in endpoints for one in each.get("addresses") or ()]
    numbers = [str(one.get("port")) for one in ports]
    return f"{', '.join(addresses) or 'nowhere'}:{', '.join(numbers)}"
