"""Looks at the steady state while the method runs, in threads of their own.

chaoslib has such a loop too; it ends with the first exception, a stop waits for its whole pause, and a probe
that hangs is not told at all.
"""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import Any

from chaoslib import hypothesis, substitute
from chaoslib.caching import lookup_activity

LATE_SECONDS = 2.0  # what a look may take beyond the time of the next one


class Sampler:
    """Gives each look to `sampled`, none of which is under way beside another.

    A look that takes longer than `patience_seconds` is told as one without data, and again each time as long;
    what it says in the end is told when it is bad, and too late to be good.
    """

    def __init__(
        self,
        experiment: Any,
        configuration: Any,
        secrets: Any,
        every_seconds: float,
        patience_seconds: float,
        sampled: Callable[[dict[str, Any]], None],
    ) -> None:
        # chaoslib writes into what it judges by
        self._asked = copy.deepcopy(experiment), configuration, secrets
        self._every, self._patience, self._sampled = every_seconds, patience_seconds, sampled
        self._changed = threading.Condition()
        self._is_last, self._is_over = False, False
        self._thread = threading.Thread(target=self._look_on, daemon=True, name="steady-state")

    def start(self) -> None:
        self._thread.start()

    def finish(self) -> None:
        """Begin no other look, and wait for the one that is under way, as long as for any."""
        with self._changed:
            self._is_last = True
            self._changed.notify_all()
        self._thread.join()

    def stop(self) -> None:
        """Nothing comes after this; from a signal's handler too, so it takes no lock."""
        self._is_last = self._is_over = True

    def _look_on(self) -> None:
        while not self._is_last:
            self._await(self._begin())
            with self._changed:
                self._changed.wait_for(lambda: self._is_last, self._every)

    def _begin(self) -> list[dict[str, Any]]:
        """Where the state will be."""
        answer: list[dict[str, Any]] = []

        def look() -> None:
            state = _looked(*self._asked)
            with self._changed:
                answer.append(state)
                self._changed.notify_all()

        threading.Thread(target=look, daemon=True, name="look").start()
        return answer

    def _await(self, answer: list[dict[str, Any]]) -> None:
        with self._changed:
            self._changed.wait_for(lambda: answer, self._patience)
        is_late = not answer
        while not answer and not self._is_over:
            self._sampled(_untold(f"no answer within {self._patience:.1f} s"))
            with self._changed:
                self._changed.wait_for(lambda: answer or self._is_last, self._patience)
            if self._is_last:
                break
        if answer and not self._is_over and not (is_late and answer[0].get("steady_state_met")):
            self._sampled(answer[0])


def patience_seconds(
    experiment: Mapping[str, Any], variables: tuple[Any, Any], every_seconds: float, before_seconds: float
) -> float:
    """How long one look may take: until the next one is due, twice as long as the look before the method, or
    as its probes declare by their timeouts; and LATE_SECONDS.
    """
    probes = (experiment.get("steady-state-hypothesis") or {}).get("probes") or ()
    declared = sum(seconds for probe in probes for seconds in _timeouts(probe, variables))
    return max(every_seconds, 2 * before_seconds, declared) + LATE_SECONDS


def _timeouts(probe: Mapping[str, Any], variables: tuple[Any, Any]) -> Iterator[float]:
    """Of one try, in seconds: a number, or those to connect and to read."""
    asked = lookup_activity(probe["ref"]) if probe.get("ref") else probe
    provider = (asked or {}).get("provider") or {}
    timeout = substitute(provider.get("timeout"), *variables)
    for one in timeout if isinstance(timeout, list) else [timeout]:
        with suppress(TypeError, ValueError):  # chaoslib tells it, when it performs the probe
            yield max(0.0, float(one)) * (1 + int(provider.get("max_retries") or 0))


def _looked(experiment: Any, configuration: Any, secrets: Any) -> dict[str, Any]:
    try:
        state: dict[str, Any] = hypothesis.run_steady_state_hypothesis(
            experiment, configuration, secrets, dry=None, event_registry=None
        )
    except BaseException as error:  # noqa: BLE001 - a look that failed is a look without data
        return _untold(str(error) or type(error).__name__)
    return state


def _untold(why: str) -> dict[str, Any]:
    probe = {"activity": {"name": "the steady state"}, "status": "failed", "exception": [why]}
    return {"steady_state_met": False, "probes": [probe]}
