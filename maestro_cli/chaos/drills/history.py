"""How drills came out, read from the journal. Invariant: reads alone; an old record may have no result.

The newest drill that broke something decides, also one that ended before it was scored: a pass of an earlier
one says nothing of it. One that was refused broke nothing, and changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from maestro_cli.core.errors import NotFound
from maestro_cli.journal.store import Journal

REFUSED = "nobody: nothing was shipped"  # who put back what was never broken


@dataclass(frozen=True, slots=True)
class Scored:
    """How one drill came out; `passed` None where it has no score, or its record does not say. `at` is RFC
    3339, `unscored` why it has no score.
    """

    drill: str
    at: str
    passed: bool | None
    misses: tuple[str, ...]
    experiment: str  # the verdict of the run that broke it, "" where none did
    unscored: str = ""

    def __str__(self) -> str:
        if self.unscored:
            return f"INDETERMINATE: {self.unscored}"
        result = {True: "PASS", False: "FAIL", None: "scored"}[self.passed]
        return f"{result}: {self.misses[0]}" if self.misses else result


def last_scores(journal: Journal) -> Mapping[str, Scored]:
    """How the newest of each scenario came out, by its name; of the league, those that were scored."""
    found: dict[str, Scored] = {}
    before: dict[str, tuple[str, Scored | None]] = {}  # by drill: its scenario, and what it replaced
    for event in journal.events(subject="drill/", kinds=("drill.intended", "drill.undone", "drill.scored")):
        drill, data = event.subject.removeprefix("drill/"), event.data
        if event.kind == "drill.scored":
            card = data["scorecard"]
            found[str(card["scenario"])] = Scored(
                drill,
                event.time,
                data.get("passed"),
                tuple(data.get("misses", ())),
                str((card.get("experiment") or {}).get("verdict", "")),
            )
        elif event.kind == "drill.intended" and "scenario" in data:
            scenario = str(data["scenario"])
            before[drill] = (scenario, found.get(scenario))
            found[scenario] = Scored(drill, event.time, None, (), "", "it is not over")
        elif event.kind == "drill.undone" and drill in before:
            _ended(found, drill, *before[drill], event.time, is_refused=data.get("by") == REFUSED)
    return found


def _ended(
    found: dict[str, Scored], drill: str, scenario: str, earlier: Scored | None, at: str, *, is_refused: bool
) -> None:
    """What it broke was put back, which comes before its score."""
    last = found.get(scenario)
    if last is None or last.drill != drill:
        return  # a later one was begun since
    if not is_refused:
        found[scenario] = Scored(drill, at, None, (), "", "it ended before it was scored")
    elif earlier is None:
        del found[scenario]
    else:
        found[scenario] = earlier


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
