"""What no process can have is told in advance, with what to use instead."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest

from maestro_cli.changes.kinds.kind import Holds
from maestro_cli.chaos.faults import FAULTS
from maestro_cli.chaos.faults.fault import InForce
from maestro_cli.chaos.faults.not_here import NOT_HERE, NotHere
from maestro_cli.chaos.model import FaultOrder, TargetRule

ANY: Any = cast(Any, None)  # no platform is asked
DOCS = Path(__file__).resolve().parents[3] / "docs" / "experiments.md"


@pytest.mark.parametrize("fault", NOT_HERE, ids=lambda fault: fault.name)
def test_it_is_lacked_everywhere_and_names_faults_that_there_are(fault: NotHere) -> None:
    assert FAULTS[fault.name] is fault
    named = {word.strip("().,;:") for word in fault.lacks(ANY).split() if "-" in word}
    assert named
    assert named <= set(FAULTS)
    assert all(f"`{name}`" in DOCS.read_text("utf-8") for name in named - {"pod-disk"})


@pytest.mark.parametrize("fault", NOT_HERE, ids=lambda fault: fault.name)
def test_it_meets_nobody_and_leaves_nothing(fault: NotHere) -> None:
    order = FaultOrder("it", fault.name, {}, TargetRule("ml", None, "app=fraud"))
    in_force = InForce(order, (), (), 10.0, 0)
    assert (fault.kinds(ANY), fault.candidates(ANY, order), fault.steps(order, (), 1.0)) == ((), (), ())
    assert fault.effect(ANY, in_force).holds is Holds.NEVER
    assert fault.recovery(ANY, in_force).holds is Holds.YES
    assert fault.residue(ANY, in_force) == ()
