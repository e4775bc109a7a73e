"""What maestro makes for Chaos Mesh is right, bounded, and meets the pods of the plan alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from maestro_cli.chaos.faults import FAULTS
from maestro_cli.chaos.faults.leash import LEASH_SECONDS
from maestro_cli.chaos.faults.mesh import manifest_for
from maestro_cli.chaos.mesh.admission import rejections
from maestro_cli.chaos.mesh.demands import demands
from maestro_cli.chaos.mesh.fields import SHAPES
from maestro_cli.chaos.mesh.kinds import KINDS
from maestro_cli.chaos.mesh.recipes import RECIPES, Recipe
from maestro_cli.chaos.mesh.selection import narrowed, specs_of
from maestro_cli.chaos.mesh.validation import violations
from maestro_cli.chaos.model import Candidate, Count, FaultOrder, TargetRule
from maestro_cli.chaos.planning import choose
from maestro_cli.core.errors import UsageError
from maestro_cli.core.refs import ObjectRef

RULE = TargetRule("ml", None, "app=fraud", Count(number=2))
PODS = tuple(Candidate(ObjectRef("Pod", "ml", f"fraud-{one}"), f"uid-{one}") for one in "ab")
EVERY = pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.name)


def order_of(recipe: Recipe, **said: Any) -> FaultOrder:
    read = {name: recipe.options[name].read(text) for name, text in recipe.sample.items()}
    return FaultOrder("it", recipe.name, {**read, **said}, RULE)


@EVERY
def test_every_fault_makes_a_manifest_that_is_right_and_names_its_pods(recipe: Recipe) -> None:
    document = manifest_for(recipe, order_of(recipe), PODS, 60.0)
    assert list(violations(document)) == []
    assert list(rejections(recipe.kind, document["spec"])) == []
    assert list(demands(recipe.kind, document["spec"])) == []
    assert document["spec"]["selector"] == {"pods": {"ml": ["fraud-a", "fraud-b"]}}
    if "duration" in document["spec"]:
        assert document["spec"]["duration"] == f"{60 + LEASH_SECONDS:.0f}s"
    else:
        assert document["spec"]["action"] in ("pod-kill", "container-kill")


@EVERY
def test_every_fault_says_which_parameters_it_needs(recipe: Recipe) -> None:
    needed = {name for name, option in recipe.options.items() if option.needed}
    assert needed <= set(recipe.sample) <= set(recipe.options)
    assert FAULTS[recipe.name].provider == "chaos-mesh"
    assert FAULTS[recipe.name].summary


def test_every_kind_that_selects_pods_has_a_fault() -> None:
    assert {one.kind for one in RECIPES} == {kind.name for kind in KINDS.values() if kind.selects_pods}


@pytest.mark.parametrize(
    ("name", "said", "wrong"),
    [
        ("mesh-network-bandwidth", {"rate": "fast"}, "rate: 'fast' is no rate"),
        ("mesh-stress-memory", {"size": "lots"}, "size: 'lots' is no size"),
        ("mesh-stress-cpu", {"workers": 0}, "less than one worker"),
        ("mesh-time-skew", {"offset": "1d"}, "timeOffset: '1d' is no duration"),
        ("mesh-http-abort", {"port": 70_000}, "port: 70000 is not from 1 to 65535"),
        ("mesh-http-abort", {"method": "GIT"}, "no method 'GIT'"),
        ("mesh-io-fault", {"errno": 0}, "does nothing without errno"),
    ],
)
def test_a_parameter_that_chaos_mesh_would_refuse_is_refused_in_the_plan(
    name: str, said: dict[str, Any], wrong: str
) -> None:
    recipe = next(one for one in RECIPES if one.name == name)
    with pytest.raises(UsageError, match="it: ") as raised:
        FAULTS[name].steps(order_of(recipe, **said), PODS, 60.0)
    assert wrong in raised.value.what


def test_the_same_order_over_the_same_pods_has_the_same_name_and_another_has_not() -> None:
    recipe = RECIPES[0]
    name = manifest_for(recipe, order_of(recipe), PODS, 60.0)["metadata"]["name"]
    assert manifest_for(recipe, order_of(recipe), PODS, 60.0)["metadata"]["name"] == name
    assert manifest_for(recipe, order_of(recipe), PODS[:1], 60.0)["metadata"]["name"] != name
    assert len(name) <= 63


def test_no_targets_make_no_resource() -> None:
    assert FAULTS["mesh-pod-kill"].steps(order_of(RECIPES[0]), (), 60.0) == ()


def test_a_candidate_that_cannot_be_chosen_counts_for_shares_and_is_not_chosen() -> None:
    serving = (*PODS, Candidate(ObjectRef("Pod", "ml", "fraud-c"), "uid-c", eligible=False))
    for seed in range(20):
        drawn = choose(serving, FaultOrder("it", "mesh-manifest", {}, RULE), seed)
        assert {one.uid for one in drawn} == {"uid-a", "uid-b"}


def test_a_workflow_is_narrowed_wherever_it_selects_pods_and_nowhere_else() -> None:
    path = Path(__file__).parents[4] / "deploy" / "chaos" / "game-day.yaml"
    document = FAULTS["mesh-manifest"].options["file"].read(str(path))
    spec = narrowed("Workflow", document["spec"], {"ml": ["fraud-a"]})
    made = list(specs_of("Workflow", spec))
    assert len(made) == 2
    assert all(one["selector"] == {"pods": {"ml": ["fraud-a"]}} and one["mode"] == "all" for one in made)
    assert spec["templates"][1] == document["spec"]["templates"][1]
    assert list(violations({**document, "spec": spec})) == []
    assert list(rejections("Workflow", spec)) == []


def test_a_manifest_that_is_wrong_is_no_parameter(tmp_path: Path) -> None:
    path = tmp_path / "chaos.yaml"
    path.write_text("apiVersion: chaos-mesh.org/v1alpha1\nkind: PodChaos\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"chaos\.yaml:1"):
        FAULTS["mesh-manifest"].options["file"].read(str(path))


def test_no_shape_is_written_for_nothing() -> None:
    used = {kind.spec for kind in KINDS.values()} | {kind.status for kind in KINDS.values()}
    for fields in SHAPES.values():
        used |= {text.split(" ")[0].strip("[]{}") for text in fields.values()}
    assert set(SHAPES) <= used
