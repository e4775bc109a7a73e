"""What runs are tried on: a journal file, PromQL answers to order, and changes kept in a file.

The changes are durable (one file a key) because crash tests look at them from another process.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from maestro_cli.config.secrets import NO_VAULT
from maestro_cli.core.cancellation import Cancellation
from maestro_cli.core.clock import SystemClock
from maestro_cli.core.errors import MaestroError, NotFound
from maestro_cli.core.facts.metrics import Instant, Sample
from maestro_cli.core.facts.web import WebAnswer, WebRequest
from maestro_cli.core.progress import Progress
from maestro_cli.core.redaction import Redactor
from maestro_cli.journal.messages import OutboxProjection
from maestro_cli.journal.outbox import Outbox
from maestro_cli.journal.store import Journal
from maestro_cli.runbooks.control import RunControl
from maestro_cli.runbooks.model import Runbook, RunResult
from maestro_cli.runbooks.ports import ChangeOutcome, ChangeRequest, ChangeState
from maestro_cli.runbooks.projection import RunsProjection
from maestro_cli.runbooks.reader import read_runbook
from maestro_cli.runbooks.runner import RunbookRunner
from maestro_cli.sources.notify.channels import Channels


class Answers:
    """A MetricsPort whose answers are written beforehand; the last one stays."""

    def __init__(self, *values: tuple[float, ...] | MaestroError) -> None:
        self.values = list(values) or [(1.0,)]
        self.queries: list[str] = []

    def query(self, promql: str, *, at: datetime | None = None) -> Instant:
        self.queries.append(promql)
        value = self.values.pop(0) if len(self.values) > 1 else self.values[0]
        if isinstance(value, MaestroError):
            raise value
        now = SystemClock().now()
        return Instant(promql, now, tuple(Sample({"n": str(i)}, v, now) for i, v in enumerate(value)))


class FileChanges:
    """A ChangePort that counts, in files, how often each key really changed the world."""

    def __init__(self, folder: Path, error: MaestroError | None = None) -> None:
        self.folder = folder
        self.error = error
        self.refusal: MaestroError | None = None
        folder.mkdir(exist_ok=True)

    def _file(self, key: str) -> Path:
        return self.folder / (key.replace("/", "_") + ".json")

    def execute(
        self,
        request: ChangeRequest,
        *,
        key: str,
        incident: str | None,
        progress: Progress,
        cancellation: Cancellation,
    ) -> ChangeOutcome:
        if self.error is not None:
            raise self.error
        return self._do(key, [request.kind, str(request.target), dict(request.options)])

    def _do(self, key: str, what: object) -> ChangeOutcome:
        path = self._file(key)
        if not path.exists():
            path.write_text(json.dumps(what))
            with (self.folder / "world").open("a") as world:
                world.write(f"{json.dumps(what)}\n")
        return ChangeOutcome(ChangeState.DONE, f"chg-{key}", "done")

    def admit(self, what: str) -> None:
        if self.refusal is not None:
            raise self.refusal

    def recover(self, key: str, *, progress: Progress, cancellation: Cancellation) -> ChangeOutcome:
        state = ChangeState.DONE if self._file(key).exists() else ChangeState.ABSENT
        return ChangeOutcome(state, f"chg-{key}", state.value)

    def undo(self, key: str, *, progress: Progress, cancellation: Cancellation) -> ChangeOutcome:
        return self._do(f"{key}/undo", ["undo", key])

    @property
    def world(self) -> list[object]:
        """Every change that was really made, in order."""
        path = self.folder / "world"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


class Systems:
    """A SystemsPort whose web answers and objects are written beforehand; the last one stays."""

    def __init__(self, *answers: WebAnswer | MaestroError) -> None:
        self.answers = list(answers) or [WebAnswer(200, {}, b"well")]
        self.requests: list[WebRequest] = []
        self.objects: list[Mapping[str, Any] | MaestroError] = [NotFound("no such object")]
        self.paths: list[str] = []
        self.box: Outbox | None = None

        self.secrets = NO_VAULT

    @property
    def cluster(self) -> Systems:
        return self

    def get_object(self, path: str) -> Mapping[str, Any]:
        self.paths.append(path)
        found = self.objects.pop(0) if len(self.objects) > 1 else self.objects[0]
        if isinstance(found, MaestroError):
            raise found
        return found

    @property
    def web(self) -> Systems:
        return self

    @property
    def outbox(self) -> Outbox:
        assert self.box is not None  # the bench puts it there
        return self.box

    def send(self, request: WebRequest) -> WebAnswer:
        self.requests.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, MaestroError):
            raise answer
        return answer


class Bench:
    """A folder with a runbook, a journal and a runner on it."""

    def __init__(self, folder: Path, *values: tuple[float, ...] | MaestroError) -> None:
        self.folder = folder
        self.answers = Answers(*values)
        self.changes = FileChanges(folder / "changes")
        self.systems = Systems()
        self.journal = Journal(
            folder / "journal.db", projections=[RunsProjection(), OutboxProjection()], clock=SystemClock()
        )
        self.systems.box = Outbox(self.journal, Channels(self.systems), clock=SystemClock(), actor="tester")

    def runner(
        self,
        *,
        secrets: tuple[str, ...] = (),
        environment: Mapping[str, str] | None = None,
        defaults: Mapping[str, str] | None = None,
        why_held: Callable[[], str] = lambda: "",
    ) -> RunbookRunner:
        return RunbookRunner(
            self.journal,
            metrics=self.answers,
            changes=self.changes,
            systems=self.systems,
            clock=SystemClock(),
            actor="tester",
            redactor=Redactor(secrets),
            environment=environment,
            defaults=defaults,
            why_held=why_held,
        )

    def control(self, *, secrets: tuple[str, ...] = ()) -> RunControl:
        return RunControl(self.journal, "ada", Redactor(secrets))

    def write(self, text: str, name: str = "book.md") -> Runbook:
        path = self.folder / name
        path.write_text(text)
        return read_runbook(path)

    def run(self, text: str, **parameters: str) -> RunResult:
        return self.runner().start(self.write(text), parameters)

    def lines(self, name: str) -> list[str]:
        """What steps have written into a file of the runbook's folder."""
        path = self.folder / name
        return path.read_text().split() if path.exists() else []

    def kinds(self) -> list[str]:
        """The kinds of all events, and the steps they are about."""
        return [
            f"{event.kind}:{event.data['step']}" if "step" in event.data else event.kind
            for event in self.journal.events()
        ]

    def close(self) -> None:
        self.journal.close()


Make = Callable[..., Bench]
