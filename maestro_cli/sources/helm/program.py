"""The `helm` program.

Invariant: it is run with a list of words and never through a shell; each word from outside stands behind a
flag or is a name that was checked. It works on by itself once it recorded that it began, and then says in
its record how that ended.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from threading import Thread
from typing import IO

from maestro_cli.config.settings import ClusterEndpoint
from maestro_cli.core.cancellation import Cancellation
from maestro_cli.core.errors import ActionFailed, OutcomeUnknown, TimedOut, Unreachable
from maestro_cli.sources.failures import quoted

PROGRAM = "helm"
POLL_SECONDS = 0.2
BEGIN_SECONDS = 30.0  # until it recorded that it began
REHEARSAL_SECONDS = 60.0
_TOLD = 4000  # bytes


def find_program() -> str:
    """Its path; empty when there is none."""
    return shutil.which(PROGRAM) or ""


def words(endpoint: ClusterEndpoint, *command: str, namespace: str) -> list[str]:
    """The command line for that cluster."""
    made = [*command, "--namespace", namespace]
    if endpoint.kubeconfig:
        made += ["--kubeconfig", os.path.expanduser(endpoint.kubeconfig)]
    if endpoint.kube_context:
        made += ["--kube-context", endpoint.kube_context]
    return made


def run(line: Sequence[str]) -> None:
    """Run it to its end, when nothing is changed by it; raises ActionFailed with what it says, TimedOut."""
    with _started(line) as (process, told):
        try:
            code = process.wait(REHEARSAL_SECONDS)
        except subprocess.TimeoutExpired as error:
            process.kill()
            process.wait()
            raise TimedOut(f"helm did not end within {REHEARSAL_SECONDS:g} s") from error
        if code:
            raise _refused(code, told)


def begin(line: Sequence[str], has_begun: Callable[[], bool]) -> None:
    """Start it, and come back once `has_begun` or it ended well.

    Raises ActionFailed when it ended without having begun, OutcomeUnknown when neither can be told in time.
    """
    with _started(line) as (process, told):
        try:
            _await(process, has_begun)
        finally:
            Thread(target=process.wait, daemon=True).start()  # it ends when it is done
        if process.returncode and not has_begun():
            raise _refused(process.returncode, told)


def _await(process: subprocess.Popen[bytes], has_begun: Callable[[], bool]) -> None:
    pace, waited = Cancellation(), 0.0
    while process.poll() is None and not has_begun():
        if waited >= BEGIN_SECONDS:
            raise OutcomeUnknown(
                f"helm recorded nothing within {BEGIN_SECONDS:g} s, and has not ended",
                fix="look at what it does before trying again",
            )
        pace.wait(POLL_SECONDS)
        waited += POLL_SECONDS


@contextmanager
def _started(line: Sequence[str]) -> Iterator[tuple[subprocess.Popen[bytes], IO[bytes]]]:
    """A process in a session of its own: Ctrl-C reaches maestro alone, and it lives on when maestro ends."""
    program = find_program()
    if not program:
        raise Unreachable("the helm program is not on the path", fix="https://helm.sh/docs/intro/install")
    with tempfile.TemporaryFile() as told:
        try:
            process = subprocess.Popen(
                [program, *line], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=told,
                env={**os.environ, "HELM_DRIVER": "secret"}, start_new_session=True,
            )  # fmt: skip
        except OSError as error:
            raise Unreachable("helm cannot be started", why=error.strerror or "") from error
        yield process, told


def _refused(code: int, told: IO[bytes]) -> ActionFailed:
    told.seek(0)
    return ActionFailed(f"helm ended with exit code {code}", why=quoted(told.read(_TOLD).strip()))
