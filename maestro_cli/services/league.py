"""The drill league on the embedded platform: its processes, its file."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from maestro_cli.chaos.drills.league.draw import SERVICES, find_entry, workload_of
from maestro_cli.chaos.drills.league.league import League, report_of
from maestro_cli.chaos.drills.league.model import LeagueReport
from maestro_cli.chaos.drills.league.record import SCHEMA, document_of, read_document
from maestro_cli.config.locations import make_private, state_dir
from maestro_cli.core.canonical import plain
from maestro_cli.core.errors import ActionFailed, GateNotMet, InvalidFile, NotFound, UsageError
from maestro_cli.core.files import write_atomically
from maestro_cli.core.progress import Progress
from maestro_cli.output.views import SCHEMA_PREFIX

if TYPE_CHECKING:
    from maestro_cli.services.root import Services

_ANSWER_SECONDS = 300.0  # longer than any order takes
_END_SECONDS = 60.0
_MOST_WORDS = 500


class SaboteurProcess:
    """Satisfies chaos.drills.league.sealed.Channel: a child, and pipes that only the two of them have."""

    def __init__(self, process: subprocess.Popen[str], log: IO[bytes]) -> None:
        self._process = process
        self._log = log

    def ask(self, order: Mapping[str, Any]) -> Mapping[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        watch = threading.Timer(_ANSWER_SECONDS, self._process.kill)
        watch.start()
        try:
            self._process.stdin.write(json.dumps(plain(order)) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except OSError as error:
            raise self._gone() from error
        finally:
            watch.cancel()
        if not line:
            raise self._gone()
        try:
            answer: Mapping[str, Any] = json.loads(line)
        except ValueError as error:  # it ended amid a line
            raise self._gone() from error
        return answer

    def _gone(self) -> ActionFailed:
        self._log.seek(0)
        words = self._log.read().decode("utf-8", "replace").strip()[-_MOST_WORDS:]
        return ActionFailed("the process that breaks things has ended", why=words)


@contextmanager
def saboteur() -> Iterator[SaboteurProcess]:
    """Start it; in the end it hears no more orders, puts back what it broke, and is waited for."""
    command = [sys.executable, "-m", "maestro_cli.services.saboteur"]
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True,
            start_new_session=True,
        )  # fmt: skip
        try:
            yield SaboteurProcess(process, log)
        finally:
            with suppress(OSError):
                process.stdin.close()  # type: ignore[union-attr]
            try:
                process.wait(_END_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            process.stdout.close()  # type: ignore[union-attr]


def play_league(
    services: Services,
    names: Sequence[str],
    seeds: Sequence[int],
    *,
    cluster: str | None,
    keep: bool,
    file: Path | None,
    resume: bool,
    progress: Progress,
) -> tuple[LeagueReport, Path]:
    """Play the league, or what is left of it, and give what it came to and where that is kept.

    What goes on does so on the cluster that it began on. Raises NotFound for a scenario, or for nothing to
    resume; GateNotMet for a file that is there; UsageError for another cluster; InvalidFile; Interrupted.
    """
    from maestro_cli.services.rehearsing import conductor

    for name in names:
        find_entry(name)
    if file is not None and not resume and (file.exists() or file.is_symlink()):
        raise GateNotMet(
            f"{file} is there already; it was left alone", fix="name another file, or go on with it: --resume"
        )
    file = file or (_latest() if resume else _new_file(services))
    report = _read(file) if resume else report_of(names, seeds, services.clock, cluster=cluster)
    if cluster not in (None, report.cluster):
        raise UsageError(
            f"this league was not begun on --cluster {cluster}",
            why=f"it was on {report.cluster or 'the usual one'}",
            fix="leave --cluster out",
        )
    cluster = report.cluster or None
    _require_every_service(services)
    league = League(
        lambda seed: conductor(services, seed, cluster, second=True), saboteur,
        lambda state: _write(file, state), services.clock,
    )  # fmt: skip
    played = league.play(report, keep_platform=keep, progress=progress, cancellation=services.cancellation)
    return played, file


def _require_every_service(services: Services) -> None:
    """Raises GateNotMet where a platform is up that has not every service that may be broken."""
    if not services.platform.is_up():
        return
    cluster = services.in_context("local").cluster
    for service in SERVICES:
        try:
            cluster.get_workload(workload_of(service))
        except NotFound as error:
            raise GateNotMet(
                f"the platform that is up has no service {service}",
                why="the league breaks one of several, and starts them all itself",
                fix="maestro local down, then run it again",
            ) from error


def _folder() -> Path:
    return state_dir() / "leagues"


def _new_file(services: Services) -> Path:
    make_private(_folder())
    return _folder() / f"league-{services.clock.now():%Y%m%dT%H%M%SZ}.json"


def _latest() -> Path:
    found = sorted(_folder().glob("league-*.json"))
    if not found:
        raise NotFound("there is no league to go on with", fix="maestro drill run --all")
    return found[-1]


def _read(file: Path) -> LeagueReport:
    try:
        return read_document(file.read_bytes(), str(file))
    except OSError as error:
        raise InvalidFile("cannot be read", file=str(file), why=str(error)) from error


def _write(file: Path, report: LeagueReport) -> None:
    document = {"schema": SCHEMA_PREFIX + SCHEMA, **plain(document_of(report))}
    write_atomically(file, json.dumps(document, indent=1) + "\n")
