"""Have the binary of the real control plane: named, in the cache, or built now.

Invariant: a folder under its key appears whole, in one rename, after the binary in it answered; one
build runs at a time for a user, and whatever a build that was cancelled, failed or killed left is
removed by itself or by the next.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from maestro_cli.core.cancellation import Cancellation
from maestro_cli.core.clock import Clock, SystemClock
from maestro_cli.core.errors import ActionFailed, Interrupted, UsageError
from maestro_cli.core.files import unusable
from maestro_cli.core.progress import Progress
from maestro_cli.local.instance import StateLock
from maestro_cli.local.kubernetes.build_cache import (
    BUILDING,
    VARIABLE,
    Binary,
    BrokenBinary,
    Patience,
    builds_folder,
    cached_binary,
    check,
    long_unused,
    named_binary,
    other_builds,
    remove_builds,
    write_record,
)
from maestro_cli.local.kubernetes.build_compile import FAILED_LOG, Compilation
from maestro_cli.local.kubernetes.build_go import Go, find_go
from maestro_cli.local.kubernetes.build_target import NAME, Module, Target, this_machine

_LOCK = "build.lock"
_LOCK_POLL_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Builder:
    """Who builds: the module, the environment, and how the front end is told and stops it."""

    progress: Progress
    cancellation: Cancellation
    environment: Mapping[str, str]
    clock: Clock
    module: Module

    @property
    def patience(self) -> Patience:
        """With a binary that is asked what it is."""
        return Patience(cancellation=self.cancellation, progress=self.progress)


def ensure_binary(
    progress: Progress,
    cancellation: Cancellation,
    *,
    environment: Mapping[str, str] = os.environ,
    clock: Clock | None = None,
    target: Target | None = None,
    force: bool = False,
    module: Module | None = None,
) -> Binary:
    """The binary that MAESTRO_KUBERNETES_BINARY names, else the one in the cache, else one built now.

    `target` is this machine unless told; `force` builds although there is one. Raises InvalidFile (the
    variable), UsageError, Unreachable (no Go, no modules), ActionFailed (no room, build fails), Interrupted.
    """
    module = module or Module()
    builder = Builder(progress, cancellation, environment, clock or SystemClock(), module)
    if target is None or target == this_machine():
        named = named_binary(environment, module, builder.patience)
        if named is not None and force:
            raise UsageError(
                f"{VARIABLE} names a binary; nothing would use what is built", fix=f"unset {VARIABLE}"
            )
        if named is not None:
            return named
    target = target or this_machine()
    _sweep_if_free()
    found = None if force else _look(builder, target)
    return found or _build_locked(builder, target, force=force)


def remove_others(progress: Progress) -> tuple[Path, ...]:
    """Remove the binaries that other versions of maestro built, but for those that run; what went."""
    removed, running = remove_builds(Module(), lambda folder: True)
    for folder in running:
        progress.note(f"{folder} is kept: its binary runs")
    return tuple(removed)


def _look(builder: Builder, target: Target) -> Binary | None:
    """What the cache has; a broken binary is told, and as good as none."""
    try:
        return cached_binary(builder.module, target, builder.patience)
    except BrokenBinary as error:
        builder.progress.note(f"the binary in the cache is broken: {error}")
        return None


def _build_locked(builder: Builder, target: Target, *, force: bool) -> Binary:
    """Build while nobody else does; what somebody else built in the meantime will do."""
    folder = builds_folder()
    with _lock(folder, builder) as waited:
        found = _look(builder, target) if waited and not force else None
        if found is not None:
            return found
        _sweep(folder)
        go = find_go(builder.environment, builder.module.oldest_go)
        building = folder / f"{BUILDING}{os.getpid()}"
        building.mkdir()
        try:
            return _build(builder, target, go, building)
        except Interrupted:
            builder.progress.note("cancelled; removing what was built, which takes a while on a busy disk")
            raise
        finally:
            shutil.rmtree(building, ignore_errors=True)


def _build(builder: Builder, target: Target, go: Go, building: Path) -> Binary:
    started = builder.clock.monotonic()
    module = builder.module
    result = building / "result"
    result.mkdir()
    Compilation(
        module, target, go, building, builder.environment, builder.progress, builder.cancellation
    ).run(result / NAME)
    builder.progress.phase("check", NAME)
    seconds = round(builder.clock.monotonic() - started, 1)
    binary = Binary(
        result / NAME, target, module.kubernetes, module.etcd, module.sources, 0, "built", seconds, go.version
    )
    try:
        binary = replace(binary, size_bytes=check(binary, builder.patience))
    except BrokenBinary as error:
        fix = f"set XDG_CACHE_HOME to a folder whose programs may run, if {builds_folder()} is none"
        raise ActionFailed("what was built is not the control plane", why=str(error), fix=fix) from None
    write_record(result, binary)
    kept = builds_folder() / module.key(target)
    _put_in_place(result, kept, aside=building / "replaced")
    _clean_up(builder)
    return replace(binary, path=kept / NAME)


def _put_in_place(result: Path, kept: Path, *, aside: Path) -> None:
    """On disk first, then under its name; a broken or older one moves aside."""
    for path in (*result.iterdir(), result):
        _sync(path)
    if kept.exists():
        kept.rename(aside)
    result.rename(kept)
    _sync(kept.parent)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _clean_up(builder: Builder) -> None:
    """The log of an earlier failure goes, other versions' binaries when long unused; the rest are told."""
    (builds_folder() / FAILED_LOG).unlink(missing_ok=True)
    remove_builds(builder.module, long_unused)
    left = other_builds(builder.module)
    if left:
        size = sum((folder / NAME).stat().st_size for folder in left if (folder / NAME).exists())
        builder.progress.note(
            f"{len(left)} built by other versions of maestro ({size / 2**20:.0f} MiB) are kept; "
            "maestro local build --prune removes them"
        )


