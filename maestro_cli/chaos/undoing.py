"""Takes the changes of a fault back, and looks for what is left of it: by a run's own end, or by a sweep."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import partial

from maestro_cli.changes.pipeline import ChangePipeline
from maestro_cli.chaos.faults import FAULTS, REMEDIES
from maestro_cli.chaos.faults.fault import InForce
from maestro_cli.chaos.ports import Platform
from maestro_cli.core.clock import Clock
from maestro_cli.core.daemon_pool import DaemonPool
from maestro_cli.core.errors import MaestroError, defect

UNDO_SECONDS, TRIES, PAUSE_SECONDS = 20.0, 5, 0.2
AT_ONCE = 8


def is_remedy(fault: InForce) -> bool:
    """Whether it helps against others: it is taken back once they are."""
    return fault.order.fault in REMEDIES


def end_of(run: str) -> str:
    """Why a change is taken back."""
    return f"the end of a fault of experiment {run}"


def patience_seconds(fault: InForce, recovery_seconds: float) -> float:
    """How long the undo of a fault is tried.

    Of a remedy so long as what it helps against may take to recover: callers are not sent back to what is not
    well yet, and what hurt was taken back a moment ago.
    """
    return max(UNDO_SECONDS, recovery_seconds) if is_remedy(fault) else UNDO_SECONDS


def undo_changes(
    pipeline: ChangePipeline,
    clock: Clock,
    fault: InForce,
    cause: str,
    closing: Callable[[str], AbstractContextManager[object]] = nullcontext,
    *,
    recovery_seconds: float = 0.0,
    is_hurried: Callable[[], bool] = lambda: False,
) -> str:
    """Take every change of a fault back that was begun, within its `closing`; why it could not be, or "".

    What fails is tried again for `patience_seconds`, and once that is hurried for UNDO_SECONDS at most.
    """
    errors: list[str] = []
    began = clock.monotonic()
    patience = patience_seconds(fault, recovery_seconds)

    def is_in_vain() -> bool:
        spent = clock.monotonic() - began
        return spent >= patience or (spent >= UNDO_SECONDS and is_hurried())

    def one(change: str) -> None:
        while True:
            try:
                with closing(change):
                    if pipeline.is_known(change):
                        pipeline.take_back(change, cause=cause)
                return
            except MaestroError as error:
                if is_in_vain():
                    errors.append("; ".join(filter(None, (error.what, error.why))))
                    return
                clock.sleep(PAUSE_SECONDS)
            except Exception as error:  # noqa: BLE001 - what is wrong with one keeps no other in force
                errors.append(defect(error))
                return

    with DaemonPool(AT_ONCE, "take-back") as pool:
        for waited in [pool.submit(partial(one, change)) for change in reversed(fault.changes)]:
            waited.result()
    return "; ".join(errors)


def residue_of(platform: Platform, clock: Clock, faults: Sequence[InForce]) -> tuple[str, ...]:
    """What is left of faults that were taken back, in words."""
    left: list[str] = []
    for fault in faults:
        for attempt in range(TRIES):
            try:
                left += FAULTS[fault.order.fault].residue(platform, fault)
                break
            except MaestroError as error:
                if attempt == TRIES - 1:
                    left.append(
                        f"whether anything is left of {fault.order.name} cannot be told: {error.what}"
                    )
                clock.sleep(PAUSE_SECONDS)
    return tuple(left)
