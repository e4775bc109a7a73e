"""Fit the curve of suspects' scores to the recorded outcomes of drills.

    python scripts/fit_calibration.py                     fit tests/unit/incidents/calibration.json, and tell
    python scripts/fit_calibration.py --record FILE ...   replace its outcomes by those of leagues, as
                                                          `maestro drill run --all -o json` writes them

Prints the parameters for maestro_cli/incidents/triage/calibration.py, and how well they tell what happened.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from maestro_cli.incidents.triage.calibration import fit, reliability

DATA = Path(__file__).resolve().parents[1] / "tests" / "unit" / "incidents" / "calibration.json"


def outcomes_in(file: Path) -> list[dict[str, object]]:
    """The outcomes of one league: scenario, seed, kind of suspect, strength, and whether it was right."""
    league = json.loads(file.read_text(encoding="utf-8"))
    kept = ("scenario", "seed", "kind", "was_right")
    found = []
    for one in league["calibration"]:
        # the same scenario and seed may be played by several leagues
        apart = {"league": file.stem, "strength": one["score"]}
        found.append({**{name: one[name] for name in kept}, **apart})
    return found


def main(arguments: list[str]) -> None:
    if arguments[:1] == ["--record"]:
        found = [one for name in arguments[1:] for one in outcomes_in(Path(name))]
        lines = ",\n".join(json.dumps(one, sort_keys=True) for one in found)
        DATA.write_text(f"[\n{lines}\n]\n", encoding="utf-8")
    recorded = json.loads(DATA.read_text(encoding="utf-8"))
    outcomes = [(float(one["strength"]), bool(one["was_right"])) for one in recorded]
    drills = {(one["league"], one["scenario"], one["seed"]) for one in recorded}
    curve = fit(outcomes)
    told = [
        f"INTERCEPT, SLOPE = {curve.intercept}, {curve.slope}",
        f"OUTCOMES = {len(outcomes)}  # of {len(drills)} drills; {sum(r for _, r in outcomes)} were right",
    ]
    for low, high, count, mean, share in reliability(outcomes, curve):
        told.append(f"said {low:.1f} to {high:.1f}: {count}, {mean:.2f} on average; {share:.2f} were right")
    sys.stdout.write("\n".join([*told, ""]))


if __name__ == "__main__":
    main(sys.argv[1:])
