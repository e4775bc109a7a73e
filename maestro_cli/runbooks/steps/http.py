"""A request to a web address, and what its answer must be.

Format: the body is the request as HTTP writes it: `METHOD URL`, header lines, an empty line, the content.
Invariant: values are put in where they cannot become anything else; a write is sent once an attempt, and
one without an answer is unknown, never done again by itself.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from maestro_cli.core.errors import ExitCode, InvalidFile, OutcomeUnknown, UsageError
from maestro_cli.core.facts.web import METHODS, SAFE_METHODS, WebAnswer, WebRequest
from maestro_cli.runbooks.addresses import into_header, into_json, into_url
from maestro_cli.runbooks.linear_regex import line_regex
from maestro_cli.runbooks.model import State, Step, StepOutcome
from maestro_cli.runbooks.steps.expected import with_value
from maestro_cli.runbooks.steps.kind import Work
from maestro_cli.runbooks.steps.output import Kept
from maestro_cli.runbooks.steps.waiting import until
from maestro_cli.runbooks.substitution import names_in

_HEADER = re.compile(r"([A-Za-z0-9-]{1,64}):[ \t]*([\x20-\x7e]*)")
_OURS = frozenset({"host", "content-length", "transfer-encoding", "connection", "expect", "upgrade"})


@dataclass(frozen=True, slots=True)
class Request:
    """A request as the fence has it, before any value is put in."""

    method: str
    url: str
    headers: Mapping[str, str]
    content: str

    @property
    def is_json(self) -> bool:
        kinds = [value for name, value in self.headers.items() if name.lower() == "content-type"]
        return not kinds or "json" in kinds[0].lower()


def is_write(body: str) -> bool:
    """Whether the request of this fence may alter something."""
    return body.split(None, 1)[:1] != [] and body.split(None, 1)[0].upper() not in SAFE_METHODS


class HttpStep:
    def check(self, step: Step, file: str) -> None:
        try:
            request = read_request(step.body)
            names = self.variables(step) | {name for name, _ in step.secrets}
            into_url(request.url, dict.fromkeys(names_in(request.url), "1"))
            if request.content and request.is_json:
                into_json(request.content, dict.fromkeys(names, "1"))
        except UsageError as error:
            raise InvalidFile(
                error.what, file=file, line=step.line, key=step.path, why=error.why, fix=error.fix
            ) from error
        if request.content and not request.is_json and names_in(request.content):
            what = "values can only be put into JSON"
            raise InvalidFile(what, file=file, line=step.line, key=step.path, fix="send JSON, or fixed text")
        if step.within_seconds and step.mutates:
            what = "a request that alters something is sent once"
            raise InvalidFile(what, file=file, line=step.line, key="within", fix="verify it with a GET")

    def variables(self, step: Step) -> set[str]:
        try:
            request = read_request(step.body)
        except UsageError:
            return set()  # check says what is wrong
        headers = set().union(*map(names_in, request.headers.values()))
        content = names_in(request.content) if request.is_json else set()
        return (headers - {name for name, _ in step.secrets}) | names_in(request.url) | content

    def run(self, step: Step, work: Work) -> StepOutcome:
        """Send it, and again within `within` until the answer is as expected."""
        request = read_request(step.body)
        headers = {
            name: into_header(text, {**work.values, **work.secrets}) for name, text in request.headers.items()
        }
        content = request.content
        if content and request.is_json:
            content = into_json(content, work.values)
        if step.mutates:
            headers = {"Idempotency-Key": work.key, **headers}
        sent = WebRequest(
            request.method,
            into_url(request.url, work.values),
            headers,
            content.encode() if content else None,
            step.timeout_seconds,
        )
        if step.mutates:
            try:
                return _judged(step, work, work.systems.web.send(sent))
            except OutcomeUnknown as error:
                return StepOutcome(State.UNKNOWN, f"{error.what}: {error.why}")
        return until(step, work, lambda: _judged(step, work, work.systems.web.send(sent)))


def read_request(body: str) -> Request:
    """The parts of a request; raises UsageError."""
    head, _, content = body.lstrip("\n").partition("\n\n")
    lines = head.rstrip("\n").split("\n")
    method, _, url = lines[0].strip().partition(" ")
    if method not in METHODS:
        raise UsageError("the request has no method that is known", fix="write GET https://HOST/PATH")
    headers: dict[str, str] = {}
    for line in lines[1:]:
        match = _HEADER.fullmatch(line.strip())
        if match is None or match.group(1).lower() in {*_OURS, *(name.lower() for name in headers)}:
            raise UsageError(
                "a line is not a header that can be set", fix="write NAME: VALUE, each name once"
            )
        headers[match.group(1)] = match.group(2)
    return Request(method, url.strip(), headers, content.strip())


def _judged(step: Step, work: Work, answer: WebAnswer) -> StepOutcome:
    kept = Kept()
    kept.add(answer.body)
    output = kept.text(work.redactor)
    wanted = step.status or ("2xx",)
    if not any(fits(answer.status, one) for one in wanted):
        reason = f"status {answer.status}, expected {' or '.join(wanted)}"
        return StepOutcome(State.NOT_MET, reason, output=output, exit_code=ExitCode.CONDITION_NOT_MET)
    text = answer.body.decode("utf-8", "replace")
    value = line_regex(step.match).find(text) if step.match else text.strip()
    if value is None:
        reason = f"status {answer.status}, but nothing in the answer matches {step.match}"
        return StepOutcome(State.NOT_MET, reason, output=output, exit_code=ExitCode.CONDITION_NOT_MET)
    answered = StepOutcome(State.OK, f"status {answer.status}", output=output)
    return with_value(step, answered, value, work.redactor)


def fits(status: int, wanted: str) -> bool:
    """Whether a status is this one, or of this class: `200`, `2xx`."""
    return wanted in (str(status), f"{status // 100}xx")
