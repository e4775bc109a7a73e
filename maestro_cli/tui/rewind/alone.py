"""Recording while no console is open. Invariant: no screen is imported, and nothing can be changed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from maestro_cli.core.progress import Progress
from maestro_cli.tui.console import Console

if TYPE_CHECKING:
    from maestro_cli.services.root import Services


@contextmanager
def recording(services: Services, progress: Progress) -> Iterator[None]:
    """Keep what consoles show of the context, of all its namespaces, until the block is left."""
    context = services.context_name
    console = Console(services.options, services.clock, (context,), "")
    try:
        console.recorder.start()
        console.feeds.want(console.recorder.wanted(console.store.snapshot.scope))
        progress.note(f"recording {context} for `maestro tui` to rewind")
        yield
    finally:
        console.close()
