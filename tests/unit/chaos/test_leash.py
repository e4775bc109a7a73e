"""No fault ends by itself before its experiment does."""

from __future__ import annotations

import pytest

from maestro_cli.chaos.faults import server_fault
from maestro_cli.chaos.faults.leased_fault import lease_step
from maestro_cli.chaos.faults.leash import LEASH_SECONDS, leashed
from maestro_cli.chaos.model import Candidate
from maestro_cli.core.errors import GateNotMet
from maestro_cli.core.fault_leases import MAX_SECONDS
from maestro_cli.core.refs import ObjectRef
from maestro_cli.serving.faults import model

POD = Candidate(ObjectRef("Pod", "ml", "fraud-1"), "uid")


def test_it_outlasts_what_is_wanted_by_a_leash() -> None:
    assert leashed(60.0, 900.0) == 60.0 + LEASH_SECONDS


def test_what_cannot_last_so_long_is_refused_and_not_cut_short() -> None:
    with pytest.raises(GateNotMet, match="14m30s at most") as refused:
        leashed(1800.0, 900.0)
    assert refused.value.fix == "duration: 14m30s"


def test_a_lease_of_half_an_hour_is_refused_when_it_is_planned() -> None:
    assert lease_step(POD, "link", {}, MAX_SECONDS - LEASH_SECONDS).parameters["order"]
    with pytest.raises(GateNotMet):
        lease_step(POD, "link", {}, 1800.0)


def test_the_longest_fault_of_a_server_is_the_servers_own() -> None:
    assert server_fault.MAX_SECONDS == model.MAX_SECONDS
