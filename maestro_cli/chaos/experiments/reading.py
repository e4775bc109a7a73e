"""Reads an experiment file. Invariant: what Chaos Toolkit itself would refuse is refused here, with its line.

Whether modules, functions and programs that it names are there only the child can tell, which imports them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from maestro_cli.chaos.experiments.declared import read_guarded
from maestro_cli.chaos.experiments.spec import Activity, ExperimentFile
from maestro_cli.chaos.model import Experiment
from maestro_cli.chaos.reach import ACTIONS, FAILOVER, INJECT
from maestro_cli.config.strict import Document, Path_, parse_yaml, read_text, suggestion
from maestro_cli.core.canonical import digest
from maestro_cli.core.errors import InvalidFile

_VARIABLE = re.compile(r"\$\{.+\}")
_TOLERANCES = {"probe": "provider", "regex": "pattern", "jsonpath": "path", "range": "range"}


def read_experiment(path: Path) -> Experiment:
    """Read one file, JSON or YAML by its ending. Raises InvalidFile, which names file, line and key."""
    return experiment_of(read_document(path))


def read_document(path: Path) -> Document:
    """The plain data with its lines; numbers of JSON are as JSON has them."""
    text = read_text(path)
    if path.suffix != ".json":
        return parse_yaml(text, str(path))
    try:
        data = json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        line = getattr(error, "lineno", None)
        raise InvalidFile("is not valid JSON", file=str(path), line=line, why=str(error)[:200]) from error
    # a tab can only be between its tokens, and YAML allows none there
    return replace(parse_yaml(text.replace("\t", " "), str(path)), data=data)


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is no number of JSON")


def experiment_of(document: Document) -> Experiment:
    """The experiment in a document; raises InvalidFile."""
    if not isinstance(document.data, Mapping):
        raise document.fail(
            "is not an experiment", why="it is no mapping", fix="title:, description:, method:"
        )
    shape = document.decode(ExperimentFile)
    activities = dict(_activities(shape))
    for place, activity in activities.items():
        _check_activity(document, place, activity, [one.name for one in activities.values()])
    hypothesis = shape.steady_state_hypothesis
    for index, probe in enumerate((hypothesis and hypothesis.probes) or ()):
        _check_tolerance(document, ("steady-state-hypothesis", "probes", index), probe)
    for index, extension in enumerate(shape.extensions):
        if not isinstance(extension.get("name"), str) or not extension["name"]:
            raise document.fail("an extension needs a name", ("extensions", index))
    for index, control in enumerate(shape.controls):
        if not control.get("name") or not (control.get("provider") or control.get("ref")):
            raise document.fail("a control needs a name and a provider", ("controls", index))
    guarded = read_guarded(document, shape.extensions)
    known = {one.name for one in guarded.faults} if guarded else set()
    for place, name in injected(shape):
        if name not in known:
            fix = suggestion(name, known) if known else "declare it in the extension `maestro`, under faults"
            raise document.fail(
                f"no fault {name!r} is declared", (*place, "provider", "arguments", "fault"), fix=fix
            )
    path = Path(document.file)
    return Experiment(
        path.stem, shape.title, shape.description, str(path), digest(document.data), document.data, guarded,
        tuple(shape.tags),
    )  # fmt: skip


def injected(shape: ExperimentFile) -> Iterator[tuple[Path_, str]]:
    """The faults that its method injects through maestro, with their places."""
    for index, activity in enumerate(shape.method):
        provider = activity.provider
        module, func = getattr(provider, "module", ""), getattr(provider, "func", "")
        if module == ACTIONS and func in (INJECT, FAILOVER):
            yield ("method", index), str(getattr(provider, "arguments", {}).get("fault", ""))


def _activities(shape: ExperimentFile) -> Iterator[tuple[Path_, Activity]]:
    hypothesis = shape.steady_state_hypothesis
    for index, probe in enumerate((hypothesis and hypothesis.probes) or ()):
        yield ("steady-state-hypothesis", "probes", index), probe
    for part, activities in (("method", shape.method), ("rollbacks", shape.rollbacks)):
        for index, activity in enumerate(activities):
            yield (part, index), activity


def _check_activity(document: Document, place: Path_, activity: Activity, names: Sequence[str]) -> None:
    if activity.ref is not None:
        if activity.ref not in names:
            raise document.fail(
                f"refers to {activity.ref!r}, which is no activity of it", (*place, "ref"),
                fix=suggestion(activity.ref, filter(None, names)),
            )  # fmt: skip
        return
    for key in ("type", "name", "provider"):
        if not getattr(activity, key):
            raise document.fail(f"an activity needs a {key}", place)
    for key in ("before", "after"):
        pause = getattr(activity.pauses, key, None)
        if isinstance(pause, str) and not _VARIABLE.fullmatch(pause):
            raise document.fail("is neither a number nor ${a variable}", (*place, "pauses", key))


def _check_tolerance(document: Document, place: Path_, probe: Activity) -> None:
    if probe.ref is not None:
        return
    at, value = (*place, "tolerance"), probe.tolerance
    if value is None:
        raise document.fail("a probe of the hypothesis needs a tolerance", place)
    if isinstance(value, float):
        fix = f"{{type: range, range: [{value:g}, {value:g}]}}"
        raise document.fail("Chaos Toolkit takes no fraction as a tolerance", at, fix=fix)
    if not isinstance(value, dict):
        return
    kind = value.get("type")
    if kind not in _TOLERANCES:
        raise document.fail(f"{kind!r} is no type of tolerance", at, fix=f"one of {', '.join(_TOLERANCES)}")
    needed = _TOLERANCES[str(kind)]
    if needed not in value:
        raise document.fail(f"a tolerance of the type {kind} needs {needed}", at)
    if kind == "range":
        bounds = value["range"]
        if not isinstance(bounds, list) or len(bounds) != 2 or not all(map(_is_number, bounds)):
            raise document.fail("is not two numbers", (*at, "range"), fix="range: [0, 0.01]")
    if kind == "regex":
        _check_regex(document, (*at, "pattern"), value["pattern"])
    if kind == "jsonpath" and not str(value["path"]).strip():
        raise document.fail("is empty", (*at, "path"))


def _check_regex(document: Document, place: Path_, pattern: Any) -> None:
    """As Chaos Toolkit reads it, which is Python."""
    try:
        re.compile(pattern)
    except (re.error, TypeError, RecursionError, OverflowError) as error:
        raise document.fail("is no regular expression", place, why=str(error)[:200]) from error


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
