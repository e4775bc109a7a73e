"""The routing document as a file: a ConfigMap's on a cluster, or one that the admin API writes.

Invariant: what was read is put in force whole or not at all; a broken file leaves the document before it in
force and is told once. Nothing but a regular file is read: requests would wait for a pipe, or a device, too.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from maestro_cli.core.errors import InvalidFile
from maestro_cli.core.files import open_file, write_atomically
from maestro_cli.serving.errors import RequestError, ServingError
from maestro_cli.serving.routing.document import Routing, read_routing, write_routing
from maestro_cli.serving.routing.router import Router
from maestro_cli.serving.telemetry.logs import Log

_LOOK_SECONDS = 0.5
_MAX_BYTES = 1_048_576


class RoutingFile:
    """Follows one file. A ConfigMap's file is a link that is swapped: content is compared, not times.

    `problem` says what is wrong with the file as it is now, `was_read` that one was put in force.
    """

    def __init__(self, path: Path, log: Log) -> None:
        self._path = path
        self._log = log
        self._applied: bytes | None = None
        self.problem = ""

    @property
    def was_read(self) -> bool:
        return self._applied is not None

    def read(self, router: Router) -> None:
        """Put the file in force when it is another than before; tried again while it has a problem."""
        try:
            with open_file(self._path) as stream:
                content = stream.read(_MAX_BYTES + 1)
            if content == self._applied:
                self.problem = ""
                return
            routing = read_routing(content.decode("utf-8"), str(self._path))
            before = router.in_force.digest
            router.put(routing, str(self._path))
        except OSError as error:
            self._tell(f"{self._path}: {error.strerror or error}")
        except (UnicodeDecodeError, InvalidFile) as error:
            self._tell(str(error))
        except ServingError as error:  # it names what is not loaded; it may be when we look again
            self._tell(error.text)
        else:
            self._applied, self.problem = content, ""
            self._log.info("routing changed", digest=routing.digest, replaces=before, source=str(self._path))

    def write(self, routing: Routing) -> None:
        """Keep a document that the admin API puts in force; raises RequestError (409) where it cannot be.

        A link is neither followed, for who may write its folder could have it overwrite any file of this
        process, nor replaced: what it links to is kept by somebody else.
        """
        content = write_routing(routing).encode()
        if self._path.is_symlink():
            raise RequestError(
                f"the routing comes from {self._path}, which is a link: change what it links to (on a "
                "cluster, its ConfigMap), or start the server with --routing naming that file",
                status=409,
            )
        try:
            if self._path.exists() and not os.access(self._path, os.W_OK):
                raise PermissionError
            write_atomically(self._path, content.decode())
        except OSError as error:
            raise RequestError(
                f"the routing comes from {self._path}, which cannot be written here: change its ConfigMap",
                status=409,
            ) from error
        self._applied, self.problem = content, ""

    async def follow(self, router: Router) -> None:
        """Look at the file until cancelled."""
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            self.read(router)

    def _tell(self, problem: str) -> None:
        if problem != self.problem:
            self._log.error("routing refused", error=problem, source=str(self._path))
        self.problem = problem
