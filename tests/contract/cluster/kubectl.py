"""Stock kubectl as the judge of a cluster; every call is recorded."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from tests.contract.cluster.behaviours import FAILS, PASS, RECORD, REFUSAL, REFUSES
from tests.contract.cluster.running import until
from tests.patience import PATIENCE_SECONDS

KUBECTL = Path(sys.executable).with_name("kubectl")


def _patient(word: str) -> str:
    """A wait for something that has to come, at least PATIENCE_SECONDS long."""
    limit = re.fullmatch(r"--timeout=(\d+)s", word)
    return word if limit is None else f"--timeout={max(int(limit[1]), PATIENCE_SECONDS):.0f}s"


@dataclass(frozen=True, slots=True)
class Following:
    """A kubectl in the background, and what it prints."""

    process: subprocess.Popen[str]
    lines: IO[str]

    def line(self) -> str:
        """The next line; empty when there is none any more."""
        return self.lines.readline()


class Kubectl:
    """Stock kubectl in one namespace of one cluster, with a cache of its own."""

    def __init__(
        self, state: Path, home: Path, namespace: str, program: Path = KUBECTL, *, kind: str = "lite"
    ) -> None:
        self.namespace = namespace
        self.kind = kind
        self._program = program
        self._state = state
        self._home = home

    def _environment(self, identity: str) -> dict[str, str]:
        return {
            **os.environ,
            "KUBECONFIG": str(self._state / f"{identity}.kubeconfig"),
            "KUBECACHEDIR": str(self._home / "kube-cache"),
            "HOME": str(self._home),
        }

    def __call__(
        self,
        *words: str,
        identity: str = "admin",
        given: str = "",
        fails: bool = False,
        lacks: str = "",
        seconds: float = 120,
    ) -> str:
        """Its output. `fails` expects a non-zero exit, `lacks` one because nobody does it, and says why.

        What has to succeed gets time on a busy machine.
        """
        fails = fails or bool(lacks)
        patient = words if fails else tuple(map(_patient, words))
        if not fails:
            seconds = max(seconds, PATIENCE_SECONDS + 30)
        done = subprocess.run(
            [str(self._program), "--namespace", self.namespace, *patient],
            env=self._environment(identity), input=given, capture_output=True, text=True, timeout=seconds,
            check=False,
        )  # fmt: skip
        told = done.stdout + done.stderr
        right = (done.returncode != 0) is fails
        if REFUSAL in told:
            RECORD.ran(words, self.kind, REFUSES)
        else:
            RECORD.ran(words, self.kind, FAILS if not right else f"no: {lacks}" if lacks else PASS)
        assert right, f"kubectl {' '.join(words)}: {told}"
        return told

    @contextmanager
    def following(self, *words: str) -> Iterator[Following]:
        """A kubectl that goes on in the background; it passes when its block, which judges it, ends well."""
        process = subprocess.Popen(
            [str(self._program), "--namespace", self.namespace, *words],
            env=self._environment("admin"), stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert process.stdout is not None
        outcome = FAILS
        try:
            yield Following(process, process.stdout)
            outcome = PASS
        finally:
            RECORD.ran(words, self.kind, outcome)
            process.kill()
            process.communicate()

    def apply(self, *things: dict[str, Any]) -> str:
        return self("apply", "--validate=false", "-f", "-", given="\n---\n".join(map(json.dumps, things)))

    def refused(self, thing: dict[str, Any]) -> str:
        """What is said when the server does not take it."""
        return self("create", "-f", "-", given=json.dumps(thing), fails=True)

    def get(self, *words: str) -> Any:
        """The JSON behind `get`."""
        return json.loads(self("get", *words, "-o", "json"))

    def items(self, *words: str) -> list[dict[str, Any]]:
        return list(self.get(*words)["items"])

    def events(self, reason: str) -> list[str]:
        """The messages of all events with this reason."""
        return [event["message"] for event in self.items("events") if event["reason"] == reason]

    def hear(self, reason: str, words: str = "") -> str:
        """The first event with this reason and these words in it; events come after what they tell of."""

        def heard() -> str:
            return next((message for message in self.events(reason) if words in message), "")

        return str(until(heard, f"an event {reason} with: {words}"))
