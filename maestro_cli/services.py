"""The composition root: a context's endpoints become sources, and sources become use cases.

Invariant: everything is built on first use and imported where it is built, so that a command pays
only for what it touches. Nothing here asks whether a context is local.
"""

from __future__ import annotations

import getpass
import os
import socket
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from maestro_cli.core.cancellation import Cancellation
from maestro_cli.core.clock import Clock, SystemClock
from maestro_cli.core.errors import NotFound

if TYPE_CHECKING:
    from maestro_cli.config.settings import Context, Settings
    from maestro_cli.output.progress import TerminalProgress


class SignalHandlers(Protocol):
    def cooperative(self) -> Cancellation: ...


@dataclass(frozen=True, slots=True)
class GlobalOptions:
    context: str | None = None
    is_read_only: bool = False
    is_plain: bool = False


class Services:
    """What one command invocation works with; closes what it opened."""

    def __init__(self, options: GlobalOptions, signals: SignalHandlers) -> None:
        self.options = options
        self._signals = signals
        self.clock: Clock = SystemClock()
        self._closing: list[Callable[[], None]] = []

    def __enter__(self) -> Services:
        return self

    def __exit__(self, *_: object) -> None:
        while self._closing:
            self._closing.pop()()

    @property
    def cancellation(self) -> Cancellation:
        """Taking it makes Ctrl-C and SIGTERM cooperative for the rest of this command."""
        return self._signals.cooperative()

    @cached_property
    def actor(self) -> str:
        """Who acts: `MAESTRO_ACTOR`, else user@host."""
        return os.environ.get("MAESTRO_ACTOR") or f"{getpass.getuser()}@{socket.gethostname()}"

    def progress(self) -> TerminalProgress:
        from maestro_cli.output.progress import TerminalProgress

        return TerminalProgress(self.clock, is_plain=self.options.is_plain)

    @cached_property
    def settings(self) -> Settings:
        from maestro_cli.config.settings import load_settings

        return load_settings(Path.cwd(), flag_context=self.options.context)

    @cached_property
    def context_name(self) -> str:
        """The name of the current context; raises NotFound when there is none."""
        name = self.settings.current_context
        if name is None:
            raise NotFound(
                "no context is chosen",
                fix="maestro context use NAME, pass --context NAME, or run: maestro local up",
            )
        return name

    @cached_property
    def context(self) -> Context:
        return self.settings.context(self.context_name)
