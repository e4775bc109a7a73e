"""Makes chaoslib tell no data from a miss, and survive what probes raise.

Invariant: whatever an activity raises makes it fail, and nothing else. A value that is NaN, or that its
tolerance cannot be compared with, and a tolerance that fails itself make the probe fail, instead of ending
the run or missing the tolerance.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from chaoslib import activity, hypothesis, run
from chaoslib.exceptions import ActivityFailed

from maestro_cli.chaos.worker.untold import untold

_is_installed: list[bool] = []
_told = threading.local()  # why the tolerance of the last probe could not be judged, in each thread


def install(may_end: Callable[[BaseException], bool]) -> None:
    """Wrap what chaoslib calls, once a process; `may_end`: whether what an activity raised ends the run."""
    if _is_installed:
        return
    _is_installed.append(True)
    performed, within, looked = (
        activity.run_activity, hypothesis.within_tolerance, hypothesis.run_steady_state_hypothesis,
    )  # fmt: skip

    def run_activity(*arguments: Any, **named: Any) -> Any:
        try:
            return performed(*arguments, **named)
        except ActivityFailed as error:
            _told.raised = str(error)
            raise
        except BaseException as error:
            if may_end(error):
                raise
            _told.raised = f"{type(error).__name__}: {error}"
            raise ActivityFailed(f"{type(error).__name__}: {error}") from error

    def within_tolerance(tolerance: Any, value: Any, **named: Any) -> bool:
        try:
            _told.why, _told.raised = untold(tolerance, value), ""
            met = not _told.why and bool(within(tolerance, value, **named))
            if not met and _told.raised:  # the probe that judges; chaoslib calls that a miss
                _told.why = f"its tolerance failed: {_told.raised}"
            return met
        except Exception as error:  # noqa: BLE001 - any value may meet any tolerance
            _told.why = f"{value!r:.80} cannot be judged: {type(error).__name__}"
            return False

    def run_steady_state_hypothesis(*arguments: Any, **named: Any) -> Any:
        _told.why = ""
        state = looked(*arguments, **named)
        if _told.why and state and state["probes"]:
            state["probes"][-1] |= {"status": "failed", "exception": [f"no data: {_told.why}\n"]}
        return state

    activity.run_activity = hypothesis.run_activity = run_activity
    hypothesis.within_tolerance = within_tolerance
    hypothesis.run_steady_state_hypothesis = run.run_steady_state_hypothesis = run_steady_state_hypothesis
