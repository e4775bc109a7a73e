"""Ten thousand pods on the real control plane, listed by maestro and by kubectl in one run.

Invariant: both are whole processes that name the same pods; one of each a round, in a rotated order. What is
measured writes to nowhere, which costs a reader the least.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.bench.control_plane import control_plane
from tests.bench.figures import Figure, ratio, scaled
from tests.bench.population import populate
from tests.bench.terminal import BIN, LONGEST_SECONDS, Failed, environment, folder, program, run

PODS = 10_000
ROUNDS, WARM = 7, 2
TIMES, MEMORY = {"table": 0.5, "json": 0.2}, 0.5
FEW = ["-n", "team-0", "-l", "app=model-00"]
# A launcher of a few megabytes: what it lends its child at birth must not count as the child's memory.
_LAUNCH = """
import json, resource, subprocess, sys, time
started = time.perf_counter()
code = subprocess.call(sys.argv[1:], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
seconds = time.perf_counter() - started
print(json.dumps([code, seconds, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss]))
"""
_PEAK_UNIT = 1 if sys.platform == "darwin" else 1024


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one process: wall seconds, and the most memory it had in bytes."""

    seconds: float
    peak_bytes: float


def measure() -> list[Figure]:
    """Two budgets of time and two of memory; a list of a few pods for comparison."""
    maestro, kubectl = str(BIN / "maestro"), program("kubectl")
    with folder() as home, control_plane(home / "plane") as plane:
        own = {**environment(home), "KUBECONFIG": str(plane.kubeconfig)}
        configure(home, plane.kubeconfig)
        made = populate(plane, PODS)
        words = {
            "table": [maestro, "pod", "list", "-A"],
            "kubectl table": [kubectl, "get", "pods", "-A"],
            "json": [maestro, "pod", "list", "-A", "-o", "json"],
            "kubectl json": [kubectl, "get", "pods", "-A", "-o", "json"],
            "few": [maestro, "pod", "list", *FEW],
            "kubectl few": [kubectl, "get", "pods", *FEW],
        }
        written = _check(words, own, made)
        costs = _alternate(words, own)
    figures = [figure for form in TIMES for figure in _figures(form, costs, written)]
    few, peer = ([cost.seconds for cost in costs[name]] for name in ("few", "kubectl few"))
    name = "  a list of a few of them, time"
    return [*figures, Figure(name, "×", scaled(few, 1 / statistics.median(peer)))]


def configure(home: Path, kubeconfig: Path) -> None:
    file = home / "config" / "maestro" / "config.yaml"
    file.parent.mkdir(parents=True)
    cluster = json.dumps({"kubeconfig": str(kubeconfig)})
    file.write_text(
        f"current_context: bench\ncontexts: {{bench: {{cluster: {cluster}}}}}\n", encoding="utf-8"
    )


def _check(
    words: Mapping[str, Sequence[str]], own: Mapping[str, str], made: frozenset[tuple[str, str]]
) -> dict[str, int]:
    """The characters that each program writes; raises Failed unless all name exactly these pods."""
    written = {}
    for name in ("table", "kubectl table", "json", "kubectl json"):
        text = run(words[name], own).stdout
        written[name] = len(text)
        if name.endswith("table"):
            rows = [line.split(maxsplit=2)[:2] for line in text.splitlines()[1:]]
            listed = [(row[0], row[1]) for row in rows]
        else:
            items = json.loads(text)["items"]
            listed = [
                (meta["namespace"], meta["name"]) for meta in (one.get("metadata", one) for one in items)
            ]
        if len(listed) != len(made) or set(listed) != made:
            raise Failed(f"{' '.join(words[name])} does not list the {len(made)} pods that are there")
    return written


def _alternate(words: Mapping[str, Sequence[str]], own: Mapping[str, str]) -> dict[str, list[Cost]]:
    """Each command once a round; every round begins with the next one."""
    costs: dict[str, list[Cost]] = {name: [] for name in words}
    names = list(words)
    for number in range(WARM + ROUNDS):
        first = number % len(names)
        for name in names[first:] + names[:first]:
            cost = _launch(words[name], own)
            if number >= WARM:
                costs[name].append(cost)
    return costs


def _launch(words: Sequence[str], own: Mapping[str, str]) -> Cost:
    launcher = [sys.executable, "-I", "-S", "-c", _LAUNCH, *words]
    done = subprocess.run(
        launcher, env=own, capture_output=True, text=True, timeout=LONGEST_SECONDS, check=False
    )
    if done.returncode != 0 or (said := json.loads(done.stdout))[0] != 0:
        raise Failed(f"{' '.join(words)}: {done.stderr.strip()[-400:]}")
    return Cost(said[1], said[2] * _PEAK_UNIT)


def _figures(form: str, costs: Mapping[str, Sequence[Cost]], written: Mapping[str, int]) -> list[Figure]:
    own, peer = costs[form], costs[f"kubectl {form}"]
    peer_name = "kubectl get pods -A" + (" -o json" if form == "json" else "")
    seconds = [cost.seconds for cost in own], [cost.seconds for cost in peer]
    base = statistics.median(cost.peak_bytes for cost in peer)
    notes = {
        "peer": peer_name,
        "own_mib": [round(cost.peak_bytes / 2**20, 1) for cost in own],
        "peer_mib": [round(cost.peak_bytes / 2**20, 1) for cost in peer],
        "own_characters": written[form],
        "peer_characters": written[f"kubectl {form}"],
    }
    peaks = tuple(cost.peak_bytes / base for cost in own)
    return [
        ratio(f"list {PODS:,} pods as {form}, time", *seconds, TIMES[form], peer_name),
        Figure(f"list {PODS:,} pods as {form}, memory", "×", peaks, MEMORY, True, notes),
    ]
