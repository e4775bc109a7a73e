"""Experiments that are drills: what the file expects of the response, against what there is, as a scenario.

Invariant: a name that nothing here has is refused with its line; nothing is played that could not be scored.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from maestro_cli.chaos.drilled import as_drilled
from maestro_cli.chaos.drills.defects.experimented import Experimented
from maestro_cli.chaos.drills.model import EXPERIMENTS, Scenario
from maestro_cli.chaos.model import ExpectedResponse, Experiment
from maestro_cli.config.strict import suggestion
from maestro_cli.core.errors import InvalidFile, UsageError


@dataclass(frozen=True, slots=True)
class Known:
    """What a drill may name: alerts, the steps of each runbook, kinds of change, objectives."""

    alerts: Collection[str]
    runbooks: Mapping[str, Collection[str]]
    changes: Collection[str]
    objectives: Collection[str]


def drill_name(experiment: str) -> str:
    return f"{EXPERIMENTS}{experiment}"


def drills_among(experiments: Sequence[Experiment]) -> tuple[Experiment, ...]:
    """Those that say what the response to them is to be."""
    return tuple(one for one in experiments if one.guarded is not None and one.guarded.drill is not None)


def faults_of(experiment: Experiment, known: Known) -> Iterator[InvalidFile]:
    """What it expects that nothing here has."""
    expected = None if experiment.guarded is None else experiment.guarded.drill
    if expected is None:
        return
    yield from _unknown(experiment, expected, "alert", expected.alert, "no alert", known.alerts)
    yield from _unknown(experiment, expected, "runbook", expected.runbook, "no runbook", known.runbooks)
    objective = expected.objective
    if objective is not None:
        yield from _unknown(experiment, expected, "objective", objective, "no objective", known.objectives)
    yield from _unknown_fix(experiment, expected, known)
    steps = known.runbooks.get(expected.runbook)
    for step in expected.answers if steps is not None else ():
        yield from _unknown(experiment, expected, f"answers.{step}", step, "no step", steps or ())


def _unknown_fix(experiment: Experiment, expected: ExpectedResponse, known: Known) -> Iterator[InvalidFile]:
    runbook, slash, step = expected.right_fix.partition("/")
    if not slash:
        yield from _unknown(experiment, expected, "right_fix", runbook, "no kind of change", known.changes)
    elif runbook not in known.runbooks:
        yield from _unknown(experiment, expected, "right_fix", runbook, "no runbook", known.runbooks)
    else:
        yield from _unknown(experiment, expected, "right_fix", step, "no step", known.runbooks[runbook])


def _unknown(
    experiment: Experiment, expected: ExpectedResponse, key: str, name: str, what: str, known: Collection[str]
) -> Iterator[InvalidFile]:
    if name not in known:
        yield InvalidFile(
            f"there is {what} {name!r}", file=experiment.file, line=expected.lines.get(key),
            key=f"drill.{key}", fix=suggestion(name, known),
        )  # fmt: skip


def agreed_drill(scenario: Scenario, digest: str) -> Scenario:
    """The drill as a person was shown it, by the digest of its proposal: another one is not carried out."""
    assert isinstance(scenario.defect, Experimented)
    return replace(scenario, defect=replace(scenario.defect, agreed=digest))


def scenario_of(experiment: Experiment, seed: int) -> Scenario:
    """The drill that an experiment is. Raises UsageError where it is none."""
    guarded = experiment.guarded
    expected = None if guarded is None else guarded.drill
    if guarded is None or expected is None:
        why = "it does not say what the response to it is to be"
        fix = "add drill: to its extension maestro (docs/drills.md), or maestro chaos run"
        raise UsageError(f"{experiment.name} is an experiment, and no drill", why=why, fix=fix)
    target = guarded.faults[0].target.workload
    assert target is not None  # its reader refuses a drill about no workload
    return Scenario(
        name=drill_name(experiment.name),
        title=experiment.title,
        description=experiment.description.strip(),
        target=target,
        objective=expected.objective,
        true_cause=expected.true_cause,
        right_fix=expected.right_fix,
        defect=Experimented(as_drilled(experiment), seed, expected.true_cause),
        runbook=expected.runbook,
        alert=expected.alert,
        answers=expected.answers,
        repairs=expected.repairs,
        patience_seconds=expected.patience_seconds,
    )
