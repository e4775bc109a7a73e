"""What the console is made of, without a screen: the store, the feeds, services by context, the dispatcher.

Invariant: reading services are read-only whatever else is set; the services of an action allow what the
context itself allows, and exist only once it was armed. Of what was begun while it was armed, that is asked
again before each step that changes something.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from maestro_cli.config.locations import state_dir
from maestro_cli.core.cancellation import Cancellation
from maestro_cli.core.clock import Clock
from maestro_cli.core.errors import GateNotMet, MaestroError, UsageError
from maestro_cli.output.diagnostics import note, warn
from maestro_cli.services.backends import GlobalOptions
from maestro_cli.services.root import Services
from maestro_cli.tui.contexts import Contexts
from maestro_cli.tui.feeds.runner import FeedRunner
from maestro_cli.tui.rewind.film import Film
from maestro_cli.tui.rewind.recorder import Recorder
from maestro_cli.tui.screens.table import every_feed
from maestro_cli.tui.store.model import Scope
from maestro_cli.tui.store.store import Store

if TYPE_CHECKING:
    from maestro_cli.changes.policy import Policy
    from maestro_cli.services.person import Person
    from maestro_cli.services.pods_ahead import PodsAhead


LONGEST_READ_SECONDS = 1.0  # for what is read to be given up; what hangs ends with the process
LONGEST_END_SECONDS = 15.0  # a change that is stopped undoes itself, and writes that down


class ConsoleSignals:
    """Work that is begun here is cancelled with the console, never by a signal that ends it mid-way."""

    def __init__(self, ending: Cancellation) -> None:
        self._ending = ending

    def cooperative(self) -> Cancellation:
        return self._ending


class Console:
    """Everything behind the screen; `close` ends all of it."""

    def __init__(
        self,
        options: GlobalOptions,
        clock: Clock,
        contexts: tuple[str, ...],
        namespace: str,
        ahead: PodsAhead | None = None,
        colours: Mapping[str, str] | None = None,
    ) -> None:
        self.clock, self._ahead = clock, ahead
        self.ending = Cancellation()
        self.options = options
        self.store = Store(Scope(contexts, namespace), colours)
        self._lock = threading.Lock()
        self._contexts = Contexts(self._built, clock)
        self._works: list[threading.Thread] = []
        self.person: Callable[[str], Person | None] = lambda context: None
        self.feeds = FeedRunner(self.store, every_feed(), self.reading, clock)
        self.recorder = Recorder(self.store, every_feed(), film_of, clock, warn)

    def reading(self, context: str) -> Services:
        """The services that feeds and records use; no change gets past their gate."""
        return self._services(context, is_reading=True)

    def acting(self, context: str) -> Services:
        """The services of changes, whose gate asks what the context asks. Raises GateNotMet unless armed."""
        if not self.store.snapshot.is_armed(context, self.clock.now()):
            raise GateNotMet(f"{context} is read-only", fix=":write 10 arms it for ten minutes")
        return self._services(context, is_reading=False)

    def policy(self, context: str) -> Policy:
        """What its gate asks once it is armed."""
        from maestro_cli.changes.policy import policy_for

        own = self.reading(context)
        return policy_for(own.context_name, own.context, os.environ, read_only_flag=self.options.is_read_only)

    def why_not_armed(self, context: str) -> str:
        """Why a context cannot be armed now, whatever is answered; "" when it can. Raises MaestroError."""
        if self.store.snapshot.replay_at is not None:
            return "the console shows the past; return to now, then arm"
        if self.policy(context).read_only:
            return f"{context} cannot be armed: --read-only, MAESTRO_READ_ONLY or its read_only refuses all"
        if why := self.why_not_recorded(context):
            return f"{context} cannot be armed: its journal is read-only, so no change can be made; {why}"
        return ""

    def why_not_recorded(self, context: str) -> str:
        """Why the journal of a context can only be read; "" where it can be written. Raises MaestroError."""
        from maestro_cli.journal.reading import why_unwritable

        return why_unwritable(self.reading(context).journal_path)

    def contexts(self) -> tuple[str, ...]:
        """Every context that can be named, as far as the settings can be read."""
        shown = self.store.snapshot.scope.contexts
        try:
            known = tuple(self.reading(shown[0]).settings.contexts)
        except MaestroError:
            known = ()
        return tuple(dict.fromkeys((*shown, *known)))

    def why_no_namespace(self, name: str, contexts: tuple[str, ...]) -> str:
        """That no context has such a namespace, with the likely one; "" where one has it or cannot tell."""
        from maestro_cli.config.explanation import suggestion

        known: set[str] = set()
        for context in contexts:
            try:
                known.update(self.reading(context).cluster.inventory.namespaces())
            except MaestroError:
                return ""
        if name in known:
            return ""
        return f"there is no namespace {name[:60]!r} in {', '.join(contexts)}: {suggestion(name, known)}"

    def own_namespace(self, context: str) -> str:
        """The namespace that the settings give a context; "" for none."""
        try:
            return self.reading(context).settings.context(context).namespace or ""
        except MaestroError:
            return ""

    def cluster_options(self, context: str) -> tuple[str, ...]:
        """What names the cluster of a context to kubectl; () where that is not known."""
        try:
            cluster = self.reading(context).context.cluster
        except MaestroError:
            return ()
        if cluster is None:
            return ()
        file = ("--kubeconfig", cluster.kubeconfig) if cluster.kubeconfig else ()
        return (*file, *(("--context", cluster.kube_context) if cluster.kube_context else ()))

    def _services(self, context: str, *, is_reading: bool) -> Services:
        """Raises UsageError for "", which the settings would take for the current context."""
        if not context:
            raise UsageError("nothing says in which context", fix=":ctx NAME")
        return self._contexts.services(context, is_reading=is_reading)

    def _built(self, context: str, is_reading: bool) -> Services:
        options = replace(
            self.options,
            context=context,
            is_read_only=is_reading or self.options.is_read_only,
            asks=lambda: self.person(context),
            why_held=lambda: self._why_held(context),
        )
        built = Services(options, ConsoleSignals(self.ending))
        if is_reading and self._ahead is not None and self._ahead.context == context:
            built.pods_ahead = self._ahead
        return built

    def _why_held(self, context: str) -> str:
        """Why nothing may be changed now, by whatever was begun while it was armed; "" where it may."""
        is_armed = self.store.snapshot.is_armed(context, self.clock.now())
        return "" if is_armed else f"{context} is not armed any more"

    def leave_unused(self) -> None:
        """Close what is open to contexts that were left a while ago, in a thread; not while something is
        done, which may be there."""
        snapshot = self.store.snapshot
        if self.at_work:
            return
        in_use = {*snapshot.scope.contexts, *snapshot.armed, *self.feeds.contexts}
        left = self._contexts.left(frozenset(in_use))
        if left:
            threading.Thread(target=_close, args=(left,), name="leave", daemon=True).start()

    def begin(self, work: threading.Thread) -> None:
        """Start what does something; `close` waits for it."""
        with self._lock:
            self._works = [one for one in self._works if one.is_alive()] + [work]
        work.start()

    @property
    def at_work(self) -> tuple[str, ...]:
        """The names of what is being done."""
        return tuple(one.name for one in self._works if one.is_alive())

    def stop(self) -> None:
        """Have everything end in order; waits for nothing."""
        self.ending.cancel()
        self.feeds.close()

    def close(self) -> None:
        """End threads and close what they read from, once what is being done has been written down."""
        self.stop()
        if self.at_work:
            note(f"waiting until this has ended in order: {', '.join(self.at_work)}")
        until = self.clock.monotonic() + LONGEST_END_SECONDS
        for work in self._works:
            work.join(max(until - self.clock.monotonic(), 0.0))
        self.recorder.close()
        self._contexts.close()
        if self._ahead is not None:
            self._ahead.close()
        self.feeds.join(LONGEST_READ_SECONDS)


def _close(left: Sequence[Services]) -> None:
    for services in left:
        services.close()


def film_of(context: str) -> Film:
    """The recording of a context, in the state folder."""
    return Film(state_dir() / "rewind" / f"{context}.sqlite")