@contextmanager
def _lock(folder: Path, builder: Builder) -> Iterator[bool]:
    """Hold the lock of the builds; whether somebody else had it. Raises Interrupted, ActionFailed."""
    lock = StateLock(folder, _LOCK)
    waited = False
    while not _acquire(lock, folder):
        if not waited:
            builder.progress.phase("wait", "for another maestro that builds the control plane")
            builder.progress.note("another maestro builds the control plane; waiting for it")
            waited = True
        builder.cancellation.pause(_LOCK_POLL_SECONDS)
    try:
        yield waited
    finally:
        lock.release()


def _acquire(lock: StateLock, folder: Path) -> bool:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return lock.acquire()
    except OSError as error:
        raise ActionFailed(
            f"nothing can be written to {folder}",
            why=unusable(folder, error),
            fix=f"make it writable, set XDG_CACHE_HOME to another folder, or set {VARIABLE}",
        ) from None


def abandoned() -> list[Path]:
    """What builds that were killed left; none while a build runs."""
    folder = builds_folder()
    left = _leftovers(folder)
    if not left:
        return []
    lock = StateLock(folder, _LOCK)
    with suppress(OSError):
        if lock.acquire():
            lock.release()
            return left
    return []


def _sweep_if_free() -> None:
    """Take away what a build that was killed left, unless a build is running."""
    folder = builds_folder()
    if not _leftovers(folder):
        return
    lock = StateLock(folder, _LOCK)
    with suppress(OSError):
        if lock.acquire():
            try:
                _sweep(folder)
            finally:
                lock.release()


def _leftovers(folder: Path) -> list[Path]:
    """Folders of builds that are running, or were killed."""
    return sorted(folder.glob(f"{BUILDING}*"))


def _sweep(folder: Path) -> None:
    for path in _leftovers(folder):
        shutil.rmtree(path, ignore_errors=True)
