"""What the containers of one pod share: address, folder, environment, events.

Invariant: everything of a pod is below its folder, and the folder goes with the pod.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from maestro_cli.core.errors import Unreachable
from maestro_cli.local.api import ApiClient, ApiError
from maestro_cli.local.images import Image
from maestro_cli.local.kubelet import content, in_place, volumes
from maestro_cli.local.kubelet.environment import build_environment, command_line, translate
from maestro_cli.local.kubelet.logs import LogQuery, read_log
from maestro_cli.local.kubelet.pipe import CapturePipe
from maestro_cli.local.kubelet.probes import TIMED_OUT
from maestro_cli.local.kubelet.processes import Launch, LaunchFailed, Processes
from maestro_cli.local.kubelet.settings import Settings
from maestro_cli.local.kubelet.tokens import Tokens
from maestro_cli.local.objects import Object, name_of, namespace_of, uid_of
from maestro_cli.local.process import PLATFORM_VARIABLE
from maestro_cli.local.recorder import EventRecorder

_LAST_WORDS_LINES, _LAST_WORDS_BYTES = 80, 2048
_LONGEST_NAME_IN_PATH = 140


class Sandbox:
    """The pod as its containers see it."""

    def __init__(
        self,
        pod: Object,
        address: str,
        *,
        settings: Settings,
        client: ApiClient,
        processes: Processes,
        recorder: EventRecorder,
        changed: Callable[[], None],
    ) -> None:
        self.pod = pod
        self.address = address
        self.settings = settings
        self.processes = processes
        self.changed = changed
        self.uid = uid_of(pod)
        self.full_name = f"{name_of(pod)}_{namespace_of(pod)}"
        self.folder = folder_of(settings, pod)
        self.volumes = self.folder / "volumes"
        self._client = client
        self._recorder = recorder
        self._tokens = Tokens(client, pod, lambda words: self.say("FailedToIssueToken", words, warning=True))
        self._seen: dict[tuple[str, str], content.Values | None] = {}
        self._background: set[asyncio.Task[None]] = set()

    def now(self) -> datetime:
        return datetime.now(UTC)

    @property
    def grace_seconds(self) -> float:
        """How long the pod's processes get between SIGTERM and SIGKILL."""
        value = self.pod["spec"].get("terminationGracePeriodSeconds")
        return 30.0 if value is None else float(value)

    def say(self, reason: str, message: str, *, warning: bool = False, path: str = "") -> None:
        """Record an event about the pod or, by its field path, one of its containers."""
        self._recorder.record(self.pod, reason, message, warning=warning, path=path)

    def background(self, work: Coroutine[Any, Any, None]) -> None:
        """Run something that must outlive its caller."""
        task = asyncio.ensure_future(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    def log_path(self, container: str, restarts: int) -> Path:
        """Where the output of one run of a container is kept."""
        return self.folder / "logs" / container / f"{restarts}.log"

    def new_log(self, container: str, restarts: int) -> Path:
        """Where the next run prints to; of the runs before it only the latest keeps its log."""
        path = self.log_path(container, restarts)
        with in_place.folder(path.parent, make=True) as folder:
            for old in os.listdir(path.parent):
                number = old.partition(".")[0]
                if number.isdigit() and int(number) < restarts - 1:
                    with contextlib.suppress(FileNotFoundError):
                        os.unlink(old, dir_fd=folder)
        return path

    def last_words(self, container: str, restarts: int) -> str:
        """The end of a container's log, for its termination message."""
        query = LogQuery(tail_lines=_LAST_WORDS_LINES)
        try:
            text = b"".join(read_log(self.log_path(container, restarts), query, alive=lambda: False))
        except OSError as problem:  # the container put a link in its place, or took it away
            return f"its log cannot be read: {problem}"
        return text[-_LAST_WORDS_BYTES:].decode("utf-8", "replace")

    async def set_up_volumes(self) -> None:
        """Write the volumes, or bring them up to date. Raises MountProblem and MaestroError."""
        wanted = self.pod["spec"].get("volumes") or []
        found = await self._contents(content.volume_references(wanted))
        for volume in wanted:
            try:
                tokens = await self._tokens.of_volume(volume, self.now())
                volumes.set_up(self.pod, volume, self.volumes, found, self.address, tokens)
            except (volumes.MountProblem, ApiError) as problem:
                words = problem.what if isinstance(problem, ApiError) else str(problem)
                where = f'MountVolume.SetUp failed for volume "{volume["name"]}" : {words}'
                raise volumes.MountProblem(where) from None

    async def launch(self, container: Object, image: Image) -> Launch:
        """Everything needed to start a container. Raises ContentMissing and MaestroError."""
        found = await self._contents(content.environment_references(container))
        work = self.folder / "work" / container["name"]
        work.mkdir(parents=True, exist_ok=True)
        base = self._base_environment(work) | image.environment
        variables = build_environment(self.pod, container, found, base=base, address=self.address)
        mounts = volumes.mounts_of(self.pod, container, self.volumes, variables)
        argv = command_line(container, image.entrypoint, variables, mounts)
        variables = {name: translate(value, mounts) for name, value in variables.items()}
        folder = Path(translate(container.get("workingDir") or str(work), mounts))
        if folder.is_relative_to(self.folder):
            folder.mkdir(parents=True, exist_ok=True)
        return Launch(argv, variables, folder if folder.is_dir() else work)

    async def _contents(self, needed: set[tuple[str, str]]) -> content.Contents:
        """Config maps and secrets; as they were last seen while the API server does not answer."""
        try:
            self._seen |= await content.fetch(self._client, namespace_of(self.pod), needed)
        except Unreachable:
            if not needed <= self._seen.keys():
                raise
        return content.Contents({one: self._seen[one] for one in needed})

    def _base_environment(self, work: Path) -> dict[str, str]:
        here = str(Path(sys.executable).parent)
        base = {
            "PATH": f"{here}:{os.environ.get('PATH', os.defpath)}",
            "HOME": str(work),
            "LANG": os.environ.get("LANG", "C.UTF-8"),
            "HOSTNAME": name_of(self.pod),
            "POD_IP": self.address,
        }
        marker = os.environ.get(PLATFORM_VARIABLE)
        return base | {PLATFORM_VARIABLE: marker} if marker else base

    async def run_command(
        self, launch: Launch, container: Object, command: Sequence[str], seconds: float
    ) -> tuple[int, str]:
        """Run a command beside a container, as it was launched: (exit code, output), or TIMED_OUT."""
        mounts = volumes.mounts_of(self.pod, container, self.volumes, launch.environment)
        argv = [translate(word, mounts) for word in command]
        pipe = CapturePipe()
        await pipe.open()
        try:
            running = await self.processes.start(replace(launch, argv=argv), pipe.descriptor)
        except LaunchFailed as problem:
            return 126, f'exec: "{argv[0] if argv else ""}": {problem}'
        finally:
            pipe.started()
        try:
            code = await asyncio.wait_for(running.wait(), seconds)
        except TimeoutError:
            code = TIMED_OUT
        finally:
            running.signal(signal.SIGKILL)
            await pipe.finish()
        return code, pipe.text()


def folder_of(settings: Settings, pod: Object) -> Path:
    """`pods/<namespace>_<pod>_<uid>`; a long pod name is cut, for a file name has 255 bytes at most."""
    name = name_of(pod)[:_LONGEST_NAME_IN_PATH]
    return settings.state / "pods" / f"{namespace_of(pod)}_{name}_{uid_of(pod)}"
