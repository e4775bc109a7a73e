"""Keeps what the console reads, and shows it again.

Invariant: it never holds the console up; what cannot be kept is said once, and nothing else ends. A film that
cannot be written is tried again; one that is broken is set aside, and recording begins anew. Where another
console did that, this one goes on in the new film.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from maestro_cli.core.clock import Clock
from maestro_cli.core.errors import InvalidFile, MaestroError
from maestro_cli.tui.feeds.model import AnyFeed
from maestro_cli.tui.feeds.runner import told
from maestro_cli.tui.rewind.film import RETENTION_HOURS, Film, is_broken
from maestro_cli.tui.store.events import Resumed, Rewound
from maestro_cli.tui.store.model import Fact, FactKey, Scope
from maestro_cli.tui.store.store import Store

EVERY_SECONDS = 5.0
FORGET_EVERY = 120  # looks between two clearings of what is too old
RETRY_SECONDS = 30.0  # after a film could not be opened or written

T = TypeVar("T")
OpenFilm = Callable[[str], Film]  # by the name of a context


class Recorder:
    """Records every context of the store; `step` and `go_to` show the past, `resume` the present."""

    def __init__(
        self,
        store: Store,
        feeds: Mapping[str, AnyFeed],
        open_film: OpenFilm,
        clock: Clock,
        say: Callable[[str], None],
    ) -> None:
        self._store, self._feeds, self._open, self._clock, self._say = store, feeds, open_film, clock, say
        self._films: dict[str, Film] = {}
        self._retry_at: dict[str, float] = {}  # by context, on the monotonic clock; while it has no film
        self._told: dict[str, str] = {}  # what was said last of a context, or of a feed in it
        self._lock = threading.Lock()
        self._playing = threading.Lock()  # one step after the other
        self._turning = threading.Lock()
        self._resumed = 0  # how often; a step that was asked for before it shows nothing any more
        self._stopped = threading.Event()
        self._looks = 0
        self._is_started = False

    @cached_property
    def kinds(self) -> dict[str, Any]:
        """The types of what is recorded, by feed."""
        return {feed.id: feed.item() for feed in self._feeds.values() if feed.item is not None}

    def wanted(self, scope: Scope) -> frozenset[FactKey]:
        """What it wants read of a scope, whatever is on the screen; nothing before it was started."""
        if not self._is_started:
            return frozenset()
        argument = {True: scope.namespace, False: ""}
        return frozenset(
            feed.of(context, argument[feed.has_namespace])
            for feed in self._feeds.values()
            for context in scope.contexts
            if feed.item is not None and not feed.is_kept_when_shown
        )

    def start(self) -> None:
        self._is_started = True
        threading.Thread(target=self._run, name="recorder", daemon=True).start()

    def close(self) -> None:
        self._stopped.set()
        with self._lock:
            for film in self._films.values():
                film.close()
            self._films.clear()

    def _run(self) -> None:
        while not self._stopped.wait(EVERY_SECONDS):
            self.look()

    def look(self) -> None:
        """Keep what has changed; raises nothing."""
        by_context: dict[str, list[tuple[FactKey, Fact]]] = {}
        for key, fact in self._store.live.live.items():
            if key.feed in self.kinds and (fact.is_known or fact.is_stale):
                by_context.setdefault(key.context, []).append((key, fact))
        self._looks += 1
        for context, facts in by_context.items():
            film = self.film(context)
            if film is None:
                continue
            try:
                film.record(self._clock.now(), facts)
                if self._looks % FORGET_EVERY == 0:
                    film.forget(self._clock.now() - timedelta(hours=RETENTION_HOURS))
            except (sqlite3.Error, OSError) as error:
                self._leave(context, film, error)
                continue
            except Exception as error:  # noqa: BLE001 - the border of the thread: recording goes on
                self._tell_once(context, f"{context} is not recorded: {told(error).line}")
                continue
            if self._told.pop(context, ""):
                self._say(f"{context} is recorded again")
            self._tell_refused(context, {key.feed for key, _ in facts}, film.refused)

    def _tell_refused(self, context: str, feeds: set[str], refused: Mapping[str, str]) -> None:
        """Which of the feeds that were kept just now are not, and which are again."""
        for feed in sorted(feeds):
            about, what = f"{context} {feed}", f"{feed} of {context}"
            if feed in refused:
                self._tell_once(about, f"{what} is not recorded: {refused[feed]}")
            elif self._told.pop(about, ""):
                self._say(f"{what} is recorded again")

    def film(self, context: str) -> Film | None:
        """The recording of a context; None where there is none now, which is said once."""
        with self._lock:
            if self._stopped.is_set():
                return None
            try:
                film = self._films.get(context)
                if film is not None and film.is_in_place:
                    return film
                if film is not None:
                    del self._films[context]
                    film.close()
                if self._clock.monotonic() < self._retry_at.get(context, 0.0):
                    return None
                return self._opened(context)
            except (MaestroError, sqlite3.Error, OSError) as error:
                self._retry_at[context] = self._clock.monotonic() + RETRY_SECONDS
                why = str(error)
        self._tell_once(context, f"{context} is not recorded: {why}")
        return None

    def _opened(self, context: str) -> Film:
        """A film that is none is set aside, once; raises what the second try does."""
        try:
            film = self._open(context)
        except InvalidFile as error:
            self._set_aside(context, Path(error.file))
            film = self._open(context)
        self._films[context] = film
        return film

    def _set_aside(self, context: str, path: Path) -> None:
        """With its journal, which would be played back into the next one. Raises OSError."""
        aside = path.with_name(f"{path.name}.broken-{self._clock.now():%Y%m%d-%H%M%S}")
        journal = path.with_name(f"{path.name}-journal")
        if journal.exists():
            journal.replace(aside.with_name(f"{aside.name}-journal"))
        path.replace(aside)
        self._say(f"the recording of {context} was broken; it is set aside as {aside}, and begins anew")

    def _leave(self, context: str, film: Film, error: Exception) -> None:
        """Close it and try again later; at once where the file is broken, and was set aside."""
        why = str(error)
        with self._lock:
            if self._films.get(context) is not film:
                return  # somebody else left it
            del self._films[context]
            film.close()
            if isinstance(error, sqlite3.DatabaseError) and is_broken(error):
                try:
                    if film.is_in_place:  # else another console did that
                        self._set_aside(context, film.path)
                    return
                except OSError as problem:
                    why = f"{why}; {problem}"
            self._retry_at[context] = self._clock.monotonic() + RETRY_SECONDS
        self._tell_once(context, f"{context} is not recorded: {why}")

    def _tell_once(self, about: str, words: str) -> None:
        if self._told.get(about) != words and not self._stopped.is_set():
            self._told[about] = words
            self._say(words)

    # The past

    def step(self, forward: bool) -> bool:
        """To the instant before, or after; after the newest one is the present. False when there is none.

        Takes as long as the film does, as `go_to`: never on the event loop.
        """
        asked = self._resumed
        with self._playing:
            return self._step(forward, asked)

    def _step(self, forward: bool, asked: int) -> bool:
        snapshot = self._store.snapshot
        at = snapshot.replay_at or self._clock.now()
        if forward and snapshot.replay_at is None:
            return False
        found: list[datetime] = []
        for context in snapshot.scope.contexts:
            found += self._tried(context, lambda film: film.after(at) if forward else film.before(at))
        if not found:
            if forward:
                self.resume()
            return forward
        self._show(min(found) if forward else max(found), asked)
        return True

    def _tried(self, context: str, ask: Callable[[Film], T | None]) -> tuple[T, ...]:
        """The answer of a film, if it has one; one that cannot be read is left, and that is said."""
        film = self.film(context)
        if film is None:
            return ()
        try:
            answer = ask(film)
        except (sqlite3.Error, OSError, OverflowError) as error:
            self._leave(context, film, error)
            return ()
        return () if answer is None else (answer,)

    def go_to(self, at: datetime, *, is_compared: bool | None = None) -> None:
        """Show what was known at an instant, or how it differs from now; what was not recorded then is not
        read. None goes on as it was shown before."""
        asked = self._resumed
        with self._playing:
            self._show(at, asked, is_compared)

    def _show(self, at: datetime, asked: int, is_compared: bool | None = None) -> None:
        facts: dict[FactKey, Fact] = {}
        for context in self._store.snapshot.scope.contexts:
            for found in self._tried(context, lambda film: film.at(at, self.kinds)):
                facts |= self._revived(found)
        facts |= self._of_one_namespace(facts)
        with self._turning:
            if self._resumed == asked:
                self._store.dispatch(Rewound(at, facts, is_compared))

    def _revived(self, found: Mapping[FactKey, Fact]) -> dict[FactKey, Fact]:
        """What was kept as what its feed reads; without what cannot be made so any more."""
        facts: dict[FactKey, Fact] = {}
        for key, fact in found.items():
            revive = self._feeds[key.feed].revive if fact.is_known else None
            with suppress(msgspec.MsgspecError, LookupError, ValueError, TypeError):
                facts[key] = fact if revive is None else replace(fact, data=revive(fact.data))
        return facts

    def _of_one_namespace(self, facts: Mapping[FactKey, Fact]) -> dict[FactKey, Fact]:
        """What is looked at of one namespace, where it was recorded of all of them alone."""
        found: dict[FactKey, Fact] = {}
        for key in (*self._store.live.live, *self.wanted(self._store.snapshot.scope)):
            feed = self._feeds.get(key.feed)
            whole = facts.get(replace(key, argument=""))
            if key in facts or whole is None or feed is None or feed.namespace_of is None:
                continue
            namespace_of = feed.namespace_of
            data = tuple(one for one in whole.data or () if namespace_of(one) == key.argument)
            found[key] = replace(whole, data=data if whole.is_known else None)
        return found

    def resume(self) -> None:
        with self._turning:
            self._resumed += 1
            self._store.dispatch(Resumed())


def read_instant(text: str, now: datetime) -> datetime:
    """`14:05`, `14:05:10` (local time, the last one there was) or `10m` (ago). Raises ValueError."""
    from maestro_cli.core.quantities import parse_duration_seconds

    local = now.astimezone()
    for form in ("%H:%M", "%H:%M:%S"):
        try:
            at = datetime.strptime(text, form)
        except ValueError:
            continue
        found = local.replace(hour=at.hour, minute=at.minute, second=at.second, microsecond=999_999)
        return found if found <= local else found - timedelta(days=1)
    seconds = parse_duration_seconds(text.removesuffix(" ago"))
    if seconds > RETENTION_HOURS * 3600:
        raise ValueError(f"nothing is kept for longer than {RETENTION_HOURS:g} hours")
    return now - timedelta(seconds=seconds)
