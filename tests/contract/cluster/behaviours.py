"""What the contract suite proves, on which cluster: behaviours and kubectl's commands.

Each test declares the behaviour it holds, each kubectl that runs is recorded by its forms. A run that is
told where (CONTRACT_RESULTS) writes both as JSON, from which docs/embedded-cluster.md is made.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

CLUSTERS = ("lite", "kubernetes")
PASS, REFUSES, FAILS = "pass", "refuses", "fails"
# how the light cluster says that it lacks something
REFUSAL = "--cluster kubernetes"
_TWO_WORDS = {"rollout", "auth", "set", "create", "top"}
_KINDS = {
    "deploy": "deployment",
    "deployments": "deployment",
    "pods": "pod",
    "nodes": "node",
    "svc": "service",
}
_VALUED = {"-o", "--type", "--cascade", "--subresource"}
_UNTOLD = {
    "-n",
    "-f",
    "-p",
    "-c",
    "--timeout",
    "--validate",
    "--namespace",
    "--overwrite",
    "--raw",
    "--image",
    "--wait",
}
_TOLD_OF = {"logs": {"-f", "-c"}}


def behaviour(area: str, rule: str, *, lite: str = PASS) -> pytest.MarkDecorator:
    """Declares what a test proves. With `lite=REFUSES` the light cluster must refuse it by name."""
    return pytest.mark.behaviour(area=area, rule=rule, lite=lite)


def forms(words: Sequence[str]) -> list[str]:
    """The forms of one kubectl call: the command, and the command with each of its options.

    `get pods -o json -w` is `get`, `get -o json` and `get -w`; names, selectors and files are left out.
    """
    command = [words[0]]
    rest = list(words[1:])
    if words[0] in _TWO_WORDS and rest and not rest[0].startswith("-"):
        command.append(rest.pop(0))
    if words[0] == "describe":
        kind = rest[0].partition("/")[0]
        command.append(_KINDS.get(kind, kind))
    base = " ".join(command)
    if command[0] == "create" and len(command) > 1:  # a generator: its options are the object
        return [base]
    options = []
    for index, word in enumerate(rest):
        if word == "--":
            break
        name, _, value = word.partition("=")
        if not name.startswith("-") or name == "-" or name in _UNTOLD - _TOLD_OF.get(base, set()):
            continue
        if name in _VALUED:
            value = value or rest[index + 1]
            name += " " + value.partition("=")[0]
        options.append(f"{base} {name}")
    return [base, *options]


class Record:
    """Outcomes by cluster, the worst first: one failure is not outweighed by any success."""

    def __init__(self) -> None:
        self.behaviours: dict[tuple[str, str], dict[str, str]] = {}
        self.commands: dict[str, dict[str, str]] = {}

    def behaved(self, area: str, rule: str, cluster: str, outcome: str) -> None:
        """One test of this behaviour had this outcome."""
        found = self.behaviours.setdefault((area, rule), {})
        if found.get(cluster) != FAILS:
            found[cluster] = outcome

    def ran(self, words: Sequence[str], cluster: str, outcome: str) -> None:
        """One kubectl had this outcome. What was refused once and passed once, passes."""
        for form in forms(words):
            found = self.commands.setdefault(form, {})
            if found.get(cluster) not in (FAILS, PASS) or outcome == FAILS:
                found[cluster] = outcome

    def write(self, path: Path) -> None:
        """Add this run to the results of other runs (another cluster's, for one) in that file."""
        document: dict[str, Any] = {"behaviours": [], "commands": []}
        if path.exists():
            document = json.loads(path.read_text(encoding="utf-8"))
        behaviours = {(one["area"], one["rule"]): one for one in document["behaviours"]}
        for (area, rule), outcomes in self.behaviours.items():
            behaviours.setdefault((area, rule), {"area": area, "rule": rule}).update(outcomes)
        commands = {one["command"]: one for one in document["commands"]}
        for command, outcomes in self.commands.items():
            commands.setdefault(command, {"command": command}).update(outcomes)
        whole = {
            "behaviours": [behaviours[key] for key in sorted(behaviours)],
            "commands": [commands[key] for key in sorted(commands)],
        }
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(whole, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


RECORD = Record()
