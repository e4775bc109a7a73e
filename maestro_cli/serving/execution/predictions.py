"""Answers that deterministic models gave before.

Invariant: an answer is given again only for the same model, version, digest, outputs and tensors, compared
whole and not by a hash; and only while looking it up costs less than it saves.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from maestro_cli.serving.execution.batching import Feed
from maestro_cli.serving.models.artefact import LoadedModel
from maestro_cli.serving.protocol.tensors import Array

# Python's own share of an entry: key, tuple, arrays' headers, links. Measured with sys.getsizeof.
_ENTRY_BYTES = 700
_TRIAL_LOOKUPS = 500  # after so many lookups of a model it is judged whether they pay
_PAUSE_LOOKUPS = 20_000  # and when they do not, so many requests go by before the next trial

Key = tuple[str, str, str, tuple[str, ...], tuple[tuple[str, str, tuple[int, ...], bytes], ...]]


@dataclass(slots=True)
class _Trial:
    """Whether looking up pays, for one model's digest; seconds are sums since the trial began."""

    lookups: int = 0
    hits: int = 0
    lookup_seconds: float = 0.0
    run_seconds: float = 0.0
    runs: int = 0
    pause: int = 0

    @property
    def pays(self) -> bool:
        """Hits saved more than all the lookups cost."""
        saved = self.hits * self.run_seconds / self.runs if self.runs else 0.0
        return saved > self.lookup_seconds


class PredictionCache:
    """Bytes-bounded, longest unused first out. Use it from one thread."""

    def __init__(self, budget_bytes: int) -> None:
        self._budget_bytes = budget_bytes
        self._answers: OrderedDict[Key, tuple[int, list[Array]]] = OrderedDict()
        self._trials: dict[str, _Trial] = {}
        self.held_bytes = 0
        self.hits = 0
        self.misses = 0
        self.bypassed = 0

    def key(self, model: LoadedModel, feed: Feed, outputs: Sequence[str]) -> Key | None:
        """What to ask `find` with; None when this request is not to be looked up at all."""
        if not model.manifest.deterministic or not self._budget_bytes:
            return None
        trial = self._trials.setdefault(model.digest, _Trial())
        if trial.pause:
            trial.pause -= 1
            self.bypassed += 1
            return None
        began = time.perf_counter()
        key = (
            model.name,
            model.version,
            model.digest,
            tuple(outputs),
            tuple(
                (name, array.dtype.str, array.shape, _content(array)) for name, array in sorted(feed.items())
            ),
        )
        trial.lookups += 1
        trial.lookup_seconds += time.perf_counter() - began
        return key

    def find(self, key: Key) -> list[Array] | None:
        """The answer that was given to this very question."""
        found = self._answers.get(key)
        if found is None:
            self.misses += 1
            self._judge(key[2])
            return None
        self._answers.move_to_end(key)
        self.hits += 1
        self._trials[key[2]].hits += 1
        self._judge(key[2])
        return found[1]

    def keep(self, key: Key, answer: list[Array], run_seconds: float) -> None:
        """Remember an answer and what it cost; nobody may change its arrays afterwards."""
        trial = self._trials.get(key[2])
        if trial is not None:
            trial.runs += 1
            trial.run_seconds += run_seconds
        size = _ENTRY_BYTES + sum(len(content) for *_, content in key[4]) + sum(a.nbytes for a in answer)
        if size > self._budget_bytes // 8 or key in self._answers:
            return
        kept = [_alone(array) for array in answer]
        for array in (*answer, *kept):
            array.setflags(write=False)
        self._answers[key] = (size, kept)
        self.held_bytes += size
        while self.held_bytes > self._budget_bytes:
            _, (freed, _) = self._answers.popitem(last=False)
            self.held_bytes -= freed

    def clear(self, name: str | None = None) -> int:
        """Forget the answers of a model, or all; how many there were."""
        gone = [key for key in self._answers if name in (None, key[0])]
        for key in gone:
            size, _ = self._answers.pop(key)
            self.held_bytes -= size
        for digest in {key[2] for key in gone}:
            self._trials.pop(digest, None)
        return len(gone)

    def _judge(self, digest: str) -> None:
        trial = self._trials[digest]
        if trial.lookups >= _TRIAL_LOOKUPS:
            self._trials[digest] = _Trial(pause=0 if trial.pays else _PAUSE_LOOKUPS)


def _alone(array: Array) -> Array:
    """The array without the others of its batch, which a slice keeps in memory whole."""
    return array.copy() if isinstance(array.base, np.ndarray) and array.base.nbytes > array.nbytes else array


def _content(array: Array) -> bytes:
    """The elements, row-major and little-endian; of strings their repr, which tells them apart."""
    if array.dtype.kind == "O":
        return repr(array.tolist()).encode()
    return array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes()
