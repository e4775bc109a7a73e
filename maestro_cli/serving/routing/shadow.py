"""Versions that see real requests and whose answers nobody gets.

Invariant: a shadow is asked only after the user's answer was sent, on a thread of low priority of its own,
from a bounded queue that drops when it is full; nothing is loaded or evicted for it, and it never touches the
prediction cache, what runs are known to cost, or a user's metrics. One that grows the process beyond its
ceiling is stopped, and one that only fails is asked seldom.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from maestro_cli.serving.background import step_back
from maestro_cli.serving.errors import ModelError, Overloaded, RequestError
from maestro_cli.serving.models.artefact import LoadedModel
from maestro_cli.serving.models.memory import ModelMemory, resident
from maestro_cli.serving.models.repository import Repository
from maestro_cli.serving.protocol import contract
from maestro_cli.serving.protocol.tensors import Array
from maestro_cli.serving.routing.agreement import Agreement
from maestro_cli.serving.routing.document import Routing, Shadow
from maestro_cli.serving.routing.keeping import keep, keep_arrays
from maestro_cli.serving.routing.sticky import NO_KEYS
from maestro_cli.serving.routing.tree import Question
from maestro_cli.serving.telemetry.logs import Log

QUEUE_LENGTH = 256
LARGEST_QUESTION_BYTES = 64 * 1024
DEFAULT_CEILING_BYTES = 256 * 2**20
_YIELD_SECONDS = 0.002
_LONGEST_YIELD_SECONDS = 0.5  # under steady load it still gets a turn, or it would never be compared
_FAILURES_TO_REST = 30  # in a row: enough for a verdict, and each costs users more than an answer does
_FIRST_REST_SECONDS, _LONGEST_REST_SECONDS = 0.25, 8.0


@dataclass(frozen=True, slots=True)
class _Offer:
    route: str
    shadow: Shadow
    question: Question
    given: Mapping[str, Array]
    given_seconds: float


@dataclass(slots=True)
class _Rest:
    """How a shadow that does nothing but fail is left alone, for longer after each further failure."""

    failures: int = 0  # in a row
    until: float = 0.0

    def note(self, *, failed: bool, now: float) -> None:
        self.failures = self.failures + 1 if failed else 0
        beyond = self.failures - _FAILURES_TO_REST
        if beyond >= 0:
            self.until = now + min(_FIRST_REST_SECONDS * 2 ** min(beyond, 10), _LONGEST_REST_SECONDS)


class Shadows:
    """Every shadow of the routing in force. Use it from one event loop."""

    def __init__(
        self,
        repository: Repository,
        memory: ModelMemory,
        log: Log,
        *,
        is_busy: Callable[[], bool],
        ceiling_bytes: int = DEFAULT_CEILING_BYTES,
        resident_bytes: Callable[[], int | None] = resident,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._repository = repository
        self._memory = memory
        self._log = log
        self._is_busy = is_busy
        self._ceiling_bytes = ceiling_bytes
        self._resident_bytes = resident_bytes
        self._now = now
        self._rests: dict[str, _Rest] = {}
        self._at_first: int | None = None
        self._queue: deque[_Offer] = deque()
        self._wake = asyncio.Event()
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="shadow", initializer=step_back)
        self._in_force: dict[str, tuple[Shadow, Agreement]] = {}
        self.stopped = ""

    def follow(self, routing: Routing) -> None:
        """Have the shadows of a document; one that was there before goes on counting."""
        wanted = {name: route.shadow for name, route in routing.routes.items() if route.shadow is not None}
        self._in_force = {
            name: known
            if (known := self._in_force.get(name)) and known[0] == shadow
            else (shadow, _new(shadow))
            for name, shadow in wanted.items()
        }
        self.stopped, self._at_first = "", None
        self._rests = {name: _Rest() for name in wanted}

    def offer(
        self, route: str, question: Question, decision: str, given: Mapping[str, Array], given_seconds: float
    ) -> None:
        """Hand over an answered request; never waits, never raises."""
        known = self._in_force.get(route)
        if known is None or self.stopped or not _is_drawn(decision, known[0].share):
            return
        shadow, agreement = known
        kept = answer = None
        if len(self._queue) < QUEUE_LENGTH and self._now() >= self._rests[route].until:
            kept = keep(question, NO_KEYS, LARGEST_QUESTION_BYTES)
            answer = keep_arrays(given, LARGEST_QUESTION_BYTES)
        if kept is None or answer is None:
            agreement.dropped += 1
            return
        self._queue.append(_Offer(route, shadow, kept, answer, given_seconds))
        self._wake.set()

    def told(self) -> dict[str, object]:
        """The comparison of each shadow as plain data."""
        return {
            name: {
                "shadow": f"{shadow.model}@{shadow.version}",
                "share": shadow.share,
                "loaded": self._is_loaded(shadow),
                "stopped": self.stopped or None,
                "resting": self._now() < self._rests[name].until,
                **agreement.told(),
            }
            for name, (shadow, agreement) in sorted(self._in_force.items())
        }

    def _is_loaded(self, shadow: Shadow) -> bool:
        """One that is not is not asked: nothing is loaded, and nothing evicted, for it."""
        known = self._repository.of(shadow.model)
        return any(entry.version == shadow.version and entry.model is not None for entry in known)

    def counts(self) -> dict[str, tuple[int, int, int, int]]:
        """Rows that agreed and disagreed, questions failed and dropped, by route."""
        return {
            name: (one.rows - one.disagreed, one.disagreed, one.failed, one.dropped)
            for name, (_, one) in self._in_force.items()
        }

    @property
    def waiting(self) -> int:
        """Questions in the queue."""
        return len(self._queue)

    async def run(self) -> None:
        """Ask them until cancelled."""
        try:
            while True:
                await self._wake.wait()
                self._wake.clear()
                while self._queue:
                    await self._let_users_pass()
                    await self._ask(self._queue.popleft())
        finally:
            self._executor.shutdown(wait=False, cancel_futures=True)

    async def _let_users_pass(self) -> None:
        began = time.monotonic()
        while self._is_busy() and time.monotonic() - began < _LONGEST_YIELD_SECONDS:
            await asyncio.sleep(_YIELD_SECONDS)

    async def _ask(self, offer: _Offer) -> None:
        known = self._in_force.get(offer.route)
        if known is None or known[0] != offer.shadow or self.stopped:
            return  # another document is in force by now
        agreement, rest = known[1], self._rests[offer.route]
        if self._now() < rest.until:
            agreement.dropped += 1
            return
        failed = True
        try:
            await self._run(offer, agreement)
            failed = False
        except (ModelError, RequestError, Overloaded) as error:
            agreement.fail(offer.question.rows)
            self._log.limited(
                "warning",
                "shadow failed",
                model=offer.shadow.model,
                version=offer.shadow.version,
                error=error.text,
            )
        except Exception as error:  # noqa: BLE001 - whatever a shadow does, users are served
            agreement.fail(offer.question.rows)
            cause = f"{type(error).__name__}: {error}"
            self._log.limited(
                "error", "shadow failed", model=offer.shadow.model, version=offer.shadow.version, error=cause
            )
        rest.note(failed=failed, now=self._now())
        self._watch_memory()

    async def _run(self, offer: _Offer, agreement: Agreement) -> None:
        """Ask and compare, all of it on the thread of low priority: users' answers wait for none of it."""
        entry = self._repository.find(offer.shadow.model, str(offer.shadow.version))
        model = self._memory.lend(entry)
        if model is None:  # to load it would take threads and memory that users' models have
            agreement.dropped += 1
            return
        try:
            await asyncio.get_running_loop().run_in_executor(
                self._executor, _ask_and_compare, model, offer, agreement
            )
        finally:
            self._memory.leave(entry)

    def _watch_memory(self) -> None:
        now = self._resident_bytes()
        if now is None:
            return
        if self._at_first is None:
            self._at_first = now
        grown = now - self._at_first
        if grown > self._ceiling_bytes:
            self.stopped = f"the process grew by {grown} bytes since the shadows began"
            self._queue.clear()
            self._log.error("shadows stopped", error=self.stopped)


def _ask_and_compare(model: LoadedModel, offer: _Offer, agreement: Agreement) -> None:
    question = offer.question
    feed = contract.feed(model.manifest.inputs, question.tensors, question.datatypes, loose=True)
    wanted = [spec.name for spec in model.manifest.outputs if spec.name in offer.given]
    began = time.perf_counter()
    arrays = model.run(feed, wanted)
    seconds = time.perf_counter() - began
    agreement.compare(offer.given, dict(zip(wanted, arrays, strict=True)))
    if offer.given_seconds:  # else the user's answer came from the cache of predictions
        agreement.given_seconds += offer.given_seconds
        agreement.shadow_seconds += seconds


def _new(shadow: Shadow) -> Agreement:
    return Agreement(shadow.most_disagreement, shadow.tolerance)


def _is_drawn(decision: str, share: float) -> bool:
    """Whether a decision is in the share: the same one always is or never."""
    digest = hashlib.blake2b(decision.encode(), digest_size=8, person=b"shadow").digest()
    return int.from_bytes(digest, "big") < share * 2**64
