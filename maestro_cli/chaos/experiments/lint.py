"""What is wrong with an experiment beyond what makes it unreadable. Invariant: nothing is run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec

from maestro_cli.chaos.experiments.queries import queries_of
from maestro_cli.chaos.experiments.reading import experiment_of, injected, read_document
from maestro_cli.chaos.experiments.spec import Activity, ExperimentFile, Hypothesis
from maestro_cli.chaos.faults import REMEDIES
from maestro_cli.chaos.mesh import manifest as mesh
from maestro_cli.chaos.model import Experiment
from maestro_cli.chaos.reach import ACTIONS, acting
from maestro_cli.config.strict import Document, Path_
from maestro_cli.core.errors import InvalidFile
from maestro_cli.runbooks.lint import Finding, lint_file
from maestro_cli.slo.files.syntax import Parser, broken_queries

RULES: Mapping[str, str] = {
    **mesh.RULES,
    "invalid": "the file cannot be read as an experiment",
    "unknown-key": "Chaos Toolkit knows no such key",
    "unguarded": "nothing bounds what it may do",
    "no-hypothesis": "nothing says what well is, so nothing can be learned",
    "no-stop": "nothing stops it early",
    "no-duration": "nothing says how long its faults may be in force",
    "no-objective": "no objective says what it may cost",
    "no-undo": "no rollback takes a fault back before maestro has to",
    "never-injected": "a fault is declared that no action injects",
    "unknown-name": "a drill expects an alert, a runbook, a step, a fix or an objective that there is not",
    "foreign-action": "something may do what maestro can neither bound nor take back",
}


Expectations = Callable[[Experiment], Iterable[InvalidFile]]


def lint_files(
    paths: Sequence[Path], parser: Callable[[], Parser], expectations: Expectations
) -> tuple[Finding, ...]:
    """Findings of every file, in order; `parser` gives who tells what is PromQL, where there are queries, and
    `expectations` what is wrong with those of a drill.
    """
    return tuple(finding for path in paths for finding in _lint_file(path, parser, expectations))


def _lint_file(path: Path, parser: Callable[[], Parser], expectations: Expectations) -> Sequence[Finding]:
    """Of an experiment, or of manifests of Chaos Mesh."""
    try:
        manifests = mesh.mesh_documents(path)
        if manifests is not None:
            return tuple(mesh.lint_manifests(manifests))
        document = read_document(path)
        experiment = experiment_of(document)
        found, queries = tuple(lint(document, experiment)), tuple(queries_of(document))
        broken = map(lint_file, broken_queries(queries, parser()) if queries else ())
        unknown = (replace(lint_file(one), rule="unknown-name") for one in expectations(experiment))
        return (*found, *broken, *unknown)
    except InvalidFile as error:
        return (lint_file(error),)


def lint(document: Document, experiment: Experiment) -> Iterator[Finding]:
    """Of one file that can be read."""

    def warn(rule: str, place: Path_, text: str) -> Finding:
        return Finding(rule, "warning", document.file, document.line_of(place), text)

    shape = document.decode(ExperimentFile)
    for place, key in _unknown(document):
        yield warn("unknown-key", (*place, key), f"Chaos Toolkit knows no key {key!r} here")
    hypothesis = shape.steady_state_hypothesis
    if hypothesis is None or not hypothesis.probes:
        yield warn("no-hypothesis", (), "without a steady-state hypothesis its verdict is never PASS")
    guarded = experiment.guarded
    if guarded is None:
        if experiment.acts:
            yield warn(
                "unguarded",
                ("method",),
                "nothing bounds what it may do: it needs --yes, and is refused in production",
            )
        return
    at: Path_ = ("extensions",)
    is_bounded = not (guarded.faults or experiment.acts)
    if not is_bounded and guarded.duration_seconds is None:
        yield warn("no-duration", at, "its guard refuses it: duration: 60s")
    if not is_bounded and not guarded.stop:
        yield warn("no-stop", at, 'its guard refuses it: stop: [{query: …, when: "> 0.05"}]')
    has_bounds = any(one.fault in REMEDIES for one in guarded.faults)  # its RTO and RPO
    if guarded.faults and not guarded.objectives and not has_bounds:
        yield warn("no-objective", at, "nobody knows what it may cost: objectives: [NAME]")
    names = {name for _, name in injected(shape)}
    for fault in guarded.faults:
        if fault.name not in names:
            text = f"no action of the method injects {fault.name!r}: its verdict is never PASS"
            yield Finding("never-injected", "warning", document.file, fault.line, text)
    if names and not any(_is_ours(one, "undo") for one in (*shape.method, *shape.rollbacks)):
        yield warn("no-undo", ("rollbacks",), "no rollback takes its faults back: func: undo")
    for part in acting(document.data, {}):
        if not part.is_bounded:
            text = f"{part.what} may do what maestro can neither bound nor take back"
            yield warn("foreign-action", part.place, f"{text}; a protected context refuses it")


def _is_ours(activity: Activity, func: str) -> bool:
    provider = activity.provider
    return (getattr(provider, "module", ""), getattr(provider, "func", "")) == (ACTIONS, func)


def _unknown(document: Document) -> Iterator[tuple[Path_, str]]:
    """Keys that Chaos Toolkit passes over, at the places where one misspelt changes what is run."""
    data = document.data
    known = _fields(ExperimentFile) | {"dry", "$schema"}
    yield from (((), key) for key in data if key not in known)
    hypothesis = data.get("steady-state-hypothesis") or {}
    yield from ((("steady-state-hypothesis",), key) for key in hypothesis if key not in _fields(Hypothesis))
    parts: tuple[tuple[Path_, Any], ...] = (
        (("steady-state-hypothesis", "probes"), hypothesis.get("probes")),
        (("method",), data.get("method")),
        (("rollbacks",), data.get("rollbacks")),
    )
    activities = [((*at, index), one) for at, part in parts for index, one in enumerate(part or ())]
    for place, activity in activities:
        yield from ((place, key) for key in activity if key not in _fields(Activity) and key != "dry")


def _fields(kind: type[msgspec.Struct]) -> set[str]:
    return {one.encode_name for one in msgspec.structs.fields(kind)}
