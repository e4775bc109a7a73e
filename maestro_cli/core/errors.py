"""Every error a user can meet, and the exit code it ends with.

Invariant: an error says what happened, why, and what to do; it is rendered in one place
(`output.diagnostics`), so no error class knows about terminals.

    MaestroError
    ├── UsageError            2   the command line
    │   └── InvalidQuery          a query the backend cannot read or evaluate
    ├── InvalidFile           3   a file or setting, with file, line and key
    ├── Unreachable           4   a backend did not answer
    │   └── OutcomeUnknown        a write was sent and no answer came: it may have been done
    ├── Refused               5   a backend said no (401, 403)
    ├── NotFound              6
    ├── ConditionNotMet      10   the question was answered, and the answer is bad
    ├── GateNotMet           11   nothing was done
    │   ├── StalePlan             the target changed since the plan was made
    │   └── NothingToChange       it is to be so already
    ├── ActionFailed         12   something was tried and failed, or there was nothing to act on
    ├── UndoFailed           13
    ├── StopConditionMet     14
    ├── NoData               15
    ├── RolledBack           16   applied, not verified, undone
    ├── WaitingForApproval   17
    ├── PolicyRefused        20
    ├── Busy                 75   somebody else holds it, or it was interrupted and can be resumed
    ├── TimedOut            124
    └── Interrupted     130, 143
"""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """What the process exit status means; `maestro help exit-codes` prints this table."""

    OK = 0
    INTERNAL = 1
    USAGE = 2
    INVALID_FILE = 3
    UNREACHABLE = 4
    REFUSED = 5
    NOT_FOUND = 6
    CONDITION_NOT_MET = 10
    GATE_NOT_MET = 11
    ACTION_FAILED = 12
    UNDO_FAILED = 13
    STOP_CONDITION = 14
    NO_DATA = 15
    ROLLED_BACK = 16
    WAITING_APPROVAL = 17
    POLICY_REFUSED = 20
    BUSY = 75
    TIMEOUT = 124
    SIGINT = 130
    SIGTERM = 143


EXIT_CODE_MEANINGS: dict[ExitCode, str] = {
    ExitCode.OK: "ok",
    ExitCode.INTERNAL: "internal error",
    ExitCode.USAGE: "usage",
    ExitCode.INVALID_FILE: "invalid file or config",
    ExitCode.UNREACHABLE: "backend unreachable",
    ExitCode.REFUSED: "backend refused (401, 403)",
    ExitCode.NOT_FOUND: "not found",
    ExitCode.CONDITION_NOT_MET: "condition not met (SLO breached, deviated, degraded, over budget)",
    ExitCode.GATE_NOT_MET: "gate not met, nothing done",
    ExitCode.ACTION_FAILED: "action failed or zero targets",
    ExitCode.UNDO_FAILED: "undo failed or residue left",
    ExitCode.STOP_CONDITION: "stop condition",
    ExitCode.NO_DATA: "no data",
    ExitCode.ROLLED_BACK: "rolled back after a failed verify",
    ExitCode.WAITING_APPROVAL: "waiting for approval",
    ExitCode.POLICY_REFUSED: "refused by policy",
    ExitCode.BUSY: "busy or interrupted, can be resumed",
    ExitCode.TIMEOUT: "timeout",
    ExitCode.SIGINT: "interrupted (SIGINT)",
    ExitCode.SIGTERM: "terminated (SIGTERM)",
}


class MaestroError(Exception):
    """An error for the user: what happened, why, how to fix it, and the exit code."""

    exit_code: ExitCode = ExitCode.INTERNAL

    def __init__(self, what: str, *, why: str = "", fix: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.why = why
        self.fix = fix


def defect(error: Exception) -> str:
    """An unforeseen exception in words, for a loop that must outlive it."""
    return f"internal error: {type(error).__name__}: {error}"


class UsageError(MaestroError):
    exit_code = ExitCode.USAGE


class InvalidQuery(UsageError):
    """A query that the backend cannot read or evaluate; `why` is what the backend said."""


class InvalidFile(MaestroError):
    """A file people write is wrong; `where` is `file:line` and `key` the dotted path in it."""

    exit_code = ExitCode.INVALID_FILE

    def __init__(
        self,
        what: str,
        *,
        file: str,
        line: int | None = None,
        key: str = "",
        why: str = "",
        fix: str = "",
    ) -> None:
        self.file = file
        self.line = line
        self.key = key
        self.where = file if line is None else f"{file}:{line}"
        at = f"{self.where}: {key}: {what}" if key else f"{self.where}: {what}"
        super().__init__(at, why=why, fix=fix)


class Unreachable(MaestroError):
    exit_code = ExitCode.UNREACHABLE


class OutcomeUnknown(Unreachable):
    """A write was sent and no answer came back: it may have been done, and must be probed."""


class Refused(MaestroError):
    exit_code = ExitCode.REFUSED


class NotFound(MaestroError):
    exit_code = ExitCode.NOT_FOUND


class ConditionNotMet(MaestroError):
    exit_code = ExitCode.CONDITION_NOT_MET


class GateNotMet(MaestroError):
    exit_code = ExitCode.GATE_NOT_MET


class StalePlan(GateNotMet):
    """The target changed since the plan was made; nothing was done."""


class NothingToChange(GateNotMet):
    """It is already as the change would have it."""


class ActionFailed(MaestroError):
    exit_code = ExitCode.ACTION_FAILED


class CannotRecord(ActionFailed):
    """The journal cannot be written: nothing that has to be in it may be begun."""


class UndoFailed(MaestroError):
    exit_code = ExitCode.UNDO_FAILED


class StopConditionMet(MaestroError):
    exit_code = ExitCode.STOP_CONDITION


class NoData(MaestroError):
    exit_code = ExitCode.NO_DATA


class NotKept(NoData):
    """What was found cannot be written down: without a record it proves nothing. `found` is the exit code of
    what was found, which stays where that is no pass.
    """

    def __init__(
        self, what: str, *, found: ExitCode = ExitCode.OK, why: str = "", fix: str = "make room"
    ) -> None:
        super().__init__(what, why=why, fix=fix)
        self.exit_code = found or ExitCode.NO_DATA


class RolledBack(MaestroError):
    exit_code = ExitCode.ROLLED_BACK


class WaitingForApproval(MaestroError):
    exit_code = ExitCode.WAITING_APPROVAL


class PolicyRefused(MaestroError):
    exit_code = ExitCode.POLICY_REFUSED


class Busy(MaestroError):
    exit_code = ExitCode.BUSY


class TimedOut(MaestroError):
    exit_code = ExitCode.TIMEOUT


class Interrupted(MaestroError):
    """The user or the system asked maestro to stop."""

    exit_code = ExitCode.SIGINT

    def __init__(self, what: str = "interrupted", *, terminated: bool = False, fix: str = "") -> None:
        super().__init__(what, fix=fix)
        if terminated:
            self.exit_code = ExitCode.SIGTERM

    @property
    def is_to_end(self) -> bool:
        """Whether it was told to end; else somebody pressed Ctrl-C, which a session outlives."""
        return self.exit_code is ExitCode.SIGTERM
