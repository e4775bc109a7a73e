"""A message to people, put into the outbox.

Format: the body is the text. The message has `text`, `run`, `step` and `incident`; its channel adds the
key. Invariant: a step that is well has a durable message; the address is a secret and stays a reference; a
message may come twice after a crash, with the same key.
"""

from __future__ import annotations

from pathlib import Path

from maestro_cli.core.errors import ExitCode, InvalidFile, UsageError
from maestro_cli.core.untrusted import visible
from maestro_cli.journal.messages import Delivery, Message, Standing
from maestro_cli.runbooks.addresses import into_url
from maestro_cli.runbooks.model import State, Step, StepOutcome
from maestro_cli.runbooks.steps.kind import Work
from maestro_cli.runbooks.substitution import names_in, replace

ADDRESS = "NOTIFY_URL"  # the name under which the address is among the step's secrets
_HARMLESS = str.maketrans({"<": "‹", ">": "›", "@": "＠", "`": "'"})  # no link, no call of a channel
MAX_TEXT = 12_000  # what chat systems show of one message


class NotifyStep:
    def check(self, step: Step, file: str) -> None:
        if not step.body.strip():
            raise InvalidFile("says nothing", file=file, line=step.line, key=step.path)
        if not step.secrets:
            fix = "add to=env:NAME, where NAME holds the webhook's URL"
            raise InvalidFile("has nowhere to go", file=file, line=step.line, key=step.path, fix=fix)

    def variables(self, step: Step) -> set[str]:
        return names_in(step.body)

    def run(self, step: Step, work: Work) -> StepOutcome:
        """Put it into the outbox and try it at once; with `deliver=now` it must have been delivered."""
        try:
            into_url(work.secrets[ADDRESS], {})
        except UsageError:
            return StepOutcome(State.FAILED, "what `to` refers to is not an http or https URL")
        text = work.redactor.clean(replace(step.body.strip(), work.values, spelled))
        content = {
            "text": text[:MAX_TEXT],
            "run": work.run_id,
            "step": step.path,
            "incident": work.incident or "",
        }
        message = Message(
            key=work.key,
            channel=lasting(dict(step.secrets)[ADDRESS]),
            content=content,
            incident=work.incident or "",
            timeout_seconds=step.timeout_seconds,
        )
        return _outcome(step, work.systems.outbox.post(message, now=step.deliver_now))


def _outcome(step: Step, sent: Delivery) -> StepOutcome:
    if sent.standing is Standing.DELIVERED:
        return StepOutcome(State.OK, sent.reason)
    if sent.standing is Standing.REFUSED:
        return StepOutcome(State.FAILED, f"{sent.reason}; it is kept as {sent.id}: maestro outbox list")
    if sent.standing is Standing.DROPPED:
        return StepOutcome(State.FAILED, f"{sent.id} was dropped: {sent.reason or 'no reason given'}")
    why = sent.reason or "its channel did not answer before"
    if step.deliver_now:
        code = ExitCode.UNREACHABLE
        return StepOutcome(State.FAILED, f"not delivered: {why}; it waits as {sent.id}", exit_code=code)
    return StepOutcome(State.OK, f"waits as {sent.id}: {why}")


def lasting(reference: str) -> str:
    """The same reference for a process that works in another folder; the file of a home that is not there is
    left as it is written, and is not found when the message is sent."""
    scheme, _, rest = reference.partition(":")
    if scheme != "file":
        return reference
    try:
        return f"file:{Path(rest).expanduser().absolute()}"
    except RuntimeError:
        return reference


def spelled(name: str, value: str) -> str:
    """A value as a chat shows it: never as markup."""
    return visible(value, 1000).translate(_HARMLESS)
