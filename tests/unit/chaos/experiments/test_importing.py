"""A plain file gets what bounds it proposed, and nothing that only its author can know."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from maestro_cli.chaos.experiments.importing import propose
from maestro_cli.chaos.experiments.lint import lint
from maestro_cli.chaos.experiments.reading import experiment_of, read_document
from maestro_cli.config.strict import dump_yaml
from maestro_cli.core.errors import UsageError


def plain(*method: dict[str, Any]) -> dict[str, Any]:
    return {"title": "t", "description": "d", "method": list(method)}


def kubernetes(module: str, func: str, **arguments: Any) -> dict[str, Any]:
    provider = {"type": "python", "module": f"chaosk8s.{module}.actions", "func": func}
    return {"type": "action", "name": "hurt", "provider": {**provider, "arguments": arguments}}


def faults(*method: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = propose(plain(*method)).document["extensions"][-1]["faults"]
    return found


@pytest.mark.parametrize(
    ("arguments", "count"),
    [({"qty": 2}, 2), ({"mode": "percentage", "qty": 30}, "30%"), ({}, 1), ({"all": True}, "25%")],
)
def test_pods_of_a_selector_that_are_ended_become_a_fault(arguments: dict[str, Any], count: object) -> None:
    made = kubernetes("pod", "terminate_pods", label_selector="app=x", ns="ml", **arguments)
    target = {"namespace": "ml", "selector": "app=x", "count": count}
    assert faults(made) == [{"name": "hurt", "fault": "pod-delete", "target": target}]


def test_every_pod_of_a_namespace_is_nothing_that_is_proposed() -> None:
    found = propose(plain(kubernetes("pod", "terminate_pods", ns="ml")))
    assert found.document["extensions"][0]["faults"] == []
    assert any("every pod of the namespace is meant" in note for note in found.notes)


def test_a_workload_that_is_scaled_to_nothing_becomes_a_fault_and_another_scale_stays() -> None:
    none = kubernetes("deployment", "scale_deployment", name="x", replicas=0, ns="ml")
    assert faults(none)[0]["target"]["workload"] == "ml/deploy/x"
    some = kubernetes("deployment", "scale_deployment", name="x", replicas=2)
    assert propose(plain(some)).document["method"] == [some]


def test_what_is_proposed_can_be_read_and_lint_asks_for_what_its_author_has_to_say(tmp_path: Path) -> None:
    made = kubernetes("pod", "terminate_pods", label_selector="app=x", ns="ml") | {"pauses": {"after": 3}}
    found = propose(plain(made))
    file = tmp_path / "x.yaml"
    file.write_text(dump_yaml(found.document), encoding="utf-8")
    document = read_document(file)
    experiment = experiment_of(document)
    assert experiment.guarded is not None
    assert [one.fault for one in experiment.guarded.faults] == ["pod-delete"]
    rules = {one.rule for one in lint(document, experiment)}
    assert rules == {"no-hypothesis", "no-stop", "no-objective"}
    assert found.document["method"][0]["pauses"] == {"after": 3}


@pytest.mark.parametrize("more", [{"ns": "${ns}"}, {"qty": "${many}"}, {"label_selector": "app=${app}"}])
def test_what_is_filled_in_as_it_runs_is_no_target_and_is_told(more: dict[str, Any]) -> None:
    """It was written into the proposal, which no reader took."""
    given = {"label_selector": "app=fraud", "ns": "ml", **more}
    proposed = propose(plain(kubernetes("pod", "terminate_pods", **given)))
    assert proposed.document["extensions"][0]["faults"] == []
    assert any("what Chaos Toolkit fills in as it runs" in note for note in proposed.notes)


def test_a_file_that_is_bounded_already_is_refused() -> None:
    with pytest.raises(UsageError, match="already"):
        propose({**plain(), "extensions": [{"name": "maestro"}]})
