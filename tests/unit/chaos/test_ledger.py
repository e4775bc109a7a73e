"""A fault that was intended is read back whole: a sweep takes back and looks for no less than the run did."""

from __future__ import annotations

import dataclasses
import json

from maestro_cli.chaos.faults.fault import InForce
from maestro_cli.chaos.ledger import in_force_data, in_force_of
from maestro_cli.chaos.model import Candidate, Count, FaultOrder, TargetRule
from maestro_cli.core.refs import ObjectRef, WorkloadRef

NODE, POD = ObjectRef("Node", "", "node-a"), ObjectRef("Pod", "ml", "fraud-1")


def test_what_was_intended_is_read_back_with_every_field_of_its_targets() -> None:
    zone = Candidate(
        ObjectRef("Zone", "", "zone-a"), "uid", "there", whole=True, parts=(NODE, POD), eligible=False
    )
    untouched = Candidate(NODE, "uid")
    told = [field.name for field in dataclasses.fields(Candidate)]
    assert all(getattr(zone, name) != getattr(untouched, name) for name in told if name != "uid")

    rule = TargetRule("ml", WorkloadRef("Deployment", "ml", "fraud"), "track=canary", Count(number=1))
    order = FaultOrder("one zone lost", "zone-outage", {"zone": "zone-a"}, rule)
    fault = InForce(order, (zone,), ("chg-1", "chg-2"), 40.0, 3)
    assert in_force_of(json.loads(json.dumps(in_force_data(fault)))) == fault
