"""What an experiment makes of a manifest ends by itself, a little later than the experiment wants it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from maestro_cli.chaos.faults import FAULTS
from maestro_cli.chaos.mesh.admission import rejections
from maestro_cli.chaos.mesh.bounding import bounded
from maestro_cli.chaos.mesh.demands import demands, is_one_shot
from maestro_cli.chaos.mesh.following import child_kinds
from maestro_cli.chaos.mesh.scalars import go_seconds
from maestro_cli.chaos.mesh.validation import violations
from maestro_cli.chaos.model import Candidate, Count, FaultOrder, TargetRule
from maestro_cli.core.errors import UsageError
from maestro_cli.core.refs import ObjectRef

FOLDER = Path(__file__).parents[4] / "deploy" / "chaos"
SHIPPED = sorted(FOLDER.glob("*.yaml"))
FAULT = FAULTS["mesh-manifest"]


def shipped(name: str) -> Mapping[str, Any]:
    document: Mapping[str, Any] = FAULT.options["file"].read(str(FOLDER / f"{name}.yaml"))
    return document


def ends(value: Any) -> Iterator[str]:
    """Every duration and deadline in it."""
    if isinstance(value, Mapping):
        yield from (str(one) for key, one in value.items() if key in ("duration", "deadline"))
    inside = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ()
    for one in inside:
        yield from ends(one)


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_every_shipped_manifest_ends_in_that_time_and_is_still_right(path: Path) -> None:
    document = bounded(shipped(path.stem), 40)
    kind, spec = document["kind"], document["spec"]
    assert [*violations(document), *rejections(kind, spec), *demands(kind, spec)] == []
    assert kind != "Schedule"
    if kind == "Workflow":
        (entry,) = [one for one in spec["templates"] if one["name"] == spec["entry"]]
        assert go_seconds(entry["deadline"]) <= 40
    elif not is_one_shot(kind, spec):
        assert spec["duration"] == "40s"
    assert all(go_seconds(text) <= 40 for text in ends(spec))


def test_what_is_made_outlasts_the_experiment_by_its_leash() -> None:
    rule = TargetRule("ml", None, "app=fraud", Count(number=1))
    document = shipped("network-latency")
    long = {**document, "spec": {**document["spec"], "duration": "24h"}}
    targets = [Candidate(ObjectRef("Pod", "ml", "fraud-a"), "uid-a")]
    (step,) = FAULT.steps(FaultOrder("it", "mesh-manifest", {"file": long}, rule), targets, 60.0)
    assert step.parameters["document"]["spec"]["duration"] == "90s"


def test_steps_of_a_workflow_keep_shorter_times() -> None:
    steps = {
        one["name"]: one.get("deadline") for one in bounded(shipped("game-day"), 40)["spec"]["templates"]
    }
    assert steps == {
        "watched": "40s", "is-it-well": "40s", "faults": "40s",
        "latency": "40s", "rest": "30s", "loss": "40s",
    }  # fmt: skip


def test_a_schedule_is_a_step_that_its_workflow_deletes() -> None:
    document = bounded(shipped("weekly-pod-kill"), 40)
    (step,) = document["spec"]["templates"]
    assert (document["kind"], step["templateType"], step["deadline"]) == ("Workflow", "Schedule", "40s")
    assert step["schedule"]["podChaos"] == shipped("weekly-pod-kill")["spec"]["podChaos"]
    assert set(child_kinds(document)) == {"PodChaos", "Schedule"}


def test_a_schedule_of_workflows_is_refused() -> None:
    spec = {"schedule": "@every 5m", "type": "Workflow", "workflow": shipped("game-day")["spec"]}
    with pytest.raises(UsageError, match="does not end by itself"):
        bounded({**shipped("game-day"), "kind": "Schedule", "spec": spec}, 40)
