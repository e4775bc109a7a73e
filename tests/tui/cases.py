"""A console over nothing: facts are given by the test, services are its own."""

from __future__ import annotations

import asyncio
import copy
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from textual.pilot import Pilot

from maestro_cli.core.facts.inventory import PodLine
from maestro_cli.services.backends import GlobalOptions
from maestro_cli.tui.app import ConsoleApp
from maestro_cli.tui.console import Console
from maestro_cli.tui.keys.remembered import Remembered
from maestro_cli.tui.screens.model import Place
from maestro_cli.tui.store.events import Event
from tests.patience import PATIENCE_SECONDS

NOW = datetime(2026, 11, 26, 3, 0, tzinfo=UTC)


class StillClock:
    """It is always three in the morning."""

    def now(self) -> datetime:
        return NOW

    def monotonic(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        raise AssertionError("nothing in the console sleeps")


class QuietFeeds:
    """Reads nothing; keeps what was wanted."""

    def __init__(self) -> None:
        self.wanted: frozenset[Any] = frozenset()
        self.hurried = 0

    def want(self, keys: frozenset[Any]) -> None:
        self.wanted = keys

    def hurry(self) -> None:
        self.hurried += 1

    contexts: frozenset[str] = frozenset()

    def close(self) -> None: ...

    def join(self, seconds: float) -> None: ...


class StillConsole(Console):
    """Feeds read nothing, and every context has the services that the test gives; those of changes are
    others, of armed contexts alone."""

    def __init__(
        self,
        services: Any,
        contexts: tuple[str, ...] = ("prod",),
        namespace: str = "",
        acting: Any = None,
    ) -> None:
        super().__init__(GlobalOptions(), StillClock(), contexts, namespace)
        self.feeds: Any = QuietFeeds()
        self._given, self._acts = services, copy.copy(services) if acting is None else acting

    def reading(self, context: str) -> Any:
        return self._given

    def acting(self, context: str) -> Any:
        assert self.store.snapshot.is_armed(context, NOW), f"{context} is not armed"
        return self._acts

    def policy(self, context: str) -> Any:
        return self._given.policy

    def cluster_options(self, context: str) -> tuple[str, ...]:
        """Its services name no cluster unless the test gives one."""
        return super().cluster_options(context) if hasattr(self._given, "context") else ()

    def why_not_recorded(self, context: str) -> str:
        """Its services have no journal unless the test gives one."""
        return super().why_not_recorded(context) if hasattr(self._given, "journal_path") else ""

    def why_no_namespace(self, name: str, contexts: tuple[str, ...]) -> str:
        """Its services have no cluster unless the test gives one."""
        return super().why_no_namespace(name, contexts) if hasattr(self._given, "cluster") else ""


def run_app(
    console: Console,
    script: Callable[[ConsoleApp, Pilot[None]], Any],
    *,
    place: Place,
    size: tuple[int, int] = (120, 40),
    seen: list[Any] | None = None,
    kept: Remembered | None = None,
) -> None:
    """Run a coroutine against a headless app."""

    async def run() -> None:
        app = ConsoleApp(console, place, kept=kept)
        hook = None if seen is None else seen.append
        async with app.run_test(size=size, message_hook=hook) as pilot:
            await script(app, pilot)

    asyncio.run(run())


async def until(pilot: Pilot[None], holds: Callable[[], bool], what: str) -> None:
    """Wait for a condition, as long as a slow machine may take."""
    end = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < end, f"never: {what}"
        await pilot.pause(0.02)


def tell(console: Console, *events: Event) -> None:
    console.store.dispatch(*events)


def pod(name: str, *, namespace: str = "ml", health: str = "good", status: str = "Running") -> PodLine:
    return PodLine(
        namespace=namespace, name=name, status=status, health=health, containers_ready=1, containers_total=1,
        restarts=0, restarted_at=None, created_at=NOW, node="a", zone="z", ip="10.0.0.1", owner="", models=(),
        phase="Running", message="", last_exit="", uid=f"uid-{name}", labels={"app": name}, containers=(),
    )  # fmt: skip


def screen_text(app: ConsoleApp) -> str:
    """Every line of the screen, as a person reads it."""
    height = app.size.height
    lines: Sequence[Any] = app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in strip) for strip in lines[:height])
