"""Runs the detector in this process, until stopped."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from maestro_cli.chaos.drills.conductor import is_drilling
from maestro_cli.core.errors import Interrupted, InvalidFile, PolicyRefused, UsageError
from maestro_cli.core.facts.alerts import WebhookMessage
from maestro_cli.core.progress import Progress
from maestro_cli.core.quantities import parse_duration_seconds
from maestro_cli.incidents.intake.blindness import API_SOURCE
from maestro_cli.incidents.intake.detector import Detector
from maestro_cli.incidents.intake.watch import Eye, Watch
from maestro_cli.incidents.people.escalating import Escalations
from maestro_cli.incidents.ports import DutyPort
from maestro_cli.incidents.response.duty import Duty
from maestro_cli.incidents.response.errands import Errands
from maestro_cli.incidents.response.lookout import Lookouts
from maestro_cli.journal.courier import Courier
from maestro_cli.output.diagnostics import warn
from maestro_cli.services.incident_silences import SilenceSweep
from maestro_cli.services.incident_topology import ReadTopology
from maestro_cli.services.intake import alert_source, further_eyes, needed_alert_source
from maestro_cli.services.triaging import MetricsWhenAsked
from maestro_cli.sources.webhook_receiver import Proof, WebhookReceiver, basic, bearer, shared_secret

if TYPE_CHECKING:
    from maestro_cli.config.intake import Receiver
    from maestro_cli.config.secrets import Secrets
    from maestro_cli.services.root import Services


class _Webhook:
    """The receiver as the watch wants it; announces its port once it listens."""

    def __init__(
        self, proofs: Sequence[Proof], host: str, port: int, announced: Callable[[int, str], None]
    ) -> None:
        self._proofs, self._host, self._port = proofs, host, port
        self._announced = announced
        self._receiver: WebhookReceiver | None = None

    def start(self, deliver: Callable[[WebhookMessage], None]) -> str:
        self._receiver = WebhookReceiver(
            self._proofs,
            deliver,
            host=self._host,
            port=self._port,
            on_error=lambda error: warn(f"a webhook message was not stored: {error}"),
        ).start()
        self._announced(self._receiver.port, self._receiver.url)
        return self._receiver.url

    def stop(self) -> None:
        if self._receiver is not None:
            self._receiver.stop()


def run_watch(
    services: Services,
    poll: str,
    listen: str | None,
    token_file: str | None,
    announce_to: str | None,
    respond: bool,
    progress: Progress,
) -> None:
    """Watch the context's Alertmanager, or its Prometheus, until a signal comes; raises Interrupted then.

    Raises UsageError for a bad option, InvalidFile for an empty token, NotFound where there is nothing to
    watch, Unreachable for a taken port, PolicyRefused when it should respond where nothing may be changed.
    """
    try:
        poll_seconds = parse_duration_seconds(poll)
    except ValueError as error:
        raise UsageError(f"--poll: {error}") from error
    if poll_seconds <= 0:
        raise UsageError("--poll must be longer than nothing", fix="--poll 10s")
    bindings = services.incident_rules.bindings  # a broken file would leave an alert unanswered: say so now
    cancellation = services.cancellation
    duty = _people(services, progress)
    if respond:
        duty = Lookouts(duty, _duty(services, progress))
    if announce_to is not None:
        from maestro_cli.local.process import die_with_parent

        die_with_parent()
    webhook = _webhook(services, listen, token_file, announce_to)
    detector = Detector(
        services.journal,
        services.clock,
        f"watch, {services.actor}",
        drill=lambda: is_drilling(services.journal, services.clock.now()),
        bindings=bindings,
        topology=ReadTopology(lambda: services.cluster.list_pods(None), services.clock, progress.note),
    )
    source = alert_source(services) if webhook is not None else needed_alert_source(services)
    polled = f"polling {source.words}, every {poll}" if source is not None else "the webhook alone"
    others = further_eyes(services, detector.actor, progress.note)
    progress.phase("watch", "; ".join([polled, *(_words(eye) for eye in others)]))
    if webhook is None and announce_to is not None:
        _announce(announce_to, 0, "")
    rules = services.incident_rules.watched_by(detector)
    own = services.acting_as(detector.actor)
    with Courier(own.outbox, progress):
        Watch(
            detector,
            source.alerts if source is not None else None,
            poll_seconds=poll_seconds,
            webhook=webhook,
            clock=services.clock,
            cancellation=cancellation,
            progress=progress,
            duty=duty,
            turns=(rules.look, *_sweeps(own), lambda _: _accept(own)),
            source=source.name if source is not None else API_SOURCE,
            others=others,
        ).run()
    raise Interrupted("the watch was stopped", terminated=cancellation.terminated)


def _people(services: Services, progress: Progress) -> DutyPort:
    """Tells who is next of what nobody acknowledges, and says what is late; alters nothing."""
    own = services.acting_as(f"watch, {services.actor}")
    own.read_oncall()  # a broken file would tell nobody: say so now
    return Escalations(
        own.journal,
        own.outbox,
        own.read_oncall,
        lambda: own.pagerduty,
        own.actor,
        clock=own.clock,
        cancellation=services.cancellation,
        progress=progress,
    )


def _accept(own: Services) -> None:
    """Accept what channels shall be told; the courier hands it over."""
    own.herald.look()


def _sweeps(own: Services) -> tuple[SilenceSweep, ...]:
    """Ends the silences of incidents that are over, where there can be any and something may be changed."""
    if own.context.alertmanager is None or own.policy.read_only:
        return ()
    return (SilenceSweep(own),)


def _words(eye: Eye) -> str:
    return f"{eye.source} every {eye.every_seconds:g}s"


def _duty(services: Services, progress: Progress) -> DutyPort:
    """Responds in a name of its own, so that the record tells what nobody typed; the gate decides as ever."""
    if services.policy.read_only:
        raise PolicyRefused(
            f"context {services.context_name} is read-only, so nothing can be responded to",
            why="--read-only, MAESTRO_READ_ONLY or read_only of the context is set",
            fix="watch without --respond, or unset it where it is set",
        )
    own = services.acting_as(f"watch, {services.actor}")
    metrics = MetricsWhenAsked(lambda: own.prometheus)
    if own.context.prometheus is None:
        progress.note(
            "the context has no prometheus: triage has no metrics, and a step that asks for them fails"
        )
    else:
        _ = own.prometheus  # built before threads share it
    _ = own.objectives, own.triage, own.response  # these too
    duty = Duty(
        own.journal,
        own.response,
        own.actor,
        clock=own.clock,
        cancellation=services.cancellation,
        progress=progress,
        drilling=lambda: is_drilling(own.journal, own.clock.now()),
    )
    errands = Errands(
        own.journal,
        own.playbooks.all(),
        own.playbook_runner("", given=True, metrics=metrics),
        judged=own.readiness.judged,
        clock=own.clock,
        cancellation=services.cancellation,
        progress=progress,
        drilling=lambda: is_drilling(own.journal, own.clock.now()),
    )
    return Lookouts(duty, errands)


def _webhook(
    services: Services, listen: str | None, token_file: str | None, announce_to: str | None
) -> _Webhook | None:
    """The receiver that the options or the context ask for; the options go before."""
    context = services.settings.contexts.get(services.context_name)
    receiver = context.webhook if context is not None else None
    listen = listen or (receiver.listen if receiver is not None else None)
    if listen is None:
        return None
    host, colon, port = listen.rpartition(":")
    if not colon or not port.isdigit() or int(port) > 65535:
        raise UsageError(f"--listen {listen!r} is not HOST:PORT", fix="--listen 127.0.0.1:9099")
    if token_file is not None:
        proofs = [bearer(_read_token(token_file))]
    else:
        proofs = _proofs(services.secrets, receiver)
    if not proofs:
        raise UsageError(
            "--listen needs --token-file, or webhook: of the context",
            why="anybody could send alerts",
            fix="--token-file FILE",
        )

    def announced(port: int, url: str) -> None:
        if announce_to is not None:
            _announce(announce_to, port, url)

    return _Webhook(proofs, host.strip("[]"), int(port), announced)


def _proofs(secrets: Secrets, receiver: Receiver | None) -> list[Proof]:
    """What the context takes for a proof; secrets are read once, when the watch begins."""
    if receiver is None:
        return []
    values = {key: secrets.resolve(one, key=f"webhook.{key}") for key, one in receiver.references.items()}
    made: dict[str, Callable[[str], Proof]]
    made = {"token": bearer, "password": partial(basic, receiver.username or ""), "secret": shared_secret}
    return [made[key](value) for key, value in values.items()]


def _read_token(file: str) -> str:
    try:
        token = Path(file).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidFile("the token cannot be read", file=file, why=str(error)) from error
    if not token:
        raise InvalidFile("the token file is empty", file=file)
    return token


def _announce(state: str, port: int, url: str) -> None:
    from maestro_cli.local.process import announce

    announce(Path(state), "watch", port=port, url=url)
