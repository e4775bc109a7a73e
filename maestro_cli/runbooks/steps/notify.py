"""A message to people, posted to a webhook.

Format: the body is the text. What is posted is JSON with `text` (what Slack, Mattermost and others show)
and `run`, `step`, `incident`, `key`. Invariant: the address is a secret; a message may come twice after a
crash, with the same key.
"""

from __future__ import annotations

import json

from maestro_cli.core.errors import InvalidFile, OutcomeUnknown, UsageError
from maestro_cli.core.facts.web import WebRequest
from maestro_cli.core.untrusted import visible
from maestro_cli.runbooks.addresses import into_url
from maestro_cli.runbooks.model import State, Step, StepOutcome
from maestro_cli.runbooks.steps.http import fits
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
        """Post it once; any 2xx is well."""
        try:
            address = into_url(work.secrets[ADDRESS], {})
        except UsageError:
            return StepOutcome(State.FAILED, "what `to` refers to is not an http or https URL")
        text = work.redactor.clean(replace(step.body.strip(), work.values, _spelled))
        content = {
            "text": text[:MAX_TEXT],
            "run": work.run_id,
            "step": step.path,
            "incident": work.incident or "",
            "key": work.key,
        }
        body = json.dumps(content, ensure_ascii=True).encode()
        headers = {"Idempotency-Key": work.key}
        try:
            answer = work.systems.web.send(WebRequest("POST", address, headers, body, step.timeout_seconds))
        except OutcomeUnknown as error:
            return StepOutcome(State.FAILED, work.redactor.clean(f"{error.what}: {error.why}"))
        if not fits(answer.status, "2xx"):
            return StepOutcome(State.FAILED, f"the webhook answered {answer.status}")
        return StepOutcome(State.OK, f"the webhook answered {answer.status}")


def _spelled(name: str, value: str) -> str:
    """A value as a chat shows it: never as markup."""
    return visible(value, 1000).translate(_HARMLESS)
