"""What changes of what a pod template refers to when another template takes its place.

Invariant: of a secret only its keys are read. What the caller may not read is said, never taken for missing;
an optional reference is never missing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from maestro_cli.changes.model import DiffLine, GateReason
from maestro_cli.changes.ports import ClusterPort
from maestro_cli.changes.references import WORDS, Reference, needed_by
from maestro_cli.changes.template import is_secret
from maestro_cli.core.errors import ExitCode, NotFound, Refused
from maestro_cli.core.facts.cluster import Revision, Workload
from maestro_cli.core.quantities import counted
from maestro_cli.core.secret_words import HIDDEN
from maestro_cli.core.untrusted import Untrusted

_VALUE_CHARACTERS = 300


@dataclass(frozen=True, slots=True)
class Changed:
    """What a template brings with it: lines of the diff, what is missing, what to note, what was not seen."""

    lines: tuple[DiffLine, ...] = ()
    missing: tuple[GateReason, ...] = ()
    notes: tuple[str, ...] = ()
    blind: tuple[str, ...] = ()


def changed_references(cluster: ClusterPort, workload: Workload, goal: Revision) -> Changed:
    """What going from the workload's template to the goal's changes in what is referred to.

    Raises Unreachable.
    """
    return _Comparison(cluster, workload, goal).changed()


class _Comparison:
    def __init__(self, cluster: ClusterPort, workload: Workload, goal: Revision) -> None:
        self._cluster = cluster
        self._namespace = workload.ref.namespace
        self._goal = goal
        self._now, self._then = needed_by(workload.template), needed_by(goal.template)
        self._contents: dict[tuple[str, str], Mapping[str, str] | None] = {}
        self._blind: set[str] = set()

    def changed(self) -> Changed:
        now, then = _objects(self._now), _objects(self._then)
        missing = tuple(self._missing())
        lines = (*self._lines(now - then, is_after=False), *self._lines(then - now, is_after=True))
        return Changed(lines, missing, tuple(_stay(now & then)), tuple(sorted(self._blind)))

    def _missing(self) -> Iterator[GateReason]:
        for reference in sorted(self._then):
            found = self._read(reference.kind, reference.name)
            gone = found is None
            if not gone and (not reference.key or found is None or reference.key in found):
                continue
            if str(reference) in self._unseen():
                continue
            what = "no longer exists" if gone else f"no longer has the key {reference.key}"
            yield GateReason(
                "reference", ExitCode.GATE_NOT_MET,
                f"revision {self._goal.number} needs {reference}, which {what}",
                why="its pods could not start",
                fix="make it again, or name another revision: --to-revision N",
            )  # fmt: skip

    def _unseen(self) -> set[str]:
        return {text.partition(":")[0] for text in self._blind}

    def _lines(self, objects: set[tuple[str, str]], *, is_after: bool) -> Iterator[DiffLine]:
        """The content of what only one of the templates refers to; of secrets the keys."""
        for kind, name in sorted(objects):
            for key, value in sorted((self._read(kind, name) or {}).items()):
                hidden = kind == "Secret" or is_secret(key, value)
                shown = Untrusted(HIDDEN if hidden else _cut(value))
                path = Untrusted(f"{WORDS[kind].replace(' ', '')}[{name}].{key}")
                yield DiffLine(path, None if is_after else shown, shown if is_after else None)

    def _read(self, kind: str, name: str) -> Mapping[str, str] | None:
        """Content by key, without a secret's values; None when there is none, empty when it is not seen."""
        if (kind, name) not in self._contents:
            self._contents[kind, name] = self._ask(kind, name)
        return self._contents[kind, name]

    def _ask(self, kind: str, name: str) -> Mapping[str, str] | None:
        try:
            if kind == "Secret":
                return dict.fromkeys(self._cluster.secret_keys(self._namespace, name), "")
            return self._cluster.get_config_map(self._namespace, name).data
        except NotFound:
            return None
        except Refused:
            self._blind.add(f"{WORDS[kind]} {name}: whether it is still there is not known")
            return {}


def _objects(references: frozenset[Reference]) -> set[tuple[str, str]]:
    return {(one.kind, one.name) for one in references}


def _stay(objects: set[tuple[str, str]]) -> Iterator[str]:
    if objects:
        named = ", ".join(f"{WORDS[kind]} {name}" for kind, name in sorted(objects))
        yield f"stays as it is now, whatever it was then: {named}"


def _cut(value: str) -> str:
    return value if len(value) <= _VALUE_CHARACTERS else value[: _VALUE_CHARACTERS - 1] + "…"


def scaling_notes(cluster: ClusterPort, workload: Workload, goal: Revision) -> tuple[str, ...]:
    """What is not gone back on: the wanted replicas, and what an autoscaler makes of them."""
    notes = []
    then = goal.annotations.get("deployment.kubernetes.io/desired-replicas", "")
    if then.isascii() and then.isdigit() and int(then) != workload.replicas_wanted:
        notes.append(
            f"revision {goal.number} had {counted(int(then), 'replica')};"
            f" the {workload.replicas_wanted} of now stay"
        )
    try:
        found = cluster.list_autoscalers(workload.ref.namespace)
    except Refused:
        return (*notes, "whether an autoscaler sets the replicas is not known: you may not list them")
    notes += [
        f"autoscaler {one.name} goes on to set {one.least} to {counted(one.most, 'replica')}"
        for one in found
        if (one.target_kind, one.target_name) == (workload.ref.kind, workload.ref.name)
    ]
    return tuple(notes)
