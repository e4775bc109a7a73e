"""Whether a version may be run on the event loop, where its run holds up every other request.

Invariant: only what cannot take long there by its shape, and was seen not to, runs there. After a run that
took long in spite of both, nothing of that version runs there until it is known whether it was the version or
the machine; if it was the version, for at least FIRST_PROOF_RUNS runs, and for longer the next time.
"""

from __future__ import annotations

# A hand-over to a thread costs about 0.07 ms and lets everything else go on meanwhile.
INLINE_SECONDS = 0.001
FIRST_PROOF_RUNS = 1000
_LONGEST_PROOF_RUNS = 1_000_000
_PROOF_GROWTH = 4
_FORGIVEN_AFTER = 10  # times as many quick runs as were wanted: then the next surprise counts as the first


class Pace:
    """What a version's runs took, of the processor: what else the machine does meanwhile is not counted.

    `is_bounded` says whether the time of a run is bounded by its number of rows, whatever is in them;
    `row_seconds` is what one row took when the version was loaded.
    """

    def __init__(self, row_seconds: float, *, is_bounded: bool) -> None:
        self._is_bounded = is_bounded
        self._quick_rows = 1 if row_seconds <= INLINE_SECONDS else 0  # the most rows that one quick run had
        self._quick_runs = 0  # since the last surprise
        self._wanted_runs = 0
        self.is_doubted = False  # while it is found out why a run took long

    def allows(self, rows: int) -> bool:
        """Whether a run of so many rows may be there. More rows than were seen are not guessed at."""
        return (
            rows <= self._quick_rows
            and self._quick_runs >= self._wanted_runs
            and self._is_bounded
            and not self.is_doubted
        )

    def note(self, rows: int, busy_seconds: float) -> None:
        """Learn from one run, on the event loop or beside it."""
        if busy_seconds <= INLINE_SECONDS:
            self._quick_runs += 1
            self._quick_rows = max(self._quick_rows, rows)
        elif rows <= self._quick_rows:
            self._surprise()

    def _surprise(self) -> None:
        """As many rows took longer than they did before: what is in them matters."""
        again = self._wanted_runs and self._quick_runs <= _FORGIVEN_AFTER * self._wanted_runs
        grown = min(_PROOF_GROWTH * self._wanted_runs, _LONGEST_PROOF_RUNS)
        self._wanted_runs = grown if again else FIRST_PROOF_RUNS
        self._quick_runs = self._quick_rows = 0
