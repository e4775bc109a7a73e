"""One experiment, performed by chaoslib, with what it leaves out.

Invariant: whatever is raised wherever, there is a journal in the end, and every rollback was tried once; what
was raised is told. The steady state is looked at before, all the while and after.
"""

from __future__ import annotations

import copy
import signal
import threading
import time
import traceback
from collections.abc import Mapping
from contextlib import suppress
from types import FrameType
from typing import Any

from chaoslib import run as chaoslib_run
from chaoslib.caching import cache_activities
from chaoslib.exceptions import InterruptExecution
from chaoslib.experiment import ensure_experiment_is_valid
from chaoslib.run import RunEventHandler, Runner, initialize_run_journal
from chaoslib.types import Strategy

from maestro_cli.chaos.line import Line
from maestro_cli.chaos.worker.guarded import install
from maestro_cli.chaos.worker.sampling import Sampler, patience_seconds

ALWAYS = {"runtime": {"rollbacks": {"strategy": "always"}}}


class Performance(RunEventHandler):  # type: ignore[misc]  # chaoslib has no types
    """Tells the parent what happens, as it happens."""

    def __init__(self, line: Line, order: Mapping[str, Any]) -> None:
        self._line, self._order = line, order
        self._experiment: dict[str, Any] = copy.deepcopy(dict(order["experiment"]))
        self._journal: dict[str, Any] = initialize_run_journal(self._experiment)
        self._given: tuple[Any, Any] = (None, None)  # configuration and secrets
        self._runner = Runner(Strategy.DEFAULT)
        self._sampler: Sampler | None = None
        self._can_stop, self._is_stopped = False, False
        self._phase = ""
        self._began, self._before_seconds = 0.0, 0.0  # of the look before the method

    def stop(self, _number: int, _frame: FrameType | None) -> None:
        """By SIGUSR1, or an activity's SIGUSR2: end what is under way, and go on to the rollbacks."""
        if self._is_stopped:
            return
        self._is_stopped = True
        self._quiet()
        if self._can_stop:
            self._line.interrupt(SystemExit(20))

    def run(self) -> dict[str, Any]:
        """The Chaos Toolkit journal, without looks during the method: those are told singly."""
        install(self._may_end)
        try:
            ensure_experiment_is_valid(self._experiment)
        except Exception as error:  # noqa: BLE001 - chaoslib raises anything where a file is wrong
            self.tell("invalid", error=_words(error))
            return {**self._journal, "status": "failed"}
        self._runner.register_event_handler(self)
        try:
            self._performed()
        except BaseException as error:  # noqa: BLE001 - what escapes chaoslib must not cost the rollbacks
            self._journal["status"] = "interrupted" if isinstance(error, SystemExit) else "aborted"
            if not self._is_stopped:
                self.tell("escaped", error=_words(error))
        self._can_stop = False
        self._quiet()
        self._roll_back_rest()
        return self._journal

    def _may_end(self, error: BaseException) -> bool:
        """A stop, and what Chaos Toolkit ends a method for, but no `sys.exit()`; nothing ends rollbacks."""
        return self._phase != "rollbacks" and (self._is_stopped or isinstance(error, InterruptExecution))

    def _performed(self) -> None:
        cache_activities(self._experiment)  # chaoslib finds there what a `ref` refers to
        if self._is_stopped:
            raise SystemExit(20)
        variables = (self._order.get("configuration") or {}, self._order.get("secrets") or {})
        self._runner.run(self._experiment, ALWAYS, experiment_vars=variables, journal=self._journal)

    def _roll_back_rest(self) -> None:
        """The rollbacks that chaoslib did not come to, each of them whatever becomes of the others."""
        declared, runs = self._experiment.get("rollbacks") or [], self._journal["rollbacks"]
        done = len(runs)
        while done < len(declared):
            self.start_rollbacks(self._experiment)
            rest, begun = {**self._experiment, "rollbacks": declared[done:]}, len(runs)
            _, pool = chaoslib_run.get_background_pools(rest)
            try:
                chaoslib_run.apply_rollbacks(
                    rest, *self._given, pool, None, self._runner.event_registry, runs
                )
            except BaseException as error:  # noqa: BLE001 - what stands beside an activity may raise anything
                self.tell("escaped", error=_words(error))
            done += max(1, len(runs) - begun)

    def tell(self, event: str, **facts: Any) -> None:
        """To the parent; one that is gone hears nothing."""
        with suppress(OSError):
            self._line.send({"event": event, **facts})

    def _quiet(self) -> None:
        if self._sampler is not None:
            self._sampler.stop()

    # What chaoslib calls

    def started(self, experiment: Any, journal: Any) -> None:
        """Nothing was performed yet, but for probes of the configuration. chaoslib took over the signals a
        moment ago; these are taken back.
        """
        for number in (signal.SIGUSR1, signal.SIGUSR2):
            signal.signal(number, self.stop)
        self.tell("secrets", values=self._runner.secrets)

    def running(
        self, experiment: Any, journal: Any, configuration: Any, secrets: Any, schedule: Any, settings: Any
    ) -> None:
        self._given = configuration, secrets
        self._can_stop = True
        self.tell("running")
        if self._is_stopped:
            raise SystemExit(20)

    def start_hypothesis_before(self, experiment: Any) -> None:
        self._phase = "before"
        self._began = time.monotonic()

    def hypothesis_before_completed(self, experiment: Any, state: Any, journal: Any) -> None:
        self._before_seconds = time.monotonic() - self._began
        self.tell("steady", phase="before", state=state)

    def start_method(self, experiment: Any) -> None:
        self._phase = "method"
        configuration, secrets = self._given

        def sampled(state: dict[str, Any]) -> None:
            self.tell("steady", phase="during", state=state)  # and in no journal, which has an end

        patience = None
        if (experiment.get("steady-state-hypothesis") or {}).get("probes"):
            every = float(self._order.get("every_seconds") or 1.0)
            patience = patience_seconds(experiment, self._given, every, self._before_seconds)
            self._sampler = Sampler(experiment, configuration, secrets, every, patience, sampled)
        self.tell("method", look_seconds=patience)
        if self._sampler is not None:
            self._sampler.start()

    def method_completed(self, experiment: Any, state: Any = None) -> None:
        if self._sampler is not None:
            self._sampler.finish()
        self._phase = "after"
        self.tell("method-over")

    def hypothesis_after_completed(self, experiment: Any, state: Any, journal: Any) -> None:
        self.tell("steady", phase="after", state=state)

    def signal_exit(self) -> None:
        self._quiet()

    def start_rollbacks(self, experiment: Any) -> None:
        """From here on nothing interrupts."""
        self._can_stop = False
        for number in (signal.SIGUSR1, signal.SIGUSR2):
            signal.signal(number, signal.SIG_IGN)
        self._quiet()
        self._phase = "rollbacks"
        self.tell("rollbacks")

    def start_activity(self, activity: Any) -> None:
        if threading.current_thread() is threading.main_thread() and self._phase in ("method", "rollbacks"):
            name, kind = activity.get("name", ""), activity.get("type", "")
            self.tell("activity-begun", phase=self._phase, name=name, type=kind)

    def activity_completed(self, activity: Any, run: Any) -> None:
        if threading.current_thread() is threading.main_thread() and self._phase in ("method", "rollbacks"):
            self.tell("activity", phase=self._phase, run=run)


def _words(error: BaseException) -> str:
    return traceback.format_exception_only(error)[-1].strip()[:2000]
