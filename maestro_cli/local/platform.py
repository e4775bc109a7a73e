"""The embedded platform as its users see it: up, down, status, kubeconfig, logs.

Invariant: after `up` failed or was cancelled, and after `down`, no process carries the marker of this state
folder; `down` needs none of the files to be there or right.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from maestro_cli.config.explanation import choice
from maestro_cli.core.cancellation import Cancellation
from maestro_cli.core.clock import Clock
from maestro_cli.core.errors import ActionFailed, Busy, NotFound, TimedOut, UndoFailed, UsageError
from maestro_cli.core.progress import Progress, Quiet
from maestro_cli.core.refs import is_name
from maestro_cli.local.clusters import CLUSTERS, LITE
from maestro_cli.local.instance import (
    Record,
    StateLock,
    free_mebibytes,
    id_prefix,
    instance_id,
    read_record,
    remove_run_files,
    require_space,
)
from maestro_cli.local.logfiles import follow_lines, last_lines
from maestro_cli.local.platform_status import DownReport, PlatformStatus, platform_status, supervisor_lives
from maestro_cli.local.process import PLATFORM_VARIABLE
from maestro_cli.local.programs import Programs, find_programs

DEFAULT_LOAD_RATE = 50.0
REGION = "local"
_START_LIMIT_SECONDS = 210.0  # the supervisor gives up before that, and says why
_STOP_LIMIT_SECONDS = 8.0
_POLL_SECONDS = 0.05
_LABEL_LENGTH = 63
_PART_NAME = re.compile(r"[a-z0-9][a-z0-9-]*")


class EmbeddedPlatform:
    """The one platform of a state folder. Synchronous; use it from any thread."""

    def __init__(self, state: Path, *, clock: Clock, environment: Mapping[str, str] = os.environ) -> None:
        self._state = state
        self._clock = clock
        self._environment = environment

    def is_up(self) -> bool:
        """True when the supervisor lives and every part was ready once."""
        record = read_record(self._state)
        return record is not None and record.state == "ready" and supervisor_lives(record)

    def is_up_with(self, cluster: str | None) -> bool:
        """True when it is up with this cluster (None: with any).

        Raises UsageError for a cluster that does not exist, Busy when it is up with another one.
        """
        _check_cluster(cluster)
        record = read_record(self._state)
        if record is None or not self.is_up():
            return False
        if cluster not in (None, record.cluster):
            raise Busy(
                f"the platform is up with --cluster {record.cluster}, not {cluster}",
                why="it has one cluster at a time, and what is on it would be lost",
                fix="maestro local down, then again",
            )
        return True

    def up(
        self,
        *,
        profile: str = "drill",
        cluster: str | None = None,
        load_seed: int = 1,
        load_rate: float = DEFAULT_LOAD_RATE,
        watch: bool = True,
        second: bool = False,
        region: str = REGION,
        progress: Progress,
        cancellation: Cancellation,
    ) -> PlatformStatus:
        """Start it and wait until every part is ready; `already_up` in the answer says it was.

        Without a cluster, the one that is up, else the light one; `second` is for the second model service,
        which a platform that is up has or has not; `region` is what its nodes say of where they are. Raises
        UsageError (profile, cluster, region),
        Busy (up with another cluster), Unreachable (programs missing), InvalidFile (shipped files),
        ActionFailed (a part does not start), Interrupted; then nothing is left.
        """
        interval_seconds = _interval_of(profile)
        _check_region(region)
        if self.is_up_with(cluster):
            return self._already_up(progress)
        wanted = cluster or LITE
        programs = find_programs(self._environment)
        cluster_program = CLUSTERS[wanted].program(self._environment, progress, cancellation)
        lock = self._lock_unless_up(progress, cancellation)
        if lock is None:
            self.is_up_with(cluster)
            return self._already_up(progress)
        options = ["--profile", profile, "--interval-seconds", str(interval_seconds), "--cluster", wanted]
        options += ["--cluster-program", cluster_program] if cluster_program else []
        options += ["--region", region, "--load-seed", str(load_seed), "--load-rate", str(load_rate)]
        options += [] if watch else ["--without-watch"]
        options += ["--second"] if second else []
        own = instance_id(self._state, self._clock.now())
        try:
            try:
                progress.phase("platform", "Starting the embedded platform")
                self._clear()
                require_space(self._state)
                self._prepare(profile, second)
                CLUSTERS[wanted].prepare(self._state)
                cancellation.raise_if_set()
                self._spawn(own, lock, programs, options)
            finally:
                lock.release()
            self._await_ready(own, progress, cancellation)
        except BaseException:
            record = read_record(self._state)
            if record is None or record.id == own:  # an `up` that began here since keeps its own
                self.down(progress=Quiet())
            raise
        return self.status()

    def _already_up(self, progress: Progress) -> PlatformStatus:
        progress.note("the platform is up already")
        return replace(self.status(), already_up=True)

    def down(self, *, progress: Progress) -> DownReport:
        """Stop the supervisor, sweep what it left, remove what it wrote (logs stay). Idempotent.

        Raises UndoFailed when a process cannot be ended.
        """
        from maestro_cli.local.sweep import survivors, sweep

        started = self._clock.monotonic()
        prefix = id_prefix(self._state)
        before = survivors(prefix)
        record = read_record(self._state)
        if not before and record is None and not self._state.exists():
            return DownReport(was_up=False, ended=0, killed=0, seconds=0.0)
        progress.phase("platform", "Stopping the embedded platform")
        lock = self._stop_supervisor()
        try:
            swept = sweep(prefix, self._clock)
            if swept.left:
                names = ", ".join(f"{survivor.name} ({survivor.pid})" for survivor in swept.left)
                raise UndoFailed("processes of the platform are left", why=names, fix="end them by hand")
            if lock is not None:  # else another `up` is at work in this folder, and its files are its own
                remove_run_files(self._state)
        finally:
            if lock is not None:
                lock.release()
        seconds = self._clock.monotonic() - started
        return DownReport(was_up=bool(before), ended=len(before), killed=swept.killed, seconds=seconds)

    def status(self) -> PlatformStatus:
        """What runs, from the record of the supervisor and the processes themselves."""
        return platform_status(self._state, self._clock)

    def kubeconfig(self, identity: str = "admin") -> Path:
        """The kubeconfig of an identity; raises NotFound when the platform is not up or knows none."""
        if not self.is_up():
            why = "kubeconfigs are made when it comes up, and go with it"
            raise NotFound("the embedded platform is not up", why=why, fix="maestro local up")
        known = {path.name.removesuffix(".kubeconfig"): path for path in self._state.glob("*.kubeconfig")}
        if identity not in known:
            raise NotFound(f"there is no kubeconfig for {identity!r}", **choice(identity, sorted(known)))
        return known[identity]

    def logs(self, part: str, *, tail: int, follow: bool, cancellation: Cancellation) -> Iterator[str]:
        """The last lines a part wrote, then, when following, each new one. Raises NotFound."""
        folder = self._state / "logs"
        known = {path.stem: path for path in folder.glob("*.log")} if folder.is_dir() else {}
        if not _PART_NAME.fullmatch(part) or part not in known:
            if not known:
                why = f"nothing is in {folder}; its parts write there"
                raise NotFound("the embedded platform has no logs", why=why, fix="maestro local up")
            raise NotFound(f"there is no part {part!r}", **choice(part, sorted(known)))
        if follow:
            return follow_lines(known[part], tail, cancellation)
        return iter(last_lines(known[part], tail))

    def _lock_unless_up(self, progress: Progress, cancellation: Cancellation) -> StateLock | None:
        """The lock; or None once the platform that another `up` started is ready."""
        lock = StateLock(self._state)
        deadline = self._clock.monotonic() + _START_LIMIT_SECONDS
        said = False
        while not lock.acquire():
            if self.is_up():
                return None
            if not said:
                progress.phase("platform", "Waiting for another maestro that starts or stops the platform")
                said = True
            if self._clock.monotonic() > deadline:
                raise Busy(
                    "another maestro holds the platform", why=str(self._state), fix="maestro local down"
                )
            cancellation.pause(_POLL_SECONDS)
        return lock

    def _clear(self) -> None:
        """End and remove what an earlier platform of this folder left behind. The lock is held."""
        from maestro_cli.local.sweep import sweep

        swept = sweep(id_prefix(self._state), self._clock)
        if swept.left:
            raise ActionFailed(
                "an earlier platform left processes that cannot be ended",
                why=", ".join(f"{survivor.name} ({survivor.pid})" for survivor in swept.left),
                fix="end them by hand",
            )
        remove_run_files(self._state)
        logs = self._state / "logs"
        logs.mkdir(parents=True, exist_ok=True)
        for log in logs.glob("*.log"):
            log.unlink()

    def _prepare(self, profile: str, second: bool) -> None:
        from maestro_cli.local.preparation import prepare
        from maestro_cli.slo.windows import PROFILES

        prepare(self._state, PROFILES[profile], second=second)

    def _spawn(self, own: str, lock: StateLock, programs: Programs, options: list[str]) -> None:
        """Start the supervisor, which leaves our session and keeps the lock."""
        assert lock.descriptor is not None
        command = [sys.executable, "-P", "-m", "maestro_cli.local.supervisor", "--state", str(self._state)]
        command += ["--lock-fd", str(lock.descriptor), *options]
        command += ["--prometheus", programs.prometheus, "--alertmanager", programs.alertmanager]
        with (self._state / "logs" / "supervisor.log").open("ab") as log:
            subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self._state,
                env={**self._environment, PLATFORM_VARIABLE: own},
                pass_fds=(lock.descriptor,),
                start_new_session=True,
                check=False,
            )

    def _await_ready(self, own: str, progress: Progress, cancellation: Cancellation) -> None:
        deadline = self._clock.monotonic() + _START_LIMIT_SECONDS
        while True:
            cancellation.pause(_POLL_SECONDS)
            record = read_record(self._state)
            mine = record if record is not None and record.id == own else None
            if mine is not None and mine.failure is not None:
                raise ActionFailed(mine.failure.what, why=mine.failure.why, fix=mine.failure.fix)
            if mine is not None and mine.state == "ready":
                progress.update(f"{len(mine.parts)} parts ready")
                return
            self._check_supervisor(mine)
            if mine is not None:
                progress.update(_summary(mine))
            if self._clock.monotonic() > deadline:
                raise TimedOut(f"the platform is not ready after {_START_LIMIT_SECONDS:.0f} s")

    def _check_supervisor(self, mine: Record | None) -> None:
        """Raises ActionFailed when nobody holds the lock any more: the supervisor is gone."""
        lock = StateLock(self._state)
        if not lock.acquire():
            return
        lock.release()
        record = read_record(self._state)
        if record is not None and record.failure is not None:
            return  # it ended as it should have, and the next look reads why
        last = last_lines(self._state / "logs" / "supervisor.log", 1)
        raise ActionFailed(
            "the platform was taken down while it started" if mine else "the supervisor does not start",
            why=last[0] if last else f"it left no message; {free_mebibytes(self._state)} MiB are free there",
            fix="maestro local up",
        )

    def _stop_supervisor(self) -> StateLock | None:
        """Ask the supervisor to stop, make it when it does not; the lock, or None when others hold it."""
        from maestro_cli.local.platform_status import signal_supervisor

        lock = StateLock(self._state)
        deadline = self._clock.monotonic() + _STOP_LIMIT_SECONDS
        asked: set[int] = set()
        forced = False
        while not lock.acquire():
            record = read_record(self._state)
            if record is not None and record.supervisor_pid not in asked:
                signal_supervisor(record, force=False)
                asked.add(record.supervisor_pid)
            if self._clock.monotonic() > deadline:
                if forced or record is None:
                    return None
                signal_supervisor(record, force=True)
                forced, deadline = True, self._clock.monotonic() + 1.0
            self._clock.sleep(0.02)
        return lock


def _check_cluster(cluster: str | None) -> None:
    if cluster is not None and cluster not in CLUSTERS:
        raise UsageError(f"there is no cluster {cluster!r}", **choice(cluster, CLUSTERS))


def _check_region(region: str) -> None:
    """Raises UsageError for what no label can say."""
    if not is_name(region) or len(region) > _LABEL_LENGTH:
        raise UsageError(f"{region[:80]!r} is no region", fix="use at most 63 of a-z, 0-9 and '-'")


def _interval_of(profile: str) -> float:
    """The scrape interval of the profile in seconds; raises UsageError for an unknown name."""
    from maestro_cli.slo.windows import PROFILES

    if profile not in PROFILES:
        raise UsageError(f"there is no profile {profile!r}", **choice(profile, PROFILES))
    return PROFILES[profile].interval_seconds


def _summary(record: Record) -> str:
    ready = sum(part.state == "ready" for part in record.parts)
    waiting = [part.name for part in record.parts if part.state != "ready"]
    named = ", ".join(waiting[:3]) + (" …" if len(waiting) > 3 else "")
    text = f"{ready} of {len(record.parts)} parts ready"
    return f"{text}, waiting for {record.waiting_for or named}" if waiting or record.waiting_for else text
