"""Drills that were scored, read from the journal. Invariant: reads alone; an old record may have none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from maestro_cli.core.errors import NotFound
from maestro_cli.journal.store import Journal


@dataclass(frozen=True, slots=True)
class Scored:
    """The score of one drill; `passed` None where its record does not say. `at` is RFC 3339."""

    drill: str
    at: str
    passed: bool | None
    misses: tuple[str, ...]
    experiment: str  # the verdict of the run that broke it, "" where none did

    def __str__(self) -> str:
        result = {True: "PASS", False: "FAIL", None: "scored"}[self.passed]
        return f"{result}: {self.misses[0]}" if self.misses else result


def last_scores(journal: Journal) -> Mapping[str, Scored]:
    """The newest of each scenario, by its name."""
    found: dict[str, Scored] = {}
    for event in journal.events(subject="drill/", kinds=("drill.scored",)):
        card = event.data["scorecard"]
        found[str(card["scenario"])] = Scored(
            event.subject.removeprefix("drill/"),
            event.time,
            event.data.get("passed"),
            tuple(event.data.get("misses", ())),
            str((card.get("experiment") or {}).get("verdict", "")),
        )
    return found


def incident_of(journal: Journal, drill: str) -> str:
    """The incident of a drill by its id, or of the newest of a scenario; "" where none came of it.

    Raises NotFound for what was never scored.
    """
    found = None
    for event in journal.events(subject="drill/", kinds=("drill.scored",)):
        if drill in (event.subject.removeprefix("drill/"), str(event.data["scorecard"]["scenario"])):
            found = event
    if found is None:
        raise NotFound(
            f"no drill {drill!r} was scored",
            why="the journal knows of none",
            fix="maestro drill list; maestro incident list --all",
        )
    return str(found.data.get("incident") or "")
