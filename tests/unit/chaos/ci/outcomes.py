"""Outcomes of runs, made as runs make them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from maestro_cli.chaos.burned import Burned
from maestro_cli.chaos.ci.outcome import Outcome, outcome_of
from maestro_cli.chaos.model import Findings, Injected, Injection, Recovery
from maestro_cli.chaos.verdict import judge
from maestro_cli.core.canonical import plain
from tests.unit.chaos.journals import journal

EFFECTIVE = Injection("slow", Injected.EFFECTIVE, "met 12 requests", seconds=0.4)
BURNED = Burned(
    "fraud-availability", 0.0031, 0.0116, share_of_left=0.0034, left_at_least=0.897, words="89.7%"
)
WELL = Findings(injections=(EFFECTIVE,), recoveries=(Recovery("slow", True, "3 of 3 pods ready", 1.2),))


def performed(
    shape: Mapping[str, Any] | None = None,
    findings: Mapping[str, Any] | None = None,
    title: str = "A slow replica",
    contributions: Mapping[str, str] | None = None,
    burned: Sequence[Burned] = (BURNED,),
) -> dict[str, Any]:
    """A journal with maestro's part, as a run keeps it."""
    found = replace(WELL, **(findings or {}))
    made = journal(**(shape or {}))
    judged = judge(made, found)
    faults = [{"name": "slow", "fault": "server-latency"}]
    return {
        **made,
        "experiment": {
            "title": title,
            "extensions": [{"name": "maestro", "faults": faults}],
            "contributions": dict(contributions or {}),
        },
        "start": "2026-11-27T00:00:00",
        "duration": 12.5,
        "maestro": {
            "run": "exp-1",
            "verdict": judged.verdict.value,
            "code": int(judged.exit_code),
            "coverage": judged.coverage,
            "reasons": [
                {"rule": one.rule, "what": one.what, "code": int(one.exit_code)} for one in judged.reasons
            ],
            "targets": ["ml/pod/a"],
            "seed": 7,
            "predicted_burn": [{"objective": "fraud-availability", "share": 0.0116, "words": "90%"}],
            "actual_burn": plain(burned),
            "proof_of_effect": plain(found.injections),
            "proof_of_recovery": plain(found.recoveries),
            "undo_failures": list(found.undo_failures),
            "residue": list(found.residue),
            "stop": plain(found.stop),
        },
    }


def outcome(
    shape: Mapping[str, Any] | None = None,
    findings: Mapping[str, Any] | None = None,
    title: str = "A slow replica",
    contributions: Mapping[str, str] | None = None,
    burned: Sequence[Burned] = (BURNED,),
) -> Outcome:
    return outcome_of("slow", "slow.yaml", performed(shape, findings, title, contributions, burned))
