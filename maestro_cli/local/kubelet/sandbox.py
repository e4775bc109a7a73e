"""What the containers of one pod share: address, folder, environment, events.

Invariant: everything of a pod is below its folder, and the folder goes with the pod.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable, Coroutine, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from maestro_cli.local.api import ApiClient
from maestro_cli.local.images import Image
from maestro_cli.local.kubelet import content, volumes
from maestro_cli.local.kubelet.environment import build_environment, command_line, translate
from maestro_cli.local.kubelet.logs import LogQuery, read_log
from maestro_cli.local.kubelet.processes import Launch, LaunchFailed, Processes
from maestro_cli.local.kubelet.settings import Settings
from maestro_cli.local.objects import Object, name_of, namespace_of, uid_of
from maestro_cli.local.process import PLATFORM_VARIABLE
from maestro_cli.local.recorder import EventRecorder

_LAST_WORDS_LINES, _LAST_WORDS_BYTES = 80, 2048


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
        self._background: set[asyncio.Task[None]] = set()

    def now(self) -> datetime:
        return datetime.now(UTC)

    @property
    def grace_seconds(self) -> float:
        """How long the pod's processes get between SIGTERM and SIGKILL."""
        value = self.pod["spec"].get("terminationGracePeriodSeconds")
        return 30.0 if value is None else float(value)

    def say(self, reason: str, message: str, *, warning: bool = False, container: str = "") -> None:
        """Record an event about the pod or one of its containers."""
        path = f"spec.containers{{{container}}}" if container else ""
        self._recorder.record(self.pod, reason, message, warning=warning, path=path)

    def background(self, work: Coroutine[Any, Any, None]) -> None:
        """Run something that must outlive its caller."""
        task = asyncio.ensure_future(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    def log_path(self, container: str, restarts: int) -> Path:
        """Where the output of one run of a container is kept."""
        return self.folder / "logs" / container / f"{restarts}.log"

    def last_words(self, container: str, restarts: int) -> str:
        """The end of a container's log, for its termination message."""
        query = LogQuery(tail_lines=_LAST_WORDS_LINES)
        text = b"".join(read_log(self.log_path(container, restarts), query, alive=lambda: False))
        return text[-_LAST_WORDS_BYTES:].decode("utf-8", "replace")

    async def set_up_volumes(self) -> None:
        """Write the volumes, or bring them up to date. Raises MountProblem and MaestroError."""
        wanted = self.pod["spec"].get("volumes") or []
        needed = content.volume_references(wanted)
        found = await content.fetch(self._client, namespace_of(self.pod), needed)
        for volume in wanted:
            try:
                volumes.set_up(self.pod, volume, self.volumes, found, self.address)
            except volumes.MountProblem as problem:
                where = f'MountVolume.SetUp failed for volume "{volume["name"]}" : {problem}'
                raise volumes.MountProblem(where) from None

    async def launch(self, container: Object, image: Image) -> Launch:
        """Everything needed to start a container. Raises ContentMissing and MaestroError."""
        needed = content.environment_references(container)
        found = await content.fetch(self._client, namespace_of(self.pod), needed)
        mounts = volumes.mounts_of(self.pod, container, self.volumes)
        work = self.folder / "work" / container["name"]
        work.mkdir(parents=True, exist_ok=True)
        base = self._base_environment(work) | image.environment
        variables = build_environment(self.pod, container, found, base=base, address=self.address)
        argv = command_line(container, image.entrypoint, variables, mounts)
        variables = {name: translate(value, mounts) for name, value in variables.items()}
        folder = Path(translate(container.get("workingDir") or str(work), mounts))
        return Launch(argv, variables, folder if folder.is_dir() else work)

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

    async def run_command(self, container: Object, command: Sequence[str], seconds: float) -> tuple[int, str]:
        """Run a command beside a container, in its environment: (exit code, output); 124 after the time."""
        launch = await self.launch(container, Image())
        mounts = volumes.mounts_of(self.pod, container, self.volumes)
        argv = [translate(word, mounts) for word in command]
        readable, writable = os.pipe()
        try:
            running = await self.processes.start(Launch(argv, launch.environment, launch.folder), writable)
        except LaunchFailed as problem:
            os.close(readable)
            return 126, str(problem)
        finally:
            os.close(writable)
        os.set_blocking(readable, False)
        try:
            code = await asyncio.wait_for(running.wait(), seconds)
        except TimeoutError:
            code = 124
        finally:
            running.signal(9)
            try:
                output = os.read(readable, 64 * 1024)
            except BlockingIOError:
                output = b""
            os.close(readable)
        return code, output.decode("utf-8", "replace").strip()


def folder_of(settings: Settings, pod: Object) -> Path:
    """`pods/<namespace>_<pod>_<uid>`."""
    return settings.state / "pods" / f"{namespace_of(pod)}_{name_of(pod)}_{uid_of(pod)}"
